"""Grade one hand-in: nbgrader's autograder, with a sandbox and a comparer plugged in.

nbgrader keeps the marks and is used as it is: its converter runs with preprocessors of this module.
:func:`grade_one` always returns a record, with marks or with the reason why there are none.
"""

import glob
import shutil
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.preprocessors import (
    CheckCellMetadata,
    NbGraderPreprocessor,
    OverwriteCells,
    SaveAutoGrades,
)

from initcourse.grading.comparing.comparer import MOST_SAID, Comparer, TestCell
from initcourse.grading.intake.inspection import NotGraded, Source, other_id
from initcourse.grading.records.course import Course, Record, TaskResult, data_files
from initcourse.grading.records.database import configuration, database
from initcourse.grading.records.harmless import harmless
from initcourse.grading.sandbox.bubblewrap import SandboxError, Settings, exposed, require
from initcourse.grading.sandbox.keeper import Keeper, KeptKernel
from initcourse.grading.sandbox.kernels import KernelGone
from initcourse.grading.sandbox.processors import own_processor

__all__ = ["FAILED", "Settings", "grade_one", "load_source", "require_here", "task_name"]

FAILED = "grading failed: "
"""Begins a reason that is not the hand-in's fault; it is tried again in the next run."""

_alone = threading.Lock()  # nbgrader changes the working folder of the whole process


@dataclass
class Job:
    """What the preprocessors know of the hand-in in work, and what they find out."""

    student: str
    source: Source
    settings: Settings
    files: list[tuple[str, str]]
    messages: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    raised: dict[str, str] = field(default_factory=dict)
    reason: str = ""


_job: ContextVar[Job] = ContextVar("job")


def grade_one(
    course: Course, homework: str, student: str, settings: Settings | None = None
) -> Record:
    """Grade what a student handed in, and write down what came of it.

    Manual marks and comments that the gradebook holds stay as they are.

    Parameters
    ----------
    course : Course
        The course's folder; the homework was released there.
    homework, student : str
        The homework, such as ``"hw1"``, and the student's id.
    settings : Settings, optional
        The limits.

    Returns
    -------
    Record
        With marks, or with the reason why there are none.

    Raises
    ------
    SandboxError
        If submissions cannot be run safely here.
    ValueError
        If the homework's source cannot be used.
    """
    settings = settings or Settings()
    require_here(course, settings)
    source = load_source(course, homework)
    started = time.monotonic()
    record = Record(
        homework=homework,
        student=student,
        sha256=course.submission_digest(homework, student),
        version=course.source_digest(homework),
        status="not graded",
    )
    with _alone:
        try:
            record = _graded(course, record, source, settings)
        except NotGraded as reason:
            shutil.rmtree(course.graded(homework, student).parent, ignore_errors=True)
            record = replace(record, reason=str(reason))
        except SandboxError:
            raise
        except Exception as error:  # nobody is lost, whatever happens to one hand-in
            record = replace(record, reason=f"{FAILED}{type(error).__name__}: {error}"[:200])
    record = replace(record, seconds=round(time.monotonic() - started, 2))
    course.write(record)
    return record


def require_here(course: Course, settings: Settings) -> None:
    """Refuse to grade where submissions would not be shut in, or could read the course.

    Raises
    ------
    SandboxError
        With what to do about it.
    """
    require(settings)
    part = exposed(course.folder) if settings.sandbox == "bubblewrap" else None
    if part is not None:
        raise SandboxError(
            f"submissions could read the course folder {course.folder}: it lies in {part}, which "
            "belongs to the Python environment. Move it somewhere else."
        )


def load_source(course: Course, homework: str) -> Source:
    """Return the source of a homework, checked.

    Raises
    ------
    FileNotFoundError
        If the course has no such homework.
    ValueError
        If a test cell has another shape than grading needs.
    """
    path, copy = course.source(homework), course.release(homework)
    if not path.exists():
        raise FileNotFoundError(f"there is no source of {homework!r}: {path}")
    changed = copy.stat().st_mtime_ns if copy.exists() else 0
    return _load_source(homework, path, copy, path.stat().st_mtime_ns, changed)


@lru_cache(maxsize=16)
def _load_source(homework: str, path: Path, copy: Path, *changed: int) -> Source:
    source = Source.load(homework, path, copy)
    for name in source.cells:
        if source.is_test(name):
            try:
                TestCell(source.cells[name].source)
            except (SyntaxError, ValueError) as error:
                raise ValueError(f"{path}, cell {name}: {error}") from error
    return source


def task_name(grade_id: str) -> str:
    """Return the task that a cell belongs to.

    Examples
    --------
    >>> [task_name(name) for name in ("q2-test", "q2-test-scale", "q5")]
    ['q2', 'q2-scale', 'q5']
    """
    return grade_id.replace("-test", "", 1)


def _graded(course: Course, record: Record, source: Source, settings: Settings) -> Record:
    """Return the record with its marks."""
    homework, student = record.homework, record.student
    receipt = course.receipt(homework, student)
    if receipt is not None and not receipt.sha256:
        raise NotGraded((receipt.notices or ["no notebook in the hand-in"])[0])
    path = course.submission(homework, student)
    if not path.resolve().is_relative_to((course.folder / "submitted").resolve()):
        raise NotGraded("the notebook is a symbolic link")
    clean, notices = _keeper().read(
        path, homework, course.source(homework), course.release(homework)
    )
    notices += _keeper().suspicious(clean, student)
    job = Job(student, source, settings, data_files(course.source(homework)), notices=notices)
    with _stage(clean, homework, student) as stage, _doing(job):
        api = _api(course, database(course))
        api.coursedir.submitted_directory = str(stage)
        result = _autograde(api, homework, student)
    if job.reason:
        raise NotGraded(job.reason)
    if not result["success"] and _last_error(result).endswith("Canceled"):
        raise KeyboardInterrupt  # which nbgrader keeps to itself
    if not result["success"]:
        raise RuntimeError(f"nbgrader says {_last_error(result)}")
    tasks = _tasks(course, homework, student, job)
    told = list(dict.fromkeys(notice[:MOST_SAID] for notice in notices))
    return replace(
        record,
        status="graded",
        tasks=tasks,
        notices=told,
        other_id=other_id(told),
        raised=job.raised,
    )


def _autograde(api: NbGraderAPI, homework: str, student: str) -> dict[str, Any]:
    """Call nbgrader; the student's id is a pattern to it, and SQLAlchemy warns of its queries."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result: dict[str, Any] = api.autograde(homework, glob.escape(student), force=True)
    return result


@contextmanager
def _stage(notebook: NotebookNode, homework: str, student: str) -> Iterator[Path]:
    """Lay a clean copy where nbgrader looks for it; yield the folder."""
    with tempfile.TemporaryDirectory(prefix="ic-") as folder:
        target = Path(folder, student, homework, f"{homework}.ipynb")
        target.parent.mkdir(parents=True)
        target.write_text(nbformat.writes(notebook), encoding="utf-8")
        yield Path(folder)


@contextmanager
def _doing(job: Job) -> Iterator[None]:
    token = _job.set(job)
    try:
        yield
    finally:
        _job.reset(token)


@lru_cache(maxsize=4)
def _api(course: Course, url: str) -> NbGraderAPI:
    """Return nbgrader, configured; setting it up takes longer than using it."""
    config = configuration(course)
    config.Autograde.sanitize_preprocessors = [OverwriteCells, CheckCellMetadata]
    config.Autograde.autograde_preprocessors = [RunSubmission, SaveAutoGrades]
    return NbGraderAPI(config=config)


@lru_cache(maxsize=1)
def _keeper() -> Keeper:
    """Return the keeper of this worker; it ends with the worker."""
    return Keeper()


@lru_cache(maxsize=1)
def _comparer() -> Comparer:
    """Return the comparing process of this worker; it ends with the worker."""
    return Comparer()


class RunSubmission(NbGraderPreprocessor):  # type: ignore[misc]
    """Runs a hand-in in its sandbox and writes the comparer's verdicts as outputs.

    nbgrader reads the marks from the outputs of test cells.  Here they hold nothing else than a
    verdict, and each begins as an error: without a verdict there are no points.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Run all cells in their order."""
        job = _job.get()
        cells = [cell for cell in nb.cells if cell.cell_type == "code"]
        for cell in cells:
            cell.outputs = [_failure("This cell was not run.")] if _is_test(cell, job) else []
        try:
            with _keeper().kernel(job.settings, job.files, own_processor()) as kernel:
                for cell in cells:
                    cell.outputs = (_test if _is_test(cell, job) else _run)(cell, kernel, job)
        except KernelGone as gone:
            job.reason = str(gone)
            raise
        harmless(nb)
        return nb, resources


def _is_test(cell: NotebookNode, job: Job) -> bool:
    name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
    return name in job.source.cells and job.source.is_test(name)


def _run(cell: NotebookNode, kernel: KeptKernel, job: Job) -> list[NotebookNode]:
    """Run a cell of the student's; return its outputs."""
    if not cell.source.strip():
        return []
    reply = kernel.run(cell.source)
    if reply.late:
        job.notices.append(f"a cell was interrupted after {reply.late}")
    if reply.cut:
        job.notices.append("a cell's output was longer than what is kept")
    return reply.outputs


def _test(cell: NotebookNode, kernel: KeptKernel, job: Job) -> list[NotebookNode]:
    """Ask for the answer of a task, have it compared, and return the verdict as outputs."""
    name = cell.metadata.nbgrader["grade_id"]
    original = job.source.cells[name]
    reply = kernel.run("", TestCell(original.source).expression)
    if not reply.answer:
        late = f"It takes more than {reply.late} to make the answer."
        message = late if reply.late else f"There is no answer to compare. {reply.error}"
        job.messages[name] = message
        return [_failure(message)]
    verdict = _comparer()(job.source.homework, job.student, original.source, reply.answer)
    if verdict.notice:
        job.notices.append(f"{name}: {verdict.notice}")
    if verdict.raised:
        job.raised[name] = verdict.raised
    if not verdict.right:
        job.messages[name] = verdict.message
        return [_failure(verdict.message)]
    points = f"{float(original.metadata.nbgrader['points']):g}"
    return [
        new_output("stream", name="stdout", text=f"{verdict.message}\nRight.\n".lstrip()),
        new_output("execute_result", data={"text/plain": points}),
    ]


def _failure(message: str) -> NotebookNode:
    """Return the output that stands for 0 points."""
    return new_output("error", ename="AssertionError", evalue=message, traceback=[message])


def _tasks(course: Course, homework: str, student: str, job: Job) -> list[TaskResult]:
    """Return what the gradebook now holds for each task."""
    with Gradebook(database(course)) as gradebook:
        try:
            found = gradebook.find_submission_notebook(homework, homework, student)
        except MissingEntry:
            raise RuntimeError("nbgrader did not record it") from None
        grades = {grade.name: grade for grade in found.grades}
        return [
            _task(name, grades[name], job)
            for name, cell in job.source.cells.items()
            if cell.metadata.nbgrader.grade and name in grades
        ]


def _task(name: str, grade: Any, job: Job) -> TaskResult:
    automatic = job.source.is_test(name)
    score = grade.auto_score if grade.manual_score is None else grade.manual_score
    return TaskResult(
        task=task_name(name),
        kind="automatic" if automatic else "manual",
        points=None if score is None else float(score),
        max_points=float(grade.max_score),
        message=job.messages.get(name, ""),
    )


def _last_error(result: dict[str, str]) -> str:
    """Return the telling line of nbgrader's log."""
    lines = (result.get("log") or result.get("error") or "no reason given").strip().splitlines()
    errors = [line for line in lines if ("Error" in line or "Exception" in line)]
    return (errors or lines)[-1].strip()[:200]
