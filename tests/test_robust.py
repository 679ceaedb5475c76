"""The two checks that authors run by hand: under other seeds, and under other arithmetics."""

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from initcourse.pages import claims

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "book").glob("0*.ipynb"))


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


robust, portable = load("robust"), load("portable")


@pytest.fixture
def chapter(tmp_path: Path) -> Path:
    """A chapter of three lines, whose measurement depends on its seed and its precision."""
    cells = [
        "import numpy as np\nfrom initcourse import initializers, propagation",
        "from initcourse.pages import claims",
        "net = propagation.make_network((2, 2), np.random.default_rng(0),\n"
        '    init=initializers.he_normal, activation="relu")',
        'claims.show("G3", share_within_3=0.9973, first_draw=net.weights[0][0, 0],\n'
        "    bytes=net.weights[0].itemsize)",
    ]
    path = tmp_path / "01_gaussian_problem.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), path)
    return path


def measured(run: Any) -> dict[str, Any]:
    assert run.errors == []
    found: dict[str, Any] = run.measured["G3"]
    return found


def test_a_shift_reaches_every_seed_and_the_precision_every_net(chapter: Path) -> None:
    own, shifted, single = (
        measured(robust.run(chapter, *job))
        for job in [(0, "float64"), (1000, "float64"), (0, "float32")]
    )
    assert own["first_draw"] != shifted["first_draw"]
    assert own["bytes"] == shifted["bytes"] == 8
    assert single["bytes"] == 4


def test_a_measurement_that_fits_no_predicate_is_an_error(chapter: Path) -> None:
    chapter.write_text(chapter.read_text().replace("0.9973", "0.5"))
    run = robust.run(chapter, 0, "float64")
    assert run.verdicts == {}
    assert "Contradiction" in run.errors[0]


def runs(*values: float) -> list[Any]:
    """Runs of G3 that measured these shares; its thresholds are 0.9969 and 0.9977."""
    return [
        robust.Run("01_gaussian_problem", 0, "float64", {"G3": {"share_within_3": v}}, {}, [])
        for v in values
    ]


def test_the_margin_counts_standard_errors_to_the_nearest_threshold() -> None:
    # Mean 0.9972, standard deviation 0.0001: three of them to the nearer end of the interval.
    found = robust.margin("G3", runs(0.9971, 0.9972, 0.9973))
    assert found == pytest.approx(3, abs=0.5)
    assert robust.margin("G3", runs(0.9972, 0.9972, 0.9972)) == robust.FARTHEST


def test_each_number_of_a_list_is_moved_alone_and_both_ways() -> None:
    found = list(robust.moved([[1.0, -2.0], [1.0, -4.0]], errors=1.0))
    assert [pair[0] for pair in found] == [1.0, 1.0]  # no spread, no move
    assert sorted(pair[1] for pair in found) == pytest.approx([-3 - 2**0.5, -3 + 2**0.5])


def test_text_and_truths_are_not_moved() -> None:
    assert list(robust.moved([True, True], 1.0)) == []
    assert list(robust.moved(["zero", "zero"], 1.0)) == []


def test_a_verdict_that_changes_is_seen() -> None:
    found = robust.rows([
        robust.Run("01_gaussian_problem", shift, "float64", {}, {"G3": verdict}, [])
        for shift, verdict in [(0, "holds"), (1000, "imprecise"), (2000, "holds")]
    ])
    assert found["G3"]["verdicts"] == {"holds": 2, "imprecise": 1}
    assert found["G8"]["verdicts"] == {"contradicts": 3}


# ---------------------------------------------------------------- the stored record


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(robust.RECORD.read_text("utf-8"))
    return found


def test_the_digest_is_the_same_in_every_python(tmp_path: Path) -> None:
    code = "def f(a, *, b=None):\n    return f'{a!r:>3}' + 'ü', b  # said\nf(1, b=-2.5e-3)"
    path = tmp_path / "none.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(code)]), path)
    assert robust.digest(path) == "986aebdba7b65792"
    nbformat.write(new_notebook(cells=[new_code_cell(code.replace("  # said", ""))]), path)
    assert robust.digest(path) == "986aebdba7b65792"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_record_belongs_to_the_chapters_as_they_are(path: Path, record: Any) -> None:
    assert record["chapters"][path.stem] == robust.digest(path), "run: make robust"


def test_every_verdict_held_over_all_seeds_far_from_its_thresholds(record: Any) -> None:
    shown = claims.collect(ROOT / "book")
    assert set(record["claims"]) == set(claims.claims())
    for id, row in record["claims"].items():
        assert row["verdict"] == shown[id].finding.verdict, id
        assert row["seeds"] > robust.SHIFTS, id
        assert row["margin"] >= robust.LEAST, f"{id}: a threshold is within its sampling error"


# ---------------------------------------------------------------- other arithmetics


def test_there_are_at_least_four_arithmetics_that_differ_from_each_other() -> None:
    known = portable.arithmetics()
    assert len({tuple(sorted(variables.items())) for variables in known.values()}) >= 4
    assert {variables["OPENBLAS_NUM_THREADS"] for variables in known.values()} == {"1", "2"}


def test_the_oldest_arithmetic_is_what_it_says() -> None:
    own = portable.computes_with(os.environ)
    old = portable.computes_with(os.environ | portable.arithmetics()["oldest"])
    assert own is not None
    assert old is not None
    assert old["dispatched"] == []
    kernels = portable.KERNELS.get(portable.family())
    if kernels and own["kernels"]:
        assert old["kernels"] == [kernels[0]]


def test_a_kernel_that_is_not_to_be_had_is_noticed() -> None:
    assert portable.obeys({"kernels": ["Haswell"]}, "")
    assert portable.obeys({"kernels": ["armv8"]}, "ARMV8")
    assert portable.obeys({"kernels": []}, "Nehalem")  # another library: there is none to choose
    assert not portable.obeys({"kernels": ["Haswell", "Nehalem"]}, "Nehalem")


def test_a_difference_is_seen(tmp_path: Path) -> None:
    cell = new_code_cell("1 + 1", execution_count=1)
    wrong = {"text/plain": "3"}
    cell.outputs = [nbformat.v4.new_output("execute_result", wrong, execution_count=1)]
    path = tmp_path / "wrong.ipynb"
    nbformat.write(new_notebook(cells=[cell]), path)
    cells, red = portable.compare(os.environ, [str(path)])
    assert cells == 1
    assert len(red) == 1
