"""Make the environment .venv and install what requirements.txt pins, with the package itself.

``make`` calls this; without make: ``python3 tools/set_up.py``.  It runs on any Python 3, to be able
to say which one is needed.  ``.venv/ready`` is written last and says what was made, so that an
environment that is half made, was moved, or has lost its Python is seen and made again:
``python3 tools/set_up.py --is-ready`` tells.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".venv"
READY = ENVIRONMENT / "ready"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
PIP = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
OLDEST, TESTED = (3, 11), (3, 14)  # the same as in pyproject.toml


def check_python(version: tuple[int, int], program: str = sys.executable) -> None:
    """Stop if this Python is too old; warn if nobody has tried it yet."""
    said = "{}.{}".format(*version)
    if version < OLDEST:
        sys.exit(
            "This course needs Python {}.{} or newer; {} is {}.\n"
            "Name another one, as in:  make book PYTHON=python3.12".format(*OLDEST, program, said)
        )
    if version > TESTED:
        print(
            "== Python {} is not tested yet (the newest tested one is {}.{}); trying it".format(
                said, *TESTED
            ),
            flush=True,
        )


def state() -> str:
    """Return what an environment of this folder and these requirements is made of."""
    wanted = hashlib.sha256((ROOT / "requirements.txt").read_bytes()).hexdigest()
    return f"{ENVIRONMENT}\n{wanted}\n"


def is_ready() -> bool:
    """Tell whether the environment was made to the end, here, for these requirements, and runs."""
    try:
        if READY.read_text(encoding="utf-8") != state():
            return False
        return subprocess.run([str(PYTHON), "-c", ""], capture_output=True).returncode == 0
    except OSError:
        return False


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
        sys.exit(
            "pip could not install requirements.txt; its message is above.\n"
            "It needs the Python package index once; later builds need no network."
        )


def install_package() -> None:
    """Install the package so that edits in initcourse/ count at once."""
    options = ["--quiet", "--no-build-isolation", "--no-deps", "--editable", str(ROOT)]
    if subprocess.run([*PIP, *options]).returncode != 0:
        sys.exit("pip could not install the package; its message is above.")


def run(script: str) -> None:
    """Run one of the build's files in the new environment; it says itself what is wrong."""
    path = ROOT / "book" / "extensions" / script
    if subprocess.run([str(PYTHON), str(path)]).returncode != 0:
        sys.exit(1)


def main() -> None:
    """Make the environment, whatever was there."""
    check_python(sys.version_info[:2])
    for variable in ("PYTHONPATH", "PYTHONWARNINGS", "PYTHONHOME", "PYTHONOPTIMIZE"):
        os.environ.pop(variable, None)
    make_environment()
    install_requirements()
    install_package()
    run("node_packages.py")  # with the npm that pip has just installed
    run("own_settings.py")  # looks for fonts, so that no kernel has to
    READY.write_text(state(), encoding="utf-8")


if __name__ == "__main__":
    if "--is-ready" in sys.argv:
        sys.exit(0 if is_ready() else 1)
    main()
