"""The course folder: where everything lies, and what is written down about each hand-in.

The folders are nbgrader's.  Beside its database the course keeps two small files a hand-in: a
*receipt*, written when it is collected, and a *record*, written when it is graded.  What happened
to a submission can so be read even where nbgrader knows nothing of it.
"""

import getpass
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

from initcourse.grading import cells

__all__ = ["Course", "CourseBusy", "Receipt", "Record", "TaskResult", "data_files"]


class CourseBusy(OSError):
    """Somebody else is at work on this homework; the message says who, and since when."""


@dataclass(frozen=True)
class Receipt:
    """What was handed in, as far as :command:`collect` saw it.

    Attributes
    ----------
    homework, student : str
        The homework, such as ``"hw1"``, and the student's id in the course.
    file : str
        The name under which the platform exported it; empty if there was no notebook.
    sha256 : str
        Digest of the file's bytes; empty if there is nothing to grade: the first notice says why.
    received : str
        When it was handed in, in ISO 8601; empty if the export does not say.
    late : bool
        Whether that was after the deadline.
    notices : list of str
        What a person should know of it, such as an earlier hand-in that this one replaces.
    """

    homework: str
    student: str
    file: str
    sha256: str
    received: str
    late: bool = False
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TaskResult:
    """What one task earned.

    Attributes
    ----------
    task : str
        The task, such as ``"q2"``; of a task with several test cells, ``"q2-scale"``.
    kind : {"automatic", "manual"}
        Whether the hidden tests or a person decide.
    points : float or None
        The points earned; None for a task that waits for a person.
    max_points : float
        The points that it can earn.
    message : str
        What the student reads about it; empty if all is well.
    """

    task: str
    kind: Literal["automatic", "manual"]
    points: float | None
    max_points: float
    message: str = ""


@dataclass(frozen=True)
class Record:
    """What grading found out about one hand-in.

    Attributes
    ----------
    homework, student : str
        The homework and the student's id.
    sha256 : str
        Digest of the notebook that was graded; a hand-in with another one is graded again.
    version : str
        Digest of the homework's source; a changed source is graded again.
    status : {"graded", "not graded"}
        Whether there is a mark.
    reason : str
        Why there is none, such as ``"kernel killed after 60 s"``; empty if it was graded.
    tasks : list of TaskResult
        One for each test cell and each task for a person.
    notices : list of str
        Why a person should look at it.
    other_id : str
        What the student is told if the notebook names another student's id, or none; else empty.
    raised : dict of str to str
        Hidden test → the error that it raised itself, which may be the test's own fault.
    seconds : float
        How long grading took, wall time in s.
    """

    homework: str
    student: str
    sha256: str
    version: str
    status: Literal["graded", "not graded"]
    reason: str = ""
    tasks: list[TaskResult] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    other_id: str = ""
    raised: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return the record that :func:`dataclasses.asdict` turned into plain values."""
        return cls(**{**values, "tasks": [TaskResult(**task) for task in values["tasks"]]})


@dataclass(frozen=True)
class Course:
    """One course's folder.

    Parameters
    ----------
    folder : Path
        The folder that ``initcourse homework new`` made.

    Examples
    --------
    >>> Course(Path("autumn")).submission("hw1", "ada").as_posix()
    'autumn/submitted/ada/hw1/hw1.ipynb'
    """

    folder: Path

    def source(self, homework: str) -> Path:
        """Return the notebook with solutions and hidden tests."""
        return self.folder / "source" / homework / f"{homework}.ipynb"

    def source_digest(self, homework: str) -> str:
        """Return a digest of the source's bytes: what is graded again if any of it changed."""
        return hashlib.sha256(self.source(homework).read_bytes()).hexdigest()[:12]

    def release(self, homework: str) -> Path:
        """Return the student's copy."""
        return self.folder / "release" / homework / f"{homework}.ipynb"

    def submission(self, homework: str, student: str) -> Path:
        """Return the notebook that a student handed in."""
        return self.folder / "submitted" / student / homework / f"{homework}.ipynb"

    def submission_digest(self, homework: str, student: str) -> str:
        """Return the SHA-256 of what a student handed in; an empty text if it is no file."""
        path = self.submission(homework, student)
        if path.is_symlink() or not path.is_file():
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def students(self, homework: str) -> list[str]:
        """Return everybody who handed something in, whatever it was, in order."""
        collected = {receipt.student for receipt in self.receipts(homework)}
        found = (self.folder / "submitted").glob(f"*/{homework}")
        return sorted(collected | {path.parent.name for path in found})

    def graded(self, homework: str, student: str) -> Path:
        """Return the graded notebook."""
        return self.folder / "autograded" / student / homework / f"{homework}.ipynb"

    def feedback(self, homework: str, student: str) -> Path:
        """Return the page that the student reads after grading."""
        return self.folder / "feedback" / student / homework / f"{homework}.html"

    @property
    def roster(self) -> Path:
        """The table of platform names and student ids."""
        return self.folder / "roster.csv"

    @contextmanager
    def alone(self, homework: str, doing: str) -> Iterator[None]:
        """Hold a homework for oneself while something is done to it, such as ``"graded"``.

        Raises
        ------
        CourseBusy
            If another process holds it.
        """
        import fcntl

        place = self.folder / ".locks" / homework
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.seek(0)
                raise CourseBusy(
                    f"{homework} is being {file.read() or 'worked on'}; wait until that is done"
                ) from None
            file.truncate(0)
            user, host = getpass.getuser(), socket.gethostname()
            since = datetime.now().strftime("%H:%M")
            file.write(f"{doing} by {user} on {host}, process {os.getpid()}, since {since}")
            file.flush()
            yield

    def _again(self, homework: str) -> Path:
        return self.folder / ".locks" / f"{homework}.again"

    def to_grade_again(self, homework: str) -> list[str]:
        """Return whom a run that grades all once more, and was interrupted, has not come to."""
        path = self._again(homework)
        return path.read_text(encoding="utf-8").split() if path.exists() else []

    def remember_again(self, homework: str, students: Sequence[str]) -> None:
        """Write down who is still to be graded once more."""
        if students:
            cells.write(self._again(homework), "\n".join(students))
        else:
            self._again(homework).unlink(missing_ok=True)

    def _note(self, kind: str, homework: str, student: str) -> Path:
        return self.folder / kind / homework / f"{student}.json"

    def write(self, note: Receipt | Record) -> None:
        """Write a receipt or a record; a reader never sees half of it."""
        kind = "receipts" if isinstance(note, Receipt) else "records"
        path = self._note(kind, note.homework, note.student)
        content = json.dumps(asdict(note), indent=1, ensure_ascii=False)
        cells.write(path, content, mode=0o600)

    def forget(self, homework: str, student: str) -> None:
        """Remove what the course holds of a student's homework, but for nbgrader's marks."""
        for path in (self.submission(homework, student), self.graded(homework, student)):
            shutil.rmtree(path.parent, ignore_errors=True)
        shutil.rmtree(self.feedback(homework, student).parent, ignore_errors=True)
        for kind in ("receipts", "records"):
            self._note(kind, homework, student).unlink(missing_ok=True)

    def receipt(self, homework: str, student: str) -> Receipt | None:
        """Return what was collected from a student, or None."""
        path = self._note("receipts", homework, student)
        return Receipt(**_values(path)) if path.exists() else None

    def record(self, homework: str, student: str) -> Record | None:
        """Return what grading found out about a student's hand-in, or None."""
        path = self._note("records", homework, student)
        return Record.from_json(_values(path)) if path.exists() else None

    def receipts(self, homework: str) -> Iterator[Receipt]:
        """Yield every receipt of a homework, in the order of the students' ids."""
        for path in sorted((self.folder / "receipts" / homework).glob("*.json")):
            yield Receipt(**_values(path))


def data_files(notebook: Path) -> list[tuple[str, str]]:
    """Return the data files of a homework: each path, and relative to its notebook."""
    folder = notebook.parent
    return [
        (str(path.resolve()), path.relative_to(folder).as_posix())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.suffix != ".ipynb"
        and not any(
            part.startswith((".", "__pycache__")) for part in path.relative_to(folder).parts
        )
    ]


def _values(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values
