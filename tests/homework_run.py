"""Runs the grader as a normal user, in the sandbox; the tests talk to it in JSON.

The tests run as root where a machine checks them.  ``INITCOURSE_GRADER`` then names a normal user
and a Python that this user can run: ``grader:/opt/initcourse-grader/bin/python``.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from initcourse.grading.records.course import Course, Record
    from initcourse.grading.sandbox.bubblewrap import Settings

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("homework_cases.py", "homework_run.py")


def impossible(reason: str) -> None:
    """Skip the test; where a machine checks everything that is a failure."""
    import pytest

    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def grader() -> tuple[str, str]:
    """Return the normal user who grades (empty: the one who runs the tests), and their Python."""
    if shutil.which("bwrap") is None:
        impossible("grading needs bubblewrap: apt install bubblewrap")
    if os.geteuid() != 0:
        return "", sys.executable
    user, _, python = os.environ.get("INITCOURSE_GRADER", "").partition(":")
    if not python:
        impossible(
            "root does not grade; name a normal user and their Python, as .ci/run does: "
            "INITCOURSE_GRADER=grader:/opt/initcourse-grader/bin/python"
        )
    return user, python


@contextmanager
def workplace() -> Iterator[Path]:
    """Yield a folder that the grader can use, with the package and these modules in it."""
    user, _ = grader()
    with tempfile.TemporaryDirectory(prefix="ic-test-", dir="/tmp") as name:
        folder = Path(name)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "initcourse", folder / "tree" / "initcourse", ignore=ignored)
        shutil.copytree(ROOT / "book" / "homework" / "source", folder / "sources")
        for module in MODULES:
            shutil.copy(ROOT / "tests" / module, folder / "tree")
        (folder / "home").mkdir()
        if user:
            subprocess.run(["chown", "-R", f"{user}:", name], check=True)
        yield folder


def start(folder: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    """Start this module as a program, as the grader, whose environment holds a secret."""
    from homework_cases import SECRET

    user, python = grader()
    prefix = ["runuser", "-u", user, "--"] if user else []
    variables = {
        "HOME": str(folder / "home"),
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(folder / "tree"),
        "GRADEBOOK_URL": SECRET,
        **environment,
    }
    return subprocess.Popen(
        [*prefix, python, str(folder / "tree" / "homework_run.py"), str(folder), *words],
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, *words: str, **environment: str) -> Any:
    """Run this module as a program, as the grader, and return what it says."""
    process = start(folder, *words, **environment)
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err[-4000:]
    return json.loads(out.splitlines()[-1])


def _settings() -> Settings:
    return Settings(
        cell_seconds=made.CELL_SECONDS,
        notebook_seconds=made.NOTEBOOK_SECONDS,
        memory_mb=made.MEMORY_MB,
    )


def _marks(records: list[Record]) -> dict[str, list[float | None]]:
    return {record.student: [task.points for task in record.tasks] for record in records}


def _gradebook(course: Course) -> list[tuple[str, float]]:
    """Return all that the gradebook knows of submissions: whose they are, and the score."""
    with Gradebook(database(course)) as gradebook:
        found = gradebook.assignment_submissions(made.HOMEWORK)
        return sorted((one.student.id, float(one.score)) for one in found)


def cases(folder: Path, *names: str) -> dict[str, Any]:
    """Grade the made submissions and export them, as an instructor types it."""
    course, homework = Course(folder / "course"), made.HOMEWORK
    made.build(course, release, names)
    limits = [
        *("--cell-seconds", f"{made.CELL_SECONDS:g}"),
        *("--notebook-seconds", f"{made.NOTEBOOK_SECONDS:g}"),
        *("--memory-mb", str(made.MEMORY_MB)),
    ]
    said = io.StringIO()
    with redirect_stdout(said), socket.create_server(("127.0.0.1", made.PORT)):  # nobody comes
        for words in (
            ["grade", homework, "--workers", "2", *limits],
            ["export", homework, "--format", "json"],
        ):
            main(["homework", *words, "--course", str(course.folder)])
    students = sorted(path.stem for path in (course.folder / "records" / homework).iterdir())
    records = [course.record(homework, student) for student in students]
    graded = {
        record.student: course.graded(homework, record.student).read_text(encoding="utf-8")
        for record in records
        if record.status == "graded"
    }
    exported = json.loads((course.folder / "exports" / f"{homework}.json").read_text("utf-8"))
    return {
        "records": [asdict(record) for record in records],
        "lines": [line for line in said.getvalue().splitlines() if re.match(r" *\d+/\d+ ", line)],
        "graded": graded,
        "exported": exported,
    }


def attack(folder: Path, name: str) -> dict[str, Any]:
    """Grade one made submission with the limits that hold by default, and nobody beside it."""
    course = Course(folder / "course")
    made.build(course, release, [name])
    (record,) = grade(course, made.HOMEWORK, progress=lambda line: None)
    return asdict(record)


def speed(folder: Path, count: str) -> dict[str, Any]:
    """Grade honest submissions with one and with two workers, each after a warm-up."""
    found: dict[str, Any] = {}
    for workers in (1, 2):
        first, course = Course(folder / f"first-{workers}"), Course(folder / f"course-{workers}")
        made.honest(first, release, 2)
        made.honest(course, release, int(count))
        grade(first, made.HOMEWORK, workers=workers, progress=lambda line: None)
        began = time.monotonic()
        records = grade(course, made.HOMEWORK, workers=workers, progress=lambda line: None)
        per_minute = 60 * len(records) / (time.monotonic() - began)
        found[str(workers)] = {"per minute": per_minute, "marks": _marks(records)}
    return found


def resume(folder: Path) -> dict[str, Any]:
    """Interrupt a run, go on, mark by hand, grade again, hand in anew."""
    course, homework = Course(folder / "course"), made.HOMEWORK
    made.honest(course, release, 5)
    lines: list[str] = []

    def until_third(line: str) -> None:
        lines.append(line)
        if len(lines) == 3:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        grade(course, homework, progress=until_third)
    second: list[str] = []
    first_marks = _marks(grade(course, homework, progress=second.append))
    with Gradebook(database(course)) as gradebook:
        mark = gradebook.find_grade("q5", homework, homework, "s001")
        mark.manual_score, mark.needs_manual_grade = 3.0, False
        gradebook.find_comment("q5", homework, homework, "s001").manual_comment = "Well said."
        gradebook.db.commit()
    third: list[str] = []

    def until_second(line: str) -> None:
        third.append(line)
        if len(third) == 2:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        grade(course, homework, again=True, progress=until_second)
    again_marks = _marks(grade(course, homework, progress=third.append))
    with Gradebook(database(course)) as gradebook:
        comment = gradebook.find_comment("q5", homework, homework, "s001").comment
    course.submission(homework, "s002").write_bytes(b"{")
    course.submission(homework, "s003").write_bytes(b"")
    fourth: list[str] = []
    grade(course, homework, progress=fourth.append)
    kept = [name for name in again_marks if course.graded(homework, name).exists()]
    return {
        "lines": [lines, second, third, fourth],
        "marks": [first_marks, again_marks],
        "comment": comment,
        "kept": kept,
    }


def interrupted(folder: Path) -> dict[str, Any]:
    """Press Ctrl-C while the second of three hand-ins runs, and go on."""
    course = Course(folder / "course")
    made.honest(course, release, 3)
    command = [sys.executable, "-u", "-m", "initcourse", "homework", "grade", made.HOMEWORK]
    first = subprocess.Popen(
        [*command, "--course", str(course.folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert first.stdout is not None
    lines = [first.stdout.readline()]
    time.sleep(0.5)
    os.killpg(first.pid, signal.SIGINT)  # as a terminal does
    out, err = first.communicate()
    records = [course.record(made.HOMEWORK, student) for student in ("s000", "s001", "s002")]
    lines += out.splitlines()
    marks = _marks(grade(course, made.HOMEWORK, progress=lambda line: None))
    return {
        "code": first.returncode,
        "said": err,
        "lines": lines,
        "kept": [record is not None and record.status == "graded" for record in records],
        "marks": marks,
    }


def cluster(folder: Path) -> dict[str, Any]:
    """Grade on a local cluster of three processes, and kill one of them on the way."""
    from distributed import LocalCluster

    course, lines, killed = Course(folder / "course"), list[str](), list[int]()
    made.honest(course, release, 9)
    with LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as local:

        def kill_one(line: str) -> None:
            lines.append(line)
            if len(lines) == 3:
                killed.append(local.workers[0].pid)
                os.kill(killed[0], signal.SIGKILL)

        records = grade(course, made.HOMEWORK, scheduler=local.scheduler_address, progress=kill_one)
    return {
        "lines": lines,
        "killed": killed,
        "marks": _marks(records),
        "gradebook": _gradebook(course),
    }


def lost_worker(folder: Path) -> dict[str, Any]:
    """Grade with two workers, and kill one of them on the way."""
    course, lines = Course(folder / "course"), list[str]()
    made.honest(course, release, 6)

    def kill_one(line: str) -> None:
        lines.append(line)
        if len(lines) == 2:
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            loky = [pid for pid in children if b"loky" in Path(f"/proc/{pid}/cmdline").read_bytes()]
            os.kill(int(loky[-1]), signal.SIGKILL)

    records = grade(course, made.HOMEWORK, workers=2, progress=kill_one)
    return {"lines": lines, "marks": _marks(records), "gradebook": _gradebook(course)}


def postgresql(folder: Path, programs: str) -> dict[str, Any]:
    """Grade with the marks in a PostgreSQL server that lives as long as this."""
    data, sockets = folder / "data", folder / "sockets"
    sockets.mkdir()
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(
        [f"{programs}/initdb", "-D", data, "-A", "trust", "-U", "teacher", "--no-sync"], **quiet
    )
    control = [f"{programs}/pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    subprocess.run([*control, "-o", f"-k {sockets} -h ''", "start"], **quiet)
    os.environ[DATABASE] = f"postgresql+psycopg2://teacher@/postgres?host={sockets}"
    try:
        course = Course(folder / "course")
        made.honest(course, release, 4)
        records = grade(course, made.HOMEWORK, workers=2, progress=lambda line: None)
        files = [path.name for path in course.folder.glob("*.db")]
        return {"marks": _marks(records), "gradebook": _gradebook(course), "files": files}
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet)


def book(folder: Path) -> dict[str, Any]:
    """Grade the book's own homework: the reference solutions, and copies that nobody touched."""
    course, found = Course(folder / "course"), {}
    for homework in new(course, folder / "sources"):
        released = nbformat.read(release(course, homework), as_version=4)
        solved = nbformat.read(course.source(homework), as_version=4)
        texts = {cell.id: cell.source for cell in solved.cells}
        for student in ("solved", "untouched"):
            for cell in released.cells:
                if cell.cell_type == "code" and cell.source.startswith("student ="):
                    cell.source = f'student = "{student}"'
                elif student == "solved" and cell.metadata.get("nbgrader", {}).get("solution"):
                    cell.source = texts[cell.id]
            path = course.submission(homework, student)
            path.parent.mkdir(parents=True)
            nbformat.write(released, path)
            released = nbformat.read(course.release(homework), as_version=4)
        records = grade(course, homework, workers=2, progress=lambda line: None)
        found[homework] = [asdict(record) for record in records]
    return found


def mended(folder: Path) -> dict[str, Any]:
    """Change hidden tests and points after the hand-in, and grade what was handed in."""
    course, homework = Course(folder / "course"), made.HOMEWORK
    made.build(course, release, ["correct"])
    lines: list[str] = []
    before = _marks(grade(course, homework, settings=_settings(), progress=lines.append))
    path = course.source(homework)
    text = path.read_text(encoding="utf-8").replace(
        "isclose(answer, np.sqrt", "isclose(answer, 1 + np.sqrt"
    )
    path.write_text(text.replace('"points": 1,', '"points": 5,'), encoding="utf-8")
    after = _marks(grade(course, homework, settings=_settings(), progress=lines.append))
    again: list[str] = []
    grade(course, homework, settings=_settings(), progress=again.append)
    return {"before": before["correct"], "after": after["correct"], "again": again}


def twice(folder: Path) -> dict[str, Any]:
    """Begin a second run on a homework while the first one is at its second hand-in."""
    course, said = Course(folder / "course"), list[str]()
    made.honest(course, release, 4)

    def again(line: str) -> None:
        if not said:
            done = subprocess.run(
                [sys.executable, __file__, str(folder), "second"], capture_output=True, text=True
            )
            said.append(json.loads(done.stdout.splitlines()[-1])["said"])

    records = grade(course, made.HOMEWORK, workers=2, progress=again)
    return {"said": said, "marks": _marks(records), "gradebook": _gradebook(course)}


def second(folder: Path) -> dict[str, str]:
    """Return what a second run says."""
    try:
        grade(Course(folder / "course"), made.HOMEWORK, again=True, progress=lambda line: None)
    except OSError as error:
        return {"said": str(error)}
    return {"said": ""}


def refusals(folder: Path) -> dict[str, str]:
    """Return what is said where grading is refused."""
    said = {}
    for name, call in {
        "folder": lambda: grade(
            Course(Path(sysconfig.get_path("purelib")) / "course"), made.HOMEWORK
        ),
        "homework": lambda: grade(Course(folder), "hw9"),
        "workers": lambda: grade(Course(folder), "hw9", workers=0),
    }.items():
        try:
            call()
        except (SandboxError, OSError, ValueError) as error:
            said[name] = str(error)
    return said


if __name__ == "__main__":
    import homework_cases as made
    import nbformat
    from nbgrader.api import Gradebook

    from initcourse.command import main
    from initcourse.grading.batch import grade
    from initcourse.grading.hand_out.release import new, release
    from initcourse.grading.records.course import Course, Record
    from initcourse.grading.records.database import DATABASE, database
    from initcourse.grading.sandbox.bubblewrap import SandboxError, Settings

    place, action, *words = sys.argv[1:]
    print(json.dumps(globals()[action](Path(place), *words)))
