"""Look at a hand-in before anything runs: whether it can be graded, and what is odd about it.

:func:`read` gives the notebook or the reason why there is none.  :func:`repair` makes of it a clean
copy: from the hand-in come the texts of cells and nothing else; what nbgrader must rely on comes
from the source.
"""

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from initcourse.homework import MOST_BYTES, MOST_CELLS, NOBODY, version_of

__all__ = ["NotGraded", "Source", "other_id", "read", "repair", "suspicious"]

HIDDEN = "### BEGIN HIDDEN TESTS"
PYTHON = {"display_name": "Python 3", "language": "python", "name": "python3"}


class NotGraded(Exception):
    """The hand-in cannot be graded; the message is the reason."""


@dataclass(frozen=True)
class Source:
    """The source of a homework, as far as grading needs it.

    Attributes
    ----------
    homework, version : str
        Its name, and the version that is stamped into the students' copies.
    cells : dict
        nbgrader's cells by their ``grade_id``, in the order of the notebook.
    ids : dict
        Cell id → ``grade_id``, for a hand-in that lost nbgrader's metadata.
    placeholders : dict
        ``grade_id`` → what the student's copy holds there.
    """

    homework: str
    version: str
    cells: dict[str, NotebookNode]
    ids: dict[str, str]
    placeholders: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, homework: str, source: Path, release: Path) -> "Source":
        """Return the source in a file; `release` is the file of the student's copy."""
        released = nbformat.read(release, as_version=4) if release.exists() else None
        return cls.of(homework, nbformat.read(source, as_version=4), released)

    @classmethod
    def of(cls, homework: str, notebook: NotebookNode, released: NotebookNode | None) -> "Source":
        """Take the source apart; `released` is the student's copy, if there is one."""
        return cls(
            homework=homework,
            version=version_of(notebook),
            cells={_grade_id(cell): cell for cell in notebook.cells if _grade_id(cell)},
            ids={cell.get("id", ""): _grade_id(cell) for cell in notebook.cells if _grade_id(cell)},
            placeholders={
                _grade_id(cell): cell.source.strip() for cell in (released or notebook).cells
            },
        )

    def is_test(self, grade_id: str) -> bool:
        """Return whether a cell holds hidden tests."""
        cell = self.cells[grade_id]
        meta = cell.metadata.nbgrader
        return bool(cell.cell_type == "code" and meta.grade and not meta.solution)

    def is_locked(self, grade_id: str) -> bool:
        """Return whether the student may not edit a cell."""
        meta = self.cells[grade_id].metadata.nbgrader
        return bool(not meta.solution and (meta.grade or meta.get("locked", False)))

    def points(self, grade_id: str) -> float | None:
        """Return how much a cell is worth; None if it is not marked."""
        meta = self.cells[grade_id].metadata.nbgrader
        return float(meta.points) if meta.grade else None

    def visible(self, grade_id: str) -> str:
        """Return the part of a cell that the student has."""
        return str(self.cells[grade_id].source).partition(HIDDEN)[0].strip()


def _grade_id(cell: Mapping[str, Any]) -> str:
    """Return nbgrader's name of a cell, or an empty text."""
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    name = nbgrader.get("grade_id") if isinstance(nbgrader, Mapping) else None
    return name if isinstance(name, str) else ""


def read(path: Path, source: Source) -> tuple[dict[str, Any], list[str]]:
    """Return a hand-in as plain JSON, and what a person should know of it.

    Raises
    ------
    NotGraded
        If it is no notebook, or not one of this homework.
    """
    notebook = _parsed(path)
    version = notebook.get("nbformat")
    if version != 4:
        raise NotGraded(
            f"notebook format {_short(version)}: open it in JupyterLab and save it again"
            if isinstance(version, int)
            else "not a notebook: it names no format"
        )
    metadata = notebook.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    _require_python(metadata)
    return notebook, _stamp(metadata, notebook["cells"], source)


def _parsed(path: Path) -> dict[str, Any]:
    if path.is_symlink():
        raise NotGraded("the notebook is a symbolic link")
    if not path.is_file():
        raise NotGraded("no notebook in the hand-in")
    if path.stat().st_size > MOST_BYTES:
        raise NotGraded(f"notebook of more than {MOST_BYTES // 10**6} MB")
    data = path.read_bytes()
    if not data.strip():
        raise NotGraded("not a notebook: the file is empty")
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise NotGraded("not a notebook: no text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise NotGraded(f"not a notebook: bad JSON at line {error.lineno}") from None
    except (RecursionError, ValueError):
        raise NotGraded("not a notebook: JSON that cannot be read") from None
    if not isinstance(notebook, dict):
        raise NotGraded("not a notebook: it has no cells")
    if notebook.get("nbformat") == 4 and not isinstance(notebook.get("cells"), list):
        raise NotGraded("not a notebook: it has no cells")
    if notebook.get("nbformat") == 4 and len(notebook["cells"]) > MOST_CELLS:
        raise NotGraded(f"notebook of more than {MOST_CELLS} cells")
    return notebook


def _require_python(metadata: dict[str, Any]) -> None:
    spec, info = metadata.get("kernelspec"), metadata.get("language_info")
    spec = spec if isinstance(spec, dict) else {}
    info = info if isinstance(info, dict) else {}
    language = spec.get("language") or info.get("name") or spec.get("name") or "python"
    if not str(language).lower().startswith(("python", "ipython")):
        raise NotGraded(f"kernel is {_short(spec.get('name', language))!r}, expected python3")


def _stamp(metadata: dict[str, Any], cells: list[Any], source: Source) -> list[str]:
    """Compare the stamp with the homework; return notices."""
    stamp = metadata.get("initcourse")
    stamp = stamp if isinstance(stamp, dict) else {}
    homework, version = stamp.get("homework"), stamp.get("version")
    if homework is None:
        if not any(isinstance(cell, dict) and _known(cell, source) for cell in cells):
            raise NotGraded("not a notebook of this course: it names no homework")
        return ["the notebook lost the stamp with its version"]
    if homework != source.homework:
        raise NotGraded(f"this is {_short(homework)}, not {source.homework}")
    if version is None:
        return ["the notebook lost the stamp with its version"]
    if version != source.version:
        raise NotGraded(f"made from version {_short(version)}, this course grades {source.version}")
    return []


def _known(cell: dict[str, Any], source: Source) -> str:
    """Return the ``grade_id`` of a cell of the homework; of any other cell an empty text."""
    name = _grade_id(cell)
    if not name and isinstance(cell.get("id"), str):
        name = source.ids.get(cell["id"], "")
    return name if name in source.cells else ""


def _short(value: Any) -> str:
    """Return a stranger's value as one short printable text."""
    return "".join(c for c in str(value)[:40] if c.isprintable())


def repair(notebook: dict[str, Any], source: Source) -> tuple[NotebookNode, list[str]]:
    """Return a clean copy of a hand-in, and what had to be mended.

    A copied cell counts where it stands last; an edited locked cell gets its text back; a missing
    one is put before the next cell of the homework; points are those of the source.
    """
    notices: list[str] = []
    readable = [cell for cell in notebook["cells"] if _is_cell(cell)]
    if len(readable) < len(notebook["cells"]):
        notices.append(f"{len(notebook['cells']) - len(readable)} cells could not be read")
    owners = _owners(readable, source, notices)
    cells = []
    for place, cell in enumerate(readable):
        name = owners.get(place, "")
        if name:
            notices += _edits(cell, name, source)
        cells.append(_clean_cell(cell, name, source))
    _put_back(cells, source, notices)
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    made = new_notebook(cells=cells, metadata={"kernelspec": PYTHON})
    nbformat.validate(made)
    return made, notices


def _is_cell(cell: Any) -> bool:
    return (
        isinstance(cell, dict)
        and cell.get("cell_type") in ("code", "markdown", "raw")
        and isinstance(_text(cell), str)
    )


def _text(cell: dict[str, Any]) -> str | None:
    """Return a cell's text; None if there is none."""
    text = cell.get("source")
    if isinstance(text, list) and all(isinstance(line, str) for line in text):
        text = "".join(text)
    return text.encode("utf-8", "replace").decode("utf-8") if isinstance(text, str) else None


def _owners(cells: list[dict[str, Any]], source: Source, notices: list[str]) -> dict[int, str]:
    """Return which cell stands for which of the homework's."""
    places: dict[str, list[int]] = {}
    for place, cell in enumerate(cells):
        name = _known(cell, source)
        if name:
            places.setdefault(name, []).append(place)
    owners = {}
    for name, copies in places.items():
        if len(copies) > 1:
            notices.append(f"cell {name} is there {len(copies)} times; the last one counts")
        filled = [place for place in copies if _filled(cells[place], name, source)]
        owners[(filled or copies)[-1]] = name
    return owners


def _filled(cell: dict[str, Any], name: str, source: Source) -> bool:
    """Return whether a student wrote something into a cell."""
    text = (_text(cell) or "").strip()
    return not source.is_locked(name) and text not in ("", source.placeholders.get(name, ""))


def _edits(cell: dict[str, Any], name: str, source: Source) -> Iterator[str]:
    """Yield what was changed in a cell that is not the student's to change."""
    if source.is_locked(name) and (_text(cell) or "").strip() != source.visible(name):
        yield f"the locked cell {name} was edited; the original counts"
    points = source.points(name)
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    if points is not None and isinstance(found, dict) and found.get("points") != points:
        yield f"the points of {name} were edited; the original counts"


def _clean_cell(cell: dict[str, Any], name: str, source: Source) -> NotebookNode:
    """Return a new cell with the text of the hand-in and the metadata of the source."""
    text = _text(cell) or ""
    if name:
        original = source.cells[name]
        text = source.visible(name) if source.is_locked(name) else text
        metadata = {"nbgrader": dict(original.metadata.nbgrader)}
        made = _new_cell(original.cell_type, text, metadata)
    else:
        made = _new_cell("code" if cell["cell_type"] == "code" else "markdown", text, {})
    if made.cell_type == "markdown" and (pictures := _pictures(cell.get("attachments"))):
        made.attachments = pictures
    return made


def _new_cell(kind: str, text: str, metadata: dict[str, Any]) -> NotebookNode:
    make = new_code_cell if kind == "code" else new_markdown_cell
    return make(text, metadata=metadata)


def _pictures(attachments: Any) -> dict[str, dict[str, str]]:
    """Return the pictures that a student pasted into a cell."""
    found = {}
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        if isinstance(bundle, dict):
            kept = {
                kind: data
                for kind, data in bundle.items()
                if kind in ("image/png", "image/jpeg")
                and isinstance(data, str)
                and re.fullmatch(r"[A-Za-z0-9+/=\s]*", data)
            }
            if kept and isinstance(name, str):
                found[_short(name)] = kept
    return found


def _put_back(cells: list[NotebookNode], source: Source, notices: list[str]) -> None:
    """Insert the locked and graded cells that are missing."""
    names = list(source.cells)
    for index, name in reversed(list(enumerate(names))):
        meta = source.cells[name].metadata.nbgrader
        present = [_grade_id(cell) for cell in cells]
        if name in present or not (source.is_locked(name) or meta.grade):
            continue
        following = [present.index(after) for after in names[index + 1 :] if after in present]
        original = source.cells[name]
        text = source.visible(name) if source.is_locked(name) else source.placeholders.get(name, "")
        cell = _new_cell(original.cell_type, text, {"nbgrader": dict(meta)})
        cells.insert(min(following, default=len(cells)), cell)
        notices.append(f"the cell {name} was missing and was put back")


def suspicious(notebook: NotebookNode, student: str) -> list[str]:
    r"""Return what a person should look at in the code of a hand-in.

    None of it changes a mark: the comparer sees plain data and is out of reach.  To parse code that
    is nested deep enough takes all memory, or ends in a RecursionError.

    Examples
    --------
    >>> cell = new_code_cell("class Always:\n    def __eq__(self, other): return True")
    >>> suspicious(new_notebook(cells=[cell]), "ada")
    ['its code defines __eq__, so that objects can equal anything']
    """
    found: dict[str, None] = {}
    typed = None
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for node in _nodes(cell.source):
            if isinstance(node, ast.Module):  # as the notebook runs: the last line at the margin
                names = filter(None, map(_typed_id, node.body))
                typed = next(iter([*names][-1:]), typed)
            for notice in _odd(node):
                found[notice] = None
    return [*_names_another(typed, student), *found]


NAMES = "the notebook names "


def _names_another(typed: str | None, student: str) -> list[str]:
    """Say so if the id in the notebook is not that of the one who handed it in."""
    mine, theirs = ("" if name is None else name.strip().casefold() for name in (typed, student))
    if typed is None or mine == theirs:
        return []
    if mine == NOBODY:
        return [f"{NAMES}no student"]
    zeros = ": a spreadsheet strips leading zeros" if mine.lstrip("0") == theirs.lstrip("0") else ""
    return [f"{NAMES}the student {_short(typed)!r}, the roster {student!r}{zeros}"]


def other_id(notices: Iterable[str]) -> str:
    """Return the notice about another student's id in a notebook, or an empty text."""
    return next((notice for notice in notices if notice.startswith(NAMES)), "")


def _nodes(code: str) -> Iterator[ast.AST]:
    """Yield the syntax nodes of a cell; of one that is no Python, none."""
    lines = [line for line in code.splitlines() if not line.lstrip().startswith(("%", "!"))]
    try:
        yield from ast.walk(ast.parse("\n".join(lines)))
    except (SyntaxError, ValueError):
        return


def _typed_id(node: ast.AST) -> str | None:
    match node:
        case ast.Assign(targets=[ast.Name("student")], value=ast.Constant(str(name))):
            return name
    return None


_MEANINGS = {
    "ast_transformers": "transforms the code of later cells",
    "input_transformers_post": "transforms the code of later cells",
    "input_transformers_cleanup": "transforms the code of later cells",
    "NodeTransformer": "transforms the code of later cells",
    "set_trace": "traces the code of later cells",
    "settrace": "traces the code of later cells",
    "setprofile": "traces the code of later cells",
    "pre_run_cell": "hooks into the run of later cells",
    "post_run_cell": "hooks into the run of later cells",
    "_getframe": "looks into the frames of its caller",
    "__subclasses__": "searches the classes of the interpreter",
    "get_objects": "searches the objects of the interpreter",
    "gradebook": "looks for the gradebook",
    "subprocess": "starts other programs",
    "fork": "starts processes",
    "socket": "opens network connections",
    "urlopen": "opens network connections",
    "ctypes": "calls into C",
    "pickle": "uses pickle",
    "_exit": "ends the kernel",
}
_EQUALITY = {"__eq__", "__ne__", "__array__", "__array_ufunc__", "__array_function__"}
_GUARDED = {"np", "numpy", "testing", "json", "homework", "builtins", "math", "initcourse"}


def _odd(node: ast.AST) -> Iterator[str]:
    """Yield what is odd about one piece of code."""
    match node:
        case ast.FunctionDef(name=name) if name in _EQUALITY:
            yield f"its code defines {name}, so that objects can equal anything"
        case ast.FunctionDef(name="check") | ast.Name(id="check", ctx=ast.Store()):
            yield "its code redefines check"
        case ast.Attribute(ctx=ast.Store()) if _root(node) in _GUARDED:
            yield f"its code replaces {ast.unparse(node)[:60]}"
        case ast.Call(func=ast.Name("setattr"), args=[target, *_]) if _root(target) in _GUARDED:
            yield f"its code replaces a part of {ast.unparse(target)[:60]}"
    for word in _words(node):
        if word in _MEANINGS:
            yield f"its code {_MEANINGS[word]} ({word})"


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _words(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node uses."""
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            yield name
        case ast.Import(names=names):
            yield from (alias.name.partition(".")[0] for alias in names)
        case ast.ImportFrom(module=str(module)):
            yield module.partition(".")[0]
        case ast.Constant(str(text)) if text in ("pre_run_cell", "post_run_cell"):
            yield text
        case ast.Constant(str(text)) if "gradebook" in text:
            yield "gradebook"
