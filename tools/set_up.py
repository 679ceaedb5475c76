"""Make the environment .venv and install what requirements.txt pins, with the package itself.

``make`` calls this; without make: ``python3 tools/set_up.py``.  It runs on any Python 3, to be able
to say which one is needed.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
PIP = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]


def check_python() -> None:
    """Stop if this Python is too old or too new."""
    version = "{}.{}".format(*sys.version_info[:2])
    if version not in ("3.11", "3.12", "3.13"):
        sys.exit(
            f"This course needs Python 3.11, 3.12 or 3.13; {sys.executable} is {version}.\n"
            "Name another one, as in:  make book PYTHON=python3.12"
        )


def make_environment() -> None:
    """Make an empty environment, in place of an older one."""
    print("== Making the environment .venv", flush=True)
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)])
    if done.returncode != 0:
        sys.exit(
            f"{sys.executable} cannot make environments.\n"
            "On Debian and Ubuntu:  apt-get install python3-venv"
        )


def install_requirements() -> None:
    """Install with pip, and count along."""
    requirements = ROOT / "requirements.txt"
    lines = requirements.read_text(encoding="utf-8").splitlines()
    total = sum("==" in line for line in lines)
    print(f"== Installing {total} packages (some minutes, once)", flush=True)
    pip = subprocess.Popen([*PIP, "-r", str(requirements)], stdout=subprocess.PIPE, text=True)
    assert pip.stdout is not None
    count = 0
    for line in pip.stdout:
        if line.startswith(("Collecting ", "Processing ")):
            count += 1
            if count % 20 == 0:
                print(f"   {count} of {total} fetched", flush=True)
        elif line.startswith("Installing collected packages"):
            print(f"   {count} of {total} fetched, now unpacking (a minute)", flush=True)
    if pip.wait() != 0:
        sys.exit("pip could not install requirements.txt; its message is above.")


def install_package() -> None:
    """Install the package so that edits in initcourse/ count at once."""
    options = ["--quiet", "--no-build-isolation", "--no-deps", "--editable", str(ROOT)]
    if subprocess.run([*PIP, *options]).returncode != 0:
        sys.exit("pip could not install the package; its message is above.")


def fetch_node_packages() -> None:
    """Fetch what the build takes from npm, with the npm that pip has just installed."""
    script = ROOT / "book" / "extensions" / "node_packages.py"
    if subprocess.run([str(PYTHON), str(script)]).returncode != 0:
        sys.exit("The packages from npm could not be fetched; the message is above.")


if __name__ == "__main__":
    check_python()
    make_environment()
    install_requirements()
    install_package()
    fetch_node_packages()
    (ENVIRONMENT / "ready").touch()
