"""The commands of the page for instructors, typed as they stand there, end with tables of marks."""

import csv
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import homework_run
import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "book" / "instructors.md"
TRACKED = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "initcourse", "book")


def commands() -> str:
    """Return the page's shell blocks as one script that stops at the first failure."""
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    return "set -e\n" + "\n".join(blocks)


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


def test_from_zero_to_marks(home: Path) -> None:
    user, _ = homework_run.grader()
    prefix = [str(shutil.which("runuser")), "-u", user, "--"] if user else []
    done = subprocess.run(
        [*prefix, "env", f"HOME={home}", "bash", "-c", commands()],
        cwd=home / "clone",
        env={
            "LANG": "C.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin" if user else os.environ["PATH"],
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "Warning" not in done.stdout
    tables = sorted((home / "autumn" / "exports").glob("*.csv"))
    assert [table.name for table in tables] == [
        "hw1-canvas-no-mark.csv",
        "hw1-canvas.csv",
        "hw1-moodle.csv",
    ]
    with tables[2].open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8  # everybody of the class to practise with
    assert any("not graded" in " ".join(row.values()) for row in rows)
