"""Submissions of all kinds, graded in the real sandbox as a normal user."""

import glob
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import homework_cases as made
import homework_run
import nbformat
import pytest

from initcourse.grading.sandbox.bubblewrap import Settings
from initcourse.grading.sandbox.processes import family, memory
from initcourse.homework import version_of


@pytest.fixture(scope="module")
def graded() -> dict[str, Any]:
    with homework_run.workplace() as folder:
        found = homework_run.run(folder, "cases")
    found["records"] = {record["student"]: record for record in found["records"]}
    return found


def shown(text: str) -> str:
    """Return what the outputs of a graded notebook say."""
    cells = [cell for cell in nbformat.reads(text, as_version=4).cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    return "\n".join(
        output.get("text", "") + "\n".join(output.get("traceback", [])) for output in outputs
    )


@pytest.mark.parametrize("case", made.CASES, ids=lambda case: case.name)
def test_a_made_submission(case: made.Case, graded: dict[str, Any]) -> None:
    record = graded["records"][case.name]
    points = {t["task"]: t["points"] for t in record["tasks"] if t["kind"] == "automatic"}
    assert record["reason"] == case.reason.format(version=version_of(made.source()))
    assert points == (case.points or {})
    assert any(case.notice in notice for notice in [*record["notices"], ""])
    if case.points is None:
        assert record["status"] == "not graded"
        assert case.name not in graded["graded"]
    else:
        manual = [(t["points"], t["max_points"]) for t in record["tasks"] if t["kind"] == "manual"]
        assert manual == [(case.manual, made.POINTS["q5"])]
        assert case.output in shown(graded["graded"][case.name])


def test_nobody_is_lost(graded: dict[str, Any]) -> None:
    assert set(graded["records"]) == {case.name for case in made.CASES}
    assert len(graded["lines"]) == len(made.CASES) >= 30
    (wrong,) = [line for line in graded["lines"] if " wrong-id:" in line]
    assert "the notebook names the student 'wrong-di', the roster 'wrong-id'" in wrong
    exported = {row["student"]: row for row in graded["exported"]["students"]}
    assert set(exported) == set(graded["records"])
    for case in made.CASES:
        row, record = exported[case.name], graded["records"][case.name]
        if case.points is None:
            assert (row["points"], row["status"]) == (None, "not graded")
            assert row["reason"] == record["reason"] != ""
        elif case.manual is None:
            assert (row["points"], row["status"]) == (None, "pending")
        else:
            assert row["points"] == sum(case.points.values()) + case.manual


def test_hidden_tests_stay_hidden(graded: dict[str, Any]) -> None:
    said = [shown(text) for text in graded["graded"].values()]
    said += [task["message"] for record in graded["records"].values() for task in record["tasks"]]
    assert not [text for text in said if made.SECRET in text or "isclose" in text]


def test_a_bad_submission_costs_its_own_time_only(graded: dict[str, Any]) -> None:
    slow = {name: record["seconds"] for name, record in graded["records"].items()}
    assert max(slow.values()) < made.PATIENCE * made.NOTEBOOK_SECONDS + 10, slow


ATTACKS = [
    *(
        "correct",
        "memory",
        "memory-of-many",
        "fork-bomb",
        "shared-maps",
        "zombie",
        "links",
        "lurkers",
        "no-process",
    ),
    *("endless-parts", "nested-code", "wide-code", "wide-notebook", "pictures", "empty-lines"),
]


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_memory_stays_within_the_limit(name: str) -> None:
    most = 0
    with homework_run.workplace() as folder:
        process = homework_run.start(folder, "attack", name)
        while process.poll() is None:
            most = max(most, memory(family(process.pid)))
            time.sleep(0.05)
        out, err = process.communicate()
    assert process.returncode == 0, err[-4000:]
    print(f"{name}: at most {most / 2**20:.0f} MB in all of the grader's processes")
    assert most / 2**20 < 1.25 * Settings().memory_mb, json.loads(out.splitlines()[-1])


def test_two_workers_give_the_same_marks() -> None:
    with homework_run.workplace() as folder:
        found = homework_run.run(folder, "speed", "60")
    one, two = found["1"], found["2"]
    print(
        f"submissions a minute: {one['per minute']:.0f} with one worker, "
        f"{two['per minute']:.0f} with two: {two['per minute'] / one['per minute']:.2f} times"
    )
    assert len(one["marks"]) == 60
    assert one["marks"] == two["marks"]
    assert {tuple(marks) for marks in one["marks"].values()} == {
        (2.0, 2.0, 3.0, 1.0, None),
        (0.0, 2.0, 0.0, 1.0, None),
    }


def test_an_interrupted_run_goes_on_and_manual_marks_stay() -> None:
    with homework_run.workplace() as folder:
        found = homework_run.run(folder, "resume")
    interrupted, rest, again, changed = found["lines"]
    assert len(interrupted) == 3
    assert [line.split(":")[0] for line in rest] == [
        "3 of 5 are graded already",
        "1/2  s003",
        "2/2  s004",
    ]
    # A run with --again that was interrupted goes on, too.
    assert [line.split(":")[0] for line in again] == [
        "1/5  s000",
        "2/5  s001",
        "going on with what was interrupted",
        "2 of 5 are graded already",
        "1/3  s002",
        "2/3  s003",
        "3/3  s004",
    ]
    before, after = found["marks"]
    assert before.pop("s001") == [2.0, 2.0, 3.0, 1.0, None]
    assert after.pop("s001") == [2.0, 2.0, 3.0, 1.0, 3.0]
    assert before == after
    assert found["comment"] == "Well said."
    assert changed == [
        "3 of 5 are graded already",
        "1/2  s002: not graded: not a notebook: bad JSON at line 1",
        "2/2  s003: not graded: not a notebook: the file is empty",
    ]
    assert found["kept"] == ["s000", "s001", "s004"]


def _all_once(found: dict[str, Any], count: int) -> None:
    """Everybody is graded, and once: in the records, in the gradebook, on the screen."""
    everybody = [f"s{number:03}" for number in range(count)]
    assert list(found["marks"]) == everybody
    assert {tuple(marks) for marks in found["marks"].values()} == {
        (2.0, 2.0, 3.0, 1.0, None),
        (0.0, 2.0, 0.0, 1.0, None),
    }
    scores = [3.0 if number % 3 == 0 else 8.0 for number in range(count)]
    assert found["gradebook"] == [list(pair) for pair in zip(everybody, scores, strict=True)]
    if "lines" in found:
        assert sorted(re.findall(r" (s\d+):", "\n".join(found["lines"]))) == everybody


def test_ctrl_c_ends_a_run_and_costs_nobody_a_mark() -> None:
    with homework_run.workplace() as folder:
        found = homework_run.run(folder, "interrupted")
    assert found["code"] == 2
    assert "interrupted; start it again to go on" in found["said"]
    assert len(found["lines"]) < 3, found["lines"]
    assert "Canceled" not in "".join(found["lines"])
    assert found["kept"] == [True, False, False]
    assert all(None not in marks[:4] for marks in found["marks"].values())


def test_of_two_runs_at_once_one_grades_and_one_refuses() -> None:
    with homework_run.workplace() as folder:
        found = homework_run.run(folder, "twice")
    (said,) = found["said"]
    assert re.search(r"probe is being graded .* since \d\d:\d\d; wait until", said)
    _all_once(found, 4)


def test_a_cluster_that_loses_a_worker_grades_all_once() -> None:
    with homework_run.workplace() as folder:
        found = homework_run.run(folder, "cluster")
    assert found["killed"]
    _all_once(found, 9)


def test_two_workers_of_which_one_is_killed_grade_all_once() -> None:
    with homework_run.workplace() as folder:
        found = homework_run.run(folder, "lost_worker")
    _all_once(found, 6)


def test_postgresql_holds_the_marks() -> None:
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not programs and shutil.which("initdb") is None:
        homework_run.impossible("this needs a PostgreSQL server: apt install postgresql")
    with homework_run.workplace() as folder:
        server = Path(programs[-1] if programs else str(shutil.which("initdb"))).parent
        found = homework_run.run(folder, "postgresql", str(server))
    assert found["files"] == []  # no SQLite beside it
    _all_once(found, 4)


def test_grading_is_refused_with_the_remedy() -> None:
    with homework_run.workplace() as folder:
        said = homework_run.run(folder, "refusals")
    assert "submissions could read the course folder" in said["folder"]
    assert "Move it somewhere else" in said["folder"]
    assert "no source of 'hw9'" in said["homework"]
    assert said["workers"] == "workers must be at least 1, got 0"


def test_the_reference_solutions_earn_all_and_an_untouched_copy_nothing() -> None:
    with homework_run.workplace() as folder:
        found = homework_run.run(folder, "book")
    assert len(found) == 5
    for homework, (solved, untouched) in found.items():
        tasks = [task for task in solved["tasks"] if task["kind"] == "automatic"]
        assert len(tasks) >= 3, homework
        assert [t["points"] for t in tasks] == [t["max_points"] for t in tasks], (homework, tasks)
        assert solved["notices"] == untouched["notices"] == [], homework
        assert {task["points"] for task in untouched["tasks"]} == {0.0}, homework


def test_a_mended_hidden_test_grades_what_was_handed_in_before() -> None:
    with homework_run.workplace() as folder:
        found = homework_run.run(folder, "mended")
    assert found["before"] == [2.0, 2.0, 3.0, 1.0, 0.0]
    assert found["after"] == [0.0, 2.0, 3.0, 5.0, 0.0]  # q1's test is another, q4 is worth more
    assert found["again"] == ["1 of 1 are graded already"]
