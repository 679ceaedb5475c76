"""Who is who: the roster, and whose a file of an export is."""

import re
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

from initcourse.grading import cells
from initcourse.grading.intake.archive import Found, read_export
from initcourse.grading.records.course import Course

__all__ = [
    "COLUMNS",
    "Owner",
    "Person",
    "checked_id",
    "extend_roster",
    "homework_names",
    "key",
    "named_by_platform",
    "namesakes",
    "owners",
    "read_roster",
    "row_of",
    "without_endings",
    "write_roster",
]

COLUMNS = ("platform", "student", "name", "email", "canvas_id", "section")
"""Columns of the roster; the first two decide, the exports use the others."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")

# "Ada Lovelace_12345_assignsubmission_file_", in front of the file's name if there are no folders.
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_[a-z]+(_.*)?")
# "lovelaceada_LATE_12345_67890_hw1-2.ipynb": the student's number, then the file's.
_CANVAS = re.compile(
    r"(?P<name>.+?)(?P<late>_LATE)?_(?P<number>\d+)_((?P<file>\d+)_(?P<rest>.+)|(text|link)\.html)"
)
_MOODLE_AFTER_DIGITS = re.compile(r"[\d_]*assignsubmission_[a-z]+(_.*)?")
_CANVAS_BLIND = re.compile(r"(?P<late>LATE_)?(?P<name>anon_[A-Za-z0-9]+)_(?P<file>\d+)_.+")


@dataclass(frozen=True)
class Person:
    """One row of the roster.

    Attributes
    ----------
    platform : str
        The name under which the learning platform exports the student's files.
    student : str
        The student's id in the course; empty until someone fills it in.
    name, email, canvas_id, section : str
        What the exports write into the platform's table; each may be empty.
    more : dict
        The roster's other columns, kept as they are.
    """

    platform: str = ""
    student: str = ""
    name: str = ""
    email: str = ""
    canvas_id: str = ""
    section: str = ""
    more: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Owner:
    """Whose a file is, as far as its place in the export tells.

    Attributes
    ----------
    names : tuple of str
        Names of the student on the platform, the most particular one first.
    late : bool or None
        Whether the platform itself says that it came late; None if it does not say.
    number : int
        The platform's number of the file, which grows with time; 0 if there is none.
    canvas_id : str
        The student's number in Canvas.
    """

    names: tuple[str, ...]
    late: bool | None = None
    number: int = 0
    canvas_id: str = ""

    @property
    def label(self) -> str:
        """The name for the roster: Moodle's numbers change from task to task, Canvas's stay."""
        return self.names[0] if self.canvas_id else self.names[-1]


# Whose it is.


def owners(
    found: Sequence[Found], people: Sequence[Person], homework: Sequence[str]
) -> list[Owner | None]:
    """Tell of everything in an export whose it is.

    Parameters
    ----------
    found : sequence of Found
        What lies in the export.
    people : sequence of Person
        The roster, which helps where the export follows no platform's naming.
    homework : sequence of str
        Names of the course's homework, which are no names of students.

    Returns
    -------
    list of Owner or None
        One for each in `found`; None for a stray file.
    """
    named = [named_by_platform(each) for each in found]
    others = [each.parts[:-1] for each, owner in zip(found, named, strict=True) if owner is None]
    shared = _shared(others)
    known = {key(name) for each in people for name in (each.platform, each.student) if name}
    result = [
        owner or _named_by_place(each, shared, known, homework)
        for each, owner in zip(found, named, strict=True)
    ]
    full = defaultdict(set)
    for owner in filter(None, result):
        full[owner.names[-1]].add(owner.names[0])
    # Two students of one name: only the name with the platform's number tells them apart.
    return [
        replace(owner, names=owner.names[:1]) if owner and len(full[owner.names[-1]]) > 1 else owner
        for owner in result
    ]


def _shared(folders: Sequence[tuple[str, ...]]) -> int:
    """Return how many folders all have in common, from the outside in."""
    alike = (len(set(names)) == 1 for names in zip(*folders, strict=False))
    return sum(takewhile(bool, alike))


def named_by_platform(found: Found) -> Owner | None:
    """Read Moodle's or Canvas's naming from the outside in: what a student names lies within."""
    return next(filter(None, map(_platform_name, found.parts)), None)


def _platform_name(part: str) -> Owner | None:
    moodle, canvas, blind = (p.fullmatch(part) for p in (_MOODLE, _CANVAS, _CANVAS_BLIND))
    if blind:
        return Owner((blind["name"],), bool(blind["late"]), int(blind["file"]))
    # A name in Moodle may end in digits, as Canvas's numbers do.
    if canvas and moodle and _MOODLE_AFTER_DIGITS.fullmatch(canvas["rest"] or ""):
        canvas = None
    # The student's part of the name may imitate a platform; the platform's part comes first.
    if canvas and not (moodle and len(moodle["name"]) < len(canvas["name"])):
        names = (f"{canvas['name']}_{canvas['number']}", canvas["name"])
        return Owner(names, bool(canvas["late"]), int(canvas["file"] or 0), canvas["number"])
    if moodle:
        return Owner((f"{moodle['name']}_{moodle['number']}", moodle["name"]))
    return None


def _named_by_place(
    found: Found, shared: int, known: set[str], homework: Sequence[str]
) -> Owner | None:
    """Take the first name that the roster knows, else the outermost one that tells anything."""
    for part in found.parts:
        for name in (part, without_endings(part), _telling(part, homework)):
            if key(name) in known:
                return Owner((name,))
    own = found.parts[shared:]
    if len(own) == 1 and not (found.content or found.problem):
        return None  # a file beside the hand-ins
    told = (_telling(part, homework) for part in (*own, *reversed(found.parts[:shared])))
    return next((Owner((name,)) for name in told if name), None)


def without_endings(part: str) -> str:
    """Return a file's name without the endings that a notebook or a zip file has."""
    return re.sub(r"(\.ipynb|\.zip|\.txt|\.json)+$", "", part, flags=re.IGNORECASE)


def _telling(part: str, homework: Sequence[str]) -> str:
    """Drop from a name what says nothing of the student: the homework, and marks of copies."""
    bare = re.sub(
        r"([ _-]*\(\d+\)|-copy\d*|-\d+)+$", "", without_endings(part), flags=re.IGNORECASE
    )
    for name in homework:
        bare = re.sub(rf"(^|[ _-]+){re.escape(name)}($|[ _-]+)", "", bare, flags=re.IGNORECASE)
    return bare.strip()


# The table.


def key(name: str) -> str:
    """Return what the spellings of a platform name have in common.

    Examples
    --------
    >>> key("Ada_Lovelace") == key("ada  lovelace")
    True
    """
    plain = unicodedata.normalize("NFC", cells.raw(name)).casefold().replace("_", " ")
    return " ".join(plain.split())


def checked_id(student: str) -> str:
    """Return a student id, which must fit a folder's name.

    Raises
    ------
    ValueError
        If it does not.

    Examples
    --------
    >>> checked_id("ada.l-1815")
    'ada.l-1815'
    """
    if not _ID.fullmatch(student) or ".." in student or student.endswith("."):
        raise ValueError(
            f"student id {student!r}: an id has at most 64 letters a-z and A-Z, digits, and . _ @ "
            "-, and starts with a letter or a digit"
        )
    return student


def read_roster(path: Path) -> list[Person]:
    """Read the roster.

    Parameters
    ----------
    path : Path
        A CSV file with the columns ``platform`` and ``student``.

    Returns
    -------
    list of Person

    Raises
    ------
    FileNotFoundError, ValueError
        If there is none, or if it cannot be what is meant: a student id that fits no folder's
        name, or a name or an id that stands in two rows.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"there is no roster {str(path)!r}; `initcourse homework roster EXPORT` writes it"
        )
    people = []
    for line, row in enumerate(cells.read(path), start=2):
        if missing := {"platform", "student"} - row.keys():
            raise ValueError(
                f"{path} has no column {', '.join(sorted(missing))!r}; its first line must read: "
                + ",".join(COLUMNS)
            )
        known = {name: row.pop(name, "") for name in COLUMNS}
        if known["student"]:
            try:
                checked_id(known["student"])
            except ValueError as error:
                raise ValueError(f"{path}, line {line}: {error}") from None
        people.append(Person(**known, more=row))
    _once(path, "platform name", [person.platform for person in people])
    _once(path, "student id", [person.student for person in people])
    return people


def _once(path: Path, what: str, names: Sequence[str]) -> None:
    lines: dict[str, int] = {}
    for line, name in enumerate(names, start=2):
        if name and lines.setdefault(key(name), line) != line:
            raise ValueError(
                f"{path}, lines {lines[key(name)]} and {line}: the {what} {name!r} stands twice; "
                "one row is one person"
            )


def write_roster(path: Path, people: Sequence[Person]) -> None:
    """Write the roster, in UTF-8 with the mark by which spreadsheets know it."""
    more = list(dict.fromkeys(name for person in people for name in person.more))
    rows = [
        [getattr(person, name) for name in COLUMNS] + [person.more.get(name, "") for name in more]
        for person in people
    ]
    delimiter = cells.delimiter(path) if path.exists() else ","
    table = cells.text([[*COLUMNS, *more], *rows], delimiter=delimiter)
    cells.write(path, table, encoding="utf-8-sig")


def extend_roster(course: Course, export: Path) -> tuple[list[Person], list[str]]:
    """Add the names of an export to the roster.  What is filled in stays, and so does every row.

    A row without a platform name gets one if it is the only such row with that name or Canvas
    number.

    Parameters
    ----------
    course : Course
        The course's folder.
    export : Path
        What the platform exported; see :func:`read_export`.

    Returns
    -------
    people : list of Person
        The whole roster.
    added : list of str
        Platform names that it did not have.
    """
    with tempfile.TemporaryDirectory() as scratch, course.alone("the roster", "extended"):
        people = read_roster(course.roster) if course.roster.exists() else []
        found = read_export(export, Path(scratch))
        added = []
        for owner in filter(None, owners(found, people, homework_names(course))):
            if row_of(owner, people) is None:
                added.append(owner.label)
                people = _with(owner, people)
        write_roster(course.roster, people)
    return people, added


def namesakes(people: Sequence[Person]) -> dict[str, list[str]]:
    """Return platform names that could be several students': name → ids of those rows."""
    waiting = [person for person in people if person.student and not person.platform]
    found = {}
    for person in people:
        if person.platform and not person.student:
            name = _squashed(re.sub(r"_\d+$", "", person.platform))
            ids = [each.student for each in waiting if name in _orders(each.name)]
            if len(ids) > 1:
                found[person.platform] = ids
    return found


def _with(owner: Owner, people: list[Person]) -> list[Person]:
    waiting = [person for person in people if not person.platform]
    same = [
        person
        for person in waiting
        if (owner.canvas_id and person.canvas_id == owner.canvas_id)
        or _squashed(owner.names[-1]) in _orders(person.name)
    ]
    if len(same) != 1:
        return [*people, Person(owner.label, canvas_id=owner.canvas_id)]
    number = same[0].canvas_id or owner.canvas_id
    found = replace(same[0], platform=owner.label, canvas_id=number)
    return [found if person is same[0] else person for person in people]


def _squashed(name: str) -> str:
    return "".join(letter for letter in key(name) if letter.isalnum())


def _orders(name: str) -> set[str]:
    """Return a name with its words turned round: Canvas writes the last name first."""
    words = name.replace(",", " ").split()
    return {_squashed("".join(words[n:] + words[:n])) for n in range(len(words))}


def row_of(owner: Owner, people: Sequence[Person]) -> Person | None:
    """Return the roster's row of an owner; its id may still be empty."""
    rows = {key(person.student): person for person in people if person.student}
    rows |= {key(person.platform): person for person in people if person.platform}
    return next((rows[key(name)] for name in owner.names if key(name) in rows), None)


def homework_names(course: Course) -> list[str]:
    """Return the names of the course's homework."""
    return sorted(path.name for path in (course.folder / "source").glob("*"))
