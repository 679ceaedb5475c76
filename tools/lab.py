"""Open the notebooks in JupyterLab: ``make lab`` calls this with its ``OPTIONS``."""

import os
import sys
from pathlib import Path

BOOK = Path(__file__).resolve().parents[1] / "book"
sys.path.insert(0, str(BOOK / "extensions"))

import own_settings  # noqa: E402


def main(options: list[str]) -> None:
    """Become JupyterLab; its kernels follow the course's settings."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in options:
        sys.exit(
            "JupyterLab does not run as root unless told so:  make lab OPTIONS=--allow-root\n"
            "Better run it as a normal user."
        )
    own_settings.apply()
    command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={BOOK}", *options]
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main(sys.argv[1:])
