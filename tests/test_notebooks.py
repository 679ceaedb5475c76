"""Every notebook as it is stored: complete, clean, accessible.  nbval runs them all."""

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
MOST_LINES = 15


def stored_notebooks() -> list[Path]:
    """All but the students' copies of the homework, which are never run."""
    return sorted(
        path
        for path in BOOK.rglob("*.ipynb")
        if ".ipynb_checkpoints" not in path.parts and path.parent.name != "homework"
    )


def is_chapter(notebook: Any) -> bool:
    return "initcourse" not in notebook.metadata  # the homework's mark


def tags(cell: Any) -> list[str]:
    found: list[str] = cell.metadata.get("tags", [])
    return found


@pytest.fixture(params=stored_notebooks(), ids=lambda path: str(path.relative_to(BOOK)))
def notebook(request: pytest.FixtureRequest) -> Any:
    return nbformat.read(request.param, as_version=4)


@pytest.fixture
def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_file_is_valid(notebook: Any) -> None:
    nbformat.validate(notebook)


def test_every_cell_was_run_once_in_order(code_cells: list[Any]) -> None:
    counts = [cell.execution_count for cell in code_cells]
    assert counts == list(range(1, len(counts) + 1)), "run: make refresh"


def test_no_error_or_stderr_is_stored(code_cells: list[Any]) -> None:
    for cell in code_cells:
        for output in cell.outputs:
            assert output.get("name") != "stderr", f"stderr of\n{cell.source}"
            if "raises-exception" not in tags(cell):
                assert output.output_type != "error", f"error of\n{cell.source}"


def test_pictures_have_alternative_text(code_cells: list[Any]) -> None:
    for cell in code_cells:
        if any("image/png" in output.get("data", {}) for output in cell.outputs):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            assert len(alt) > 20, (
                "say what the figure shows in the cell's metadata, "
                f'{{"mystnb": {{"image": {{"alt": …}}}}}}:\n{cell.source}'
            )


def test_outputs_that_are_not_compared_are_not_stored(code_cells: list[Any]) -> None:
    for cell in code_cells:
        if "nbval-ignore-output" in tags(cell):
            assert cell.outputs == [], f"run make refresh; outputs of\n{cell.source}"


def test_code_cells_are_short(notebook: Any, code_cells: list[Any]) -> None:
    hidden = re.compile(r"^ *### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL | re.M)
    # A cell of the homework's source holds the marks around a solution too.
    most = MOST_LINES if is_chapter(notebook) else MOST_LINES + 4
    for cell in code_cells:
        lines = hidden.sub("", cell.source).count("\n") + 1
        assert lines <= most, f"{lines} lines, at most {most}:\n{cell.source}"


def test_an_explorer_says_what_kind_of_picture_it_shows(code_cells: list[Any]) -> None:
    for cell in code_cells:
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "widgets.explore":
                assert {word.arg for word in node.keywords} >= {"title", "alt"}, cell.source


def test_a_display_holds_one_formula_a_line(notebook: Any) -> None:
    """Two formulas side by side are wider than a phone."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for formula in re.findall(r"\$\$(.*?)\$\$", cell.source, re.DOTALL):
                assert r"\qquad" not in formula, f"write aligned, a line each:\n{formula}"


def test_first_code_cell_is_imports(notebook: Any, code_cells: list[Any]) -> None:
    statements = ast.parse(code_cells[0].source).body
    # NumPy, the science, what pages are made of.
    assert len(statements) <= 3 or not is_chapter(notebook)
    assert all(isinstance(line, ast.Import | ast.ImportFrom) for line in statements)


def test_no_personal_or_volatile_metadata(notebook: Any) -> None:
    assert set(notebook.metadata) <= {"initcourse", "kernelspec", "mystnb"}, "run: make refresh"


def test_every_notebook_is_in_the_table_of_contents() -> None:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = {chapter["file"] for part in toc["parts"] for chapter in part["chapters"]}
    stored = {
        path.relative_to(ROOT).with_suffix("").as_posix()
        for path in BOOK.rglob("*.ipynb")
        if not {".ipynb_checkpoints", "source"} & set(path.parts)
    }
    assert stored, "there is no notebook in book/"
    assert stored <= listed, f"add to _toc.yml: {sorted(stored - listed)}"


def test_every_notebook_is_run_by_the_tests(pytestconfig: pytest.Config) -> None:
    assert pytestconfig.getoption("nbval"), "run pytest with the options of pyproject.toml"
    assert "book" in pytestconfig.getini("testpaths")
