"""The course's kernels follow no personal settings: one place says what that means.

Whoever runs a notebook (the site's build, the tests, ``make refresh``, ``make robust``) calls
:func:`apply` before the first kernel starts.  Kernels then have this environment's Python, whatever
other ``python3`` a user has installed for Jupyter, Matplotlib's own defaults, no start-up files,
and one thread each.  ``make`` drops the same variables for all that it starts.
"""

import json
import os
import sys
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

# What changes a result or a picture, or ends a kernel, wherever it comes from.
DROPPED = (
    "MPLBACKEND",  # agg would leave out every picture
    "MATPLOTLIBRC",
    "PYTHONHOME",
    "PYTHONINSPECT",
    "PYTHONOPTIMIZE",
    "PYTHONSTARTUP",
    "PYTHONWARNINGS",
    "IPYTHON_DIR",
    "JUPYTER_CONFIG_PATH",
    "JUPYTER_DATA_DIR",
    "JUPYTER_PLATFORM_DIRS",
    "JUPYTER_RUNTIME_DIR",
    "COLUMNS",  # and the colours of what is printed
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR_FORCE",
    "PY_COLORS",
)
# The nets are small: threads that wait for each other cost more than they bring.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
KERNEL = "c = get_config()\nc.IPKernelApp.log_level = 40\n"  # no notes about sockets


def folder() -> Path:
    """Return a folder for these settings: in the environment, or elsewhere if that is not ours."""
    inside = Path(sys.prefix) / "course-settings"
    try:
        inside.mkdir(exist_ok=True)
        if os.access(inside, os.W_OK):
            return inside
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="course-settings-"))


def apply(environ: MutableMapping[str, str] = os.environ) -> None:
    """Change the environment variables, and write the files that they lead to."""
    for name in DROPPED:
        environ.pop(name, None)
    for name in THREADS:
        environ.setdefault(name, "1")
    own = folder()
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": "Python 3", "language": "python"}
    _write(own / "jupyter" / "kernels" / "python3" / "kernel.json", json.dumps(spec))
    _write(own / "ipython" / "profile_default" / "ipython_kernel_config.py", KERNEL)
    environ["JUPYTER_PATH"] = str(own / "jupyter")  # comes before all others
    environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    for name, place in [("JUPYTER_CONFIG_DIR", "config"), ("IPYTHONDIR", "ipython")]:
        environ[name] = str(own / place)
    environ["MPLCONFIGDIR"] = str(own / "matplotlib")


def _write(path: Path, text: str) -> None:
    """Write a file unless it holds this already: another process may be reading it."""
    if not path.exists() or path.read_text("utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)


def fill_caches() -> None:
    """Let Matplotlib look for fonts now: in a kernel, a slow search would print a warning."""
    apply()
    from matplotlib import font_manager

    font_manager.findfont("DejaVu Sans")


if __name__ == "__main__":
    fill_caches()
