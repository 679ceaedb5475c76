"""Marks for the learning platform: a row for everyone, with a mark or the reason why there is none.

The record that grading wrote decides what the automatic tasks earned, nbgrader's database what a
person gave in its grading page.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import nbformat
from nbgrader.api import Gradebook, MissingEntry

from initcourse.grading import cells
from initcourse.grading.engine import task_name
from initcourse.grading.intake import collecting
from initcourse.grading.intake.roster import Person, read_roster
from initcourse.grading.records.course import Course, Receipt, Record, TaskResult
from initcourse.grading.records.database import database
from initcourse.homework import title

__all__ = ["FORMATS", "WAITS", "Marks", "canvas", "export", "heading", "marks", "moodle", "plain"]

FORMATS = ("canvas", "moodle", "json")

WAITS = "waits for grading"

Status: TypeAlias = Literal["graded", "pending", "not graded", "nothing handed in"]


@dataclass(frozen=True)
class Marks:
    """What one student has for one homework.

    Attributes
    ----------
    student, homework : str
        The student's id and the homework.
    status : {"graded", "pending", "not graded", "nothing handed in"}
        Whether there is a mark; pending: a task waits for a person.
    points : float or None
        The mark: the sum of all tasks, given by the tests and by persons; None if there is none.
    max_points : float
        What the homework can earn; 0 if unknown.
    reason : str
        Why there is no mark, or what is pending; empty if there is a mark.
    late : bool
        Whether it was handed in after the deadline.  No points are taken off for it.
    received : str
        When it was handed in, as far as known.
    tasks : list of TaskResult
        What each task earned.
    notices : list of str
        Why a person should look at it.
    other_id : str
        That the notebook names another student's id; empty if it does not.
    person : Person
        The student's row in the roster.
    """

    student: str
    homework: str
    status: Status
    points: float | None = None
    max_points: float = 0.0
    reason: str = ""
    late: bool = False
    received: str = ""
    tasks: list[TaskResult] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    other_id: str = ""
    person: Person = field(default_factory=Person)


@dataclass(frozen=True)
class _Given:
    """What nbgrader's database holds of one cell: what a person gave, and what still waits."""

    points: float | None
    automatic: float | None
    waits: bool


def marks(course: Course, homework: str) -> list[Marks]:
    """Return everyone's marks: all who handed something in, and all of the roster.

    Parameters
    ----------
    course : Course
        The course's folder.
    homework : str
        The homework, such as ``"hw1"``.

    Returns
    -------
    list of Marks
        In the order of the students' ids.
    """
    people = read_roster(course.roster) if course.roster.exists() else []
    known = {person.student: person for person in people if person.student}
    source = course.source(homework)
    notebook = nbformat.read(source, as_version=4) if source.exists() else None
    version = course.source_digest(homework) if notebook else ""
    given = _given(course, homework)
    most = _max_points(notebook)
    receipts = {
        student: course.receipt(homework, student) or _laid_down(course, homework, student)
        for student in course.students(homework)
    }
    rows = []
    for student in sorted({*known, *receipts}):
        person = known.get(student, Person(student=student))
        row = Marks(student, homework, "nothing handed in", max_points=most, person=person)
        receipt = receipts.get(student)
        if receipt is None:
            rows.append(replace(row, reason="nothing handed in"))
            continue
        row = replace(row, status="not graded", late=receipt.late, received=receipt.received)
        row = replace(row, notices=list(receipt.notices))
        record = course.record(homework, student)
        if not receipt.sha256 and receipt.notices:
            row = replace(row, reason=receipt.notices[0], notices=receipt.notices[1:])
        elif record is None:
            row = replace(row, reason=WAITS)
        elif record.sha256 != receipt.sha256:
            row = replace(row, reason=f"handed in again, {WAITS}")
        elif version and record.version != version:
            row = replace(row, reason=f"the homework changed, {WAITS}")
        else:
            row = _with_record(row, record, given.get(student, {}))
        rows.append(row)
    return rows


def _laid_down(course: Course, homework: str, student: str) -> Receipt:
    """Return the receipt of what was put into the course by hand."""
    name = course.submission(homework, student).name
    return Receipt(homework, student, name, course.submission_digest(homework, student), "")


def _with_record(row: Marks, record: Record, given: dict[str, _Given]) -> Marks:
    row = replace(row, notices=[*row.notices, *record.notices], other_id=record.other_id)
    if record.status == "not graded":
        return replace(row, reason=record.reason)
    tasks = [_with_person(task, given.get(task.task)) for task in record.tasks]
    old = [name for name, each in sorted(given.items()) if each.points is not None and each.waits]
    marked = [f"{name}: marked by a person before it was graded again" for name in old]
    row = replace(row, notices=[*row.notices, *marked])
    most = sum(task.max_points for task in tasks)
    waiting = [task.task for task in tasks if task.points is None]
    if waiting:
        reason = f"{', '.join(waiting)} to be marked by a person"
        return replace(row, status="pending", max_points=most, reason=reason, tasks=tasks)
    points = sum(task.points or 0.0 for task in tasks)
    return replace(row, status="graded", points=points, max_points=most, tasks=tasks)


def _with_person(task: TaskResult, given: _Given | None) -> TaskResult:
    """Let a person's points count, for a test that a person overruled too."""
    if given is None:
        return task
    if given.points is not None:
        return replace(task, points=given.points)
    if task.kind == "manual":  # nbgrader gives 0 to a text that nobody touched
        return replace(task, points=None if given.waits else given.automatic)
    return task


def _given(course: Course, homework: str) -> dict[str, dict[str, _Given]]:
    """Read from nbgrader's database what persons gave: student → task → points."""
    url = database(course)
    if url.startswith("sqlite") and not (course.folder / "gradebook.db").exists():
        return {}
    result: dict[str, dict[str, _Given]] = {}
    with Gradebook(url) as gradebook:
        try:
            submissions = gradebook.assignment_submissions(homework)
        except MissingEntry:
            return {}
        for submission in submissions:
            result[submission.student_id] = {
                task_name(grade.name): _Given(
                    _points(grade), grade.auto_score, bool(grade.needs_manual_grade)
                )
                for book in submission.notebooks
                for grade in book.grades
            }
    return result


def _points(grade: Any) -> float | None:
    """Return what a person gave; points beyond the task's own come on top."""
    extra = grade.extra_credit or 0.0
    if grade.manual_score is not None:
        return float(grade.manual_score + extra)
    return float((grade.auto_score or 0.0) + extra) if extra else None


def _max_points(notebook: Any) -> float:
    found = [cell.metadata.get("nbgrader", {}) for cell in notebook.cells] if notebook else []
    return float(sum(each.get("points", 0) for each in found if each.get("grade")))


def canvas(rows: Sequence[Marks], column: str) -> str:
    """Return the table that Canvas imports in its gradebook (Import).

    Canvas finds a student by the columns ID, SIS User ID or SIS Login ID, and an assignment by its
    name, best with its number: ``"Homework 1 (4711)"``.  A cell without a mark stays empty.

    Parameters
    ----------
    rows : sequence of Marks
        The marks.
    column : str
        The assignment's name in Canvas.

    Returns
    -------
    str
        CSV.
    """
    most = max((row.max_points for row in rows), default=0.0)
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", column]
    possible = ["    Points Possible", "", "", "", "", f"{most:g}"]
    body = [
        [
            row.person.name or row.person.platform or row.student,
            row.person.canvas_id,
            row.student,
            row.person.more.get("sis_login_id", "") or row.person.email,
            row.person.section,
            "" if row.points is None else f"{row.points:g}",
        ]
        for row in rows
    ]
    return cells.text([head, possible, *body])


def moodle(rows: Sequence[Marks], column: str) -> str:
    """Return the table that Moodle imports (Grades, Import, CSV file).

    Map ``ID number`` to what the roster's ids are in Moodle, its *ID number* or its *username* (or
    the e-mail address to the user's), the homework's column to its grade item, and the last one to
    its feedback.  Who has no mark yet has a dash, which imports as no mark.

    Parameters
    ----------
    rows : sequence of Marks
        The marks.
    column : str
        The grade item's name.

    Returns
    -------
    str
        CSV.
    """
    head = ["ID number", "Email address", "Full name", column, f"{column} (feedback)"]
    body = [
        [
            row.student,
            row.person.email,
            row.person.name or row.person.platform,
            "-" if row.points is None else f"{row.points:g}",  # an empty cell would import as 0
            _remark(row),
        ]
        for row in rows
    ]
    return cells.text([head, *body])


def heading(homework: str) -> str:
    """Return a homework's name with its title.

    Examples
    --------
    >>> heading("hw1"), heading("mine")
    ('hw1: The Gaussian problem', 'mine')
    """
    return homework if title(homework) == homework else f"{homework}: {title(homework)}"


def _remark(row: Marks) -> str:
    said = f"{row.status}: {row.reason}" if row.reason not in ("", row.status) else row.reason
    tasks = "; ".join(
        f"{task.task}: {'pending' if task.points is None else f'{task.points:g}'} of "
        f"{task.max_points:g}"
        for task in row.tasks
    )
    return ". ".join(filter(None, [said, tasks, "handed in late" if row.late else ""]))


def plain(course: Course, homework: str, rows: Sequence[Marks]) -> str:
    """Return everything as JSON: marks, tasks, reasons, and hand-ins without a student."""
    values = {
        "homework": homework,
        "title": title(homework),
        "students": [asdict(row) for row in rows],
        "unmapped": collecting.unmapped(course, homework),
    }
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"


def export(
    course: Course, homework: str, form: str, column: str = ""
) -> tuple[list[Path], list[Marks]]:
    """Write the marks for a platform into the course's folder ``exports``.

    Canvas takes no text beside a mark, so its table has a second one: who has none, and why, and
    who was late.

    Parameters
    ----------
    course : Course
        The course's folder.
    homework : str
        The homework, such as ``"hw1"``.
    form : {"canvas", "moodle", "json"}
        For what it is.
    column : str, optional
        The name of the assignment on the platform; by default the homework's.

    Returns
    -------
    paths : list of Path
        What was written.
    rows : list of Marks
        What is in it.
    """
    rows = marks(course, homework)
    column = column or heading(homework)
    folder = course.folder / "exports"
    if form == "json":
        texts = {f"{homework}.json": plain(course, homework, rows)}
    elif form == "moodle":
        texts = {f"{homework}-moodle.csv": moodle(rows, column)}
    else:
        remarks = [
            [row.student, row.status, row.reason, "late" if row.late else ""]
            for row in rows
            if row.points is None or row.late
        ]
        texts = {
            f"{homework}-canvas.csv": canvas(rows, column),
            f"{homework}-canvas-remarks.csv": cells.text([
                ["student", "status", "reason", "late"],
                *remarks,
            ]),
        }
    for name, text in texts.items():
        cells.write(folder / name, text)
    return [folder / name for name in texts], rows
