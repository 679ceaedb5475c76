"""Take in what a learning platform exports: find the notebooks, and whose they are.

An export is read, never trusted: links are not followed, nothing is unpacked to a path that it
names, and what is read has limits.
"""

import hashlib
import io
import json
import os
import re
import shutil
import stat
import tempfile
import unicodedata
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import IO

from initcourse.grading import cells
from initcourse.grading.course import Course, Receipt

__all__ = [
    "COLUMNS",
    "RULE",
    "Collected",
    "Found",
    "Owner",
    "Person",
    "checked_id",
    "collect",
    "extend_roster",
    "key",
    "owners",
    "read_export",
    "read_roster",
    "unmapped",
    "write_roster",
]

RULE = (
    "Of several hand-ins the last one before the deadline counts; if there is none, "
    "the first one after it, marked late."
)

COLUMNS = ("platform", "student", "name", "email", "canvas_id", "section")
"""Columns of the roster; the first two decide, the exports use the others."""

MAX_NOTEBOOK = 20_000_000  # bytes
MAX_ZIP = 20_000_000  # bytes of a zip file within a zip file
MAX_UNPACKED = 200_000_000  # bytes; more from a large export, see _Unpacked
MAX_RATIO = 100
MAX_FILES = 50_000
MAX_DEPTH = 3

NO_NOTEBOOK = "no notebook in the hand-in"
TOO_LARGE = f"notebook of more than {MAX_NOTEBOOK // 1_000_000} MB"
ZIP_TOO_LARGE = f"zip file of more than {MAX_ZIP // 1_000_000} MB"
ZIP_TOO_MANY = f"zip file of more than {MAX_FILES} files"
ZIP_BOMB = f"zip file unpacks to more than {MAX_UNPACKED // 1_000_000} MB"
ZIP_TOO_DEEP = f"zip files nested more than {MAX_DEPTH} deep"
ZIP_BROKEN = "zip file cannot be read"
ZIP_ENCRYPTED = "zip file is encrypted"
LINK = "symbolic link, not followed"
UNSAFE_PATH = "path that leads out of its folder"
UNUSUAL = "not an ordinary file"
_NO_FILE = (LINK, UNSAFE_PATH, UNUSUAL)

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_NOTEBOOK = re.compile(r"\.ipynb(\.(txt|json))?$", re.IGNORECASE)
_JUNK = {"__MACOSX", ".ipynb_checkpoints", ".DS_Store", "Thumbs.db", "desktop.ini"}

# "Ada Lovelace_12345_assignsubmission_file_", in front of the file's name if there are no folders.
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_[a-z]+(_.*)?")
# "lovelaceada_LATE_12345_67890_hw1-2.ipynb": the student's number, then the file's.
_CANVAS = re.compile(
    r"(?P<name>.+?)(?P<late>_LATE)?_(?P<number>\d+)_((?P<file>\d+)_.+|(text|link)\.html)"
)
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


@dataclass(frozen=True)
class Found:
    """Something that lies in an export.

    Attributes
    ----------
    parts : tuple of str
        Its path: folders and zip files from the outside in, then the file's name.
    received : str
        When it was handed in, in ISO 8601, as its time stamp says; empty if it has none.
    content : Path or None
        A private copy of the notebook's bytes; None if it is no notebook.
    problem : str
        Why the notebook or zip file could not be read; empty if it could.
    """

    parts: tuple[str, ...]
    received: str = ""
    content: Path | None = None
    problem: str = ""

    @property
    def path(self) -> str:
        """The path within the export, as one text."""
        return "/".join(self.parts)


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
    """

    new: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    empty: dict[str, str] = field(default_factory=dict)
    unmapped: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


# Reading an export.


class _Bomb(Exception):
    """A zip file unpacks to more than it may."""


class _Unpacked:
    """Count what comes out of one zip file; an honest one shrinks notebooks less than 100 times."""

    def __init__(self, size: int) -> None:
        self.left = max(MAX_UNPACKED, MAX_RATIO * size)

    def read(self, stream: IO[bytes], limit: int) -> bytes | None:
        """Read a file; None if it is larger than the limit."""
        content = stream.read(limit + 1)
        self.left -= len(content)
        if self.left < 0:
            raise _Bomb
        return content if len(content) <= limit else None


def read_export(export: Path, scratch: Path) -> list[Found]:
    """Find what lies in a platform's export.

    Parameters
    ----------
    export : Path
        A zip file, a notebook, or a folder of folders, zip files and notebooks.
    scratch : Path
        An empty folder for copies of the notebooks.

    Returns
    -------
    list of Found
        Files and empty folders, without what operating systems and Jupyter leave behind.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder.
    """
    if not export.exists():
        raise FileNotFoundError(f"there is no file or folder {str(export)!r}")
    found = _walk(export, scratch) if export.is_dir() else _file(export, (export.name,), scratch)
    return [replace(each, parts=tuple(map(cells.printable, each.parts))) for each in found]


def _walk(folder: Path, scratch: Path) -> Iterator[Found]:
    for place, folders, files in os.walk(folder):
        parts = Path(place).relative_to(folder).parts
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in {*links, *_JUNK})
        for name in sorted([*links, *files]):
            if not _is_junk(name):
                yield from _file(Path(place) / name, (*parts, name), scratch)
        if parts and not folders and not files:
            yield Found(parts)


def _file(path: Path, parts: tuple[str, ...], scratch: Path) -> Iterator[Found]:
    status = path.lstat()
    received = datetime.fromtimestamp(status.st_mtime).isoformat(timespec="seconds")
    if stat.S_ISLNK(status.st_mode):
        yield Found(parts, received, problem=LINK)
    elif not stat.S_ISREG(status.st_mode):
        yield Found(parts, received, problem=UNUSUAL)
    elif _is_zip(path.name):
        with path.open("rb") as stream:
            yield from _unzip(stream, _Unpacked(status.st_size), parts, received, scratch)
    elif _NOTEBOOK.search(path.name):
        with path.open("rb") as stream:
            content = stream.read(MAX_NOTEBOOK + 1)
        yield _notebook(content if len(content) <= MAX_NOTEBOOK else None, parts, received, scratch)
    else:
        yield Found(parts, received)


def _unzip(
    stream: IO[bytes],
    unpacked: _Unpacked,
    parts: tuple[str, ...],
    received: str,
    scratch: Path,
    depth: int = 1,
) -> Iterator[Found]:
    try:
        with zipfile.ZipFile(stream) as archive:
            if len(archive.infolist()) > MAX_FILES:
                yield Found(parts, received, problem=ZIP_TOO_MANY)
                return
            for entry in archive.infolist():
                yield from _entry(archive, entry, unpacked, parts, scratch, depth)
    except _Bomb:
        yield Found(parts, received, problem=ZIP_BOMB)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError):
        yield Found(parts, received, problem=ZIP_BROKEN)


def _entry(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    unpacked: _Unpacked,
    outer: tuple[str, ...],
    scratch: Path,
    depth: int,
) -> Iterator[Found]:
    name = entry.filename.replace("\\", "/")
    inner = PurePosixPath(name).parts
    parts, received = (*outer, *inner), _zip_time(entry)
    if any(_is_junk(part) for part in inner):
        return
    if name.startswith("/") or ".." in inner or re.match("[A-Za-z]:", name):
        yield Found(parts, received, problem=UNSAFE_PATH)
    elif stat.S_ISLNK(entry.external_attr >> 16):
        yield Found(parts, received, problem=LINK)
    elif entry.is_dir() or not (_is_zip(name) or _NOTEBOOK.search(name)):
        yield Found(parts, received)
    elif entry.flag_bits & 1:
        yield Found(parts, received, problem=ZIP_ENCRYPTED)
    elif _is_zip(name) and depth == MAX_DEPTH:
        yield Found(parts, received, problem=ZIP_TOO_DEEP)
    else:
        try:
            with archive.open(entry) as stream:
                content = unpacked.read(stream, MAX_ZIP if _is_zip(name) else MAX_NOTEBOOK)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError):
            yield Found(parts, received, problem=ZIP_BROKEN)
            return
        if not _is_zip(name):
            yield _notebook(content, parts, received, scratch)
        elif content is None:
            yield Found(parts, received, problem=ZIP_TOO_LARGE)
        else:
            within = io.BytesIO(content)
            yield from _unzip(within, _Unpacked(0), parts, received, scratch, depth + 1)


def _notebook(content: bytes | None, parts: tuple[str, ...], received: str, scratch: Path) -> Found:
    if content is None:
        return Found(parts, received, problem=TOO_LARGE)
    handle, name = tempfile.mkstemp(dir=scratch)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return Found(parts, received, Path(name))


def _is_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


def _is_junk(name: str) -> bool:
    return name in _JUNK or name.startswith("._")


def _zip_time(entry: zipfile.ZipInfo) -> str:
    try:
        time = datetime(*entry.date_time)
    except ValueError:
        return ""
    return "" if time.year == 1980 else time.isoformat()  # 1980: the format's "no time"


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
    named = [_named_by_platform(each) for each in found]
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


def _named_by_platform(found: Found) -> Owner | None:
    """Read Moodle's or Canvas's naming from the outside in: what a student names lies within."""
    return next(filter(None, map(_platform_name, found.parts)), None)


def _platform_name(part: str) -> Owner | None:
    moodle, canvas, blind = (p.fullmatch(part) for p in (_MOODLE, _CANVAS, _CANVAS_BLIND))
    if blind:
        return Owner((blind["name"],), bool(blind["late"]), int(blind["file"]))
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
        for name in (part, _bare(part), _telling(part, homework)):
            if key(name) in known:
                return Owner((name,))
    own = found.parts[shared:]
    if len(own) == 1 and not (found.content or found.problem):
        return None  # a file beside the hand-ins
    told = (_telling(part, homework) for part in (*own, *reversed(found.parts[:shared])))
    return next((Owner((name,)) for name in told if name), None)


def _bare(part: str) -> str:
    return re.sub(r"(\.ipynb|\.zip|\.txt|\.json)+$", "", part, flags=re.IGNORECASE)


def _telling(part: str, homework: Sequence[str]) -> str:
    """Drop from a name what says nothing of the student: the homework, and marks of copies."""
    bare = re.sub(r"([ _-]*\(\d+\)|-copy\d*|-\d+)+$", "", _bare(part), flags=re.IGNORECASE)
    for name in homework:
        bare = re.sub(rf"(^|[ _-]+){re.escape(name)}($|[ _-]+)", "", bare, flags=re.IGNORECASE)
    return bare.strip()


# The roster.


def key(name: str) -> str:
    """Return what the spellings of a platform name have in common.

    Examples
    --------
    >>> key("Ada_Lovelace") == key("ada  lovelace")
    True
    """
    plain = unicodedata.normalize("NFC", name).casefold().replace("_", " ")
    return " ".join(plain.removeprefix("'").split())


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
    cells.write(path, cells.text([[*COLUMNS, *more], *rows]), encoding="utf-8-sig")


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
    people = read_roster(course.roster) if course.roster.exists() else []
    with tempfile.TemporaryDirectory() as scratch:
        found = read_export(export, Path(scratch))
    added = []
    for owner in filter(None, owners(found, people, _homework(course))):
        if _row(owner, people) is None:
            added.append(owner.label)
            people = _with(owner, people)
    write_roster(course.roster, people)
    return people, added


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


def _row(owner: Owner, people: Sequence[Person]) -> Person | None:
    """Return the roster's row of an owner; its id may still be empty."""
    rows = {key(person.student): person for person in people if person.student}
    rows |= {key(person.platform): person for person in people if person.platform}
    return next((rows[key(name)] for name in owner.names if key(name) in rows), None)


def _homework(course: Course) -> list[str]:
    return sorted(path.name for path in (course.folder / "source").glob("*"))


# Collecting.


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
    people = read_roster(course.roster)
    done = Collected()
    theirs: dict[str, list[tuple[Found, Owner]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as scratch:
        found = read_export(export, Path(scratch))
        for each, owner in zip(found, owners(found, people, _homework(course)), strict=True):
            person = _row(owner, people) if owner else None
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
    owner = _named_by_platform(Found(tuple(receipt.file.split("/"))))
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
    copy = re.search(r"(?:\((\d+)\)|-copy(\d+)|-(\d+))$", _bare(each.path), re.IGNORECASE)
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
    shutil.copyfile(content, part)
    os.replace(part, target)
