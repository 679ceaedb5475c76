"""A page is never older than what it was made from: a small book, built again and again."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
CONFIG = """\
title: Small
only_build_toc_files: true
execute: {{execute_notebooks: cache, stderr_output: error}}
sphinx:
  local_extensions: {{fresh_pages: {extensions}}}
  config:
    pages_that_read_notebooks: [ledger]
    html_theme: basic
    html_theme_options: {{}}
    extensions: [myst_nb, jupyter_book, sphinx_comments, sphinx_external_toc, fresh_pages]
"""
CHAPTER = """\
import sys
sys.path.insert(0, "initcourse")
import law
print("measured", law.VALUE)
"""
LEDGER = """\
from pathlib import Path
print("characters", len(Path("chapter.ipynb").read_text()))
"""


class Book:
    """A book of one chapter, a ledger that reads it, and a package of one line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "initcourse").mkdir()
        (folder / "book" / "static").mkdir(parents=True)
        (folder / "_toc.yml").write_text(
            "{format: jb-book, root: index, chapters: [{file: chapter}, {file: ledger}]}"
        )
        extensions = (ROOT / "book" / "extensions").as_posix()
        (folder / "_config.yml").write_text(CONFIG.format(extensions=extensions))
        (folder / "index.md").write_text("# Small\n")
        self.package("VALUE = 1")
        self.notebook("chapter", CHAPTER)
        self.notebook("ledger", LEDGER)

    def package(self, source: str) -> None:
        (self.folder / "initcourse" / "law.py").write_text(source)

    def notebook(self, name: str, source: str) -> None:
        cells = [new_markdown_cell(f"# {name}"), new_code_cell(source)]
        notebook = new_notebook(cells=cells)
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, self.folder / f"{name}.ipynb")

    def build(self) -> tuple[int, list[str]]:
        """Build; return the exit status and the notebooks that were executed."""
        program = Path(sys.executable).with_name("jupyter-book")
        done = subprocess.run(
            [program, "build", ".", "-W", "--keep-going"],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lines = done.stdout.splitlines()
        executed = [Path(line.split(": ")[0]).stem for line in lines if "Executed notebook" in line]
        return done.returncode, sorted(executed)

    def page(self, name: str) -> str:
        return (self.folder / "_build" / "html" / f"{name}.html").read_text(encoding="utf-8")


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def test_pages_follow_the_package_and_each_other(book: Book) -> None:
    assert book.build() == (0, ["chapter", "ledger"])
    assert "measured 1" in book.page("chapter")
    assert book.build() == (0, [])

    book.package("VALUE = 2")
    assert book.build() == (0, ["chapter", "ledger"])
    assert "measured 2" in book.page("chapter")

    # Prose alone runs no chapter again, but the ledger has read another file.
    path = book.folder / "chapter.ipynb"
    notebook = json.loads(path.read_text())
    notebook["cells"][0]["source"] = "# chapter\n\nMore prose."
    path.write_text(json.dumps(notebook))
    assert book.build() == (0, ["ledger"])
    assert f"characters {len(path.read_text())}" in book.page("ledger")


def test_a_failed_build_fails_again(book: Book) -> None:
    book.package("VALUE = 1 / 0")
    assert book.build()[0] != 0
    assert book.build()[0] != 0
    book.package("VALUE = 3")
    assert book.build() == (0, ["chapter", "ledger"])
    assert "measured 3" in book.page("chapter")


def test_a_cause_that_is_gone_fails_no_later_build(book: Book) -> None:
    # The kernel writes to stderr for a reason that lies neither in the notebook nor in the package.
    noise = book.folder / "noise"
    noise.touch()
    book.notebook(
        "chapter",
        CHAPTER + "import os\nif os.path.exists('noise'):\n    print('slow', file=sys.stderr)\n",
    )
    assert book.build()[0] != 0
    noise.unlink()
    status, executed = book.build()
    assert status == 0
    assert "chapter" in executed
    assert book.build() == (0, [])


DRAWN = "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])"
KEPT_AWAY = DRAWN + "\nimport os\nif os.path.exists('no-pictures'):\n    plt.close('all')"


def test_a_page_has_all_its_pictures_or_the_build_fails(book: Book) -> None:
    book.notebook("chapter", KEPT_AWAY)
    path = book.folder / "chapter.ipynb"
    notebook = nbformat.read(path, as_version=4)
    stored = nbformat.v4.new_output("display_data", {"image/png": "", "text/plain": "figure"})
    notebook.cells[1].outputs = [stored]
    nbformat.write(notebook, path)
    (book.folder / "no-pictures").touch()
    assert book.build()[0] != 0
    assert book.build()[0] != 0  # nothing of it is kept
    (book.folder / "no-pictures").unlink()
    assert book.build()[0] == 0
    assert "<img" in book.page("chapter")


def test_a_backend_of_the_users_keeps_no_picture_away(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    book.notebook("chapter", DRAWN)
    assert book.build()[0] == 0
    assert "<img" in book.page("chapter")
