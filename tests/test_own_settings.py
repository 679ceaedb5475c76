"""No personal setting reaches a kernel of the course, whatever it is and wherever it lies."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXTENSIONS = ROOT / "book" / "extensions"

# Runs a notebook of one figure as every tool of the course does, and prints what it gave.
RUN = f"""
import json, sys
sys.path.insert(0, {str(EXTENSIONS)!r})
import own_settings
own_settings.apply()
import nbformat
from nbclient import NotebookClient
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in [
    "import sys\\nimport matplotlib.pyplot as plt\\n_ = plt.plot([1, 2], label='a')",
    "print(sys.executable, plt.rcParams['font.size'], plt.rcParams['text.usetex'])",
    "print(sys.flags.optimize, sys.warnoptions)",
    "'seen' if 'of_a_user' in globals() else 'clean'",
]])
NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
print("RESULT", json.dumps([
    o.get("text") or sorted(set(o["data"]) - {{"text/plain"}}) or o["data"]["text/plain"]
    for cell in notebook.cells for o in cell.outputs
]))
"""


def result(environment: dict[str, str], folder: Path) -> list[object]:
    done = subprocess.run(
        [sys.executable, "-c", RUN], env=environment, cwd=folder, capture_output=True, text=True
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stderr[-2000:]
    found: list[object] = json.loads(lines[0].removeprefix("RESULT "))
    return found


def matplotlib_settings(home: Path) -> dict[str, str]:
    for place in (home / ".config" / "matplotlib", home / ".matplotlib", home / "own"):
        place.mkdir(parents=True, exist_ok=True)
        (place / "matplotlibrc").write_text("text.usetex: true\nfont.size: 22\nbackend: agg\n")
    return {
        "MPLBACKEND": "Agg",
        "MATPLOTLIBRC": str(home / "own" / "matplotlibrc"),
        "MPLCONFIGDIR": str(home / "own"),
        "XDG_CONFIG_HOME": str(home / ".config"),
    }


def jupyter_settings(home: Path) -> dict[str, str]:
    spec = {"argv": [shutil.which("false") or "false"], "display_name": "x", "language": "python"}
    for data in (home / "own", home / ".local" / "share" / "jupyter"):
        folder = data / "kernels" / "python3"
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(json.dumps(spec))
    config = home / ".jupyter"
    config.mkdir()
    (config / "jupyter_config.py").write_text("raise SystemExit('read a personal setting')")
    return {
        "JUPYTER_PATH": str(home / "own"),
        "JUPYTER_DATA_DIR": str(home / "own"),
        "JUPYTER_CONFIG_DIR": str(config),
        "JUPYTER_PREFER_ENV_PATH": "0",
    }


def ipython_settings(home: Path) -> dict[str, str]:
    for place in (home / ".ipython", home / "own-ipython"):
        start = place / "profile_default" / "startup"
        start.mkdir(parents=True)
        (start / "00.py").write_text("of_a_user = True\nprint('hello')\n")
        (place / "profile_default" / "ipython_kernel_config.py").write_text(
            "c = get_config()\nc.InteractiveShellApp.matplotlib = 'agg'\n"
        )
    return {"IPYTHONDIR": str(home / "own-ipython"), "NO_COLOR": "1", "COLUMNS": "20"}


def python_settings(home: Path) -> dict[str, str]:
    (home / "start.py").write_text("of_a_user = True\n")
    return {
        "PYTHONSTARTUP": str(home / "start.py"),
        "PYTHONOPTIMIZE": "2",
        "PYTHONWARNINGS": "error::UserWarning",
    }


SETTINGS: list[Callable[[Path], dict[str, str]]] = [
    matplotlib_settings,
    jupyter_settings,
    ipython_settings,
    python_settings,
]


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings.__name__)
def test_personal_settings_change_nothing(
    settings: Callable[[Path], dict[str, str]], tmp_path: Path
) -> None:
    clean = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LD_LIBRARY_PATH")}
    hostile = clean | {"HOME": str(tmp_path)} | settings(tmp_path)
    found = result(hostile, tmp_path)
    assert found == [
        ["image/png"],
        f"{sys.executable} 10.0 False\n",
        "0 []\n",
        "'clean'",
    ]


def test_make_drops_the_same_variables() -> None:
    hostile = os.environ | dict.fromkeys(("MPLBACKEND", "PYTHONWARNINGS", "PYTHONOPTIMIZE"), "1")
    hostile |= {"PYTHONPATH": "x", "MATPLOTLIBRC": "x", "SPHINXOPTS": "-x", "MY_OWN": "kept"}
    done = subprocess.run(
        ["make", "--no-print-directory", "--eval", "show-it: ; @env", "show-it"],
        cwd=ROOT, env=hostile, capture_output=True, text=True, check=True,
    )  # fmt: skip
    seen = {line.partition("=")[0] for line in done.stdout.splitlines()}
    assert "MY_OWN" in seen
    assert not seen & (set(hostile) - set(os.environ) - {"MY_OWN"})


def test_the_settings_are_written_once_and_kept(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(EXTENSIONS)!r}); import own_settings; e = {{}}; "
    code += "own_settings.apply(e); print(e['JUPYTER_PATH'])"
    folders = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
        for _ in range(2)
    }
    (folder,) = folders
    assert list(Path(folder.strip()).rglob("*.json"))
    assert not list(Path(folder.strip()).rglob("kernel.[0-9]*"))
