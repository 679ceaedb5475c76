"""The homework: reference solutions, hidden tests that can fail, checks that teach, validation."""

import ast
import contextlib
import inspect
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import numpy as np
import pytest

from initcourse import homework
from initcourse.homework import HOMEWORKS, check, expect, given, tasks, title, version_of
from initcourse.homework.validation import validate

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "book" / "homework"
STUDENTS = ("ada", "emmy", "s123456", "Zoé", "42", "li.wei@uni.example", "maria-luisa", "x" * 60)
BEGIN, END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
AUTOMATIC = [f"{hw}.{task}" for hw in HOMEWORKS for task, look in tasks(hw).items() if look]
NO_ANSWERS = [
    None, ..., "text", [], {}, (), True, float("nan"), float("inf"), -1.0, 1e9, 1j, object(), len,
    10**400, [10**400] * 3, [[10**400] * 5] * 5, [[1.0], [1.0, 2.0]], [[1.0, [2.0]], [3.0, 4.0]],
    [[[1.0] * 5] * 5] * 3, [[1.0, 2.0, 3.0, 4.0, [5.0]]] * 3, np.zeros((2, 2)), np.array([]),
    np.array([np.nan]), [None] * 3,
]  # fmt: skip


# --- the notebooks -------------------------------------------------------------------------------


@cache
def source_of(hw: str) -> Any:
    return nbformat.read(FOLDER / "source" / f"{hw}.ipynb", as_version=4)


@cache
def copy_of(hw: str) -> Any:
    return nbformat.read(FOLDER / f"{hw}.ipynb", as_version=4)


def graded(cell: Any, key: str) -> Any:
    return cell.metadata.get("nbgrader", {}).get(key)


def cell_of(notebook: Any, grade_id: str) -> Any:
    (cell,) = [one for one in notebook.cells if graded(one, "grade_id") == grade_id]
    return cell


def parts(test_cell: Any) -> tuple[str, str]:
    """Split a test cell into what the student sees and what is hidden."""
    visible, _, rest = test_cell.source.partition(BEGIN)
    return visible, rest.partition(END)[0]


def value_of(check_call: str, names: dict[str, Any]) -> Any:
    """Evaluate the expression that is checked, as grading does."""
    (line,) = ast.parse(check_call).body
    assert isinstance(line, ast.Assign)
    assert isinstance(line.value, ast.Call)
    _, expression = line.value.args
    return eval(compile(ast.Expression(expression), "answer", "eval"), names)


def start_cells(hw: str, task: str) -> Iterator[str]:
    """Yield the code before a task's answer: imports, numbers, and the task's own functions."""
    for cell in source_of(hw).cells:
        if cell.cell_type == "code" and not cell.id.endswith("-student"):
            locked = graded(cell, "grade_id") in ("imports", "given")
            if locked or (graded(cell, "grade_id") is None and f"-{task}-" in cell.id):
                yield cell.source


def answered(name: str, student: str, solution: str | None = None) -> Any:
    """Run a task's solution, or another one, for a student; return the value that is checked."""
    hw, _, task = name.partition(".")
    names: dict[str, Any] = {"student": student}
    with contextlib.redirect_stdout(io.StringIO()):
        for code in start_cells(hw, task):
            exec(code, names)
        exec(solution or cell_of(source_of(hw), task).source, names)
        return value_of(parts(cell_of(source_of(hw), f"{task}-test"))[0], names)


reference = cache(answered)


def hidden(name: str, answer: Any, student: str) -> str | None:
    """Run a task's hidden tests; return the message of the one that fails, or None."""
    hw, _, task = name.partition(".")
    _, code = parts(cell_of(source_of(hw), f"{task}-test"))
    try:
        exec(code, {"answer": answer, "given": given(hw, student), "np": np})
    except AssertionError as error:
        return str(error)
    return None


def visible(name: str, answer: Any) -> str | None:
    """Run a task's visible check; return its message if it refuses the answer, or None."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            check(name, answer)
    except AssertionError as error:
        return str(error)
    return None


# --- sources and copies --------------------------------------------------------------------------


@pytest.mark.parametrize("hw", HOMEWORKS)
def test_the_copy_is_what_release_makes(hw: str) -> None:
    release = pytest.importorskip("initcourse.grading.hand_out.release")
    made = release.student_copy(FOLDER / "source" / f"{hw}.ipynb")
    stored = (FOLDER / f"{hw}.ipynb").read_bytes()
    assert stored == made, f"make it again: initcourse homework release {hw} (book/instructors.md)"


@pytest.mark.parametrize("hw", HOMEWORKS)
def test_the_copy_holds_no_solution_and_no_hidden_test(hw: str) -> None:
    source, copy = source_of(hw), copy_of(hw)
    assert copy.metadata["initcourse"] == {"homework": hw, "version": version_of(source)}
    assert [cell.id for cell in copy.cells] == [cell.id for cell in source.cells]
    for before, after in zip(source.cells, copy.cells, strict=True):
        kept = re.sub(r" *### BEGIN (\w+).*?### END \1[^\n]*", "", before.source, flags=re.DOTALL)
        if graded(before, "solution") and before.cell_type == "markdown":
            assert after.source == "YOUR ANSWER HERE"
        elif graded(before, "solution"):
            assert kept != before.source, f"{before.id} holds no solution"
            left = re.sub(r" *# YOUR CODE HERE", "", after.source)
            assert left.strip() == kept.strip()
        else:
            assert after.source.strip() == kept.strip()
        if after.cell_type == "code":
            assert after.outputs == []
            assert after.execution_count is None


@pytest.mark.parametrize("hw", HOMEWORKS)
def test_the_format_of_a_source(hw: str) -> None:
    source, points = source_of(hw), 0
    assert source.metadata["initcourse"] == {"homework": hw}
    ids = [graded(cell, "grade_id") for cell in source.cells if graded(cell, "grade_id")]
    assert len(set(ids)) == len(ids)
    headings = re.findall(r"^## Task (\d): .* \((\d+) points?\)$", text_of(source), re.MULTILINE)
    assert [int(number) for number, _ in headings] == list(range(1, len(tasks(hw)) + 1))
    for (number, stated), (task, look) in zip(headings, tasks(hw).items(), strict=True):
        assert task == f"q{number}"
        answer = cell_of(source, task)
        assert graded(answer, "solution")
        assert answer.id == f"{hw}-{task}-answer"
        marked = answer if look is None else cell_of(source, f"{task}-test")
        assert graded(marked, "points") == int(stated)
        points += int(stated)
        if look is None:
            assert marked.cell_type == "markdown"
            continue
        assert marked.id == f"{hw}-{task}-test"
        assert graded(marked, "locked")
        shown = ast.unparse(ast.parse(parts(marked)[0]))
        assert shown.startswith(f"answer = check('{hw}.{task}', ")
        assert marked.source.endswith(END)
        assert all(
            line.msg is not None
            for line in ast.walk(ast.parse(marked.source))
            if isinstance(line, ast.Assert)
        ), f"{marked.id}: an assert without a message teaches nothing"
    assert list(tasks(hw).values()).count(None) == 1
    assert f"There are {points} points." in text_of(source)
    assert title(hw) in source.cells[0].source
    code = [cell.source for cell in copy_of(hw).cells if cell.cell_type == "code"]
    assert max(text.count("\n") for text in code) < 20


def text_of(notebook: Any) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("hw", HOMEWORKS)
def test_the_version_depends_on_what_every_student_gets(hw: str) -> None:
    raw = json.loads((FOLDER / "source" / f"{hw}.ipynb").read_text(encoding="utf-8"))
    version = version_of(raw)
    assert re.fullmatch(r"[0-9a-f]{12}", version)
    assert version == version_of(source_of(hw)) == version_of(copy_of(hw))
    place = {cell["id"]: cell for cell in raw["cells"]}
    raw["metadata"]["more"] = place[f"{hw}-imports"]["metadata"]["more"] = 1
    place[f"{hw}-imports"]["outputs"] = []
    place[f"{hw}-q1-answer"]["source"] = "another solution"
    place[f"{hw}-q6-answer"]["source"] = "another text"
    test = place[f"{hw}-q1-test"]
    test["source"] = "".join(test["source"]).replace("assert ", "assert True or ", 1)
    assert version_of(raw) == version
    test["source"] = test["source"].replace("answer =", "mine =", 1)
    assert version_of(raw) != version


def test_homeworks_have_different_versions() -> None:
    assert len({version_of(source_of(hw)) for hw in HOMEWORKS}) == len(HOMEWORKS)


# --- a student's numbers -------------------------------------------------------------------------


def test_numbers_follow_from_homework_and_student() -> None:
    for hw in (*HOMEWORKS, "own"):
        drawn = [json.dumps(vars(given(hw, student))) for student in STUDENTS]
        assert len(set(drawn)) == len(STUDENTS), f"{hw}: two students have the same numbers"
    assert given("own", "ada") != given("own2", "ada")
    assert given("hw1", " ADA ") == given("hw1", "ada")


def test_nobodys_numbers_are_announced(capsys: pytest.CaptureFixture[str]) -> None:
    assert vars(given("hw1", homework.NOBODY))
    assert "Write your own id" in capsys.readouterr().out
    given("hw1", "ada")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("student", "said"), [(12, "text in quotes"), ("  ", "must not be empty"), (None, "text")]
)
def test_an_id_is_a_text(student: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=said):
        given("hw1", student)


# --- hidden tests --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", AUTOMATIC)
def test_the_reference_solution_earns_all_points(name: str) -> None:
    for student in STUDENTS:
        answer = reference(name, student)
        assert visible(name, answer) is None
        assert hidden(name, answer, student) is None, f"{name} for {student}"
        # The notebook itself hands the hidden tests what `check` returns.
        assert hidden(name, expect.plain(answer), student) is None


@pytest.mark.parametrize("name", AUTOMATIC)
def test_what_is_no_answer_earns_nothing(name: str) -> None:
    """Grading takes any exception of a hidden test for a wrong answer; none of these may pass."""
    right = reference(name, "ada")
    shape = np.shape(next(iter(right.values())) if isinstance(right, dict) else right)
    spoiled = [*NO_ANSWERS, np.zeros((0, *shape)), np.full((0, 1, *shape), 1.0), str(right)]
    if isinstance(right, dict):
        spoiled += [dict.fromkeys(right, value) for value in list(spoiled)]
    for value in spoiled:
        with contextlib.suppress(ArithmeticError, LookupError, TypeError, ValueError):
            assert hidden(name, value, "ada") is not None, f"accepts {value!r}"


@pytest.mark.parametrize("name", AUTOMATIC)
def test_grading_takes_the_answer_as_the_kernel_sends_it(name: str) -> None:
    answers = pytest.importorskip("initcourse.grading.comparing.answers")
    comparer = pytest.importorskip("initcourse.grading.comparing.comparer")
    hw, _, task = name.partition(".")
    sent = str(answers.encode(reference(name, "ada")))
    cell = cell_of(source_of(hw), f"{task}-test").source
    verdict = comparer.compare(hw, "ada", cell, sent)
    assert verdict.right, verdict
    assert not comparer.compare(hw, "emmy", cell, sent).right


@pytest.mark.parametrize("name", AUTOMATIC)
def test_the_answers_of_another_student_are_wrong(name: str) -> None:
    for mine, theirs in permutations(STUDENTS, 2):
        assert hidden(name, reference(name, mine), theirs), f"{mine} handed in as {theirs}"


class Wrong(NamedTuple):
    """A plausible wrong solution, and whether the visible check says so."""

    name: str
    old: str
    new: str
    odd: bool
    why: str


END_SOLUTION = "### END SOLUTION"
WRONG = [
    Wrong("hw1.q1", "variance**0.5", "variance", True, "variance for std: larger than can be"),
    Wrong("hw1.q1", "given.ones", "given.inputs", False, "counts inputs at 0: same range"),
    Wrong("hw1.q1", "bias_std=given.bias_std", "bias_std=0.0", False, "no bias: hardly smaller"),
    Wrong("hw1.q2", "2 * ndtr", "ndtr", True, "one tail: not 1 at threshold 0"),
    Wrong("hw1.q2", "/ std)", "/ std**2)", False, "variance for std: still falls from 1"),
    Wrong("hw1.q2", "ndtr(-threshold", "ndtr(threshold", True, "wrong sign: above 1"),
    Wrong("hw1.q3", "2 * given.rate", "given.rate", False, "forgets the bias: all counts double"),
    Wrong("hw1.q3", "output * output *", "output *", False, "forgets the error"),
    Wrong("hw1.q3", END_SOLUTION, "steps[1] += steps[0]", True, "second count begins at the start"),
    Wrong("hw1.q4", ', given.bias_std)\nnets', ')\nnets', False, "q* without biases: close"),
    Wrong("hw1.q4", "given.width**0.5", "1.0", True, "σ_w = 1: far from the draw"),
    Wrong("hw1.q4", "given.width**0.5", "given.width", True, "σ_w = n: far from the draw"),
    Wrong("hw1.q5", "given.share / 2", "given.share", False, "one tail: half the share"),
    Wrong("hw1.q5", "wanted**2 - 1", "wanted**2", False, "forgets the bias: a bit too wide"),
    Wrong("hw1.q5", "given.ones) ** 0.5", "given.ones)", False, "variance for std"),
    Wrong("hw1.q5", "np.abs(z) > 4.585", "z > 4.585", False, "draws one tail"),
    Wrong("hw1.q5", " + rng.standard_normal(10_000)", "", False, "draws no bias"),
    Wrong("hw1.q5", "given.ones, 10_000", "given.inputs, 10_000", False, "draws all inputs"),
    Wrong("hw2.q1", "initializers.compute_fans(given.kernel)", "given.kernel[2:]", False, "no 3×3"),
    Wrong("hw2.q1", "fan_in, fan_out =", "fan_out, fan_in =", False, "fans swapped: same form"),
    Wrong("hw2.q1", "(2 / fan_in) ** 0.5", "2 / fan_in", True, "variance for std: not √2 apart"),
    Wrong("hw2.q1", "3**0.5 *", "3**-0.5 *", True, "end inside the std"),
    Wrong("hw2.q2", "std / initializers", "std * initializers", False, "narrower, not wider"),
    Wrong("hw2.q2", "/ initializers.truncated_normal_std(bound)", "", False, "the naive cut"),
    Wrong("hw2.q2", "std=wide, bound=bound", "std=wide, bound=2.0", False, "always Keras' cut"),
    Wrong("hw2.q2", "initializers.truncated_normal(shape, rng, std=wide, bound=bound)",
          "initializers.normal(shape, rng, std=std)", True, "not cut: beyond 3 stds"),
    Wrong("hw2.q3", "zip(given.incoming, given.outgoing)", "given.incoming", False, "one side"),
    Wrong("hw2.q3", "zip(given.incoming, given.outgoing)", "given.outgoing", False, "one side"),
    Wrong("hw2.q3", "sides.index(pair)", "15 - sides[::-1].index(pair)", True, "last, not first"),
    Wrong("hw2.q4", "for fan in fans)\n###", "for fan in fans[::-1])\n###", True, "fans swapped"),
    Wrong("hw2.q4", "return (x @ W).var() / x.var(), (g @ W.T).var() / g.var()",
          "return (g @ W.T).var() / g.var(), (x @ W).var() / x.var()", True, "draws swapped"),
    Wrong("hw2.q4", "initializers.glorot_normal((", "initializers.lecun_normal((", True,
          "draws another rule"),
    Wrong("hw2.q4", "2 / sum(fans)", "1 / sum(fans)", True, "half the variance: sum is not 2"),
    Wrong("hw2.q4", "2 / sum(fans)", "(2 / sum(fans)) ** 0.5", True, "std for variance"),
    Wrong("hw2.q5", "given.hidden - 1", "given.hidden", False, "one step too many"),
    Wrong("hw2.q5", "(2 / steps)", "(1 / steps)", False, "RMS for mean square"),
    Wrong("hw2.q5", "[2 / widest, 2 * widest]", "[2 * widest, 2 / widest]", True, "wrong order"),
    Wrong("hw2.q5", "[2 / widest, 2 * widest]", "[0.5 / widest, 0.9]", True, "He's scale fails"),
    Wrong("hw3.q1", "share * np.log(share)", "share * np.log2(share)", True, "bits: above ln 5"),
    Wrong("hw3.q1", " - np.mean(np.log(share))", "", True, "sum of the entries is not 0"),
    Wrong("hw3.q1", "np.log(share) - np.mean(np.log(share))", "share - np.mean(share)", False,
          "probabilities for logits: the sum is 0"),
    Wrong("hw3.q2", "(6 /", "(2 /", False, "forgets the 3 of a uniform draw: the std for ε"),
    Wrong("hw3.q2", "given.width) ** 0.5", "given.width)", False, "n for √n"),
    Wrong("hw3.q2", "given.slope**2", "given.slope", False, "a for a²"),
    Wrong("hw3.q2", "** (1 / 9)", "** (1 / 10)", False, "ten steps between ten layers"),
    Wrong("hw3.q2", "low=-epsilon", "low=0.0", False, "draws no negative weights"),
    Wrong("hw3.q3", "(2 * given.level)", "given.level", False, "1/ℓ: factor 2, just allowed"),
    Wrong("hw3.q3", "1 + next", "next", False, "counts layers from 0"),
    Wrong("hw3.q3", 'theory.activation_variance(q, "tanh")', "q", False, "E[z²] for Var(a)"),
    Wrong("hw3.q4", "2 / (1 - given.drop)", "2 * (1 - given.drop)", True, "shrinks what is lost"),
    Wrong("hw3.q4", "2 / (1 - given.drop)", "2 / (1 - round(given.drop, 1))", False, "rounds p"),
    Wrong("hw3.q4", "2 / (1 - given.drop)", "2 * (1 + given.drop)", True, "as if p were small"),
    Wrong("hw3.q4", "2 / (1 - given.drop)", "2 / (1 - given.drop) ** 2", True, "1/(1 − p) squared"),
    Wrong("hw3.q5", "1 + int(", "int(", False, "all layers hidden"),
    Wrong("hw3.q5", "np.log(1 - share)", "np.log(share)", False, "share for 1 − share"),
    Wrong("hw4.q1", "given.inputs * theory", "theory", False, "one product, not n"),
    Wrong("hw4.q1", "given.weight_std**2", "given.weight_std", False, "std for variance"),
    Wrong("hw4.q1", "(given.input_mean, ", "(0.0, ", False, "inputs centred"),
    Wrong("hw4.q1", ", given.weight_mean)", ", 0.0)", True, "a mean that adds nothing"),
    Wrong("hw4.q2", "given.depth,", "given.depth + 1,", False, "one layer too many"),
    Wrong("hw4.q2", "path(given.scale,", "path(1.0,", False, "first layer without its weights"),
    Wrong("hw4.q2", "moments.variance}", "q / 2}", True, "half of the *variance*"),
    Wrong("hw4.q2", "moments.variance}", "moments.variance**0.5}", True, "std for variance"),
    Wrong("hw4.q3", " * (1 - np.tanh(z) ** 2)", "", False, "without the slope"),
    Wrong("hw4.q3", "np.tanh(z) ** 2", "np.tanh(z)", False, "another slope"),
    Wrong("hw4.q3", "(delta @ W.T) * (1 - np.tanh(z) ** 2)", "W @ delta.T", True, "transposed"),
    Wrong("hw4.q4", "** -0.5", "** -1", False, "c in one layer of the pair: near 1 all the same"),
    Wrong("hw4.q4", "** -0.5", "** 0.5", True, "makes it worse"),
    Wrong("hw4.q4", "/ (given.wide + given.narrow) ** 2", "/ (given.wide + given.narrow)", True,
          "no square: far above 1"),
    Wrong("hw4.q5", "given.spread**2\nn", "given.spread\nn", True, "std for variance"),
    Wrong("hw4.q5", '["exact"] = n', '["exact"] = n - 1', False, "one unit too few"),
    Wrong("hw4.q5", '["exact"] = n', '["exact"] = int(np.ceil(width["by_law"]))', False, "rounds"),
    Wrong("hw5.q1", "(1 - share)", "(1 - share**2)", False, "share of a squared slope"),
    Wrong("hw5.q1", "(1 - share)", "(1 - 4 * share)", True, "slope for share: no real number"),
    Wrong("hw5.q1", "y / (1 - y)", "y", True, "y for its odds: below 0"),
    Wrong("hw5.q2", " + given.others", "", False, "forgets the other inputs"),
    Wrong("hw5.q2", "given.outside / 2", "given.outside", False, "one tail"),
    Wrong("hw5.q2", "3 * variance", "variance", False, "std for bound"),
    Wrong("hw5.q2", "np.abs(z) > 4", "z > 4", False, "draws one tail"),
    Wrong("hw5.q2", "given.pixel_mean + given.pixel_std *", "given.pixel_std *", False,
          "draws pixels of mean 0"),
    Wrong("hw5.q3", "max(0.0, 1 - t * p**0.5)", "(1 - t * p**0.5)", True, "negative probability"),
    Wrong("hw5.q3", "return p * max", "return max", False, "as if the input were always on"),
    Wrong("hw5.q3", "return p *", "return p / 2 *", False, "one tail"),
    Wrong("hw5.q3", "t * p**0.5", "t * p", False, "size 1/p of the input: not normalized"),
    Wrong("hw5.q4", "variance_path(f**2,", "variance_path(1.0,", False, "first layer: close"),
    Wrong("hw5.q4", "** (1 / 7)\n", "** (1 / 8)\n", False, "8 steps between 8 layers: close"),
    Wrong("hw5.q4", "f = given.factor", "f = given.factor**0.5", True, "far from the draw"),
    Wrong("hw5.q5", "return Q * np.sign(np.diag(R))", "return Q", False, "signs of the library"),
    Wrong("hw5.q5", "Q * np.sign(np.diag(R))", "Q * np.sign(np.diag(R))[:, None]", False, "rows"),
    Wrong("hw5.q5", "Q * np.sign(np.diag(R))", "np.linalg.svd(G)[0]", False, "another rotation"),
    Wrong("hw5.q5", "Q * np.sign(np.diag(R))", "R", True, "not orthogonal"),
]  # fmt: skip


def test_every_automatic_task_has_wrong_solutions() -> None:
    assert {wrong.name for wrong in WRONG} == set(AUTOMATIC)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.name}: {wrong.why}")
def test_a_plausible_wrong_solution_earns_nothing(wrong: Wrong) -> None:
    hw, _, task = wrong.name.partition(".")
    solution = cell_of(source_of(hw), task).source
    assert wrong.old in solution, "the solution has changed: write the mutation again"
    for student in STUDENTS[:3]:
        answer = answered(wrong.name, student, solution.replace(wrong.old, wrong.new))
        with contextlib.suppress(TypeError, ValueError):  # grading takes these for wrong, too
            assert hidden(wrong.name, answer, student), f"accepted for {student}"
    answer = answered(wrong.name, "ada", solution.replace(wrong.old, wrong.new))
    assert (visible(wrong.name, answer) is not None) == wrong.odd, visible(wrong.name, answer)


MADE_UP = {
    "hw1.q4": [
        'growth["measured"] = growth["predicted"]',
        'growth["measured"] = 1.02 * growth["predicted"]',
        'growth["median_over_rms"] = 0.1',
        'growth["measured"] = np.mean(ratios) ** (1 / 7)',
    ],
    "hw1.q5": [
        "drawn_share = lambda std, rng: 0.05",
        "drawn_share = lambda std, rng: given.share",
        "drawn_share = lambda std, rng: rng.uniform(0.01, 0.1)",
        "drawn_share = lambda std, rng: {0.1: 0.05, 0.2: 0.3, 0.4: 0.6}[std]",
        "from scipy.special import ndtr\n"
        "exact = lambda std: 2 * ndtr(-4.585 / (given.ones * std**2 + 1) ** 0.5)\n"
        "drawn_share = lambda std, rng: exact(std)",
        "from scipy.special import ndtr\n"
        "exact = lambda std: 2 * ndtr(-4.585 / (given.ones * std**2 + 1) ** 0.5)\n"
        "drawn_share = lambda std, rng: round(exact(std), 4)",
        "from scipy.special import ndtr\n"
        "exact = lambda std: 2 * ndtr(-4.585 / (given.ones * std**2 + 1) ** 0.5)\n"
        "drawn_share = lambda std, rng: round(exact(std), 4) + rng.integers(-5, 5) / 10_000",
    ],
    "hw2.q2": [
        "cut_normal = lambda shape, rng, std, bound: std",
        "cut_normal = lambda shape, rng, std, bound: std * np.ones(shape)",
        "cut_normal = lambda shape, rng, std, bound: std * rng.choice([-1, 1], shape)",
        "cut_normal = lambda shape, rng, std, bound: rng.uniform(-1, 1, shape) * std * 3**0.5",
        "from scipy.stats import truncnorm\n"
        "grid = (np.arange(120_000) + 0.5) / 120_000\n"
        "wide = lambda std, bound: std / initializers.truncated_normal_std(bound)\n"
        "cut_normal = lambda shape, rng, std, bound: wide(std, bound) * "
        "truncnorm(-bound, bound).ppf(grid).reshape(shape)",
    ],
    "hw2.q4": [
        'drawn = lambda fan_in, fan_out, rng: (factor["forward"], factor["backward"])',
        "drawn = lambda fan_in, fan_out, rng: (1.0, 1.0)",
        "drawn = lambda fan_in, fan_out, rng: "
        "(2 * fan_in / (fan_in + fan_out), 2 * fan_out / (fan_in + fan_out))",
        "near = lambda x, rng: x * (1 + 1e-5 * rng.standard_normal())\n"
        "drawn = lambda fan_in, fan_out, rng: (near(2 * fan_in / (fan_in + fan_out), rng), "
        "near(2 * fan_out / (fan_in + fan_out), rng))",
    ],
    "hw3.q2": [
        "drawn_growth = lambda epsilon, seed: 1.0",
        "drawn_growth = lambda epsilon, seed: 1 + seed / 1e9",
        "drawn_growth = lambda epsilon, seed: given.width * epsilon**2 * (1 + given.slope**2) / 6",
        "law = lambda epsilon: given.width * epsilon**2 * (1 + given.slope**2) / 6\n"
        "drawn_growth = lambda epsilon, seed: law(epsilon) * (1 + 1e-5 * (seed % 7))",
    ],
    "hw3.q4": ['dropped["growth"] = 1.0', 'dropped["growth"] = 0.99'],
    "hw4.q4": ['pair["drawn"] = 1.0', 'pair["drawn"] = 1.01'],
    "hw5.q2": [
        "drawn_share = lambda bound, rng: given.outside",
        "drawn_share = lambda bound, rng: bound * rng.uniform(0.5, 0.6)",
        "from scipy.special import ndtr\n"
        "drawn_share = lambda bound, rng: 2 * ndtr(-4 / (bound * (squares / 3) ** 0.5))",
        "from scipy.special import ndtr\n"
        "drawn_share = lambda bound, rng: round(2 * ndtr(-4 / (bound * (squares / 3) ** 0.5)), 4)",
    ],
    "hw5.q4": [
        'kept["drawn_sigmoid"] = kept["sigmoid"]',
        'kept["drawn_centred"] = kept["centred"]',
        'kept["drawn_centred"] = 1.01 * kept["centred"]',
    ],
}


@pytest.mark.parametrize(
    ("name", "line"), [(name, line) for name, lines in MADE_UP.items() for line in lines]
)
def test_a_measurement_that_nobody_took_earns_nothing(name: str, line: str) -> None:
    """Constants, predictions given for measurements, and laws without the noise of a draw."""
    hw, _, task = name.partition(".")
    solution = f"{cell_of(source_of(hw), task).source}\n{line}"
    for student in STUDENTS[:3]:
        answer = answered(name, student, solution)
        assert visible(name, answer) or hidden(name, answer, student), f"accepted for {student}"


def test_every_task_that_asks_for_a_draw_is_tried_with_a_made_up_one() -> None:
    asked = {
        f"{hw}.{task}"
        for hw in HOMEWORKS
        for task, look in tasks(hw).items()
        if look and re.search("draw|measure", cell_of(source_of(hw), f"{task}-test").source)
    }
    assert asked == set(MADE_UP)


# --- the visible checks --------------------------------------------------------------------------


def numbers_in(answer: Any) -> Iterator[float]:
    match expect.plain(answer):
        case dict(entries):
            yield from (number for one in entries.values() for number in numbers_in(one))
        case list(entries):
            yield from (number for one in entries for number in numbers_in(one))
        case number:
            yield float(number)


@pytest.mark.parametrize("name", AUTOMATIC)
def test_a_check_says_what_to_look_at_and_holds_no_answer(name: str) -> None:
    right = reference(name, "ada")
    secrets = {f"{abs(number):.3g}" for number in numbers_in(right)}
    spoiled: list[Any] = list(NO_ANSWERS)
    if isinstance(right, dict):
        spoiled += [right | {key: value} for key in right for value in (None, np.nan, "1", -1e9)]
        spoiled += [{key: right[key] for key in list(right)[1:]}, right | {"more": 1}]
    if isinstance(right, list | np.ndarray):
        spoiled += [
            right[1:],
            [*right[1:], np.nan],
            [*right[1:], None],
            [str(one) for one in right],
        ]
    for value in spoiled:
        message = visible(name, value)
        assert message is not None, f"accepts {value!r}"
        assert message.startswith(f"{name}: ")
        assert len(message.split()) > 5, message
        if not isinstance(value, dict | list | np.ndarray):
            told = set(re.findall(r"\d+\.\d+", message))
            assert not told & secrets, message


@pytest.mark.parametrize("hw", HOMEWORKS)
def test_a_check_cannot_compute_an_answer(hw: str) -> None:
    """No check sees a student's numbers, and none imports what could compute with them."""
    code = (ROOT / "initcourse" / "homework" / f"{hw}.py").read_text(encoding="utf-8")
    tree = ast.parse(code)
    imported = {
        name
        for line in ast.walk(tree)
        for name in (
            [line.module] if isinstance(line, ast.ImportFrom)
            else [alias.name for alias in line.names] if isinstance(line, ast.Import) else []
        )
    }  # fmt: skip
    assert imported <= {
        "collections.abc", "typing", "numpy", "initcourse.homework", "initcourse.homework.expect",
    }  # fmt: skip
    checks = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name != "given"]
    assert [one.name for one in checks] == [task for task, look in tasks(hw).items() if look]
    assert all(len(one.args.args) == 1 for one in checks)


def test_an_accepted_answer_comes_back_as_plain_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("own.q1", {"a": np.float32(0.5), "b": (np.arange(2), True)}) == {
        "a": 0.5,
        "b": [[0, 1], True],
    }
    assert capsys.readouterr().out == "own.q1: an answer. The hidden tests compare its value.\n"


def holds_itself() -> list[Any]:
    loop: list[Any] = []
    loop.append({"again": loop})
    return loop


@pytest.mark.parametrize(
    "value",
    [
        holds_itself(),
        {"a" * 5_000_000: 1.0},
        {"a" * 5_000_000: np.nan},
        {"a" * 5_000_000: object()},
        {f"key {k}": 1.0 for k in range(10_000)},
    ],
    ids=["holds itself", "long key", "long key of nan", "long key of an object", "many keys"],
)
@pytest.mark.parametrize("name", [*AUTOMATIC, "own.q1"])
def test_an_answer_of_any_size_gets_a_short_message(name: str, value: Any) -> None:
    said = visible(name, value)
    if said is None:
        assert name == "own.q1"  # a check of an instructor's task accepts any numbers
    else:
        assert len(said) < 1_000


@pytest.mark.parametrize("task", ["q1", "hw1.", ".q1"])
def test_a_task_has_a_homework_and_a_name(task: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(task))):
        check(task, 1.0)


# --- the student's copy --------------------------------------------------------------------------

ALONE = """
import json, socket, sys

def refuse(*args, **kwargs):
    raise OSError("no network here")

socket.socket.connect = socket.getaddrinfo = refuse
for name in ("nbgrader", "nbclient", "dask", "joblib"):
    sys.modules[name] = None
found = {}
for path in sys.argv[1:]:
    names = {}
    for cell in json.load(open(path, encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            try:
                exec("".join(cell["source"]), names)
            except BaseException as error:
                found[cell["id"]] = f"{type(error).__name__}: {error}"
sys.stdout = sys.__stdout__
print(json.dumps(found))
"""


def test_an_untouched_copy_fails_only_with_the_checks_messages() -> None:
    copies = [str(FOLDER / f"{hw}.ipynb") for hw in HOMEWORKS]
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE, *copies],
        capture_output=True, text=True, check=True, cwd=ROOT, timeout=120,
    )  # fmt: skip
    found = json.loads(run.stdout.splitlines()[-1])
    assert set(found) == {f"{name.replace('.', '-')}-test" for name in AUTOMATIC}
    for cell, message in found.items():
        hw, task, _ = cell.split("-")
        assert re.match(rf"AssertionError: {hw}\.{task}: .*(no answer yet|still None)", message)


def test_importing_it_is_light() -> None:
    code = "import sys, initcourse; print([m for m in sys.modules if 'homework' in m])\n"
    code += "import initcourse.homework; print([m for m in ('nbclient', 'nbformat', 'IPython', "
    code += "'matplotlib', 'scipy', 'sklearn', 'initcourse.theory') if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.split("\n")[:2] == ["[]", "[]"]


# --- the template --------------------------------------------------------------------------------


def test_a_homework_made_from_the_template_works(tmp_path: Path) -> None:
    release = pytest.importorskip("initcourse.grading.hand_out.release")
    text = (FOLDER / "source" / "template" / "template.ipynb").read_text(encoding="utf-8")
    path = tmp_path / "lab3.ipynb"
    path.write_text(text.replace("template", "lab3"), encoding="utf-8")
    source = nbformat.read(path, as_version=4)
    copy = nbformat.reads(release.student_copy(path).decode(), as_version=4)
    assert copy.metadata["initcourse"] == {"homework": "lab3", "version": version_of(source)}

    def run(notebook: Any, student: str) -> dict[str, Any]:
        names: dict[str, Any] = {}
        with contextlib.redirect_stdout(io.StringIO()):
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    exec(cell.source.replace("your-id", student), names)
        return names

    names = run(source, "ada")  # the source runs with its hidden tests
    with pytest.raises(AssertionError, match=r"lab3\.q1: there is no answer yet"):
        run(copy, "ada")
    tests = [cell for cell in source.cells if str(graded(cell, "grade_id")).endswith("-test")]
    assert [graded(cell, "grade_id") for cell in tests] == ["q1-test", "q2-test", "q3-test"]

    def judge(cell: Any, student: str, **changed: Any) -> None:
        shown, code = parts(cell)
        with contextlib.redirect_stdout(io.StringIO()):
            answer = value_of(shown, names | changed)
            exec(code, {"answer": answer, "given": given("lab3", student), "np": np})

    for cell in tests:
        judge(cell, "ada")
    number, function, measured = tests
    for student in STUDENTS[1:4]:
        for cell in (number, measured):
            with pytest.raises(AssertionError):
                judge(cell, student)
    for made_up in (lambda std, rng: std * names["width"] ** 0.5, lambda std, rng: 1.0):
        with pytest.raises(AssertionError):
            judge(function, "ada", output_std=made_up)


def test_one_more_homework_needs_its_module_and_its_source_alone(tmp_path: Path) -> None:
    """A sixth homework, as a later chapter brings it: known, released, handed in, looked over."""
    package = tmp_path / "initcourse"
    shutil.copytree(ROOT / "initcourse", package, ignore=shutil.ignore_patterns("__pycache__"))
    module = (package / "homework" / "hw5.py").read_text(encoding="utf-8")
    (package / "homework" / "hw6.py").write_text(module, encoding="utf-8")
    text = (FOLDER / "source" / "hw5.ipynb").read_text(encoding="utf-8").replace("hw5", "hw6")
    (tmp_path / "hw6.ipynb").write_text(text, encoding="utf-8")
    solved = nbformat.writes(handed_in("hw5")).replace("hw5", "hw6")
    code = """
import json, sys
from pathlib import Path
from initcourse import homework
from initcourse.grading.hand_out.release import student_copy
from initcourse.homework.validation import validate
copy = json.loads(student_copy(Path("hw6.ipynb")))
made = json.load(open("solved.ipynb"))
made["metadata"]["initcourse"] = copy["metadata"]["initcourse"]
versions = Path(homework.__file__).with_name("versions.json")
known = json.loads(versions.read_text()) | {"hw6": made["metadata"]["initcourse"]["version"]}
versions.write_text(json.dumps(known))
Path("made.ipynb").write_text(json.dumps(made))
print(homework.HOMEWORKS[-1], homework.title("hw6"))
print(validate(Path("made.ipynb")))
"""
    pytest.importorskip("initcourse.grading.hand_out.release")
    (tmp_path / "solved.ipynb").write_text(solved, encoding="utf-8")
    where = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(tmp_path)}}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, **where)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"hw6 {title('hw5')}\n")
    assert "Student: ada" in done.stdout


# --- validation ----------------------------------------------------------------------------------


def handed_in(hw: str, student: str = "ada", *, solved: bool = True) -> Any:
    """Return a student's copy of a homework, with the reference solutions or untouched."""
    notebook = nbformat.reads(nbformat.writes(copy_of(hw)), as_version=4)
    for before, after in zip(source_of(hw).cells, notebook.cells, strict=True):
        if after.id.endswith("-student"):
            after.source = after.source.replace("your-id", student)
        elif solved and graded(before, "solution"):
            after.source = re.sub(r" *### (BEGIN|END) SOLUTION\n?", "", before.source)
    return notebook


def stored(notebook: Any, path: Path) -> Path:
    path.write_text(json.dumps(notebook), encoding="utf-8")  # nbformat would mend copied ids
    return path


def test_a_good_notebook_is_ready(tmp_path: Path) -> None:
    path = stored(handed_in("hw5"), tmp_path / "hw5.ipynb")
    before = path.read_bytes()
    report = validate(path)
    assert report.ready, str(report)
    assert path.read_bytes() == before, "the file was changed"
    assert (report.homework, report.student) == ("hw5", "ada")
    assert [(task.name, task.points) for task in report.tasks] == [
        ("q1", 2), ("q2", 3), ("q3", 3), ("q4", 3), ("q5", 3), ("q6", 6),
    ]  # fmt: skip
    assert "q6 (6 points): a person reads it" in str(report)
    assert str(report).endswith("The hidden tests may still find a wrong value.")


def test_an_untouched_notebook_is_not(tmp_path: Path) -> None:
    untouched = handed_in("hw1", homework.NOBODY, solved=False)
    report = validate(stored(untouched, tmp_path / "hw1.ipynb"))
    assert not report.ready
    assert [task.said for task in report.tasks] == ["not answered"] * 6
    assert "Your id is missing" in str(report)
    assert str(report).endswith("Not ready to hand in.")


def test_a_damaged_notebook_is_described(tmp_path: Path) -> None:
    notebook = handed_in("hw5")
    place = {cell.id: number for number, cell in enumerate(notebook.cells)}
    notebook.cells[place["hw5-q1-test"]].source += "\nanswer = 1"
    notebook.cells[
        place["hw5-q2-answer"]
    ].source = "bound = 2.0\ndrawn_share = lambda bound, rng: 0.01"
    copied = nbformat.from_dict(notebook.cells[place["hw5-q3-answer"]])
    notebook.metadata["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
    notebook.cells.insert(place["hw5-q3-test"], copied)
    notebook.cells = [cell for cell in notebook.cells if cell.id != "hw5-q4-test"]
    report = validate(stored(notebook, tmp_path / "renamed (1).ipynb"))
    said = {problem.partition(".")[0] for problem in report.problems}
    assert said == {
        "The notebook's kernel is 'ir'",
        "The cell q3 is there 2 times, as if it had been copied",
        "The cell q4-test is missing",
        "The cell q1-test was changed",
    }
    state = {task.name: task.said for task in report.tasks}
    assert state == {
        "q1": "looks right", "q2": "odd", "q3": "looks right", "q4": "not run",
        "q5": "looks right", "q6": "a person reads it",
    }  # fmt: skip
    assert "bound is at least 1" in str(report)


@pytest.mark.parametrize(
    ("metadata", "ready"),
    [
        ({"kernelspec": {"name": "ir", "display_name": "R"}}, False),
        ({"kernelspec": {}, "language_info": {"name": "R"}}, False),
        ({"kernelspec": None}, True),
        ({"kernelspec": {"name": "my-venv", "language": "python"}}, True),
        ({"language_info": "python"}, True),
        ({}, True),
    ],
)
def test_a_kernel_is_seen_as_grading_sees_it(
    tmp_path: Path, metadata: dict[str, Any], ready: bool
) -> None:
    inspection = pytest.importorskip("initcourse.grading.intake.inspection")
    notebook = handed_in("hw5")
    kept = {"initcourse": dict(notebook.metadata["initcourse"])}
    made = json.loads(json.dumps(notebook)) | {"metadata": kept | metadata}
    path = tmp_path / "hw5.ipynb"
    path.write_text(json.dumps(made), encoding="utf-8")
    assert validate(path).ready == ready
    source = inspection.Source.of("hw5", source_of("hw5"), None)
    with contextlib.nullcontext() if ready else pytest.raises(inspection.NotGraded):
        inspection.read(path, source)


def test_the_id_is_the_last_one_that_the_notebook_assigns(tmp_path: Path) -> None:
    inspection = pytest.importorskip("initcourse.grading.intake.inspection")
    notebook = handed_in("hw5")
    cell_of(
        notebook, "imports"
    ).source += '\ndef own():\n    student = "nobody"\n    return student'
    place = next(k for k, cell in enumerate(notebook.cells) if cell.id == "hw5-student")
    notebook.cells[place].source = 'student = "your-id"'
    second = nbformat.v4.new_code_cell('student = "ada"')
    notebook.cells.insert(place + 1, second)
    assert validate(stored(notebook, tmp_path / "hw5.ipynb")).student == "ada"
    said = inspection.suspicious(notebook, "ada")
    assert not inspection.other_id(said), said
    second.source = 'student = "emmy"'
    assert "'emmy'" in inspection.other_id(inspection.suspicious(notebook, "ada"))


def test_a_cell_that_raises_is_named(tmp_path: Path) -> None:
    notebook = handed_in("hw5", solved=False)
    cell_of(notebook, "imports").source = "import nunpy as np"
    report = validate(stored(notebook, tmp_path / "hw5.ipynb"))
    assert "begins with 'import nunpy as np' stops with ModuleNotFoundError" in str(report)
    assert [task.said for task in report.tasks] == ["odd"] * 5 + ["not answered"]
    assert "NameError" in report.tasks[0].message


@pytest.mark.parametrize(
    ("code", "said"),
    [("while True:\n    pass", "took more than 3 s"), ("import os\nos._exit(3)", "ended Python")],
)
def test_a_notebook_that_does_not_end_is_described(tmp_path: Path, code: str, said: str) -> None:
    notebook = handed_in("hw5", solved=False)
    cell_of(notebook, "q2").source = code
    report = validate(stored(notebook, tmp_path / "hw5.ipynb"), cell_seconds=3)
    assert any(said in problem for problem in report.problems), str(report)
    assert repr(code.partition("\n")[0]) in str(report)
    assert report.tasks[1].said == "not run"


def test_only_the_homeworks_own_files_are_there(tmp_path: Path) -> None:
    notebook = handed_in("hw5")
    cell_of(
        notebook, "q2"
    ).source += "\nprint(open('mydata.txt').read(), open('data/own.csv').read())"
    (tmp_path / "mydata.txt").write_text("1")
    path = stored(notebook, tmp_path / "hw5.ipynb")
    assert "stops with FileNotFoundError" in str(validate(path))
    notebook.metadata["initcourse"]["files"] = ["data/own.csv", "mydata.txt", "../secret"]
    path = stored(notebook, tmp_path / "hw5.ipynb")
    assert "The homework's file data/own.csv is not beside the notebook" in str(validate(path))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "own.csv").write_text("2")
    report = validate(path)
    assert report.problems == [
        "The homework's file ../secret is not beside the notebook. Put it there."
    ]


def test_the_limits_are_those_of_grading(tmp_path: Path) -> None:
    inspection = pytest.importorskip("initcourse.grading.intake.inspection")
    sandbox = pytest.importorskip("initcourse.grading.sandbox.bubblewrap")
    limits = inspect.signature(validate).parameters
    for name in ("cell_seconds", "notebook_seconds"):
        assert limits[name].default == getattr(sandbox.Settings(), name)
    notebook = handed_in("hw5")
    for name in ("q1", "q2", "q3"):
        cell_of(notebook, name).source += "\nimport time\ntime.sleep(1)"
    path = stored(notebook, tmp_path / "hw5.ipynb")
    assert "is not graded" in str(validate(path, notebook_seconds=2))
    notebook.cells += [nbformat.v4.new_markdown_cell("more") for _ in range(1_000)]
    path = stored(notebook, tmp_path / "hw5.ipynb")
    assert "too large" in str(validate(path))
    source = inspection.Source.of("hw5", source_of("hw5"), None)
    with pytest.raises(inspection.NotGraded, match="1000 cells"):
        inspection.read(path, source)


def test_a_mark_in_front_of_the_text_is_read_by_both(tmp_path: Path) -> None:
    path = tmp_path / "hw5.ipynb"
    path.write_text(json.dumps(handed_in("hw5")), encoding="utf-8-sig")
    assert validate(path).ready
    inspection = pytest.importorskip("initcourse.grading.intake.inspection")
    inspection.read(path, inspection.Source.of("hw5", source_of("hw5"), None))


def test_a_copy_of_another_version_is_refused_unless_the_instructor_made_it(tmp_path: Path) -> None:
    notebook = handed_in("hw5")
    notebook.metadata["initcourse"]["version"] = "0123456789ab"
    path = stored(notebook, tmp_path / "hw5.ipynb")
    assert "of version '0123456789ab'" in str(validate(path))
    notebook.metadata["initcourse"]["own"] = True
    assert validate(stored(notebook, path)).ready


def test_nothing_stands_above_the_report(tmp_path: Path) -> None:
    notebook = handed_in("hw5")
    cell_of(notebook, "q2").source = "import os, sys\nos.write(2, b'noise')\nos._exit(3)"
    path = stored(notebook, tmp_path / "hw5.ipynb")
    command = [sys.executable, "-m", "initcourse", "homework", "validate", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.startswith("hw5.ipynb: ")
    assert done.returncode == 1


def test_the_package_knows_the_versions_of_its_homework() -> None:
    assert homework.versions() == {hw: version_of(source_of(hw)) for hw in HOMEWORKS}


def test_the_wrong_file_is_named(tmp_path: Path) -> None:
    def problem(path: Path) -> str:
        report = validate(path)
        assert not report.ready
        assert report.tasks == []
        (only,) = report.problems
        return only

    broken = tmp_path / "broken.ipynb"
    broken.write_text('{"cells": [', encoding="utf-8")
    assert "cannot be read as a notebook" in problem(broken)
    broken.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read as a notebook" in problem(broken)
    broken.write_text('{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}')
    assert "format 3" in problem(broken)
    assert "no homework notebook" in problem(ROOT / "book" / "01_gaussian_problem.ipynb")
    assert "no file" in problem(tmp_path / "missing.ipynb")
    assert "lost the version" in problem(FOLDER / "source" / "hw1.ipynb")
