"""Set-up: which Pythons, when an environment is stale, and messages that say what to do."""

import importlib.util
import os
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("set_up", ROOT / "tools" / "set_up.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

# ---------------------------------------------------------------- which Pythons


def named_pythons() -> list[str]:
    """The Pythons that the package says it runs on."""
    lines = [c for c in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", c)]
    return [line.rpartition(" ")[2] for line in lines]


def test_all_places_name_the_same_pythons(tool: ModuleType) -> None:
    pythons = [f"3.{minor}" for minor in range(tool.OLDEST[1], tool.TESTED[1] + 1)]
    assert named_pythons() == pythons
    assert PROJECT["requires-python"] == f">={pythons[0]}"  # a newer one is tried, not refused
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"Python {pythons[0]} to {pythons[-1]}" in readme
    checks = yaml.safe_load((ROOT / ".github" / "workflows" / "checks.yml").read_text("utf-8"))
    assert checks["jobs"]["test"]["strategy"]["matrix"]["python"] == pythons
    binder = (ROOT / ".binder" / "runtime.txt").read_text("utf-8").strip()
    assert binder.removeprefix("python-") in pythons


@pytest.mark.parametrize("version", [(3, 9), (3, 10)])
def test_an_older_python_is_refused(tool: ModuleType, version: tuple[int, int]) -> None:
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer; .* is 3\.\d+\.\nName"):
        tool.check_python(version)


@pytest.mark.parametrize("version", [(3, 11), (3, 14)])
def test_a_tested_python_is_taken_without_a_word(
    tool: ModuleType, version: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    tool.check_python(version)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("version", [(3, 15), (4, 0)])
def test_a_newer_python_is_tried_with_a_warning(
    tool: ModuleType, version: tuple[int, int], capsys: pytest.CaptureFixture[str]
) -> None:
    tool.check_python(version)
    assert "is not tested yet" in capsys.readouterr().out


# ---------------------------------------------------------------- stale environments


@pytest.fixture
def made(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A folder whose environment was just made (with a link for its Python)."""
    move_to(tool, tmp_path, monkeypatch)
    (tmp_path / "requirements.txt").write_text("numpy==2.0.0\n")
    tool.PYTHON.parent.mkdir(parents=True)
    tool.PYTHON.symlink_to(sys.executable)
    tool.READY.write_text(tool.state())
    assert tool.is_ready()
    return tool


def move_to(tool: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "ROOT", folder)
    monkeypatch.setattr(tool, "ENVIRONMENT", folder / ".venv")
    monkeypatch.setattr(tool, "READY", folder / ".venv" / "ready")
    monkeypatch.setattr(tool, "PYTHON", folder / ".venv" / "bin" / "python")


def test_other_requirements_make_it_stale(made: ModuleType) -> None:
    (made.ROOT / "requirements.txt").write_text("numpy==2.1.0\n")
    assert not made.is_ready()


def test_a_python_that_is_gone_makes_it_stale(made: ModuleType) -> None:
    made.PYTHON.unlink()
    made.PYTHON.symlink_to(made.ROOT / "gone")
    assert not made.is_ready()


def test_an_interruption_makes_it_stale(made: ModuleType) -> None:
    made.READY.unlink()
    assert not made.is_ready()


def test_an_older_mark_makes_it_stale(made: ModuleType) -> None:
    made.READY.write_text("")
    assert not made.is_ready()


def test_a_moved_folder_is_stale(
    made: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path.with_name(tmp_path.name + "-moved")
    tmp_path.rename(moved)
    move_to(made, moved, monkeypatch)
    assert not made.is_ready()


def test_make_sets_a_stale_environment_up_again(tmp_path: Path) -> None:
    # A copy of the Makefile with a set-up that only says that it ran.
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text("utf-8"))
    (tmp_path / "requirements.txt").write_text("")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "set_up.py").write_text(
        "import pathlib, sys\n"
        "ready = pathlib.Path('.venv/ready')\n"
        "if '--is-ready' in sys.argv:\n    sys.exit(ready.read_text() != 'made')\n"
        "print('SET UP'); ready.parent.mkdir(exist_ok=True); ready.write_text('made')\n"
    )
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)

    def make() -> str:
        command = ["make", f"PYTHON={sys.executable}", ".venv/ready"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout

    assert "SET UP" in make()  # half made: no mark
    assert "SET UP" not in make()
    (tmp_path / ".venv" / "ready").write_text("another folder")
    assert "SET UP" in make()
    assert "SET UP" not in make()


# ---------------------------------------------------------------- messages


def run(*command: Any, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=ROOT, env=os.environ | environment, capture_output=True, text=True,
    )  # fmt: skip


def test_npm_that_fails_says_why_without_a_traceback(tmp_path: Path) -> None:
    code = "import sys, pathlib; sys.path.insert(0, 'book/extensions'); import node_packages\n"
    code += f"node_packages.main(pathlib.Path({str(tmp_path)!r}))"
    nowhere = {"npm_config_registry": "http://127.0.0.1:9", "npm_config_fetch_retries": "0"}
    done = run("-c", code, **nowhere)
    assert done.returncode == 1
    assert "ECONNREFUSED" in done.stderr  # npm's own words
    assert "npm could not fetch katex" in done.stderr
    assert "needs the npm registry" in done.stderr
    assert "Traceback" not in done.stderr


def test_readme_says_what_set_up_needs() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert "npm" in readme


def test_a_taken_port_names_another(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("tools/serve.py", tmp_path, port)
    assert done.returncode == 1
    assert f"Port {port} cannot be had" in done.stderr
    assert f"make serve PORT={port + 1}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root is told so")
def test_root_is_told_how_to_open_the_lab() -> None:
    done = run("tools/lab.py")
    assert done.returncode == 1
    assert "make lab OPTIONS=--allow-root" in done.stderr


def test_options_reach_jupyterlab() -> None:
    done = run("tools/lab.py", "--allow-root", "--version")
    assert done.returncode == 0
    assert re.match(r"\d+\.\d+", done.stdout)


# ---------------------------------------------------------------- hosted workflows and Binder

# The first majors of each action whose runtime the hosted runners still have.
NEWEST = {
    "actions/checkout": 7,
    "actions/setup-python": 7,
    "actions/upload-pages-artifact": 5,
    "actions/deploy-pages": 5,
}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_use_actions_that_still_run(path: Path) -> None:
    used = re.findall(r"uses: ([\w/-]+)@v(\d+)", path.read_text("utf-8"))
    assert used
    for action, major in used:
        assert int(major) >= NEWEST[action], action
