"""Run the chapters under other seeds and another precision, to see whether every verdict stays.

``python tools/robust.py`` runs every chapter with all its seeds moved by 20 offsets, in float64 and
in float32, and prints a table: claim, verdicts seen, and how far the nearest threshold of its
predicates lies from what was measured, in standard errors.  It fails if a verdict changes or a
measurement contradicts its claim.  ``python tools/robust.py 3 01_gaussian_problem`` runs that
chapter with three offsets.  The notebooks know of none of this: the kernel that runs them is given
another ``numpy.random.default_rng``.

A full run writes ``initcourse/pages/data/robustness.json``, which the ledger reads.  The file holds
a digest of each chapter's code and predicates, so that a test can say when it is out of date.
"""

import ast
import hashlib
import json
import math
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import nbformat
from nbclient import NotebookClient
from tabulate import tabulate
from traitlets.config import Config

from initcourse.pages import claims

BOOK = Path(__file__).resolve().parents[1] / "book"
sys.path.insert(0, str(BOOK / "extensions"))

import own_settings  # noqa: E402

RECORD = Path(__file__).resolve().parents[1] / "initcourse" / "pages" / "data" / "robustness.json"
SHIFTS = 20
STEP = 1000  # further than any seed of a chapter, so that no draw is seen twice
DTYPES = ("float64", "float32")
WORKERS = 2
FARTHEST = 20  # a threshold beyond so many standard errors is not looked for
LEAST = 4  # no threshold is nearer than so many: under 1 false alarm in 10,000 runs

# What the kernel runs before the chapter's first cell.
OTHER_SEEDS = """
import matplotlib, numpy
from initcourse import propagation
matplotlib.use("agg")  # no pictures
matplotlib.rcParams["figure.max_open_warning"] = 0
numpy.random.default_rng = lambda seed=None, draw=numpy.random.default_rng: draw(
    seed + {shift} if type(seed) is int else seed
)
propagation.make_network.__kwdefaults__["dtype"] = numpy.{dtype}
"""


@dataclass(frozen=True)
class Run:
    """One chapter, run once: what it measured, and which cells raised."""

    chapter: str
    shift: int
    dtype: str
    measured: dict[str, dict[str, Any]]
    verdicts: dict[str, str]
    errors: list[str]


def digest(path: Path) -> str:
    """Return a digest of what decides a chapter's verdicts: its code, and its claims' predicates.

    Layout and comments do not count.
    """
    cells = nbformat.read(path, as_version=4).cells
    code = [syntax(ast.parse(cell.source)) for cell in cells if cell.cell_type == "code"]
    rows = [
        (claim.id, claim.stated, claim.corrected, claim.otherwise)
        for claim in claims.claims().values()
        if claim.chapter == path.stem
    ]
    return hashlib.sha256(json.dumps([code, rows]).encode()).hexdigest()[:16]


def syntax(node: object) -> object:
    """Return code as nested lists that are the same in every Python: ``ast.dump`` changes."""
    if isinstance(node, list):
        return [syntax(one) for one in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    said = [
        [name, syntax(value)] for name, value in ast.iter_fields(node) if value not in (None, [])
    ]
    return [type(node).__name__, *said]


@contextmanager
def own_sockets() -> Iterator[Config]:
    """Yield settings that give a kernel sockets of its own: two may be given the same port."""
    with tempfile.TemporaryDirectory(prefix="kernel-") as folder:
        files = {"transport": "ipc", "ip": f"{folder}/s", "connection_file": f"{folder}/k.json"}
        yield Config({"KernelManager": {} if os.name == "nt" else files})


def run(path: Path, shift: int, dtype: str) -> Run:
    """Run one notebook under a shift of its seeds; cells that raise are noted, the rest goes on."""
    notebook = nbformat.read(path, as_version=4)
    kept = [c for c in notebook.cells if "nbval-ignore-output" not in c.metadata.get("tags", [])]
    first = nbformat.v4.new_code_cell(OTHER_SEEDS.format(shift=shift, dtype=dtype))
    notebook.cells = [first, *(cell for cell in kept if cell.cell_type == "code")]
    with own_sockets() as config:
        NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            allow_errors=True,
            resources={"metadata": {"path": str(path.parent)}},
            extra_arguments=["--IPKernelApp.log_level=40"],
            config=config,
        ).execute()
    measured, verdicts, errors = {}, {}, []
    for cell in notebook.cells:
        meant = "raises-exception" in cell.metadata.get("tags", [])
        for output in cell.outputs:
            finding = output.get("data", {}).get(claims.MIME)
            if finding:
                measured[finding["id"]] = finding["measured"]
                verdicts[finding["id"]] = finding["verdict"]
            if output.output_type == "error" and not meant:
                errors.append(f"{output.ename}: {output.evalue}")
    return Run(path.stem, shift, dtype, measured, verdicts, errors)


def numbers(value: Any) -> list[float] | None:
    """Return a measured value as a list of floats, or None if it is text or a truth."""
    values = value if isinstance(value, list) else [value]
    if any(isinstance(one, bool | str) for one in values):
        return None
    return [float(one) for one in values]


def moved(seen: Sequence[Any], errors: float) -> Iterator[Any]:
    """Yield a measured value with one of its numbers moved by so many standard errors, both ways.

    `seen` holds the value once for each shift of the seeds; their standard deviation is the
    standard error of one run.  Positive numbers are moved on a logarithmic scale.
    """
    columns = [column for value in seen if (column := numbers(value)) is not None]
    first = seen[0]
    for place, drawn in enumerate(zip(*columns, strict=True)):
        positive = min(drawn) > 0
        scale = [math.log(one) for one in drawn] if positive else list(drawn)
        if not all(map(math.isfinite, scale)):
            continue
        middle, error = statistics.fmean(scale), statistics.stdev(scale)
        if len(set(scale)) == 1:
            continue  # the same under every seed
        for sign in (-1, 1):
            to = middle + sign * errors * error
            to = math.exp(min(to, 700)) if positive else to
            yield [*first[:place], to, *first[place + 1 :]] if isinstance(first, list) else to


def margin(id: str, runs: Sequence[Run]) -> float:
    """Return how many standard errors the nearest threshold of a claim lies away.

    Each number that the claim measures is moved alone, in steps of half a standard error, until
    the verdict is another one.
    """
    claim = claims.claims()[id]
    seen = [one.measured[id] for one in runs if id in one.measured]
    if len(seen) < 3:
        return math.nan
    verdict = claims.judge(claim, seen[0])
    for half in range(1, 2 * FARTHEST + 1):
        for name in seen[0]:
            for value in moved([values[name] for values in seen], half / 2):
                try:
                    same = claims.judge(claim, seen[0] | {name: value}) == verdict
                except claims.Contradiction:
                    same = False
                if not same:
                    return (half - 1) / 2
    return FARTHEST


def spreads(id: str, runs: Sequence[Run]) -> list[tuple[object, ...]]:
    """Return name, mean, standard deviation and range of each number that a claim measures."""
    found: list[tuple[object, ...]] = []
    double = [one for one in runs if one.dtype == "float64" and id in one.measured]
    for name in double[0].measured[id] if double else ():
        columns = [numbers(one.measured[id][name]) for one in double]
        for drawn in zip(*(column for column in columns if column is not None), strict=True):
            middle, error = statistics.fmean(drawn), statistics.pstdev(drawn)
            found.append((name, middle, error, min(drawn), max(drawn)))
    return found


def rows(runs: Sequence[Run]) -> dict[str, dict[str, Any]]:
    """Collect the runs a claim: the verdicts seen in each precision, and the margin."""
    found: dict[str, dict[str, Any]] = {}
    chapters = {one.chapter for one in runs}
    for id, claim in claims.claims().items():
        if claim.chapter not in chapters:
            continue
        own = [one for one in runs if one.chapter == claim.chapter]
        seen = [one.verdicts.get(id, "contradicts") for one in own]
        double = [one for one in own if one.dtype == "float64"]
        found[id] = {
            "verdicts": {verdict: seen.count(verdict) for verdict in sorted(set(seen))},
            "seeds": len(double),
            "margin": margin(id, double),
        }
    return found


def main(arguments: Sequence[str]) -> int:
    """Run, print the table, write the record of a full run; return the exit status."""
    own_settings.apply()
    shifts = int(arguments[0]) if arguments else SHIFTS
    paths = [BOOK / f"{name}.ipynb" for name in arguments[1:]] or sorted(BOOK.glob("0*.ipynb"))
    jobs = [
        (path, STEP * shift, dtype)
        for shift in range(shifts + 1)
        for dtype in DTYPES
        for path in paths
    ]
    print(f"{len(jobs)} runs of chapters, {WORKERS} at a time", flush=True)
    runs: list[Run] = []
    for done in joblib.Parallel(n_jobs=WORKERS, return_as="generator_unordered")(
        joblib.delayed(run)(*job) for job in jobs
    ):
        runs.append(done)
        for error in done.errors[:2]:  # others may follow from the first
            print(f"{done.chapter}, seeds + {done.shift}, {done.dtype}: {error}", flush=True)
    runs.sort(key=lambda one: (one.shift, one.dtype))
    found = rows(runs)
    lines = [
        (id, ", ".join(f"{n} {name}" for name, n in row["verdicts"].items()), row["margin"])
        for id, row in found.items()
    ]
    print(tabulate(lines, headers=["claim", "verdicts", "nearest threshold, std errors"]))
    near = [id for id, row in found.items() if not row["margin"] >= LEAST] if shifts > 2 else []
    for id in near:
        print(f"{id} is near a threshold:")
        print(tabulate(spreads(id, runs), headers=["value", "mean", "std", "lowest", "highest"]))
    changed = [id for id, row in found.items() if len(row["verdicts"]) > 1]
    broken = {one.chapter for one in runs if one.errors}
    doubted = {claims.claims()[id].chapter for id in (*near, *changed)} | broken
    if shifts >= SHIFTS:
        store([path for path in paths if path.stem not in doubted], found)
    if doubted:
        said = f"verdicts of {', '.join(changed) or 'none'} changed, {len(broken)} had errors"
        print(f"Not robust: {said}, near a threshold: {', '.join(near) or 'none'}.")
        return 1
    print(f"{len(found)} verdicts are the same in all {len(jobs) // len(paths)} runs.")
    return 0


def store(paths: Sequence[Path], found: dict[str, dict[str, Any]]) -> None:
    """Write what was found of these chapters into the record; others stay as they are."""
    stems = [path.stem for path in paths]
    found = {id: row for id, row in found.items() if claims.claims()[id].chapter in stems}
    record = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    chapters = record.get("chapters", {}) | {path.stem: digest(path) for path in paths}
    rows = record.get("claims", {}) | {
        id: {
            "verdict": next(iter(row["verdicts"])),
            "seeds": row["seeds"],
            "margin": row["margin"],
        }
        for id, row in found.items()
    }
    ordered = {id: rows[id] for id in claims.claims() if id in rows}
    record = {"chapters": dict(sorted(chapters.items())), "claims": ordered}
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
