"""The ledger: every claim of the source texts, with the verdict that a run computes.

``data/claims.toml`` holds what is known before any run: a claim's statement, its source and
chapter, and two predicates over values to be measured, the claim *as stated* and its *correction*.
A chapter measures and calls :func:`show`; the measurement travels in that cell's output.  The
ledger page reads the stored outputs (:func:`collect`) and judges each again (:func:`judge`).
No measured number stands in this package as text.
"""

import html
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from initcourse import _checks
from initcourse.tables import Table, rounded

Verdict: TypeAlias = Literal["holds", "imprecise", "false", "setting"]
MIME = "application/vnd.initcourse.claim+json"

# All that a predicate may call; the measured values are its only other names.
_FUNCTIONS = {f.__name__: f for f in (abs, all, any, len, max, min, round, sorted, sum)}
_DIGITS = 4
_COLUMNS = ("", "measured", "predicted")


class Contradiction(ValueError):
    """A measurement supports neither the claim as stated nor its correction."""


@dataclass(frozen=True)
class Source:
    """One of the source texts; `short` names it in a few words."""

    id: str
    short: str
    title: str
    author: str
    language: str


@dataclass(frozen=True)
class Claim:
    """A row of the ledger before any run.

    Attributes
    ----------
    id : str
        Such as ``"G1"``.
    source : str
        The id of the :class:`Source`.
    chapter : str
        The notebook, without its ending, in which the claim is run.
    statement : str
        The claim, paraphrased.
    stated : str
        Predicate over the measured values: the claim as stated.
    corrected : str
        Predicate of the weaker or corrected form.
    otherwise : {"imprecise", "false", "setting"}
        The verdict where only the correction is true; ``"setting"`` marks a row that is shown and
        not judged.
    correction : str
        What is true instead, or the condition that the text leaves out.
    """

    id: str
    source: str
    chapter: str
    statement: str
    stated: str
    corrected: str
    otherwise: Literal["imprecise", "false", "setting"]
    correction: str = ""


@dataclass(frozen=True)
class Finding:
    """A claim with what a run measured; shows itself as a card with the verdict."""

    claim: Claim
    measured: dict[str, Any]
    verdict: Verdict
    predicted: dict[str, Any] = field(default_factory=dict)

    @property
    def figures(self) -> str:
        """The measured values in words, as in ``share within 3 = 0.9973``."""
        return "; ".join(f"{_words(k)} = {_figure(v)}" for k, v in self.measured.items())

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """Name, measured and predicted value of each figure, in words."""
        return [
            (_words(k), _figure(v), _figure(self.predicted[k]) if k in self.predicted else "")
            for k, v in self.measured.items()
        ]

    @property
    def target(self) -> str:
        """The anchor of the card on its page."""
        return f"claim-{self.claim.id.lower()}"

    def __repr__(self) -> str:
        """Return the finding as one line of text, or as a table where something is predicted."""
        if not self.predicted:
            return f"{self.claim.id}: {self.verdict} ({self.figures})"
        return f"{self.claim.id}: {self.verdict}\n{Table(_COLUMNS, tuple(self.rows))}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "text/plain": repr(self),
            "text/html": self._card(),
            MIME: {"id": self.claim.id, "measured": self.measured, "verdict": self.verdict}
            | ({"predicted": self.predicted} if self.predicted else {}),
        }

    def _card(self) -> str:
        claim = self.claim
        said = "The setting" if self.verdict == "setting" else "The text says"
        lines = [
            f'<div class="claim verdict-{self.verdict}" id="{self.target}">',
            f'<p class="claim-head"><a href="#{self.target}" '
            f'aria-label="{claim.id}, link to this claim"><strong>{claim.id}</strong></a> '
            f'<span class="verdict">{self.verdict}</span> '
            f'<a href="ledger.{_ending()}#{_row_id(claim)}" '
            f'aria-label="{claim.id} in the ledger">in the ledger</a></p>',
            f"<p><strong>{said}:</strong> {html.escape(claim.statement)}</p>",
            f"<p><strong>Measured here:</strong></p>\n{self._list()}",
        ]
        if claim.correction and self.verdict != "holds":
            lines.append(_more_exactly(claim))
        return "\n".join([*lines, "</div>"])

    def _list(self) -> str:
        """Return the measured values as a list, one a line, each beside its prediction."""
        lines = []
        for name, value in self.measured.items():
            line = f"{html.escape(_name(name))}: <b>{_html_figure(value)}</b>"
            if name in self.predicted:
                line += f" (predicted {_html_figure(self.predicted[name])})"
            lines.append(f"<li>{line}</li>")
        return f'<ul class="figures">{"".join(lines)}</ul>'


def _ending() -> str:
    """Return how addresses of chapters end: pages on the static site, notebooks in Jupyter."""
    return "html" if os.environ.get("INITCOURSE_EXPLORER") == "static" else "ipynb"


def _row_id(claim: Claim) -> str:
    return f"row-{claim.id.lower()}"


def _more_exactly(claim: Claim) -> str:
    return f"<p><strong>More exactly:</strong> {html.escape(claim.correction)}</p>"


def _words(name: str) -> str:
    return name.replace("_", " ")


# How the field writes words that a variable's name cannot.
_WRITTEN = {
    **{name.lower(): name for name in ("Glorot", "He", "Kaiming", "Keras", "Kolmogorov", "LeCun")},
    **{name.lower(): name for name in ("QR", "ReLU", "RMS", "Xavier")},
    "preactivation": "pre-activation",
    "torch": "PyTorch",
}


def _name(variable: str) -> str:
    """Write a variable's name as words: ``relu_factor_at_005`` as "ReLU factor at 0.05"."""
    words = " ".join(_WRITTEN.get(word, word) for word in variable.split("_"))
    words = re.sub(r"\b0(\d+)\b", r"0.\1", words)
    words = re.sub(r"\b(\d+) (\d+)\b", r"\1/\2", words)  # gain 5/3
    words = re.sub(r"\b([dz]) (\d)", r"\1 = \2", words)
    return words[0].upper() + words[1:] if words[:2] not in ("p ", "u ") else words


def _html_figure(value: Any) -> str:
    """Write measured values with powers of ten and minus signs as on paper."""
    if value is True or value is False:
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_html_figure(item) for item in value)
    text = html.escape(_figure(value))
    if not isinstance(value, int | float):
        return text
    text = re.sub(r"e([+-])0*(\d+)$", r" × 10<sup>\1\2</sup>", text)
    return text.replace("<sup>+", "<sup>").replace("-", "−").replace(" × ", "\u00a0×\u00a0")


def _figure(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_figure(item) for item in value)
    return rounded(value, _DIGITS)


def _plain(value: Any) -> Any:
    """Return `value` as JSON holds it, floats with a few significant digits."""
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, bool | int | str):
        return value
    raise TypeError(f"a measured value must be a number, text or a list of them, got {value!r}")


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((files("initcourse.pages") / "data" / "claims.toml").read_text("utf-8"))


@cache
def sources() -> dict[str, Source]:
    """Return the source texts by their ids.

    Examples
    --------
    >>> sources()["000"].language
    'Italian'
    """
    return {key: Source(key, **row) for key, row in _data()["sources"].items()}


@cache
def claims() -> dict[str, Claim]:
    """Return all rows of the ledger by their ids, in the order of the sources.

    Examples
    --------
    >>> len(claims()), claims()["G3"].chapter
    (52, '01_gaussian_problem')
    """
    return {row["id"]: Claim(**row) for row in _data()["claim"]}


@cache
def framework_defaults() -> list[dict[str, Any]]:
    """Return what the frameworks' layers of 1000 inputs draw by default, with their versions.

    Measured in the frameworks by ``benchmarks/framework_defaults.py``, so that the course runs
    without them.

    Returns
    -------
    list of dict
        With the keys framework, version, layer, rule, weight_std and bias_std.

    Examples
    --------
    >>> sorted({row["framework"] for row in framework_defaults()})
    ['Flax', 'Haiku', 'Keras', 'PyTorch']
    """
    text = (files("initcourse.pages") / "data" / "framework_defaults.json").read_text("utf-8")
    rows: list[dict[str, Any]] = json.loads(text)
    return rows


@cache
def robustness() -> dict[str, dict[str, Any]]:
    """Return over how many seeds each claim's verdict was seen to hold, by the claim's id.

    Written by ``make robust``, which runs the chapters with all their seeds moved.

    Returns
    -------
    dict of str to dict
        With the keys verdict, seeds, and margin: the standard errors of one run between what is
        measured and the nearest threshold of the claim's predicates (20 stands for 20 or more).

    Examples
    --------
    >>> robustness()["G3"]["verdict"]
    'holds'
    """
    text = (files("initcourse.pages") / "data" / "robustness.json").read_text("utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)["claims"]
    return found


def _true(claim: Claim, predicate: str, measured: Mapping[str, Any]) -> bool:
    # The predicates come from the package's own data file, so eval runs no foreign text.
    try:
        # Both dictionaries in one, as a comprehension inside eval sees only the globals.
        return bool(eval(predicate, {"__builtins__": {}, **_FUNCTIONS, **measured}))
    except NameError as error:
        raise ValueError(
            f"claim {claim.id} needs a value that was not measured: {error}; "
            f"measured were {', '.join(measured) or 'none'}"
        ) from error


def judge(claim: Claim, measured: Mapping[str, Any]) -> Verdict:
    """Compute a claim's verdict from measured values.

    Parameters
    ----------
    claim : Claim
        The row.
    measured : mapping of str to number, text or list
        The values that its predicates name.

    Returns
    -------
    {"holds", "imprecise", "false", "setting"}

    Raises
    ------
    Contradiction
        If the claim as stated and its correction are both untrue of these values.
    ValueError
        If a predicate names a value that was not measured.

    Examples
    --------
    >>> row = Claim("X1", "000", "none", "pi is 3.14", stated="pi == 3.14",
    ...             corrected="abs(pi - 3.14) < 0.01", otherwise="imprecise")
    >>> judge(row, {"pi": 3.14159})
    'imprecise'
    """
    if _true(claim, claim.stated, measured):
        return "setting" if claim.otherwise == "setting" else "holds"
    if claim.otherwise != "setting" and _true(claim, claim.corrected, measured):
        return claim.otherwise
    raise Contradiction(
        f"claim {claim.id}: neither the claim as stated ({claim.stated}) nor its correction "
        f"({claim.corrected}) is true of {dict(measured)}; look at the run first, then at the row "
        "in claims.toml"
    )


def show(id: str, **measured: Any) -> Finding:
    """Judge a claim by what was just measured, and show the card.

    Parameters
    ----------
    id : str
        Such as ``"G3"``.
    **measured
        The values that the row's predicates name; their names are read as words on the card.
        Floats are kept with four significant digits, and judged so.  A pair (a tuple of two) is a
        measured value with its prediction: the card shows them side by side.

    Returns
    -------
    Finding

    Raises
    ------
    ValueError
        If the id is unknown or a value is missing.
    TypeError
        If a value is not a number, text or list.
    Contradiction
        If the measurement supports neither form of the claim.

    Examples
    --------
    >>> show("G3", share_within_3=0.99731)
    G3: holds (share within 3 = 0.9973)
    >>> show("G3", share_within_3=(0.99731, 0.9973002))
    G3: holds
                    measured    predicted
    --------------  ----------  -----------
    share within 3  0.9973      0.9973
    """
    claim = _checks.choice("claim", id, claims())
    pairs = {name: value for name, value in measured.items() if isinstance(value, tuple)}
    for name, pair in pairs.items():
        if len(pair) != 2:
            raise ValueError(
                f"{name} must be a value, a list, or a pair (measured, predicted), got {pair}"
            )
    values = {k: _plain(v[0] if k in pairs else v) for k, v in measured.items()}
    predicted = {name: _plain(law) for name, (_, law) in pairs.items()}
    return Finding(claim, values, judge(claim, values), predicted)


@dataclass(frozen=True)
class Record:
    """A finding as a notebook stores it: the verdict that it shows, and the file."""

    finding: Finding
    shown: Verdict
    notebook: Path


def collect(folder: str | os.PathLike[str]) -> dict[str, Record]:
    """Read the findings stored in the notebooks of a folder, and judge them again.

    Parameters
    ----------
    folder : path
        Where the chapters' notebooks lie.

    Returns
    -------
    dict of str to Record
        By the claim's id.

    Raises
    ------
    ValueError
        If a claim is measured in two cells, outside its chapter, or is unknown.
    Contradiction
        If a stored measurement supports neither form of its claim.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:  # no chapter yet
    ...     collect(folder)
    {}
    """
    records: dict[str, Record] = {}
    for notebook in sorted(Path(folder).glob("*.ipynb")):
        for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                stored = output.get("data", {}).get(MIME)
                if stored is None:
                    continue
                claim = _checks.choice("claim", stored["id"], claims())
                if claim.chapter != notebook.stem:
                    raise ValueError(
                        f"claim {claim.id} belongs to chapter {claim.chapter}, "
                        f"but is measured in {notebook.name}"
                    )
                if claim.id in records:
                    raise ValueError(f"claim {claim.id} is measured twice in {notebook.name}")
                if stored["verdict"] not in get_args(Verdict):
                    raise ValueError(f"claim {claim.id} shows {stored['verdict']!r}, no verdict")
                measured = stored["measured"]
                finding = Finding(
                    claim, measured, judge(claim, measured), stored.get("predicted", {})
                )
                records[claim.id] = Record(finding, stored["verdict"], notebook)
    return records


@dataclass(frozen=True)
class Ledger:
    """All claims with their findings; shows itself as a table."""

    records: dict[str, Record]

    def __repr__(self) -> str:
        """Return how many claims were run, and how many got which verdict."""
        verdicts = [record.finding.verdict for record in self.records.values()]
        counts = ", ".join(f"{verdicts.count(v)} {v}" for v in get_args(Verdict))
        return f"{len(self.records)} of {len(claims())} rows measured: {counts}"

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col">{name}</th>'
            for name in ("Claim", "Verdict", "What the text says", "Measured", "Text")
        )
        rows = "\n".join(self._row(claim) for claim in claims().values())
        return (
            f"<p>{self!r}.</p>\n{self._tools()}\n"
            f'<table class="ledger">\n<thead><tr>{head}</tr></thead>\n'
            f"<tbody>\n{rows}\n</tbody>\n</table>"
        )

    def _tools(self) -> str:
        """Return fields that choose and order rows; hidden where no script gives them life."""
        verdicts = "".join(f"<option>{name}</option>" for name in get_args(Verdict))
        texts = "".join(
            f'<option value="{source.id}">{html.escape(source.short)}</option>'
            for source in sources().values()
        )
        return (
            '<form class="ledger-tools" role="search" aria-label="Claims" hidden>\n'
            '<label>Words <input type="search" name="words"></label>\n'
            f'<label>Verdict <select name="verdict"><option value="">all</option>{verdicts}'
            "</select></label>\n"
            f'<label>Text <select name="text"><option value="">all</option>{texts}'
            "</select></label>\n"
            '<label>Order <select name="order"><option value="">of the texts</option>'
            '<option value="verdict">by verdict</option></select></label>\n'
            '<output class="ledger-count"></output>\n</form>'
        )

    def _row(self, claim: Claim) -> str:
        record = self.records.get(claim.id)
        source = sources()[claim.source]
        said = f"<p>{html.escape(claim.statement)}</p>"
        held = robustness().get(claim.id, {})
        seeds = ""
        if record is None:
            name, kind, verdict, figures = claim.id, "pending", "not yet run", "–"
        else:
            finding = record.finding
            href = f"{record.notebook.stem}.{_ending()}#{finding.target}"
            name = f'<a href="{href}" aria-label="{claim.id}, the run">{claim.id}</a>'
            kind = verdict = finding.verdict
            figures = finding._list()
            if held.get("verdict") == verdict:
                seeds = f' <small class="seeds">under {held["seeds"]} seeds</small>'
            if claim.correction and verdict != "holds":
                said += _more_exactly(claim)
        return (
            f'<tr class="verdict-{kind}" id="{_row_id(claim)}" data-text="{source.id}" '
            f'data-verdict="{kind}"><th scope="row">{name}</th>'
            f'<td><span class="verdict">{verdict}</span>{seeds}</td><td>{said}</td>'
            f'<td>{figures}</td><td><a href="sources.{_ending().replace("ipynb", "md")}">'
            f"{html.escape(source.short)}</a></td></tr>"
        )


def ledger(folder: str | os.PathLike[str] = ".") -> Ledger:
    """Read all stored findings and show them beside the claims that wait for a run.

    Parameters
    ----------
    folder : path, default the current one
        Where the chapters' notebooks lie.

    Returns
    -------
    Ledger

    Raises
    ------
    ValueError, Contradiction
        As :func:`collect`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:  # no chapter yet
    ...     ledger(folder)
    0 of 52 rows measured: 0 holds, 0 imprecise, 0 false, 0 setting
    """
    return Ledger(collect(folder))
