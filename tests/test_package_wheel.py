"""The wheel that the site offers is never older than its sources."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "book" / "extensions"))
from package_wheel import SOURCES, is_fresh

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
