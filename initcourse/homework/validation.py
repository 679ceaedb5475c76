"""Look over a homework notebook before it is handed in.

:func:`validate` finds what would cost points for no good reason: a forgotten id, a lost or edited
test cell, a cell that runs only because of another that is gone.  It knows no hidden test and no
solution; what it accepts may still be wrong.
"""

import ast
import contextlib
import copy
import hashlib
import io
import os
import shutil
import subprocess
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from initcourse import homework as course

__all__ = ["Report", "Task", "validate"]

Said = Literal["looks right", "odd", "not answered", "a person reads it", "not run"]


@dataclass(frozen=True)
class Task:
    """What the notebook itself says about one task.

    Attributes
    ----------
    name : str
        The task, such as ``"q2"``.
    points : float
        The points that it can earn.
    said : str
        ``"looks right"``: the visible check accepts the answer (hidden tests still decide).
        ``"odd"``: it does not.  ``"not answered"``: there is no answer yet.  ``"a person reads
        it"``: there is a text for a person to mark.  ``"not run"``: the notebook ended before it.
    message : str
        What the check says about it.
    """

    name: str
    points: float
    said: Said
    message: str = ""

    def __str__(self) -> str:
        """Return one line, and what the check says in a second one."""
        points = f"{self.points:g} point{'s' * (self.points != 1)}"
        line = f"{self.name} ({points}): {self.said}"
        return f"{line}\n      {self.message}" if self.message else line


@dataclass(frozen=True)
class Report:
    """What :func:`validate` found.

    Attributes
    ----------
    path : Path
        The notebook.
    homework : str
        The homework, such as ``"hw1"``; empty if the file does not say.
    student : str
        The id in the notebook; empty if there is none.
    problems : list of str
        What must be mended before handing in, each with its remedy.
    tasks : list of Task
        One for each task; empty if the notebook was not run.
    """

    path: Path
    homework: str = ""
    student: str = ""
    problems: list[str] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        """Whether nothing must be mended and every task has an answer that looks right."""
        done = ("looks right", "a person reads it")
        return not self.problems and all(task.said in done for task in self.tasks)

    def __str__(self) -> str:
        """Return the report as a text to read."""
        lines = []
        if self.homework:
            lines.append(f"{self.path.name}: {course.title(self.homework)}")
        if self.student:
            lines.append(f"Student: {self.student}")
        if self.problems:
            lines += ["", "Mend this before you hand in:"]
            lines += [f"  - {problem}" for problem in self.problems]
        if self.tasks:
            lines += ["", "Your tasks, run from top to bottom in a fresh kernel:"]
            lines += [f"  {task}" for task in self.tasks]
        lines += ["", self._conclusion()]
        return "\n".join(lines).strip()

    def _conclusion(self) -> str:
        if self.ready:
            return "Ready to hand in. The hidden tests may still find a wrong value."
        if self.problems:
            return "Not ready to hand in."
        return "You can hand in, but not every task has an answer that looks right."


def validate(
    path: str | os.PathLike[str],
    *,
    cell_seconds: float = course.CELL_SECONDS,
    notebook_seconds: float = course.NOTEBOOK_SECONDS,
) -> Report:
    """Look over a homework notebook, and run it from top to bottom in a fresh kernel.

    It runs as in grading: in a folder that holds the homework's own data files and nothing else.
    The file itself is not changed.  No network and no grader is needed.

    Parameters
    ----------
    path : path-like
        The notebook.
    cell_seconds, notebook_seconds : float
        The longest time that one cell, and all of them, may take.  Grading counts the time on the
        processor, of which there is never more than on the clock.

    Returns
    -------
    Report
        ``str(report)`` is a text for the student; ``report.ready`` says whether all is well.

    Examples
    --------
    >>> print(validate("missing.ipynb"))
    Mend this before you hand in:
      - There is no file missing.ipynb. Look at its name, and at the folder that you are in.
    <BLANKLINE>
    Not ready to hand in.
    """
    path = Path(path)
    notebook, problem = _read(path)
    if problem:
        return Report(path, problems=[problem])
    homework, problem = _homework(notebook)
    if problem:
        return Report(path, homework, problems=[problem])
    student = _student(notebook)
    problems = [
        *_kernel_problems(notebook),
        *_student_problems(student),
        *_cell_problems(homework, notebook),
    ]
    with tempfile.TemporaryDirectory() as folder:
        problems += _lay_out(notebook, path.parent, Path(folder))
        executed, failure = _run(notebook, Path(folder), cell_seconds)
    problems += _stopped(executed)
    problems += [failure] if failure else _late(executed, notebook_seconds)
    tasks = [_task(name, executed) for name in _task_names(homework, notebook)]
    return Report(path, homework, student or "", problems, tasks)


def _read(path: Path) -> tuple[Any, str]:
    """Return the notebook, or what is wrong with the file."""
    import nbformat

    if not path.is_file():
        return None, (
            f"There is no file {path}. Look at its name, and at the folder that you are in."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about ids of cells, which mean nothing here
            text = path.read_text(encoding="utf-8-sig")
            notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    except Exception as error:
        return None, (
            f"{path.name} cannot be read as a notebook ({type(error).__name__}). Save it in "
            "Jupyter as .ipynb, or download it again and copy your answers into it."
        )
    if (
        path.stat().st_size > course.MOST_BYTES
        or len(notebook.get("cells", [])) > course.MOST_CELLS
    ):
        return None, (
            f"{path.name} is too large: grading takes notebooks of up to "
            f"{course.MOST_BYTES // 10**6} MB and {course.MOST_CELLS} cells. Clear the outputs, "
            "delete what you do not need."
        )
    if notebook.nbformat != 4:
        return None, (
            f"{path.name} has the notebook format {notebook.nbformat}; open it in a current "
            "Jupyter and save it."
        )
    return notebook, ""


def _homework(notebook: Any) -> tuple[str, str]:
    """Return which homework it is, or what is wrong with its stamp."""
    stamp = notebook.metadata.get("initcourse")
    stamp = stamp if isinstance(stamp, dict) else {}
    homework, version = str(stamp.get("homework", "")), stamp.get("version", "")
    again = "Download the homework again and copy your answers into it."
    if not homework:
        return "", f"This is no homework notebook: it does not say which homework it is. {again}"
    if not version:
        return homework, f"The notebook has lost the version of its homework. {again}"
    known = course.versions().get(homework, version)
    if version != known and not stamp.get("own"):
        return homework, (
            f"The notebook is of version {version!r} of its homework; this package knows version "
            f"{known!r}, and grading takes no other. {again} If yours is the newer one, update "
            "initcourse."
        )
    return homework, ""


def _kernel_problems(notebook: Any) -> list[str]:
    # As grading looks at it.
    spec, info = notebook.metadata.get("kernelspec"), notebook.metadata.get("language_info")
    spec = spec if isinstance(spec, dict) else {}
    info = info if isinstance(info, dict) else {}
    language = spec.get("language") or info.get("name") or spec.get("name") or "python"
    if str(language).lower().startswith(("python", "ipython")):
        return []
    return [
        f"The notebook's kernel is {spec.get('name', language)!r:.60}. Choose Python 3 in "
        "Jupyter's menu Kernel, and save."
    ]


def _student(notebook: Any) -> str | None:
    """Return the id that the notebook assigns to `student`; None if it does not."""
    found = None
    for cell in notebook.cells:
        if cell.cell_type != "code" or "student" not in cell.source:
            continue
        try:
            statements = ast.parse(cell.source).body
        except SyntaxError:
            continue
        for line in statements:
            if (
                isinstance(line, ast.Assign)
                and any(isinstance(to, ast.Name) and to.id == "student" for to in line.targets)
                and isinstance(line.value, ast.Constant)
            ):
                found = str(line.value.value)
    return found


def _student_problems(student: str | None) -> list[str]:
    if student is None:
        return ['The line student = "…" is missing. Write it in a cell above your numbers.']
    if student.strip().casefold() in ("", course.NOBODY):
        return ['Your id is missing. Write it in the line student = "…", and run all cells again.']
    return []


def _of_grader(cell: Any) -> dict[str, Any]:
    found = cell.metadata.get("nbgrader")
    return dict(found) if isinstance(found, dict) else {}


def _cell_problems(homework: str, notebook: Any) -> list[str]:
    """Return what is wrong with the cells that grading looks at."""
    cells = [(_of_grader(cell).get("grade_id"), cell) for cell in notebook.cells]
    count = Counter(name for name, _ in cells if name)
    again = "download the homework again and copy your answers into it."
    problems = [
        f"The cell {name} is there {number} times, as if it had been copied. Keep one of them."
        for name, number in count.items()
        if number > 1
    ]
    for name, check in course.tasks(homework).items():
        wanted = [name] if check is None else [name, f"{name}-test"]
        problems += [
            f"The cell {one} is missing. To get it back, {again}"
            for one in wanted
            if one not in count
        ]
    edited = [name for name, cell in cells if name and _edited(cell)]
    problems += [
        f"The cell {name} was changed. Grading puts the original back, so your answer may then "
        f"not fit. To get it back, {again}"
        for name in dict.fromkeys(edited)
    ]
    return problems


def _edited(cell: Any) -> bool:
    """Say whether a locked cell differs from what was released; nbgrader stored its digest."""
    mine = _of_grader(cell)
    if not mine.get("locked") or "checksum" not in mine:
        return False
    digest = hashlib.md5(usedforsecurity=False)
    parts: Sequence[object] = [cell.source, cell.cell_type]
    parts = [*parts, *(bool(mine.get(key)) for key in ("grade", "solution", "locked"))]
    parts = [*parts, mine.get("grade_id")]
    parts = [*parts, *([float(mine.get("points", 0))] if mine.get("grade") else [])]
    for part in parts:
        digest.update(str(part).encode())
    return bool(digest.hexdigest() != mine["checksum"])


def _lay_out(notebook: Any, beside: Path, folder: Path) -> list[str]:
    """Copy the homework's data files from beside the notebook; return which are not there."""
    stamp = notebook.metadata.get("initcourse", {})
    missing = []
    for name in map(str, stamp.get("files", [])):
        source, target = beside / name, folder / name
        if source.is_file() and target.resolve().is_relative_to(folder.resolve()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        else:
            missing.append(f"The homework's file {name} is not beside the notebook. Put it there.")
    return missing


def _late(notebook: Any, seconds: float) -> list[str]:
    """Say so if all cells together took longer than grading gives them."""
    times = [cell.metadata.get("execution", {}) for cell in notebook.cells]
    ends = [(found.get("iopub.status.busy"), found.get("iopub.status.idle")) for found in times]
    took = sum(
        (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
        for begin, end in ends
        if begin and end
    )
    if took <= seconds:
        return []
    return [
        f"All cells together took {took:.0f} s. A notebook that takes more than {seconds:g} s is "
        "not graded. Look for the slowest cells."
    ]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Jupyter's machinery writes to the terminal from standing above the report."""
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _run(notebook: Any, folder: Path, seconds: float) -> tuple[Any, str]:
    """Run a copy of the notebook; return it with its outputs, and why it ended early, if it did."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    executed, begun = copy.deepcopy(notebook), [""]
    for cell in executed.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        executed,
        timeout=seconds,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,
        on_cell_execute=lambda cell, cell_index: begun.append(_first_line(cell)),
    )
    client.log.disabled = True
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        with _quiet():
            client.execute(**silent)
    except CellTimeoutError:
        return executed, (
            f"The cell that begins with {begun[-1]!r} took more than {seconds:g} s. Look for a "
            "loop that never ends."
        )
    except DeadKernelError:
        return executed, (
            f"The cell that begins with {begun[-1]!r} ended Python: it called exit, or it needed "
            "too much memory."
        )
    return executed, ""


def _stopped(notebook: Any) -> list[str]:
    """Name the first cell that raises, but for the checks: those belong to a task."""
    stops = [
        f"The cell that begins with {_first_line(cell)!r} stops with {output.ename}: "
        f"{output.evalue}"
        for cell in notebook.cells
        if cell.cell_type == "code" and not _of_grader(cell).get("grade")
        for output in cell.outputs
        if output.output_type == "error"
    ]
    return stops[:1]  # others may follow from it


def _first_line(cell: Any) -> str:
    line: str = cell.source.strip().partition("\n")[0]
    return line


def _task_names(homework: str, notebook: Any) -> list[str]:
    """Return the tasks: those of the package, or for an own homework those of the notebook."""
    graded = [_of_grader(cell) for cell in notebook.cells if _of_grader(cell).get("grade")]
    names = [str(one.get("grade_id")).partition("-")[0] for one in graded]
    return list(course.tasks(homework)) or list(dict.fromkeys(names))


def _task(name: str, notebook: Any) -> Task:
    """Return what the executed notebook says about one task."""
    cells = [
        cell
        for cell in notebook.cells
        if _of_grader(cell).get("grade")
        and str(_of_grader(cell).get("grade_id")).partition("-")[0] == name
    ]
    points = float(sum(_of_grader(cell).get("points", 0) for cell in cells))
    for cell in cells:
        said, message = _cell_said(cell)
        if said not in ("looks right", "a person reads it"):
            return Task(name, points, said, message)
    if not cells:
        return Task(name, points, "not run", "Its cell is missing.")
    return Task(name, points, _cell_said(cells[0])[0])


def _cell_said(cell: Any) -> tuple[Said, str]:
    if cell.cell_type == "markdown":
        empty = cell.source.strip().upper() in ("", "YOUR ANSWER HERE")
        return ("not answered", "Write your text.") if empty else ("a person reads it", "")
    if not cell.execution_count:
        return "not run", ""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    if not errors:
        return "looks right", ""
    kind, message = errors[0].ename, errors[0].evalue.strip()
    message = message.partition(": ")[2] if kind == "AssertionError" else f"{kind}: {message}"
    unanswered = "no answer yet" in message or "is still None" in message
    return ("not answered" if unanswered else "odd"), message
