"""Compare the notebooks' stored outputs under other arithmetics than this machine's own.

A matrix product adds in the order that suits the processor, so its last digits differ from machine
to machine.  ``python tools/portable.py`` runs all notebooks under each arithmetic below, with
OpenBLAS's kernels for older processors, without NumPy's vector instructions, and with one and two
threads, and prints a table.  ``python tools/portable.py oldest`` runs one arithmetic; ``make test``
runs that one, after the machine's own.  What the processor cannot do is named and left out.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tabulate import tabulate

ROOT = Path(__file__).resolve().parents[1]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

# OpenBLAS's kernels from the plainest to the newest, by the processor's family.
KERNELS = {
    "x86_64": ("Nehalem", "Sandybridge", "Haswell", "SkylakeX"),
    "aarch64": ("ARMV8", "CORTEXA57", "NEOVERSEN1"),
}

# Printed by a process that has loaded NumPy and SciPy: what it computes with.
ASK = """
import json, numpy, scipy.linalg, threadpoolctl
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__
for dtype in "fd":  # a kernel that the processor cannot run ends the process here
    numpy.ones((200, 200), dtype) @ numpy.ones((200, 200), dtype)
print(json.dumps({
    "kernels": sorted({p["architecture"] for p in threadpoolctl.threadpool_info()
                       if p["internal_api"] == "openblas"}),
    "threads": max(p["num_threads"] for p in threadpoolctl.threadpool_info()),
    "dispatched": [f for f in __cpu_dispatch__ if __cpu_features__.get(f)],
}))
"""


def computes_with(environment: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the kernels, threads and vector instructions of a process, or None if it fails."""
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=environment, capture_output=True, text=True
    )
    if done.returncode != 0:
        return None
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def family() -> str:
    """Return the processor's family, by the name that Linux gives it."""
    return {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())


def arithmetics() -> dict[str, dict[str, str]]:
    """Return the environment variables of each arithmetic, by its name."""
    own = computes_with(os.environ) or {"dispatched": []}
    plain = {"NPY_DISABLE_CPU_FEATURES": " ".join(own["dispatched"])} if own["dispatched"] else {}
    kernels = KERNELS.get(family())
    one, two = (dict.fromkeys(THREADS, number) for number in "12")
    first, *others = kernels or ("",)
    forced = {"OPENBLAS_CORETYPE": first} if kernels else {}
    found = {"oldest": one | forced | plain, "oldest, two threads": two | forced | plain}
    for kernel in others:
        found[kernel] = one | {"OPENBLAS_CORETYPE": kernel}
    return found | {"own, plain NumPy": one | plain, "own, two threads": two}


def obeys(answer: Mapping[str, Any], wanted: str) -> bool:
    """Tell whether all OpenBLAS kernels of a process are the wanted one, or any if it is empty."""
    return not wanted or {kernel.lower() for kernel in answer["kernels"]} <= {wanted.lower()}


def compare(environment: Mapping[str, str], notebooks: Sequence[str]) -> tuple[int, list[str]]:
    """Run the notebooks under nbval; return the number of cells, and those that differ."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["-c", str(ROOT / "pyproject.toml"), f"--rootdir={ROOT}"]
        command += [f"--junit-xml={report}", *notebooks]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
        if not report.exists():
            sys.exit(f"pytest did not run:\n{done.stdout}{done.stderr}")
        cases = list(ElementTree.parse(report).iter("testcase"))
        red = [case for case in cases if case.find("failure") is not None or case.find("error")]
        for case in red:
            print(f"{case.get('classname')}, {case.get('name')}")
        if red:
            print(done.stdout[-20_000:])
        return len(cases), [f"{case.get('classname')} {case.get('name')}" for case in red]


def main(arguments: Sequence[str]) -> int:
    """Run the named arithmetics, or all; print the table; return the exit status."""
    known = arithmetics()
    unknown = [name for name in arguments if name not in known]
    if unknown:
        print(f"{unknown[0]!r} is not one of: {', '.join(known)}", file=sys.stderr)
        return 2
    folders = (ROOT / "book", ROOT / "book" / "homework" / "source")
    found = [path for folder in folders for path in sorted(folder.glob("*.ipynb"))]
    notebooks = [str(path.relative_to(ROOT)) for path in found]
    rows: list[tuple[object, ...]] = []
    failed = False
    for name in arguments or known:
        environment = os.environ | known[name]
        answer, start = computes_with(environment), time.monotonic()
        wanted = known[name].get("OPENBLAS_CORETYPE", "")
        if answer is None or not obeys(answer, wanted):
            rows.append((name, "–", "", "", "this processor has no such kernel"))
            continue
        cells, red = compare(environment, notebooks)
        failed |= bool(red) or cells == 0
        took = f"{time.monotonic() - start:.0f} s"
        with_ = f"{' '.join(answer['kernels'])}; {' '.join(answer['dispatched']) or 'baseline'}"
        rows.append((name, with_, answer["threads"], f"{cells - len(red)} of {cells}", took))
    print(tabulate(rows, ["arithmetic", "computes with", "threads", "cells alike", "took"]))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
