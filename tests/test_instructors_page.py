"""The commands of the page for instructors, typed as they stand there, end with tables of marks."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import homework_run
import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "book" / "instructors.md"
TRACKED = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "initcourse", "book")


def blocks(language: str) -> list[str]:
    """Return the page's blocks of shell commands: ``sh`` ends, none is a program that stays."""
    fenced = re.findall(r"^```([^\n]*)\n(.*?)^```$", PAGE.read_text("utf-8"), re.M | re.S)
    return [block for named, block in fenced if named == language]


# Exit code 1 says that something needs a person, as in the class to practise with.
SCRIPT = 'set -e\ninitcourse() {{ command initcourse "$@" || [ $? = 1 ]; }}\n{commands}'


def commands() -> str:
    """Return what the page lets one type, as a script that stops at the first failure."""
    return SCRIPT.format(commands="\n".join(blocks("sh")))


@pytest.fixture
def home() -> Iterator[Path]:
    """Yield the home of a new user, with a clone of the repository in it."""
    user, _ = homework_run.grader()
    with tempfile.TemporaryDirectory(prefix="ic-home-", dir="/tmp") as name:
        clone = Path(name) / "clone"
        clone.mkdir()
        for part in TRACKED:
            source = ROOT / part
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
                shutil.copytree(source, clone / part, ignore=ignored)
            else:
                shutil.copy(source, clone / part)
        if user:
            subprocess.run(["chown", "-R", f"{user}:", name], check=True)
        yield Path(name)


def typed(home: Path, folder: Path, script: str) -> subprocess.Popen[str]:
    """Type a script as the new user; what it says stands in the file ``said`` of the folder."""
    user, _ = homework_run.grader()
    prefix = [str(shutil.which("runuser")), "-u", user, "--"] if user else []
    return subprocess.Popen(
        [*prefix, "env", f"HOME={home}", "bash", "-c", script],
        cwd=folder,
        env={
            "ADDRESS": "127.0.0.1",
            "LANG": "C.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin" if user else os.environ["PATH"],
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_all_commands_of_the_page(home: Path) -> None:
    done = typed(home, home / "clone", commands())
    said, _ = done.communicate()
    assert done.returncode == 0, said[-4000:]
    assert "Warning" not in said
    course = home / "autumn"
    tables = sorted((course / "exports").glob("*.csv"))
    assert [table.name for table in tables] == [
        "hw1-canvas-remarks.csv",
        "hw1-canvas.csv",
        "hw1-moodle.csv",
    ]
    with tables[2].open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8  # everybody of the class to practise with
    assert any("not graded" in " ".join(row.values()) for row in rows)
    with zipfile.ZipFile(course / "feedback" / "hw1-moodle.zip") as archive:
        assert "Student 1_1_assignsubmission_file_hw1.html" in archive.namelist()
    # The homework of one's own: who solved all has all the points, the untouched copy none.
    with (course / "records" / "mine" / "s1.json").open(encoding="utf-8") as file:
        solved = [task for task in json.load(file)["tasks"] if task["kind"] == "automatic"]
    assert solved
    assert [task["points"] for task in solved] == [task["max_points"] for task in solved]
    with (course / "records" / "mine" / "s4.json").open(encoding="utf-8") as file:
        assert {task["points"] for task in json.load(file)["tasks"]} == {0.0}

    # What stays: the grading page, a Dask cluster; and the name of a database.
    lab, scheduler, worker, grade, database = blocks("")
    enter = ". ~/teach/bin/activate; "
    config = home / ".jupyter" / "jupyter_server_config.py"
    config.parent.mkdir(exist_ok=True)
    config.write_text("c.ServerApp.open_browser = False\n", encoding="utf-8")
    told = [typed(home, course, enter + command) for command in (lab, scheduler, worker)]
    try:
        done = typed(home, course, f"{enter}{SCRIPT.format(commands=grade)}")
        said, _ = done.communicate()
        assert done.returncode == 0, said[-4000:]
        assert len(re.findall(r"^\d/\d  s\d: ", said, re.M)) == 8
    finally:
        for process in told:
            os.killpg(process.pid, signal.SIGTERM)
    said = [process.communicate()[0] for process in told]
    assert "nbgrader" in said[0]
    assert "http://localhost:" in said[0], said[0][-2000:]
    done = typed(home, course, f"set -e\n{database}\ntest -n $INITCOURSE_DATABASE")
    said, _ = done.communicate()
    assert done.returncode == 0, said
