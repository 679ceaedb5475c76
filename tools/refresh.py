"""Run notebooks and store their outputs, with the least possible difference.

``python tools/refresh.py`` refreshes all notebooks of the book, ``python tools/refresh.py FILE …``
those named.  Run twice, the second run changes no byte.
"""

import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

BOOK = Path(__file__).resolve().parents[1] / "book"
sys.path.insert(0, str(BOOK / "extensions"))

import own_settings  # noqa: E402

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
KEPT = ("initcourse", "mystnb", "nbgrader", "tags")  # metadata that mean something here
TIMEOUT = 600  # seconds a cell


class CellFailed(Exception):
    """A cell raised, or wrote to stderr."""


def notebooks_below(folder: Path) -> list[Path]:
    """Return the notebooks to run; those that read other notebooks' outputs come last.

    The students' copies of the homework wait for answers; their sources are run.
    """
    found = [
        p
        for p in folder.rglob("*.ipynb")
        if ".ipynb_checkpoints" not in p.parts and p.parent.name != "homework"
    ]
    return sorted(found, key=lambda path: (path.stem == "ledger", path))


def refresh(path: Path) -> bool:
    """Run one notebook and store its outputs; say whether the file changed.

    Raises
    ------
    CellFailed
        If a cell raises (and is not tagged ``raises-exception``) or writes to stderr.  The file is
        left as it was.
    """
    before = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(before, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name=KERNELSPEC["name"],
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--IPKernelApp.log_level=40"],  # no notes about sockets
    )
    try:
        client.execute()
    except CellExecutionError as error:
        place = next(i for i, c in enumerate(notebook.cells) if _failed(c))
        raise CellFailed(f"{path}: {_name(notebook, place)} raised\n{error}") from None
    normalize(notebook)
    for place, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                raise CellFailed(f"{path}: {_name(notebook, place)} wrote to stderr\n{output.text}")
    after = nbformat.writes(notebook).rstrip("\n") + "\n"
    changed: bool = after != before
    if changed:
        path.write_text(after, encoding="utf-8")
    return changed


def normalize(notebook: Any) -> None:
    """Remove what differs between machines and runs but means nothing."""
    kept = {key: notebook.metadata[key] for key in KEPT if key in notebook.metadata}
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, **kept})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    taken: set[str] = set()
    count = 0
    for place, cell in enumerate(notebook.cells):
        # An id is kept for good, and a copied cell gets its own.
        if not cell.get("id") or cell.id in taken:
            cell.id = f"cell-{place}"
            while cell.id in taken:
                cell.id += "x"
        taken.add(cell.id)
        cell.metadata = nbformat.from_dict({
            key: cell.metadata[key] for key in KEPT if key in cell.metadata
        })
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            cell.outputs = []
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
            if "metadata" in output:
                output.metadata = {}


def _failed(cell: Any) -> bool:
    allowed = "raises-exception" in cell.metadata.get("tags", [])
    return not allowed and any(o.output_type == "error" for o in cell.get("outputs", []))


def _name(notebook: Any, place: int) -> str:
    number = sum(cell.cell_type == "code" for cell in notebook.cells[: place + 1])
    first_line = notebook.cells[place].source.partition("\n")[0]
    return f"code cell {number} ({first_line!r})"


def main(arguments: list[str]) -> int:
    """Refresh the named notebooks, or all; return the exit status."""
    paths = [Path(name).resolve() for name in arguments] or notebooks_below(BOOK)
    for path in paths:
        if not path.is_file():
            print(f"{path} does not exist; name notebooks, or nothing for all", file=sys.stderr)
            return 2
    own_settings.apply()
    for done, path in enumerate(paths, start=1):
        print(f"[{done}/{len(paths)}] {path.name} …", end=" ", flush=True)
        start = time.monotonic()
        try:
            changed = refresh(path)
        except CellFailed as error:
            print(f"failed\n{error}", file=sys.stderr)
            return 1
        took = time.monotonic() - start
        print("changed" if changed else "unchanged", f"({took:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
