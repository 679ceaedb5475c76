"""The command, typed as the instructors' page says."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from initcourse.command import main
from initcourse.grading.hand_out import release
from initcourse.grading.records.course import Course, CourseBusy, Record
from initcourse.homework import HOMEWORKS, version_of

COMMANDS = [
    *(
        "new",
        "release",
        "practice",
        "roster",
        "collect",
        "grade",
        "feedback",
        "export",
        "report",
        "validate",
    ),
]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Type a command; return its exit code and what it printed."""

    def typed(*arguments: object) -> tuple[int, str, str]:
        try:
            code = main(["homework", *map(str, arguments)])
        except SystemExit as end:  # argparse's
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return typed


def write_source(folder: Path) -> Path:
    nbgrader = {"grade_id": "q1", "locked": False, "schema_version": 3, "task": False}
    solution = {**nbgrader, "solution": True, "grade": False}
    test = {**nbgrader, "grade_id": "q1-test", "solution": False, "grade": True, "points": 2}
    hidden = "### BEGIN HIDDEN TESTS\nassert answer == 4711\n### END HIDDEN TESTS"
    cells = [
        new_markdown_cell("# Tiny", id="tiny-title"),
        new_code_cell(
            "# A number.\n### BEGIN SOLUTION\nz = 4711\n### END SOLUTION",
            id="tiny-q1-answer",
            metadata={"nbgrader": solution},
        ),
        new_code_cell(
            f'answer = check("tiny.q1", z)\n{hidden}',
            id="tiny-q1-test",
            metadata={"nbgrader": test},
        ),
    ]
    for cell in cells[1:]:
        cell.execution_count = 3
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel, "initcourse": {"a": 1}})
    folder.mkdir()
    nbformat.write(notebook, folder / "tiny.ipynb")
    return folder


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course with one homework, released."""
    place = tmp_path_factory.mktemp("term")
    sources = write_source(place / "sources")
    assert main(["homework", "new", str(place / "autumn"), "--sources", str(sources)]) == 0
    assert main(["homework", "release", "tiny", "--course", str(place / "autumn")]) == 0
    return Course(place / "autumn")


def test_the_copy_holds_no_solution_and_a_stamp(course: Course) -> None:
    source = nbformat.read(course.source("tiny"), as_version=4)
    copy = nbformat.read(course.release("tiny"), as_version=4)
    assert [cell.source for cell in copy.cells] == [
        "# Tiny",
        "# A number.\n# YOUR CODE HERE",
        'answer = check("tiny.q1", z)',
    ]
    assert [cell.id for cell in copy.cells] == [cell.id for cell in source.cells]
    assert copy.metadata.initcourse == {"a": 1, "homework": "tiny", "version": version_of(source)}
    assert {cell.execution_count for cell in copy.cells[1:]} == {None}
    assert "4711" not in course.release("tiny").read_text(encoding="utf-8")


def test_the_copy_is_the_same_each_time(course: Course, run: Run) -> None:
    first = course.release("tiny").read_bytes()
    assert run("release", "tiny", "--course", course.folder)[0] == 0
    assert course.release("tiny").read_bytes() == first
    assert release.student_copy(course.source("tiny")) == first


def test_a_course_is_made_once_and_keeps_what_is_there(
    course: Course, run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "autumn"
    sources = course.source("tiny").parent
    assert run("new", folder, "--sources", sources)[0] == 0
    own = Course(folder)
    own.source("tiny").write_text("mine", encoding="utf-8")
    own.roster.write_text("platform,student\nAda,ada\n", encoding="utf-8")
    code, said, _ = run("new", folder, "--sources", sources)
    assert code == 0
    assert "added nothing" in said
    assert own.source("tiny").read_text(encoding="utf-8") == "mine"
    assert "Ada,ada" in own.roster.read_text(encoding="utf-8")


def test_the_course_of_the_book_has_all_its_homework(run: Run, tmp_path: Path) -> None:
    code, said, _ = run("new", tmp_path / "autumn")
    assert code == 0
    assert f"added {', '.join(HOMEWORKS)}" in said


def exported(folder: Path, course: Course, *names: str) -> Path:
    path = folder / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(names):
            place = f"{name}_{number}_assignsubmission_file_/tiny (1).ipynb"
            archive.writestr(place, course.release("tiny").read_bytes())
    return path


def test_from_an_export_to_a_table(
    course: Course, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = exported(tmp_path, course, "Ada Lovelace", "Emmy Noether")
    monkeypatch.chdir(course.folder)
    code, said, _ = run("roster", export)
    assert code == 1
    assert "2 rows, 2 of them new" in said
    text = course.roster.read_text(encoding="utf-8-sig")
    course.roster.write_text(text.replace("Ada Lovelace,", "Ada Lovelace,ada"), encoding="utf-8")
    code, said, _ = run("collect", export, "--homework", "tiny", "--deadline", "1990-01-01")
    assert code == 1
    assert "1 new" in said
    assert "Emmy Noether: export.zip/Emmy Noether_1_assignsubmission_file_/tiny (1).ipynb" in said
    code, said, _ = run("export", "tiny", "--format", "json")
    assert code == 1
    assert "ada: waits for grading" in said
    assert "Emmy Noether" in said
    found = json.loads((course.folder / "exports" / "tiny.json").read_text(encoding="utf-8"))
    assert list(found["unmapped"]) == ["Emmy Noether"]
    text = course.roster.read_text(encoding="utf-8-sig")
    course.roster.write_text(text.replace("Noether,", "Noether,emmy"), encoding="utf-8")
    assert run("roster", export)[0] == 0
    code, said, _ = run("collect", export, "--homework", "tiny")
    assert code == 0
    assert "1 new, 0 replaced, 1 unchanged" in said
    for command in ("report", "feedback"):
        assert run(command, "tiny")[0] == 0


def test_the_exit_code_of_grade_is_what_help_promises(
    course: Course, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from initcourse.grading import batch
    from initcourse.grading.sandbox.bubblewrap import SandboxError

    well = Record("tiny", "ada", "", "", "graded")
    outcomes: list[tuple[list[Record] | Exception, int, str]] = [
        ([well], 0, "1 graded"),
        ([well, replace(well, student="emmy", status="not graded", reason="a PDF")], 1, "a PDF"),
        ([replace(well, other_id="the notebook names no student")], 1, "another id's numbers"),
        (
            [replace(well, raised={"q1-test": "TypeError"})],
            1,
            "q1-test (TypeError) for 1 of 1: ada",
        ),
        (SandboxError("no bubblewrap; Settings(as_root=True)"), 2, ""),
        (CourseBusy("tiny is being graded"), 2, ""),
        (KeyboardInterrupt(), 2, ""),
    ]
    for outcome, wanted, words in outcomes:

        def graded(*_: object, found: object = outcome, **__: object) -> object:
            if isinstance(found, BaseException):
                raise found
            return found

        monkeypatch.setattr(batch, "grade", graded)
        code, said, _ = run("grade", "tiny", "--course", course.folder)
        assert (code, words in said) == (wanted, True), (outcome, said)


def test_a_second_command_refuses_and_names_the_first(course: Course, run: Run) -> None:
    for words in (["feedback", "tiny"], ["collect", course.folder, "--homework", "tiny"]):
        with course.alone("tiny", "graded"):
            code, _, complaint = run(*words, "--course", course.folder)
        assert code == 2
        assert re.search(r"tiny is being graded by .*, process \d+, since", complaint)


def test_a_class_to_practise_with(course: Course, run: Run, tmp_path: Path) -> None:
    own = Course(tmp_path / "autumn")
    assert run("new", own.folder, "--sources", course.source("tiny").parent)[0] == 0
    here = ["--course", own.folder]
    code, _, complaint = run("practice", "tiny", *here)
    assert (code, "tiny is not released yet" in complaint) == (2, True)
    own.release("tiny").parent.mkdir(parents=True)
    own.release("tiny").write_bytes(course.release("tiny").read_bytes())
    code, said, _ = run("practice", "tiny", *here)
    export = Path(said.strip())
    assert (code, export) == (0, own.folder / "practice" / "tiny.zip")
    assert run("roster", export, *here)[0] == 0  # their ids were filled in
    deadline = ["--deadline", "2026-11-20"]
    code, said, _ = run("collect", export, "--homework", "tiny", *deadline, *here)
    assert code == 0
    assert "8 new, 0 replaced, 0 unchanged; 1 of them late" in said
    assert "s6: no notebook in the hand-in" in said
    first = nbformat.read(own.submission("tiny", "s1"), as_version=4)
    assert first.cells[1].source == "# A number.\nz = 4711\n"
    untouched = own.submission("tiny", "s4").read_text(encoding="utf-8")
    assert "4711" not in untouched
    receipt = own.receipt("tiny", "s2")
    assert receipt is not None
    assert receipt.file.endswith("tiny (1).ipynb")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["release", "hw1"], r"there is no course in the folder '\.'; name it with --course"),
        (["grade", "../hw1"], "'../hw1' is no homework; name it like this: hw1"),
        (["grade", "hw1", "--workers", "0"], "'0' is no number of 1 or more"),
        (["collect", "x", "--homework", "hw1", "--deadline", "Friday"], "'Friday' is no time"),
        (["collect", "x"], "required: --homework"),
        (["export", "hw1", "--format", "excel"], "invalid choice: 'excel'"),
        (["new", "here", "--sources", "nowhere"], r"no notebook \(\*\.ipynb\) in nowhere"),
        ([], "required: COMMAND"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, complaint = run(*arguments)
    assert code == 2
    assert re.search(said, complaint)
    assert "Traceback" not in complaint


def test_a_mistake_in_a_course_is_named(course: Course, run: Run, tmp_path: Path) -> None:
    here = ["--course", course.folder]
    code, _, complaint = run("collect", tmp_path / "none.zip", "--homework", "tiny", *here)
    assert (code, "none.zip" in complaint) == (2, True)
    code, _, complaint = run("report", "hw9", *here)
    assert (code, "has no homework 'hw9'; it has tiny" in complaint) == (2, True)


def test_a_source_that_nbgrader_refuses_is_named(course: Course, run: Run, tmp_path: Path) -> None:
    bad = Course(tmp_path / "bad")
    notebook = nbformat.read(course.source("tiny"), as_version=4)
    notebook.cells[1].source = "### BEGIN SOLUTION\nz = 1"
    bad.source("tiny").parent.mkdir(parents=True)
    nbformat.write(notebook, bad.source("tiny"))
    with pytest.raises(ValueError, match=r"cannot release 'tiny': .*no end solution"):
        release.student_copy(bad.source("tiny"))


def test_a_date_means_the_end_of_the_day_and_a_zone_is_minded() -> None:
    from initcourse.command.homework import _deadline

    assert _deadline("2026-11-20").isoformat() == "2026-11-20T23:59:59.999999"
    assert _deadline("2026-11-20T18:00").isoformat() == "2026-11-20T18:00:00"
    zoned = _deadline("2026-11-20T18:00+00:00")
    assert zoned.tzinfo is None
    assert zoned.timestamp() == 1795197600


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_with_an_example(run: Run, command: str) -> None:
    code, said, _ = run(command, "--help")
    assert code == 0
    assert f"  initcourse homework {command} " in said
    assert max(map(len, said.splitlines())) <= 100


def test_help_shows_all_commands(run: Run) -> None:
    _, said, _ = run("--help")
    for command in COMMANDS:
        assert f"initcourse homework {command} " in said


def test_validate_needs_a_notebook(run: Run, tmp_path: Path) -> None:
    code, said, _ = run("validate", tmp_path / "none.ipynb")
    assert code == 2
    assert "There is no file" in said


WITHOUT = """
import sys
missing = {"nbgrader", "sqlalchemy", "joblib", "distributed", "bleach", "nbconvert"}

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from initcourse.command import main
sys.exit(main(sys.argv[1:]))
"""


def without_the_extra(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, "homework", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_without_the_extra_the_remedy_is_named(course: Course) -> None:
    done = without_the_extra("export", "tiny", "--format", "json", "--course", course.folder)
    assert done.returncode == 2
    assert 'pip install "initcourse[instructor]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_student_needs_no_extra(tmp_path: Path) -> None:
    done = without_the_extra("validate", tmp_path / "none.ipynb")
    assert done.returncode == 2
    assert "There is no file" in done.stdout
