"""Collect: put the notebooks of an export into the course, each under its student's id."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from initcourse.grading import cells
from initcourse.grading.intake import archive
from initcourse.grading.intake.archive import Found, read_export
from initcourse.grading.intake.roster import (
    Owner,
    Person,
    homework_names,
    key,
    named_by_platform,
    owners,
    read_roster,
    row_of,
    without_endings,
)
from initcourse.grading.records.course import Course, Receipt
from initcourse.grading.records.database import rename_in_database

__all__ = ["RULE", "Collected", "collect", "unmapped"]

RULE = (
    "Of several hand-ins the last one before the deadline counts; if there is none, "
    "the first one after it, marked late."
)

NO_NOTEBOOK = "no notebook in the hand-in"
_NO_FILE = (archive.LINK, archive.UNSAFE_PATH, archive.UNUSUAL)


@dataclass(frozen=True)
class Collected:
    """What :func:`collect` did.

    Attributes
    ----------
    new, replaced, unchanged : list of str
        Ids of the students whose hand-in is new, took the place of another, or is the same.
    late : list of str
        Ids of those whose hand-in came after the deadline.
    empty : dict of str to str
        Student id → why there is nothing to grade.
    unmapped : dict of str to list of str
        Platform name → files, for names without a student id in the roster.
    refused : dict of str to str
        Path in the export → why it was not read.
    ignored : list of str
        Files beside the hand-ins that are no notebooks.
    corrected : dict of str to str
        Id that the roster does not hold any more → the one that its row holds now.
    gone : list of str
        Ids of earlier hand-ins whose row is not in the roster any more.
    """

    new: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    empty: dict[str, str] = field(default_factory=dict)
    unmapped: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    corrected: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _HandIn:
    """A notebook that somebody handed in; `says` is the homework that it says it is."""

    path: str
    received: str
    late: bool
    number: int
    content: Path
    sha256: str
    says: str


_ASIDE = "moved--"  # in front of an id whose marks wait for their new one


def collect(
    course: Course, homework: str, export: Path, deadline: datetime | None = None
) -> Collected:
    """Put the notebooks of an export into the course, each under its student's id.

    Collected again, what is there stays unless another hand-in counts now.

    Parameters
    ----------
    course : Course
        The course's folder, with its roster.
    homework : str
        The homework, such as ``"hw1"``.
    export : Path
        What the platform exported; see :func:`read_export`.
    deadline : datetime, optional
        Later is late; in local time, as an export's time stamps are.  What Canvas itself calls
        late is late, and nothing else of Canvas: its exports hold no hand-in times.

    Returns
    -------
    Collected

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such export, or no good roster.
    """
    with course.alone(homework, "collected"):
        return _collect(course, homework, export, deadline)


def _collect(course: Course, homework: str, export: Path, deadline: datetime | None) -> Collected:
    people = read_roster(course.roster)
    done = Collected()
    _correct(course, homework, people, done)
    theirs: dict[str, list[tuple[Found, Owner]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as scratch:
        found = read_export(export, Path(scratch))
        for each, owner in zip(found, owners(found, people, homework_names(course)), strict=True):
            person = row_of(owner, people) if owner else None
            if each.problem:
                done.refused[each.path] = each.problem
            if person and owner and person.student:
                theirs[person.student].append((each, owner))
            elif owner:
                done.unmapped.setdefault(owner.label, []).append(each.path)
            elif not each.problem:
                done.ignored.append(each.path)
        for student, files in sorted(theirs.items()):
            _take(course, homework, student, files, deadline, done)
        settled = {key(name) for files in theirs.values() for _, who in files for name in who.names}
    settled |= {key(n) for each in people if each.student for n in (each.platform, each.student)}
    _remember(course, homework, settled, done.unmapped)
    return done


def _correct(course: Course, homework: str, people: Sequence[Person], done: Collected) -> None:
    """Let hand-ins follow the roster where ids were corrected; nobody is there twice.

    A hand-in belongs to the row of the platform's name that it came under.  All that must move is
    set aside first and put in place then, so that ids may change places too.
    """
    ids = {person.student for person in people}
    receipts, moving = list(course.receipts(homework)), dict[str, str]()
    for receipt in receipts:
        owner = named_by_platform(Found(tuple(receipt.file.split("/"))))
        person = row_of(owner, people) if owner else None
        if person and person.student and person.student != receipt.student:
            moving[receipt.student] = person.student
    # Where a hand-in that came without a platform's name has the id already, it keeps it.
    stays = {each.student for each in receipts if each.sha256 and each.student not in moving}
    moving = {before: student for before, student in moving.items() if student not in stays}
    for receipt in receipts:
        if receipt.student in ids or receipt.student in moving:
            continue
        if receipt.sha256:
            done.gone.append(receipt.student)
        else:  # there was nothing in it, and nobody whose it is
            course.forget(homework, receipt.student)
    moved = [each for each in receipts if each.student in moving]
    for receipt in moved:
        _set_aside(course, receipt)
    for receipt in moved:
        _follow(course, receipt, moving[receipt.student])
    done.corrected.update(moving)


def _waiting(course: Course, receipt: Receipt) -> Path:
    return course.folder / "submitted" / f".{receipt.student}.{receipt.homework}.moved"


def _set_aside(course: Course, receipt: Receipt) -> None:
    """Take a hand-in and its marks away from an id."""
    homework, student = receipt.homework, receipt.student
    notebook = course.submission(homework, student)
    if notebook.exists():
        os.replace(notebook, _waiting(course, receipt))
    rename_in_database(course, homework, student, f"{_ASIDE}{student}")
    course.forget(homework, student)


def _follow(course: Course, receipt: Receipt, student: str) -> None:
    """Put a hand-in under another id, with the marks that a person gave."""
    homework, waits = receipt.homework, _waiting(course, receipt)
    if waits.exists():
        place = course.submission(homework, student)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(waits, place)
        course.write(replace(receipt, student=student))
    rename_in_database(course, homework, f"{_ASIDE}{receipt.student}", student)


def unmapped(course: Course, homework: str) -> dict[str, list[str]]:
    """Return the hand-ins that were collected and belong to no student id: name → files."""
    path = _unmapped(course, homework)
    if not path.exists():
        return {}
    values: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return values


def _unmapped(course: Course, homework: str) -> Path:
    return course.folder / "unmapped" / f"{homework}.json"


def _remember(
    course: Course, homework: str, settled: set[str], names: dict[str, list[str]]
) -> None:
    """Keep the names without an id until they are settled."""
    before = unmapped(course, homework)
    kept = {name: files for name, files in before.items() if key(name) not in settled} | names
    if kept != before:
        text = json.dumps(kept, indent=1, ensure_ascii=False, sort_keys=True)
        cells.write(_unmapped(course, homework), text)


def _take(
    course: Course,
    homework: str,
    student: str,
    files: Sequence[tuple[Found, Owner]],
    deadline: datetime | None,
    done: Collected,
) -> None:
    """Write a student's notebook and receipt, and note in `done` what changed."""
    before = course.receipt(homework, student)
    if before and before.sha256 and not course.submission(homework, student).exists():
        before = None  # somebody removed it
    notebooks = [
        _hand_in(each.path, each.received, owner, each.content, deadline)
        for each, owner in files
        if each.content
    ]
    problems = [each for each, _ in files if each.problem]
    if before and before.sha256 and before.sha256 not in {each.sha256 for each in notebooks}:
        notebooks.append(_collected(course, before, deadline))
    if not notebooks:
        unread = [each.problem for each in problems if each.problem not in _NO_FILE]
        reason = unread[0] if unread else NO_NOTEBOOK
        seen = (problems[0] if problems else files[0][0]).path
        notices = [reason, *(f"{each.problem}: {each.path}" for each in problems[:5])]
        times = [each.received for each, owner in files if owner.late is None and each.received]
        receipt = Receipt(homework, student, "", "", max(times, default=""), notices=notices)
        done.empty[student] = f"{reason} ({seen})"
    else:
        counted = _counting(notebooks, homework)
        notices = _notices(counted, notebooks, problems, before, deadline)
        receipt = Receipt(
            homework,
            student,
            counted.path,
            counted.sha256,
            counted.received,
            counted.late,
            notices,
        )
        if before and before.sha256 == counted.sha256:
            late = _collected(course, before, deadline).late
            receipt = replace(before, late=late)
        else:
            _copy(counted.content, course.submission(homework, student))
        if receipt.late:
            done.late.append(student)
    if receipt != before:
        course.write(receipt)
    same = before is not None and before.sha256 == receipt.sha256
    (done.unchanged if same else done.replaced if before else done.new).append(student)


def _hand_in(
    path: str, received: str, owner: Owner | None, content: Path, deadline: datetime | None
) -> _HandIn:
    octets = content.read_bytes()
    number, late = 0, None
    if owner and owner.late is not None:
        number, late, received = owner.number, owner.late, ""  # stamped when it was exported
    if late is None:
        late = bool(deadline and received and datetime.fromisoformat(received) > deadline)
    digest = hashlib.sha256(octets).hexdigest()
    return _HandIn(path, received, late, number, content, digest, _stamp(octets))


def _collected(course: Course, receipt: Receipt, deadline: datetime | None) -> _HandIn:
    """Return what was collected earlier, late as it was, or by another deadline."""
    owner = named_by_platform(Found(tuple(receipt.file.split("/"))))
    content = course.submission(receipt.homework, receipt.student)
    before = _hand_in(receipt.file, receipt.received, owner, content, deadline)
    return before if deadline else replace(before, late=receipt.late)


def _stamp(notebook: bytes) -> str:
    try:
        stamp = json.loads(notebook)["metadata"]["initcourse"]["homework"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return stamp if isinstance(stamp, str) else ""


def _counting(notebooks: Sequence[_HandIn], homework: str) -> _HandIn:
    """Choose by the rule; another homework counts only if there is nothing else."""
    ours = [each for each in notebooks if each.says in ("", homework)] or notebooks
    in_time = [each for each in ours if not each.late]
    return max(in_time, key=_order) if in_time else min(ours, key=_order)


def _order(each: _HandIn) -> tuple[str, int, int, str]:
    copy = re.search(r"(?:\((\d+)\)|-copy(\d+)|-(\d+))$", without_endings(each.path), re.IGNORECASE)
    return each.received, each.number, int(copy[copy.lastindex or 0]) if copy else 0, each.path


def _notices(
    counted: _HandIn,
    notebooks: Sequence[_HandIn],
    problems: Sequence[Found],
    before: Receipt | None,
    deadline: datetime | None,
) -> list[str]:
    others = [each for each in notebooks if each is not counted and each.sha256 != counted.sha256]
    notices = [f"also handed in, not counted: {each.path}" for each in others[:5]]
    if len(others) > 5:
        notices.append(f"and {len(others) - 5} more")
    notices += [f"{each.problem}: {each.path}" for each in problems[:5]]
    if before and before.sha256:
        notices.append(f"replaces what was collected before: {before.file}")
    if deadline and not counted.received and not counted.number:
        notices.append("the export holds no hand-in time: not compared with the deadline")
    return notices


def _copy(content: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    try:
        shutil.copyfile(content, part)
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
