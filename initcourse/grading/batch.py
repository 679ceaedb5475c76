"""Grade many hand-ins: on this machine's processors, or on a Dask cluster.

One call grades one hand-in and writes its record at once.  So an interrupted run goes on where it
stopped, and a worker that dies costs nothing but the hand-in that it was at, which another worker
takes over.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

from initcourse.grading.engine import FAILED, Settings, grade_one, load_source, require_here
from initcourse.grading.hand_out.release import release
from initcourse.grading.records.course import Course, Record
from initcourse.grading.records.database import database

__all__ = ["grade"]


@dataclass(frozen=True)
class _Task:
    """All that a worker has to know for one hand-in."""

    folder: str
    homework: str
    student: str
    settings: Settings
    again: bool


def grade(
    course: Course,
    homework: str,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    again: bool = False,
    settings: Settings | None = None,
    progress: Callable[[str], object] = print,
) -> list[Record]:
    """Grade the hand-ins of a homework that are not graded yet.

    Parameters
    ----------
    course : Course
        The course's folder.  On a cluster every machine must see it under the same path, and all
        need one database that serves several machines; see
        :func:`initcourse.grading.records.database.database`.
    homework : str
        The homework, such as ``"hw1"``.
    workers : int, optional
        Processes on this machine.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``"tcp://10.0.0.5:8786"``; then its workers grade.
    again : bool, optional
        Whether to grade everything once more.  Manual marks and comments stay.
    settings : Settings, optional
        The limits.
    progress : callable, optional
        Is called with a line for each hand-in when it is done.

    Returns
    -------
    list of Record
        One for everybody who handed in, in the order of their ids.

    Raises
    ------
    SandboxError
        If submissions cannot be run safely here.
    CourseBusy
        If another run is at work on this homework.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    settings = settings or Settings()
    require_here(course, settings)
    with course.alone(homework, "graded"):
        _released(course, homework)
        everybody = course.students(homework)
        repeated = _repeated(course, homework, everybody, again, progress)
        folder = str(course.folder.absolute())
        tasks = [
            _Task(folder, homework, student, settings, student in repeated) for student in everybody
        ]
        records = {task.student: _finished(task) for task in tasks}
        left = [task for task in tasks if records[task.student] is None]
        if len(left) < len(tasks):
            progress(f"{len(tasks) - len(left)} of {len(tasks)} are graded already")
        done = _on_cluster(left, scheduler) if scheduler else _here(left, workers)
        for number, record in enumerate(done, 1):
            records[record.student] = record
            if record.student in repeated:
                repeated.remove(record.student)
                course.remember_again(homework, repeated)
            progress(f"{number:>{len(str(len(left)))}}/{len(left)}  {_line(record)}")
    return [record for record in records.values() if record is not None]


def _repeated(
    course: Course,
    homework: str,
    everybody: list[str],
    again: bool,
    progress: Callable[[str], object],
) -> list[str]:
    """Return who is graded once more: all, or whom an interrupted run left."""
    left = [name for name in course.to_grade_again(homework) if name in everybody]
    if left:
        progress(f"going on with what was interrupted: {len(left)} are to be graded again")
    elif again:
        left = list(everybody)
        course.remember_again(homework, left)
    return left


def _line(record: Record) -> str:
    """Return one line about a record."""
    if record.status != "graded":
        return f"{record.student}: not graded: {record.reason}"
    earned = sum(task.points or 0.0 for task in record.tasks)
    pending = sum(task.points is None for task in record.tasks)
    waiting = f", {pending} pending" if pending else ""
    other = f"; {record.other_id}" if record.other_id else ""
    return f"{record.student}: {earned:g} points{waiting} ({record.seconds:.1f} s){other}"


def _released(course: Course, homework: str) -> None:
    """Release a homework again if the database knows another one, or none, as a new one does."""
    source = load_source(course, homework)
    locked = {
        name: str(source.cells[name].source) for name in source.cells if source.is_locked(name)
    }
    points = {name: float(p) for name in source.cells if (p := source.points(name)) is not None}
    with Gradebook(database(course)) as gradebook:
        try:
            known = gradebook.find_notebook(homework, homework)
        except MissingEntry:
            same = False
        else:
            texts = {cell.name: cell.source for cell in known.source_cells if cell.locked}
            same = texts == locked and points == {c.name: c.max_score for c in known.grade_cells}
    if not (same and course.release(homework).exists()):
        release(course, homework)


def _finished(task: _Task) -> Record | None:
    """Return the record of a hand-in that need not be graded; None if it must be."""
    course = Course(Path(task.folder))
    record = course.record(task.homework, task.student)
    if task.again or record is None or record.reason.startswith(FAILED):
        return None
    same = record.sha256 == course.submission_digest(task.homework, task.student)
    return record if same and record.version == course.source_digest(task.homework) else None


def _grade(task: _Task) -> Record:
    """Grade one hand-in; what a lost worker had finished is not done again."""
    finished = _finished(task)
    if finished is not None:
        return finished
    course = Course(Path(task.folder))
    return grade_one(course, task.homework, task.student, task.settings)


def _here(tasks: list[_Task], workers: int) -> Iterator[Record]:
    """Grade on this machine; yield each record when it is there."""
    if workers == 1 or len(tasks) < 2:
        yield from map(_grade, tasks)
        return
    import joblib
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    # Loky says in red that a worker stopped; the loop below does something about it.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
    left = {task.student: task for task in tasks}
    while left:
        pool = joblib.Parallel(workers, backend="loky", return_as="generator_unordered")
        before = len(left)
        try:
            for record in pool(joblib.delayed(_grade)(task) for task in list(left.values())):
                del left[record.student]
                yield record
        except TerminatedWorkerError:  # somebody killed a worker: the others go on
            if len(left) == before:
                raise


def _on_cluster(tasks: list[_Task], scheduler: str) -> Iterator[Record]:
    """Grade on the workers of a Dask cluster; yield each record when it is there."""
    from distributed import Client, as_completed

    with Client(scheduler) as client:
        futures = client.map(_grade, tasks, pure=False)
        for future in as_completed(futures):
            yield future.result()
