"""Whatever a platform exports, each hand-in finds its student, or is reported."""

import io
import json
import os
import stat
import warnings
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from initcourse.grading.intake import archive, roster
from initcourse.grading.intake.collecting import collect, unmapped
from initcourse.grading.records.course import Course, Receipt, Record
from initcourse.grading.records.database import database

NOON = (2026, 11, 1, 12, 0, 0)
EVENING = (2026, 11, 1, 20, 0, 0)
NIGHT = (2026, 11, 1, 23, 0, 0)
DEADLINE = datetime(2026, 11, 1, 18)


def notebook(text: str, homework: str = "hw1") -> str:
    return json.dumps({
        "cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": text}],
        "metadata": {"initcourse": {"homework": homework}},
        "nbformat": 4,
        "nbformat_minor": 5,
    })


Entry = tuple[str, str | bytes] | tuple[str, str | bytes, tuple[int, ...]]


def packed(*entries: Entry) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, *when in entries:
            info = zipfile.ZipInfo(name, when[0] if when else NOON)  # type: ignore[arg-type]
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def exported(folder: Path, *entries: Entry) -> Path:
    path = folder / "export.zip"
    path.write_bytes(packed(*entries))
    return path


@pytest.fixture
def course(tmp_path: Path) -> Course:
    course = Course(tmp_path / "course")
    (course.folder / "source" / "hw1").mkdir(parents=True)
    enrol(course, {"Ada Lovelace": "ada", "Emmy Noether": "emmy"})
    return course


def enrol(course: Course, people: dict[str, str]) -> None:
    roster.write_roster(course.roster, [roster.Person(*pair) for pair in people.items()])


def moodle(name: str, file: str, number: int = 7) -> str:
    return f"{name}_{number}_assignsubmission_file_/{file}"


def received(course: Course, student: str = "ada") -> Receipt:
    receipt = course.receipt("hw1", student)
    assert receipt is not None
    return receipt


def text_of(course: Course, student: str = "ada") -> str:
    content = json.loads(course.submission("hw1", student).read_text(encoding="utf-8"))
    return str(content["cells"][0]["source"])


# Names: what each platform makes of them.


@pytest.mark.parametrize(
    ("path", "platform"),
    [
        ("Ada Lovelace_12345_assignsubmission_file_/hw1.ipynb", "Ada Lovelace"),
        ("Ada Lovelace_12345_assignsubmission_file/my homework.ipynb", "Ada Lovelace"),
        ("Ada Lovelace_12345_assignsubmission_file_hw1.ipynb", "Ada Lovelace"),
        ("Ada_Lovelace_12345_assignsubmission_file_/work/hw1 (1).ipynb", "ada lovelace"),
        ("lovelaceada_12345_67890_hw1-2.ipynb", "lovelaceada_12345"),
        ("lovelaceada_LATE_12345_67890_hw1.ipynb", "lovelaceada_12345"),
        ("lovelaceada_12345_67890_hw1.ipynb", "lovelaceada"),
        ("anon_AbC12_67890_hw1.ipynb", "anon_AbC12"),
        ("class 4/ada/hw1.ipynb", "ada"),
        ("ada.ipynb", "ada"),
        ("hw1_ada (2).ipynb", "ada"),
        ("Ada Lovelace/Untitled.ipynb.txt", "Ada Lovelace"),
    ],
)
def test_a_name_leads_to_its_student(
    course: Course, tmp_path: Path, path: str, platform: str
) -> None:
    enrol(course, {platform: "s1", "someone else": "s2"})
    done = collect(course, "hw1", exported(tmp_path, (path, notebook("mine"))))
    assert done.new == ["s1"]
    assert not done.unmapped
    assert text_of(course, "s1") == "mine"


def test_zip_files_lie_in_zip_files_and_folders(course: Course, tmp_path: Path) -> None:
    folder = tmp_path / "downloads" / "Emmy Noether_8_assignsubmission_file_"
    folder.mkdir(parents=True)
    (folder / "hw1.ipynb").write_text(notebook("emmy's"), encoding="utf-8")
    inner = packed(("work/hw1.ipynb", notebook("ada's")), ("work/__MACOSX/._hw1.ipynb", b"\0"))
    outer = packed((moodle("Ada Lovelace", "all.ZIP"), inner))
    (tmp_path / "downloads" / "part 1.zip").write_bytes(outer)
    done = collect(course, "hw1", tmp_path / "downloads")
    assert done.new == ["ada", "emmy"]
    assert not done.refused
    assert (text_of(course), text_of(course, "emmy")) == ("ada's", "emmy's")


def test_a_student_cannot_hand_in_for_another(course: Course, tmp_path: Path) -> None:
    enrol(course, {"Ada Lovelace": "ada", "Emmy Noether": "emmy", "lovelaceada_1": "c1"})
    emmys = "Emmy Noether_8_assignsubmission_file_"
    export = exported(
        tmp_path,
        (moodle("Ada Lovelace", f"{emmys}/hw1.ipynb"), notebook("by ada")),
        (f"lovelaceada_1_2_{emmys}.ipynb", notebook("by ada, in Canvas")),
        (moodle("Ada Lovelace", f"../{emmys}/hw1.ipynb"), notebook("by ada, up and down")),
    )
    done = collect(course, "hw1", export)
    assert done.new == ["ada", "c1"]
    assert course.receipt("hw1", "emmy") is None


def test_two_students_of_one_name_are_not_mixed_up(course: Course, tmp_path: Path) -> None:
    export = exported(
        tmp_path,
        (moodle("Ada Lovelace", "hw1.ipynb", 7), notebook("one")),
        (moodle("Ada Lovelace", "hw1.ipynb", 9), notebook("other")),
    )
    done = collect(course, "hw1", export)
    assert sorted(done.unmapped) == ["Ada Lovelace_7", "Ada Lovelace_9"]
    enrol(course, {"Ada Lovelace_7": "ada", "Ada Lovelace_9": "ada2"})
    assert collect(course, "hw1", export).new == ["ada", "ada2"]
    assert text_of(course, "ada2") == "other"
    assert unmapped(course, "hw1") == {}


def test_nobody_is_lost(course: Course, tmp_path: Path) -> None:
    export = exported(
        tmp_path,
        (moodle("Ada Lovelace", "answers.pdf"), b"%PDF"),
        (moodle("Grace Hopper", "hw1.ipynb"), notebook("?")),
        ("Emmy Noether_8_assignsubmission_file_/", b""),
        ("grades.csv", b"a,b"),
    )
    done = collect(course, "hw1", export)
    assert list(done.empty) == ["ada", "emmy"]
    for student in ("ada", "emmy"):
        assert received(course, student).sha256 == ""
        assert received(course, student).notices == ["no notebook in the hand-in"]
    assert list(done.unmapped) == ["Grace Hopper"]
    assert unmapped(course, "hw1") == done.unmapped
    assert done.ignored == ["export.zip/grades.csv"]


def test_a_name_is_settled_by_whatever_leads_to_its_student(course: Course, tmp_path: Path) -> None:
    export = exported(tmp_path, ("lovelaceada_12_67_hw1.ipynb", notebook("1")))
    collect(course, "hw1", export)
    assert list(unmapped(course, "hw1")) == ["lovelaceada_12"]
    enrol(course, {"lovelaceada": "ada"})
    assert collect(course, "hw1", export).new == ["ada"]
    assert unmapped(course, "hw1") == {}


# What an export may hold.


def test_nothing_leaves_the_course_folder(course: Course, tmp_path: Path) -> None:
    export = exported(
        tmp_path,
        ("../../evil.ipynb", notebook("1")),
        ("/evil.ipynb", notebook("2")),
        ("C:\\evil.ipynb", notebook("3")),
        ("Ada Lovelace_7_assignsubmission_file_\\..\\..\\evil.ipynb", notebook("4")),
    )
    before = set(tmp_path.rglob("*"))
    done = collect(course, "hw1", export)
    assert set(done.refused.values()) == {archive.UNSAFE_PATH}
    assert len(done.refused) == 4
    written = set(tmp_path.rglob("*")) - before
    assert not [path for path in written if "evil" in path.name]
    assert received(course).notices[0] == "no notebook in the hand-in"


def test_links_are_not_followed(course: Course, tmp_path: Path) -> None:
    secret = tmp_path / "secret.ipynb"
    secret.write_text(notebook("secret"), encoding="utf-8")
    folder = tmp_path / "downloads"
    for person in ("Ada Lovelace", "Emmy Noether"):
        (folder / person).mkdir(parents=True)
    (folder / "Ada Lovelace" / "hw1.ipynb").symlink_to(secret)
    (folder / "Emmy Noether" / "all").symlink_to(tmp_path)
    done = collect(course, "hw1", folder)
    assert list(done.empty) == ["ada", "emmy"]
    assert set(done.refused.values()) == {"symbolic link, not followed"}
    assert not course.submission("hw1", "ada").exists()


def test_links_in_zip_files_are_not_followed(course: Course, tmp_path: Path) -> None:
    link = zipfile.ZipInfo(moodle("Ada Lovelace", "hw1.ipynb"), NOON)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    done = collect(course, "hw1", tmp_path / "export.zip")
    assert list(done.refused.values()) == ["symbolic link, not followed"]
    assert received(course).notices[0] == "no notebook in the hand-in"


def encrypted(content: bytes) -> bytes:
    """Set the flag that says so, in the entry's header and in the directory."""
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        start = content.index(mark)
        flag = bytes([content[start + place] | 1])
        content = content[: start + place] + flag + content[start + place + 1 :]
    return content


def test_what_cannot_be_read_costs_nobody_else_anything(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_NOTEBOOK", 10_000)
    monkeypatch.setattr(archive, "MAX_ZIP", 10_000)
    monkeypatch.setattr(archive, "MAX_UNPACKED", 25_000)
    monkeypatch.setattr(archive, "MAX_FILES", 50)
    good = packed(("hw1.ipynb", notebook("x" * 100)))
    nested = good
    for _ in range(3):
        nested = packed(("in.zip", nested))
    reasons = {
        "large": ("hw1.ipynb", b" " * 10_001, archive.TOO_LARGE),
        "broken": ("hw1.zip", good[:-30], archive.ZIP_BROKEN),
        "damaged": ("hw1.zip", good.replace(b"x", b"y", 1)[:60] + good[62:], archive.ZIP_BROKEN),
        "text": ("hw1.zip", b"no zip at all", archive.ZIP_BROKEN),
        "locked": ("hw1.zip", encrypted(good), archive.ZIP_ENCRYPTED),
        "deep": ("hw1.zip", nested, archive.ZIP_TOO_DEEP),
        "zip": ("hw1.zip", os.urandom(10_001), archive.ZIP_TOO_LARGE),
        "many": ("hw1.zip", packed(*((f"{n}.txt", b"") for n in range(51))), archive.ZIP_TOO_MANY),
    }
    enrol(course, {name: name for name in [*reasons, "bomb", "zoe"]})
    entries = [(moodle(name, file), content) for name, (file, content, _) in reasons.items()]
    bomb = packed(*((f"{n}.ipynb", notebook(str(n)).ljust(9_000)) for n in range(9)))
    entries += [(moodle("bomb", "hw1.zip"), bomb), (moodle("zoe", "hw1.ipynb"), notebook("fine"))]
    done = collect(course, "hw1", exported(tmp_path, *entries))
    told = {name: received(course, name).notices[0] for name in reasons}
    assert told == {name: reason for name, (_, _, reason) in reasons.items()}
    assert archive.ZIP_BOMB in done.refused.values()
    assert text_of(course, "bomb") == "1"  # the rest of the bomb was not unpacked
    assert text_of(course, "zoe") == "fine"


def test_control_characters_do_not_reach_the_terminal(course: Course, tmp_path: Path) -> None:
    name = moodle("Ada\x1b[31m", "hw1\n.ipynb")
    done = collect(course, "hw1", exported(tmp_path, (name, notebook("1"))))
    assert list(done.unmapped) == ["Ada?[31m"]
    assert "\n" not in done.unmapped["Ada?[31m"][0]


# Late and repeated hand-ins.


@pytest.mark.parametrize(
    ("times", "deadline", "counted", "late"),
    [
        ([NOON, EVENING], None, EVENING, False),
        ([NOON, EVENING], DEADLINE, NOON, False),
        ([(2026, 11, 1, 9, 0, 0), NOON, NIGHT], DEADLINE, NOON, False),
        ([NIGHT, EVENING], DEADLINE, EVENING, True),
        ([(2026, 11, 1, 18, 0, 0)], DEADLINE, (2026, 11, 1, 18, 0, 0), False),
    ],
)
def test_the_last_in_time_counts_else_the_first_late_one(
    course: Course,
    tmp_path: Path,
    times: list[tuple[int, ...]],
    deadline: datetime | None,
    counted: tuple[int, ...],
    late: bool,
) -> None:
    entries = [
        (moodle("Ada Lovelace", f"{place}/hw1.ipynb"), notebook(str(when)), when)
        for place, when in enumerate(times)
    ]
    done = collect(course, "hw1", exported(tmp_path, *entries), deadline)
    assert text_of(course) == str(counted)
    assert received(course).received == datetime(*counted).isoformat()  # type: ignore[arg-type]
    assert received(course).late is late
    assert done.late == (["ada"] if late else [])
    others = [note for note in received(course).notices if "not counted" in note]
    assert len(others) == len(times) - 1


def test_canvas_says_itself_what_is_late(course: Course, tmp_path: Path) -> None:
    enrol(course, {"lovelaceada_1": "ada", "noetheremmy_2": "emmy", "hoppergrace_3": "grace"})
    export = exported(
        tmp_path,
        ("lovelaceada_1_10_hw1.ipynb", notebook("first"), NIGHT),
        ("lovelaceada_1_11_hw1-1.ipynb", notebook("second"), NOON),  # its time means nothing
        ("noetheremmy_LATE_2_12_hw1.ipynb", notebook("emmy"), NOON),
        ("hoppergrace_3_text.html", b"see my mail"),
    )
    done = collect(course, "hw1", export, DEADLINE)
    assert text_of(course) == "second"
    assert (received(course).late, received(course).received) == (False, "")
    assert received(course, "emmy").late
    assert done.late == ["emmy"]
    assert received(course, "grace").notices == ["no notebook in the hand-in"]


def test_another_homework_counts_only_if_there_is_nothing_else(
    course: Course, tmp_path: Path
) -> None:
    export = exported(
        tmp_path,
        (moodle("Ada Lovelace", "final.ipynb"), notebook("this"), NOON),
        (moodle("Ada Lovelace", "hw2.ipynb"), notebook("that", "hw2"), EVENING),
        (moodle("Emmy Noether", "hw1.ipynb"), notebook("only", "hw2"), NOON),
    )
    collect(course, "hw1", export)
    assert (text_of(course), text_of(course, "emmy")) == ("this", "only")


def test_copies_made_at_the_same_time_are_counted_by_their_number(
    course: Course, tmp_path: Path
) -> None:
    export = exported(
        tmp_path,
        (moodle("Ada Lovelace", "hw1 (10).ipynb"), notebook("10")),
        (moodle("Ada Lovelace", "hw1 (9).ipynb"), notebook("9")),
        (moodle("Ada Lovelace", "hw1.ipynb"), notebook("0")),
    )
    collect(course, "hw1", export)
    assert text_of(course) == "10"


def test_collected_again_it_keeps_and_tells_what_changed(course: Course, tmp_path: Path) -> None:
    ada = (moodle("Ada Lovelace", "hw1.ipynb"), notebook("first"), NOON)
    emmy = (moodle("Emmy Noether", "hw1.ipynb"), notebook("emmy"), NOON)
    collect(course, "hw1", exported(tmp_path, ada, emmy), DEADLINE)
    before = received(course, "emmy")
    again = collect(course, "hw1", exported(tmp_path, ada, emmy), DEADLINE)
    assert (again.new, again.replaced, again.unchanged) == ([], [], ["ada", "emmy"])
    assert received(course, "emmy") == before
    # Later exports hold what came since, in time or late, or nothing at all.
    later = (moodle("Ada Lovelace", "hw1.ipynb"), notebook("late"), NIGHT)
    assert collect(course, "hw1", exported(tmp_path, later), DEADLINE).unchanged == ["ada"]
    assert text_of(course) == "first"
    since = (moodle("Ada Lovelace", "hw1.ipynb"), notebook("second"), (2026, 11, 1, 13, 0, 0))
    assert collect(course, "hw1", exported(tmp_path, since), DEADLINE).replaced == ["ada"]
    assert text_of(course) == "second"
    assert any("replaces" in note for note in received(course).notices)
    empty = (moodle("Ada Lovelace", "hw1.pdf"), b"", NIGHT)
    assert collect(course, "hw1", exported(tmp_path, empty)).unchanged == ["ada"]
    assert text_of(course) == "second"


def test_a_notebook_that_was_removed_comes_back(course: Course, tmp_path: Path) -> None:
    export = exported(tmp_path, (moodle("Ada Lovelace", "a.ipynb"), notebook("1")))
    collect(course, "hw1", export)
    course.submission("hw1", "ada").unlink()
    collect(course, "hw1", export)
    assert text_of(course) == "1"


def test_a_corrected_id_takes_its_hand_in_along(course: Course, tmp_path: Path) -> None:
    export = exported(
        tmp_path,
        (moodle("Ada Lovelace", "a.ipynb"), notebook("1")),
        (moodle("Emmy Noether", "a.ipynb"), notebook("2")),
        (moodle("Zoe", "a.pdf"), b"%PDF"),
    )
    enrol(course, {"Ada Lovelace": "adda", "Emmy Noether": "emmy", "Zoe": "zoo"})
    collect(course, "hw1", export)
    course.write(Record("hw1", "adda", "", "", "graded"))
    with Gradebook(database(course)) as gradebook:
        gradebook.add_assignment("hw1")
        gradebook.add_student("adda")
        with warnings.catch_warnings(action="ignore"):  # SQLAlchemy warns of nbgrader's queries
            gradebook.add_submission("hw1", "adda")
    enrol(course, {"Ada Lovelace": "ada", "Emmy Noether": "emmy", "Zoe": "zoe"})
    done = collect(course, "hw1", export)
    assert done.corrected == {"adda": "ada"}
    assert course.students("hw1") == ["ada", "emmy", "zoe"]
    assert text_of(course) == "1"
    assert course.record("hw1", "adda") is None
    with Gradebook(database(course)) as gradebook:  # the marks that a person gave go along
        assert [one.student.id for one in gradebook.assignment_submissions("hw1")] == ["ada"]
    enrol(course, {"Emmy Noether": "emmy"})  # a row that was deleted is told, and nothing is lost
    assert collect(course, "hw1", export).gone == ["ada"]
    assert text_of(course) == "1"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"Ada": "s1", "Emmy": "s2", "Zoe": "s3"}, {"Ada": "s2", "Emmy": "s1", "Zoe": "s3"}),
        ({"Ada": "s1", "Emmy": "s2", "Zoe": "s3"}, {"Ada": "s2", "Emmy": "s9", "Zoe": "s3"}),
        ({"Ada": "s1", "Emmy": "s2", "Zoe": "s3"}, {"Ada": "s2", "Emmy": "s3", "Zoe": "s1"}),
        ({"Ada": "s1", "Emmy": "", "Zoe": "s3"}, {"Ada": "s9", "Emmy": "s1", "Zoe": "s3"}),
    ],
    ids=["change places", "one after the other", "all round", "to a new row"],
)
def test_ids_that_are_corrected_together_mix_up_nobodys_work(
    course: Course, tmp_path: Path, first: dict[str, str], then: dict[str, str]
) -> None:
    work = {"Ada": "1", "Emmy": "2", "Zoe": "3"}
    files = [(moodle(name, "a.ipynb"), notebook(what)) for name, what in work.items()]
    export = exported(tmp_path, *files)
    enrol(course, first)
    collect(course, "hw1", export)
    with Gradebook(database(course)) as gradebook:
        gradebook.add_assignment("hw1")
        with warnings.catch_warnings(action="ignore"):
            for student in filter(None, first.values()):
                gradebook.add_student(student)
                gradebook.add_submission("hw1", student)
    enrol(course, then)
    for _ in range(2):
        collect(course, "hw1", export)
        assert course.students("hw1") == sorted(then.values())
        for name, student in then.items():
            assert course.submission("hw1", student).read_text() == notebook(work[name])
            receipt = course.receipt("hw1", student)
            assert receipt is not None
            assert f"/{name}_" in receipt.file
            assert receipt.notices == []
    with Gradebook(database(course)) as gradebook:
        marked = {then[name] for name, before in first.items() if before}
        assert {one.student.id for one in gradebook.assignment_submissions("hw1")} == marked
        assert not [one.id for one in gradebook.students if one.id not in then.values()]


def test_a_name_in_moodle_may_end_in_digits(course: Course, tmp_path: Path) -> None:
    folder = "student_1_34_assignsubmission_file_/hw1.ipynb"
    flat = "student_2_1_35_assignsubmission_file_hw1.ipynb"
    enrol(course, {"student_1": "a1", "student_2_1": "a2"})
    export = exported(tmp_path, (folder, notebook("1"), EVENING), (flat, notebook("2"), EVENING))
    done = collect(course, "hw1", export, DEADLINE)
    assert done.new == ["a1", "a2"]
    assert done.late == ["a1", "a2"]  # Moodle's file has its time


def test_namesakes_are_told_whose_row_to_fill(course: Course, tmp_path: Path) -> None:
    people = [roster.Person("", f"ada{number}", "Ada Lovelace") for number in (1, 2)]
    roster.write_roster(course.roster, people)
    export = exported(
        tmp_path,
        (moodle("Ada Lovelace", "a.ipynb", 7), notebook("1")),
        (moodle("Ada Lovelace", "a.ipynb", 9), notebook("2")),
    )
    people, _ = roster.extend_roster(course, export)
    ids = ["ada1", "ada2"]
    assert roster.namesakes(people) == {"Ada Lovelace_7": ids, "Ada Lovelace_9": ids}


def test_a_new_deadline_judges_what_was_collected(course: Course, tmp_path: Path) -> None:
    export = exported(tmp_path, (moodle("Ada Lovelace", "a.ipynb"), notebook("1"), EVENING))
    collect(course, "hw1", export, DEADLINE)
    assert received(course).late
    collect(course, "hw1", export)  # no deadline named: it stays late
    assert received(course).late
    collect(course, "hw1", export, datetime(2026, 11, 2))
    assert not received(course).late


# The roster.


def test_the_roster_keeps_what_is_filled_in(course: Course, tmp_path: Path) -> None:
    course.roster.write_text(
        "student;name;platform;tutor\n"  # as a spreadsheet may save it, in any order
        "ada;Ada Lovelace;;Mary\n"
        "emmy;Emmy Noether;Emmy Noether;Zoé\n"
        "gone;;Somebody Else;\n",
        encoding="utf-8",
    )
    export = exported(
        tmp_path,
        ("lovelaceada_12_67_hw1.ipynb", notebook("1")),
        (moodle("Emmy Noether", "hw1.ipynb"), notebook("2")),
        (moodle("=cmd()", "hw1.ipynb"), notebook("3")),
    )
    people, added = roster.extend_roster(course, export)
    assert added == ["lovelaceada_12", "=cmd()"]
    rows = {person.student: person for person in people}
    assert list(rows) == ["ada", "emmy", "gone", ""]
    assert rows["ada"].platform == "lovelaceada_12"
    assert rows["ada"].canvas_id == "12"
    assert rows["emmy"].more == {"tutor": "Zoé"}
    text = course.roster.read_text(encoding="utf-8-sig")
    assert "'=cmd()" in text  # a spreadsheet would run it
    assert text.startswith("platform;student;")  # it was saved with semicolons
    again, added = roster.extend_roster(course, export)
    assert added == []
    assert [person.student for person in again] == list(rows)
    assert course.roster.read_text(encoding="utf-8-sig") == text
    # Filled in, the neutral name still leads to its student.
    course.roster.write_text(text.replace("'=cmd();", "'=cmd();mallory"), encoding="utf-8")
    assert "mallory" in collect(course, "hw1", export).new


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("name,id\nAda,ada", "has no column 'platform, student'"),
        ("platform,student\nAda,../ada", r"line 2: student id '../ada': an id has"),
        ("platform,student\nAda,.ada", "line 2: student id"),
        ("platform,student\nAda,a/b", "line 2: student id"),
        ("platform,student\nAda,a*", "line 2: student id"),
        ("platform,student\nAda,ada\nEmmy,ADA", "lines 2 and 3: the student id 'ADA' stands twice"),
        ("platform,student\nAda,ada\nada,emmy", "the platform name 'ada' stands twice"),
    ],
)
def test_a_wrong_roster_is_refused_with_its_line(course: Course, rows: str, said: str) -> None:
    course.roster.write_text(rows, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        roster.read_roster(course.roster)


def test_a_roster_in_another_encoding_is_refused(course: Course) -> None:
    course.roster.write_bytes("platform,student\nZoé,zoe".encode("latin-1"))
    with pytest.raises(ValueError, match="save it from the spreadsheet as 'CSV UTF-8'"):
        roster.read_roster(course.roster)
