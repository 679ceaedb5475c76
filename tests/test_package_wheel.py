"""The wheel that the site offers is never older than its sources."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from docutils import nodes
from docutils.utils import new_document

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "book" / "extensions"))
from package_wheel import SOURCES, colab_line, is_fresh, say_colab_line, wheel_name

ROOT = Path(__file__).resolve().parents[1]
BUILT, LATER = 1_000_000, 1_000_001


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project and its wheel, built after all its files."""
    package = tmp_path / SOURCES[0]
    (package / "grading").mkdir(parents=True)
    (package / "__pycache__").mkdir()
    files = [package / "law.py", package / "grading/engine.py", package / "__pycache__/law.pyc"]
    for path in [*files, *(tmp_path / name for name in SOURCES[1:])]:
        path.touch()
    for path in tmp_path.rglob("*"):
        os.utime(path, (BUILT - 1, BUILT - 1))
    (tmp_path / "the.whl").touch()
    os.utime(tmp_path / "the.whl", (BUILT, BUILT))
    return tmp_path


def test_a_wheel_without_newer_sources_stays(project: Path) -> None:
    assert is_fresh(project / "the.whl", project)


@pytest.mark.parametrize("name", ["initcourse/law.py", "initcourse/grading/engine.py", *SOURCES])
def test_a_newer_source_or_folder_makes_it_again(project: Path, name: str) -> None:
    os.utime(project / name, (LATER, LATER))
    assert not is_fresh(project / "the.whl", project)


def test_what_python_compiled_does_not_count(project: Path) -> None:
    os.utime(project / "initcourse/__pycache__/law.pyc", (LATER, LATER))
    assert is_fresh(project / "the.whl", project)


def test_colab_is_told_what_to_install_where_there_is_an_address() -> None:
    line = colab_line("https://name.example/course/", ROOT)
    name = wheel_name(ROOT)
    assert line == f"!pip install --no-deps https://name.example/course/{name}"


@pytest.mark.parametrize(
    ("address", "buttons", "page", "told"),
    [
        ("https://name.example/", {"colab_url": "x"}, "book/01.ipynb", True),
        ("", {"colab_url": "x"}, "book/01.ipynb", False),
        ("https://name.example/", {}, "book/01.ipynb", False),
        ("https://name.example/", {"colab_url": "x"}, "book/notation.md", False),
    ],
)
def test_the_line_stands_in_the_first_tip(
    address: str, buttons: dict[str, str], page: str, told: bool
) -> None:
    tip = nodes.admonition("", nodes.paragraph(text="Run it."), classes=["tip"])
    doctree = new_document("page")
    doctree += tip
    options = {"launch_buttons": buttons}
    config = SimpleNamespace(html_baseurl=address, html_theme_options=options)
    env = SimpleNamespace(doc2path=lambda name: page)
    app = SimpleNamespace(config=config, env=env, srcdir=str(ROOT))
    say_colab_line(cast(Any, app), doctree, "page")
    assert ("--no-deps" in tip.astext()) is told
