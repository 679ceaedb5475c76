"""The ledger: complete rows, honest verdicts, and no chapter without its measurements."""

import ast
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from initcourse.pages import claims
from initcourse.pages.claims import Claim, Contradiction, Finding, collect, judge, ledger, show

BOOK = Path(__file__).resolve().parents[1] / "book"
# Letter, number of rows, source, chapter: the head of the list of claims.
PARTS = [
    ("G", 9, "000", "01_gaussian_problem"),
    ("S", 13, "001", "02_techniques_survey"),
    ("M", 8, "002", "03_mathematical_strategies"),
    ("D", 10, "003", "04_derivations"),
    ("R", 12, "004", "05_sigmoid_ranges"),
]
ROWS = [
    (f"{letter}{i}", source, chapter)
    for letter, count, source, chapter in PARTS
    for i in range(1, count + 1)
]
FUNCTIONS = {"abs", "all", "any", "len", "max", "min", "round", "sorted", "sum"}
MADE_UP = Claim(
    "X1",
    "000",
    "01_gaussian_problem",
    "the ratio is <1",
    stated="ratio < 1",
    corrected="ratio < 2",
    otherwise="imprecise",
    correction="It is < 2 & more.",
)


def names_in(predicate: str) -> tuple[set[str], set[str]]:
    """Return the measured names and the called functions of a predicate."""
    tree = ast.parse(predicate, mode="eval")
    called, bound, used = set(), set(), set()
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Attribute | ast.Lambda | ast.Await), predicate
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name), predicate
            called.add(node.func.id)
        elif isinstance(node, ast.Name):
            (bound if isinstance(node.ctx, ast.Store) else used).add(node.id)
    return used - called - bound, called


# The rows


def test_all_52_rows_are_there_in_order() -> None:
    found = [(row.id, row.source, row.chapter) for row in claims.claims().values()]
    assert list(claims.claims()) == [row[0] for row in ROWS]
    assert found == ROWS
    assert len(found) == 52


@pytest.mark.parametrize("id", [row[0] for row in ROWS])
def test_row(id: str) -> None:
    row = claims.claims()[id]
    assert row.source in claims.sources()
    assert row.statement.endswith(".")
    assert row.otherwise in ("imprecise", "false", "setting")
    stated, called = names_in(row.stated)
    assert stated, "a predicate names what is measured"
    assert called <= FUNCTIONS
    assert not stated & FUNCTIONS
    if row.otherwise == "setting":
        assert row.corrected == ""
        return
    corrected, called = names_in(row.corrected)
    assert corrected, "a predicate names what is measured"
    assert called <= FUNCTIONS
    assert row.stated != row.corrected
    if row.otherwise == "false":
        assert row.correction, "say what is true instead"


def test_sources_have_an_author_and_a_language() -> None:
    assert list(claims.sources()) == ["000", "001", "002", "003", "004"]
    for source in claims.sources().values():
        assert all(getattr(source, field.name) for field in fields(source))


def test_defaults_of_the_frameworks() -> None:
    # Claim G1; layers of 1000 inputs, 1/√3000 = 0.0183 in PyTorch.
    rows = {(row["framework"], row["layer"]): row for row in claims.framework_defaults()}
    assert all({"version", "rule", "weight_std", "bias_std"} <= set(r) for r in rows.values())
    assert rows["PyTorch", "Linear"]["weight_std"] == pytest.approx(3000**-0.5, rel=0.01)
    assert rows["PyTorch", "Embedding"]["weight_std"] == pytest.approx(1, rel=0.01)


# Verdicts


@pytest.mark.parametrize(
    ("otherwise", "ratio", "verdict"),
    [
        ("imprecise", 0.5, "holds"),
        ("false", 0.5, "holds"),
        ("setting", 0.5, "setting"),
        ("imprecise", 1.5, "imprecise"),
        ("false", 1.5, "false"),
    ],
)
def test_verdicts(otherwise: Any, ratio: float, verdict: str) -> None:
    assert judge(replace(MADE_UP, otherwise=otherwise), {"ratio": ratio}) == verdict


@pytest.mark.parametrize(("otherwise", "ratio"), [("imprecise", 3), ("false", 3), ("setting", 1.5)])
def test_contradiction(otherwise: Any, ratio: float) -> None:
    with pytest.raises(Contradiction, match=r"X1: neither .*ratio < 1.*ratio < 2.*'ratio': "):
        judge(replace(MADE_UP, otherwise=otherwise), {"ratio": ratio})


def test_a_value_that_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match=r"X1 needs .*'ratio'.*measured were rate, share"):
        judge(MADE_UP, {"rate": 1, "share": 2})
    with pytest.raises(ValueError, match="measured were none"):
        judge(MADE_UP, {})


def test_predicates_may_loop_over_measured_lists() -> None:
    row = replace(MADE_UP, stated="max(abs(v - goal) for v in values) < 0.1 and len(values) == 2")
    assert judge(row, {"values": [1.0, 1.05], "goal": 1}) == "holds"


def test_predicates_reach_no_other_functions() -> None:
    row = replace(MADE_UP, stated="open('x')")
    with pytest.raises(ValueError, match="'open'"):
        judge(row, {"ratio": 1})


# What a chapter shows


def test_show_keeps_four_digits_and_judges_so() -> None:
    finding = show("G3", share_within_3=np.float64(0.99731234))
    assert finding.measured == {"share_within_3": 0.9973}
    assert finding.verdict == "holds"
    assert repr(finding) == "G3: holds (share within 3 = 0.9973)"


def test_measured_values_become_plain() -> None:
    finding = show(
        "G1",
        dense_layer_std=np.array([0.0182612, 0.0316123], np.float32),
        torch_embedding_std=np.float32(1.00004),
        note="text",
        count=np.int64(3),
        flag=np.bool_(True),
    )
    assert finding.measured == {
        "dense_layer_std": [0.01826, 0.03161],
        "torch_embedding_std": 1.0,
        "note": "text",
        "count": 3,
        "flag": True,
    }
    assert finding.verdict == "false"
    json.dumps(finding.measured)
    for value in (None, 1j, {"a": 1}):
        with pytest.raises(TypeError, match="number, text or a list"):
            show("G3", share_within_3=value)


def test_the_measurement_travels_in_the_output() -> None:
    bundle = show("G3", share_within_3=0.99731234)._repr_mimebundle_()
    assert bundle[claims.MIME] == {
        "id": "G3",
        "measured": {"share_within_3": 0.9973},
        "verdict": "holds",
    }
    assert bundle["text/plain"] == "G3: holds (share within 3 = 0.9973)"
    assert 'id="claim-g3"' in bundle["text/html"]


def test_the_card_is_escaped() -> None:
    finding = Finding(MADE_UP, {"ratio": 1.5, "remark": "<script>"}, judge(MADE_UP, {"ratio": 1.5}))
    card = finding._repr_mimebundle_()["text/html"]
    assert "the ratio is &lt;1" in card
    assert "&lt; 2 &amp; more" in card
    assert "<script>" not in card
    assert '<div class="claim verdict-imprecise" id="claim-x1">' in card


def test_the_correction_is_shown_where_it_is_needed() -> None:
    for ratio, shown in [(0.5, False), (1.5, True)]:
        finding = Finding(MADE_UP, {"ratio": ratio}, judge(MADE_UP, {"ratio": ratio}))
        assert ("More exactly" in finding._repr_mimebundle_()["text/html"]) == shown


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("relu_factor_at_005", "ReLU factor at 0.05"),
        ("fixed_point_at_gain_5_3", "Fixed point at gain 5/3"),
        ("change_at_z_10", "Change at z = 10"),
        ("rms_growth_at_1000", "RMS growth at 1000"),
        ("torch_embedding_std", "PyTorch embedding std"),
        ("p_value_at_1", "p value at 1"),
    ],
)
def test_measured_names_are_written_as_words(name: str, written: str) -> None:
    card = Finding(MADE_UP, {name: 1}, "holds")._repr_mimebundle_()["text/html"]
    assert f"<li>{written}: <b>1</b></li>" in card


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2.463e-06, "2.463\u00a0×\u00a010<sup>−6</sup>"),
        (-6.7e6, "−6.700\u00a0×\u00a010<sup>6</sup>"),
        (-0.5, "−0.5"),
        ([1, 0.25], "1, 0.25"),
        (True, "yes"),
        ("e-06 <text>", "e-06 &lt;text&gt;"),
    ],
)
def test_measured_values_are_written_as_on_paper(value: Any, written: str) -> None:
    card = Finding(MADE_UP, {"ratio": value}, "holds")._repr_mimebundle_()["text/html"]
    assert f"<b>{written}</b>" in card


@pytest.mark.parametrize(("face", "ending"), [("static", "html"), (None, "ipynb")])
def test_a_card_links_to_itself_and_to_its_row(
    monkeypatch: pytest.MonkeyPatch, face: str | None, ending: str
) -> None:
    monkeypatch.delenv("INITCOURSE_EXPLORER", raising=False)
    if face:
        monkeypatch.setenv("INITCOURSE_EXPLORER", face)
    card = show("G3", share_within_3=0.9973)._repr_mimebundle_()["text/html"]
    assert 'href="#claim-g3"' in card
    assert f'href="ledger.{ending}#row-g3"' in card


# What the ledger reads


def store(folder: Path, chapter: str, *outputs: dict[str, Any]) -> Path:
    cells = [{"cell_type": "markdown", "source": "text"}] + [
        {
            "cell_type": "code",
            "source": "claims.show(…)",
            "outputs": [{"output_type": "stream", "text": "x"}, {"data": {claims.MIME: output}}],
        }
        for output in outputs
    ]
    path = folder / f"{chapter}.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return path


def g3(share: float = 0.9973, verdict: str = "holds", id: str = "G3") -> dict[str, Any]:
    return {"id": id, "measured": {"share_within_3": share}, "verdict": verdict}


def test_collect(tmp_path: Path) -> None:
    path = store(tmp_path, "01_gaussian_problem", g3())
    store(tmp_path, "ledger")
    (record,) = collect(tmp_path).values()
    assert record.finding == show("G3", share_within_3=0.9973)
    assert (record.shown, record.notebook) == ("holds", path)


def test_a_verdict_that_no_longer_follows_is_seen(tmp_path: Path) -> None:
    store(tmp_path, "01_gaussian_problem", g3(share=0.9921, verdict="holds"))
    record = collect(tmp_path)["G3"]
    assert record.shown == "holds"
    assert record.finding.verdict == "imprecise"


@pytest.mark.parametrize(
    ("chapter", "outputs", "error", "message"),
    [
        ("02_techniques_survey", [g3()], ValueError, "G3 belongs to .*01_gauss.* in 02_tech"),
        ("01_gaussian_problem", [g3(), g3()], ValueError, "G3 is measured twice in 01_gauss"),
        ("01_gaussian_problem", [g3(id="G99")], ValueError, "got 'G99'"),
        ("01_gaussian_problem", [g3(verdict="true")], ValueError, "G3 shows 'true', no verdict"),
        ("01_gaussian_problem", [g3(share=0.5)], Contradiction, "G3: neither"),
        (
            "01_gaussian_problem",
            [{"id": "G3", "measured": {}, "verdict": "holds"}],
            ValueError,
            "share_within_3",
        ),
    ],
)
def test_a_wrong_page_is_told(
    tmp_path: Path, chapter: str, outputs: list[Any], error: type[Exception], message: str
) -> None:
    store(tmp_path, chapter, *outputs)
    with pytest.raises(error, match=message):
        collect(tmp_path)


@pytest.mark.parametrize(("face", "ending"), [("static", "html"), (None, "ipynb")])
def test_ledger_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, face: str | None, ending: str
) -> None:
    monkeypatch.delenv("INITCOURSE_EXPLORER", raising=False)
    if face:
        monkeypatch.setenv("INITCOURSE_EXPLORER", face)
    store(tmp_path, "01_gaussian_problem", g3())
    page = ledger(tmp_path)
    assert repr(page) == "1 of 52 rows measured: 1 holds, 0 imprecise, 0 false, 0 setting"
    text = page._repr_html_()
    assert (
        f'<a href="01_gaussian_problem.{ending}#claim-g3" aria-label="G3, the run">G3</a>' in text
    )
    assert text.count("#claim-") == 1
    assert all(f'id="row-{id.lower()}"' in text for id in claims.claims())
    assert text.count("not yet run") == 51
    assert text.count("<tr") == 53
    assert "0.9973" in text
    assert "U[-eps, eps]" in text


# The real book


def test_every_chapter_in_the_book_has_measured_its_claims() -> None:
    records = collect(BOOK)
    for row, _, chapter in ROWS:
        if (BOOK / f"{chapter}.ipynb").exists():
            assert row in records, f"{chapter}.ipynb stores no measurement of {row}: make refresh"
            record = records[row]
            assert record.notebook.stem == chapter
            assert record.shown == record.finding.verdict, f"{row} shows {record.shown}"
        else:
            assert row not in records
    waiting = len(ROWS) - len(records)
    assert ledger(BOOK)._repr_html_().count("not yet run") == waiting
    assert (BOOK / "01_gaussian_problem.ipynb").exists()


def test_a_prediction_stands_beside_its_measurement() -> None:
    finding = show("G3", share_within_3=(0.9973, 0.99730020), draws=10)
    assert finding.measured == {"share_within_3": 0.9973, "draws": 10}
    assert finding.predicted == {"share_within_3": 0.9973}
    assert finding.rows == [("share within 3", "0.9973", "0.9973"), ("draws", "10", "")]
    bundle = finding._repr_mimebundle_()
    assert bundle[claims.MIME]["predicted"] == {"share_within_3": 0.9973}
    assert "Share within 3: <b>0.9973</b> (predicted 0.9973)" in bundle["text/html"]
    assert "Draws: <b>10</b></li>" in bundle["text/html"]


def test_the_verdict_looks_at_the_measured_value_alone() -> None:
    assert show("G3", share_within_3=(0.9973, 0.5)).verdict == "holds"
    assert show("G3", share_within_3=(0.995, 0.9973)).verdict == "imprecise"


def test_a_pair_has_two_members() -> None:
    with pytest.raises(ValueError, match="a pair"):
        show("G3", share_within_3=(0.9973, 0.9973, 0.9973))


def test_the_ledger_says_under_how_many_seeds_a_verdict_held(tmp_path: Path) -> None:
    finding = show("G3", share_within_3=0.9973)
    record = claims.Record(finding, "holds", tmp_path / "01_gaussian_problem.ipynb")
    html = claims.Ledger({"G3": record})._repr_html_()
    assert f"under {claims.robustness()['G3']['seeds']} seeds" in html
    other = replace(finding, verdict="imprecise")  # another verdict than the one that was seen
    html = claims.Ledger({"G3": replace(record, finding=other)})._repr_html_()
    assert "seeds" not in html
