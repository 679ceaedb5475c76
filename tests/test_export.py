"""Everyone appears with a mark or a reason; pages for students hide what they must hide."""

import copy
import csv
import errno
import io
import json
import os
import re
import warnings
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import nbgrader
import pytest
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
    new_raw_cell,
)
from nbgrader.api import Gradebook

from initcourse.grading.give_back.export import canvas, export, marks, moodle
from initcourse.grading.give_back.feedback import feedback
from initcourse.grading.give_back.report import difficulty, look_at, report
from initcourse.grading.give_back.returning import returned
from initcourse.grading.hand_out.release import release
from initcourse.grading.intake import collecting, roster
from initcourse.grading.records.course import Course, Receipt, Record, TaskResult
from initcourse.grading.records.database import DATABASE, database
from initcourse.grading.records.harmless import harmless

HIDDEN = "assert answer == 4711"
PERSONS = {
    "ada": roster.Person("lovelaceada_12", "ada", "Lovelace, Ada", "ada@x.org", "12", "A"),
    "emmy": roster.Person("=cmd|' /C calc'!A0", "emmy", "@SUM(1)", "-2+3@x.org"),
    "gone": roster.Person("Semi;=1+1", "gone"),
    "unfilled": roster.Person("No Id Yet"),
}


def graded(grade_id: str, points: int = 0, *, solution: bool = False) -> dict[str, object]:
    return {
        "nbgrader": {
            "grade": bool(points),
            "grade_id": grade_id,
            "locked": not solution,
            "points": points,
            "schema_version": 3,
            "solution": solution,
            "task": False,
        }
    }


def source() -> NotebookNode:
    hidden = f"### BEGIN HIDDEN TESTS\n{HIDDEN}\n### END HIDDEN TESTS"
    solution = "### BEGIN SOLUTION\nz = 4711\n### END SOLUTION"
    test = 'answer = check("tiny.q1", z)\n' + hidden
    scale = 'answer = check("tiny.q2", z)\n' + hidden
    return new_notebook(
        cells=[
            new_code_cell(solution, id="q1", metadata=graded("q1", solution=True)),
            new_code_cell(test, id="q1-test", metadata=graded("q1-test", 2)),
            new_code_cell(scale, id="q2-test-scale", metadata=graded("q2-test-scale", 3)),
            new_markdown_cell("Because.", id="q5", metadata=graded("q5", 4, solution=True)),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )


HOSTILE_MARKDOWN = """
<script>steal()</script> <img src=x onerror=steal()> <img src="https://tracker.example/a.png">
[link](javascript:steal()) <iframe src="https://x.example"></iframe> <svg onload="steal()"></svg>
<a href="data:text/html,<script>steal()</script>">go</a> <style>body{display:none}</style>
<form action="https://x.example"><input name=p></form> <b onclick="steal()">bold</b>

![fine](data:image/png;base64,AAAA)
"""


def hostile_outputs() -> list[NotebookNode]:
    script = "<script>steal()</script>"
    return [
        new_output("stream", name="stdout", text=f"{script}\x1b[31mred"),
        new_output("display_data", data={"text/html": script}),
        new_output("display_data", data={"image/svg+xml": f"<svg>{script}</svg>"}),
        new_output("display_data", data={"application/javascript": "steal()"}),
        new_output("display_data", data={"text/markdown": script, "text/plain": script}),
        new_output("display_data", data={"image/png": '"><script>steal()</script>'}),
        new_output("error", ename=script, evalue=script, traceback=[script]),
    ]


def submit(course: Course, student: str, points: tuple[float, float], text: str = "Why.") -> None:
    """Lay down what grading leaves behind, for a student whose tests gave these points."""
    course.write(Receipt("tiny", student, f"{student}.ipynb", f"sha of {student}", "2026-11-19"))
    message = "" if all(points) else "Look at the sign."
    tasks = [
        TaskResult("q1", "automatic", points[0], 2.0, message),
        TaskResult("q2-scale", "automatic", points[1], 3.0),
        TaskResult("q5", "manual", None, 4.0),
    ]
    version = course.source_digest("tiny")
    course.write(
        Record("tiny", student, f"sha of {student}", version, "graded", "", tasks, ["a notice"])
    )
    notebook = source()
    notebook.cells[3].source = text
    notebook.cells[0].outputs = hostile_outputs()
    notebook.cells.append(new_markdown_cell(HOSTILE_MARKDOWN))
    path = course.graded("tiny", student)
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    with Gradebook(database(course)) as gradebook:
        gradebook.update_or_create_student(student)
        with warnings.catch_warnings(action="ignore"):  # SQLAlchemy warns of nbgrader's queries
            gradebook.update_or_create_submission("tiny", student)
        book = gradebook.find_submission_notebook("tiny", "tiny", student)
        for grade in book.grades:
            if grade.name != "q5":
                grade.auto_score = points[grade.name != "q1-test"]
                grade.needs_manual_grade = False
        gradebook.db.commit()


def opened(path: Path) -> "Page":
    return Page(path.read_text(encoding="utf-8"))


def mark(course: Course, student: str, task: str, score: float, comment: str = "") -> None:
    """Do what nbgrader's grading page does."""
    with Gradebook(database(course)) as gradebook:
        grade = gradebook.find_grade(task, "tiny", "tiny", student)
        grade.manual_score = score
        grade.needs_manual_grade = False
        if comment:
            gradebook.find_comment(task, "tiny", "tiny", student).manual_comment = comment
        gradebook.db.commit()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(DATABASE, raising=False)
        course = Course(tmp_path_factory.mktemp("course"))
        course.source("tiny").parent.mkdir(parents=True)
        nbformat.write(source(), course.source("tiny"))
        release(course, "tiny")
        roster.write_roster(course.roster, list(PERSONS.values()))
        submit(course, "ada", (2, 3))
        mark(course, "ada", "q5", 3.5, "Well **argued**. <script>steal()</script>")
        submit(course, "emmy", (0, 3), "<script>steal()</script>")
        submit(course, "stranger", (2, 0))  # not in the roster
        mark(course, "stranger", "q5", 0)
        mark(course, "stranger", "q2-test-scale", 1)  # a person overruled the test
        refuse(course, "killed", "kernel killed after 60 s")
        course.write(Receipt("tiny", "empty", "", "", "", notices=["no notebook in the hand-in"]))
        course.write(Receipt("tiny", "fresh", "fresh.ipynb", "sha", ""))
        submit(course, "again", (2, 3))
        course.write(Receipt("tiny", "again", "again.ipynb", "another sha", "", late=True))
        yield course


def refuse(course: Course, student: str, reason: str) -> None:
    course.write(Receipt("tiny", student, f"{student}.ipynb", "sha", ""))
    version = course.source_digest("tiny")
    course.write(Record("tiny", student, "sha", version, "not graded", reason))


def test_everyone_has_a_mark_or_a_reason(course: Course) -> None:
    told = {row.student: (row.status, row.points, row.reason) for row in marks(course, "tiny")}
    assert told == {
        "ada": ("graded", 8.5, ""),
        "again": ("not graded", None, "handed in again, waits for grading"),
        "emmy": ("pending", None, "q5 to be marked by a person"),
        "empty": ("not graded", None, "no notebook in the hand-in"),
        "fresh": ("not graded", None, "waits for grading"),
        "gone": ("nothing handed in", None, "nothing handed in"),
        "killed": ("not graded", None, "kernel killed after 60 s"),
        "stranger": ("graded", 3.0, ""),
    }
    assert {row.max_points for row in marks(course, "tiny")} == {9.0}


def test_a_changed_source_waits_for_grading(course: Course) -> None:
    path = course.source("tiny")
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace("4711", "4712"), encoding="utf-8")
    try:
        reasons = {row.student: row.reason for row in marks(course, "tiny")}
    finally:
        path.write_text(before, encoding="utf-8")
    assert reasons["ada"] == "the homework changed, waits for grading"
    assert reasons["killed"] == "the homework changed, waits for grading"


def test_points_given_before_grading_again_are_kept_and_noticed(course: Course) -> None:
    with Gradebook(database(course)) as gradebook:
        grade = gradebook.find_grade("q5", "tiny", "tiny", "ada")
        grade.needs_manual_grade = True  # nbgrader's sign that it was graded again
        gradebook.db.commit()
    try:
        row = next(row for row in marks(course, "tiny") if row.student == "ada")
    finally:
        mark(course, "ada", "q5", 3.5)
    assert row.points == 8.5
    assert row.notices == ["a notice", "q5: marked by a person before it was graded again"]


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_canvas_reads_its_table(course: Course) -> None:
    head, possible, *rows = table(canvas(marks(course, "tiny"), "Homework 1 (4711)"))
    assert head == [
        *("Student", "ID", "SIS User ID", "SIS Login ID", "Section"),
        "Homework 1 (4711)",
    ]
    assert "Points Possible" in possible[0]
    assert possible[-1] == "9"
    by_id = {row[2]: row for row in rows}
    assert by_id["ada"] == ["Lovelace, Ada", "12", "ada", "ada@x.org", "A", "8.5"]
    assert by_id["killed"][-1] == ""  # Canvas would take a word for a new grade
    assert len(rows) == 8


def test_who_has_no_mark_in_canvas_stands_beside_it(course: Course) -> None:
    paths, _ = export(course, "tiny", "canvas")
    assert [path.name for path in paths] == ["tiny-canvas.csv", "tiny-canvas-remarks.csv"]
    rows = table(paths[1].read_text(encoding="utf-8"))
    assert ["killed", "not graded", "kernel killed after 60 s", ""] in rows
    assert ["emmy", "pending", "q5 to be marked by a person", ""] in rows
    assert [row[0] for row in rows if row[3] == "late"] == ["student", "again"]
    assert len(rows) == 1 + 6


def test_moodle_reads_its_table(course: Course) -> None:
    head, *rows = table(moodle(marks(course, "tiny"), "Homework 1"))
    assert head[0] == "ID number"
    assert head[3:] == ["Homework 1", "Homework 1 (feedback)"]
    by_id = {row[0]: row for row in rows}
    assert by_id["ada"][3:] == ["8.5", "q1: 2 of 2; q2-scale: 3 of 3; q5: 3.5 of 4"]
    assert by_id["killed"][3:] == ["-", "not graded: kernel killed after 60 s"]  # not 0
    assert by_id["emmy"][4].startswith("pending: q5 to be marked by a person. q1: 0 of 2")
    assert by_id["again"][4].endswith("handed in late")
    assert by_id["gone"][4] == "nothing handed in"


@pytest.mark.parametrize("form", ["canvas", "moodle"])
def test_no_cell_is_a_formula(course: Course, form: str) -> None:
    paths, _ = export(course, "tiny", form, "=1+1")
    cells = [cell for path in paths for row in table(path.read_text("utf-8")) for cell in row]
    assert "'=1+1" in cells
    assert "'@SUM(1)" in cells
    parts = [part for cell in cells for part in re.split(r"[;,\t\r\n]", cell) if part != "-"]
    assert not [part for part in parts if part.startswith(("=", "+", "-", "@"))]


def test_pages_go_back_under_the_platforms_names(course: Course, tmp_path: Path) -> None:
    own = Course(tmp_path / "own")
    files = {
        "ada": "Ada Lovelace_7_assignsubmission_file_/tiny (1).ipynb",
        "emmy": "export.zip/noetheremmy_LATE_12_345_tiny-2.ipynb",
        "laid": "laid.ipynb",
    }
    for student, file in files.items():
        own.write(Receipt("tiny", student, file, "sha", ""))
        page = own.feedback("tiny", student)
        page.parent.mkdir(parents=True)
        page.write_text(f"page of {student}", encoding="utf-8")
    archives, left = returned(own, "tiny")
    assert left == ["laid"]
    found = {}
    for platform, path in archives.items():
        with zipfile.ZipFile(path) as archive:
            found[platform] = {name: archive.read(name).decode() for name in archive.namelist()}
    assert found == {
        "moodle": {"Ada Lovelace_7_assignsubmission_file_tiny.html": "page of ada"},
        "canvas": {"noetheremmy_12_345_tiny.html": "page of emmy"},
    }


def test_a_full_disk_leaves_nothing_behind(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Course(tmp_path / "own")
    own.write(Receipt("tiny", "ada", "before", "sha", ""))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    for write in (
        lambda: own.write(Receipt("tiny", "ada", "after", "sha", "")),
        lambda: roster.write_roster(own.roster, []),
        lambda: own.remember_again("tiny", ["ada"]),
    ):
        with pytest.raises(OSError, match="No space left"):
            write()
    assert not list(own.folder.rglob("*.part"))
    assert own.receipt("tiny", "ada").file == "before"  # type: ignore[union-attr]


def test_json_holds_all(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collecting, "unmapped", lambda course, homework: {"Unknown": ["a.ipynb"]})
    (path,), _ = export(course, "tiny", "json")
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["unmapped"] == {"Unknown": ["a.ipynb"]}
    rows = {row["student"]: row for row in found["students"]}
    assert rows["ada"]["tasks"][2] == {
        "task": "q5",
        "kind": "manual",
        "points": 3.5,
        "max_points": 4.0,
        "message": "",
    }
    assert rows["again"]["late"] is True
    assert rows["killed"]["reason"] == "kernel killed after 60 s"


# Pages.


class Page(HTMLParser):
    """A page's tags and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts += data
        else:
            self.text += data

    def check(self) -> None:
        """Nothing runs, and nothing comes from elsewhere."""
        names = {tag for tag, _ in self.tags}
        assert not names & {"script", "iframe", "svg", "form", "input", "object", "embed", "link"}
        assert sum(tag == "style" for tag, _ in self.tags) == 1
        for tag, attributes in self.tags:
            assert not [name for name in attributes if name.startswith("on")]
            for value in (attributes.get("src"), attributes.get("href")):
                assert (value or "data:image/").startswith("data:image/"), (tag, value)
        policy = [a["content"] for _, a in self.tags if a.get("http-equiv")]
        assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


@pytest.fixture(scope="module")
def pages(course: Course) -> dict[str, Page]:
    return {path.parents[1].name: opened(path) for path in feedback(course, "tiny")}


def test_feedback_tells_what_each_task_earned(pages: dict[str, Page]) -> None:
    assert "8.5 of 9 points." in pages["ada"].text
    assert "Well argued." in pages["ada"].text
    assert "Not all is marked yet: q5 to be marked by a person." in pages["emmy"].text
    assert "Look at the sign." in pages["emmy"].text
    assert "Not graded: kernel killed after 60 s." in pages["killed"].text
    assert "after the deadline" in pages["again"].text
    assert sorted(pages) == ["ada", "again", "emmy", "empty", "fresh", "killed", "stranger"]


def test_feedback_shows_the_notebook_without_hidden_tests(pages: dict[str, Page]) -> None:
    for student in ("ada", "emmy", "stranger"):
        assert 'check("tiny.q1", z)' in pages[student].text
        assert HIDDEN not in pages[student].text
        assert "HIDDEN" not in pages[student].text
    assert 'check("tiny.q1", z)' not in pages["again"].text  # of another hand-in


def test_feedback_runs_nothing(pages: dict[str, Page]) -> None:
    for page in pages.values():
        page.check()
    assert "<script>steal()</script>red" in pages["ada"].text  # shown as the text that it is
    assert ("img", {"alt": "fine", "src": "data:image/png;base64,AAAA"}) in pages["ada"].tags


def test_a_notebook_that_nbgrader_cannot_show_costs_only_itself(course: Course) -> None:
    path = course.graded("tiny", "stranger")
    before = path.read_bytes()
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(new_code_cell("# BEGIN HIDDEN TESTS, says a student, and never ends"))
    nbformat.write(notebook, path)
    try:
        found = {path.parents[1].name: opened(path) for path in feedback(course, "tiny")}
    finally:
        path.write_bytes(before)
    assert "3 of 9 points." in found["stranger"].text
    assert "Your notebook cannot be shown here." in found["stranger"].text
    assert "8.5 of 9 points." in found["ada"].text


def test_the_grading_page_runs_nothing_of_a_graded_notebook() -> None:
    notebook = source()
    notebook.cells[0].outputs = hostile_outputs()
    sized = {"image/png": {"width": '"><script>steal()</script>'}}
    picture = new_output("display_data", data={"image/png": "AAAA"}, metadata=sized)
    notebook.cells[0].outputs.append(picture)
    attached = {"a.png": {'image/svg+xml" onerror="steal()': "AAAA"}}
    notebook.cells += [
        new_markdown_cell(f"5 < 6\n{HOSTILE_MARKDOWN}"),
        new_markdown_cell("![a](attachment:a.png)", attachments=attached),
        new_raw_cell("<script>steal()</script>", metadata={"raw_mimetype": "text/html"}),
    ]
    pages = Path(nbgrader.__file__).parent / "server_extensions" / "formgrader" / "templates"
    exporter = HTMLExporter(template_name="formgrade", extra_template_basedirs=[str(pages)])
    resources = {"index": 0, "total": 1, "unique_key": "tiny"}
    told = []
    for shown in (copy.deepcopy(notebook), harmless(notebook)):
        page = Page(exporter.from_notebook_node(shown, resources)[0])
        told.append({
            "tags": {tag for tag, _ in page.tags} & {"iframe", "svg", "form"},
            "handlers": [a for _, a in page.tags if "steal()" in str(list(a.values()))],
            "scripts": page.scripts.count("steal()"),
        })
    plain, mended = told
    assert all(plain.values())  # nbgrader's page shows it as it is
    assert mended == {"tags": set(), "handlers": [], "scripts": 0}
    assert "5 < 6" in page.text


def test_difficulty_of_the_tasks(course: Course) -> None:
    rows = marks(course, "tiny")
    assert difficulty(rows) == [
        ("q1", 3, pytest.approx(2 / 3), pytest.approx(4 / 3), 2.0),
        ("q2-scale", 3, pytest.approx(2 / 3), pytest.approx(7 / 3), 3.0),
        ("q5", 2, 0.0, 1.75, 4.0),
    ]


def test_report_lists_whom_to_look_at(course: Course) -> None:
    found = look_at(course, marks(course, "tiny"))
    assert ("killed", "not graded: kernel killed after 60 s") in found
    assert ("ada", "a notice") in found
    assert ("fresh", "the same file, byte by byte, as killed") in found
    page = opened(report(course, "tiny"))
    page.check()
    assert "8 students" in page.text
    assert "kernel killed after 60 s" in page.text
    (picture,) = [attributes for tag, attributes in page.tags if tag == "img"]
    assert "3 students have from 3 to 5 of 5 points" in (picture["alt"] or "")
    assert (picture["src"] or "").startswith("data:image/png;base64,iVBOR")


def test_a_course_without_hand_ins_has_a_report(tmp_path: Path) -> None:
    course = Course(tmp_path)
    roster.write_roster(course.roster, list(PERSONS.values()))
    assert "There is no mark yet." in opened(report(course, "tiny")).text
