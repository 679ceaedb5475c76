"""The comparing process: it alone sees the answer next to what is expected.

It runs outside the sandbox and executes trusted code only: the test cell of the source notebook,
with the decoded answer in the place of the student's expression.  One process serves all
submissions of a worker; one that takes too long is replaced.
"""

import ast
import contextlib
import io
import warnings
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any, Self

from initcourse.grading.comparing.answers import AnswerError, decode
from initcourse.grading.servant import Servant, ServantGone, at_most, serve

__all__ = ["Comparer", "TestCell", "Verdict", "compare"]

SECONDS = 30.0  # for one answer
MEMORY_MB = 1024
MOST_SAID = 2_000  # characters of a message, which may quote what a student wrote
FILE = "<test cell>"
ANSWER = "_answer_of_the_student"
ODD_FORM = "The answer does not have the form that this task asks for."
UNJUDGED = "The hidden test could not judge this answer. Your instructor is told."


@dataclass(frozen=True)
class Verdict:
    """What the comparer found out about one answer.

    Attributes
    ----------
    right : bool
        Whether no assertion of the test cell failed.
    message : str
        What the student reads: the failed assertion's message, or what a right answer is told.
    notice : str
        What a person should know.
    raised : str
        The error that the hidden test itself raised, which may be its own fault.
    """

    right: bool
    message: str = ""
    notice: str = ""
    raised: str = ""


class TestCell:
    r"""A test cell of the source, split into the student's expression and the trusted rest.

    Parameters
    ----------
    source : str
        The cell: ``answer = check("hw1.q2", <expression>)``, then the hidden tests.

    Attributes
    ----------
    expression : str
        What is evaluated in the student's kernel.
    check, tests : code
        The visible check of what comes of it, and the hidden tests.

    Raises
    ------
    ValueError
        If the cell has another shape.

    Examples
    --------
    >>> cell = TestCell('answer = check("hw1.q1", z_std)\nassert answer > 0, "Look at the sign."')
    >>> cell.expression
    'z_std'
    """

    __test__ = False  # not one of pytest's

    def __init__(self, source: str) -> None:
        tree = ast.parse(source, FILE)
        call = next((found for found in map(_checked, tree.body[:1]) if found), None)
        if call is None:
            raise ValueError(
                'a test cell must begin with: answer = check("<homework>.<task>", <expression>); '
                f"got {source.partition(chr(10))[0]!r}"
            )
        self.expression = ast.unparse(call.args[1])
        call.args[1] = ast.copy_location(ast.Name(ANSWER, ast.Load()), call.args[1])
        visible, hidden = tree.body[:1], tree.body[1:]
        self.check = compile(ast.Module(visible, []), FILE, "exec")
        self.tests = compile(ast.Module(hidden, []), FILE, "exec")


def _checked(statement: ast.stmt) -> ast.Call | None:
    """Return the call of ``check`` if that is what the statement is."""
    match statement:
        case ast.Assign(
            targets=[ast.Name("answer")],
            value=ast.Call(func=ast.Name("check"), args=[ast.Constant(), _], keywords=[]) as call,
        ):
            return call
    return None


def compare(homework: str, student: str, source: str, encoded: str) -> Verdict:
    r"""Return the verdict of a test cell on an encoded answer.

    Only the messages of the cell's own assertions and of the visible checks reach the student: an
    error from elsewhere may hold what is expected.

    Examples
    --------
    >>> cell = 'answer = check("own.q1", x)\nassert answer == given.seed, "Look at given.seed."'
    >>> compare("own", "ada", cell, "3").message
    'Look at given.seed.'
    """
    import numpy as np

    from initcourse import homework as package

    said = io.StringIO()
    try:
        cell = _test_cell(source)
        names: dict[str, Any] = {
            ANSWER: decode(encoded),
            "check": package.check,
            "given": package.given(homework, student),
            "np": np,
        }
        with contextlib.redirect_stdout(said):
            exec(cell.check, names)
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            exec(cell.tests, names)
    except AnswerError as error:
        return Verdict(False, f"{ODD_FORM} ({error})")
    except AssertionError as error:
        if _raised_by(error) in {FILE, package.__file__}:
            return Verdict(False, str(error) or "The hidden test of this task failed.")
        return Verdict(False, "The hidden test of this task failed.")
    except Exception as error:  # an answer of another form, or a test cell that does not run
        name = type(error).__name__
        return Verdict(False, UNJUDGED, f"the hidden test itself raised {name}", raised=name)
    return Verdict(True, said.getvalue().strip())


_test_cell = lru_cache(maxsize=256)(TestCell)


def _raised_by(error: BaseException) -> str:
    """Return the file of the code that raised an error."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else trace.tb_frame.f_code.co_filename


def main() -> None:
    """Be the comparing process."""
    warnings.simplefilter("ignore")
    serve({"compare": _compare})


def _compare(**asked: str) -> dict[str, Any]:
    with at_most(MEMORY_MB):
        verdict = compare(**asked)
    return asdict(replace(verdict, message=verdict.message[:MOST_SAID]))


class Comparer:
    r"""The comparing process, seen from the worker that owns it.

    Examples
    --------
    >>> cell = 'answer = check("own.q1", x)\nassert answer > 0, "Look at the sign."'
    >>> with Comparer() as comparer:
    ...     comparer("own", "ada", cell, "-1")
    Verdict(right=False, message='Look at the sign.', notice='', raised='')
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._servant = Servant(__name__)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._servant.close()

    def __call__(self, homework: str, student: str, source: str, encoded: str) -> Verdict:
        """Return the verdict of a test cell on an encoded answer; see :func:`compare`."""
        asked = {"homework": homework, "student": student, "source": source, "encoded": encoded}
        try:
            return Verdict(**self._servant.ask("compare", self.seconds, **asked))
        except ServantGone as gone:
            return Verdict(
                False, UNJUDGED, f"no comparison ({gone}); counted as wrong", raised=str(gone)
            )
