"""`make lab` shows MyST."""

import subprocess
import sys


def test_jupyterlab_takes_the_myst_extension() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jupyterlab.labextensions", "list"], capture_output=True, text=True
    )
    (line,) = [
        line for line in (done.stdout + done.stderr).splitlines() if "jupyterlab-myst v" in line
    ]
    assert "enabled" in line
    assert "OK" in line, (
        "choose versions of jupyterlab and jupyterlab-myst that fit, then make lock"
    )
