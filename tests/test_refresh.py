"""Stored outputs change only when results do."""

import importlib.util
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]

FIGURE = """\
import matplotlib.pyplot as plt

_ = plt.plot([1, 2, 3])
"""


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("refresh", ROOT / "tools" / "refresh.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(path: Path, *sources: str, tags: tuple[str, ...] = ()) -> Path:
    cells = [new_code_cell(source) for source in sources]
    cells[-1].metadata["tags"] = list(tags)
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), *cells])
    notebook.metadata["language_info"] = {"name": "python", "version": "3.0.0"}
    nbformat.write(notebook, path)
    return path


def test_a_second_run_changes_no_byte(tool: ModuleType, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", FIGURE, "print(1)\nprint(2)\n1 + 1")
    assert tool.refresh(path)
    first = path.read_bytes()
    assert not tool.refresh(path)
    assert path.read_bytes() == first


def test_what_is_stored(tool: ModuleType, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", "1 + 1", "2 + 2", tags=("nbval-ignore-output",))
    tool.refresh(path)
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata == {"kernelspec": tool.KERNELSPEC}
    _, shown, ignored = notebook.cells
    assert shown.outputs[0].data["text/plain"] == "2"
    assert shown.execution_count == 1
    assert ignored.outputs == []
    assert ignored.execution_count == 2


def test_copied_cells_get_their_own_ids(tool: ModuleType, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", "1", "2")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].id = notebook.cells[1].id
    tool.normalize(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("1 / 0", r"code cell 2 \('1 / 0'\) raised"),
        ("import sys\nprint('oh', file=sys.stderr)", r"code cell 2 .* wrote to stderr\noh"),
    ],
)
def test_a_failing_cell_is_named_and_nothing_is_stored(
    tool: ModuleType, tmp_path: Path, source: str, said: str
) -> None:
    path = write(tmp_path / "a.ipynb", "x = 1", source)
    before = path.read_bytes()
    with pytest.raises(tool.CellFailed, match=said):
        tool.refresh(path)
    assert path.read_bytes() == before


def test_a_cell_may_be_meant_to_fail(tool: ModuleType, tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", "1 / 0", tags=("raises-exception",))
    assert tool.refresh(path)


def test_a_missing_notebook_is_named(tool: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(["missing.ipynb"]) == 2
    assert "missing.ipynb does not exist" in capsys.readouterr().err
