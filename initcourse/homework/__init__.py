"""The homework: a student's own constants, checks that teach, and the version of a notebook.

A homework notebook begins with the student's id.  :func:`given` makes constants from it, so that
every student has numbers of their own, and :func:`check` looks at an answer: its type, its shape,
its range.  It knows no answer.  :func:`initcourse.homework.validation.validate` looks over a whole
notebook before it is handed in.

Each of :data:`HOMEWORKS` has a module of its own, with ``TITLE``, ``given(rng)`` and ``TASKS``: the
check of each task, or None where a person marks it.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules
from types import ModuleType, SimpleNamespace
from typing import Any

from initcourse.homework import expect
from initcourse.homework.expect import close

__all__ = [
    "CELL_SECONDS",
    "HOMEWORKS",
    "MOST_BYTES",
    "MOST_CELLS",
    "NOBODY",
    "NOTEBOOK_SECONDS",
    "check",
    "close",
    "given",
    "tasks",
    "title",
    "version_of",
    "versions",
]

HOMEWORKS = tuple(sorted(m.name for m in iter_modules(__path__) if re.fullmatch(r"hw\d+", m.name)))
CELL_SECONDS, NOTEBOOK_SECONDS = 30.0, 60.0  # that grading gives to a cell, and to all of them
MOST_BYTES, MOST_CELLS = 20_000_000, 1_000  # of a notebook that is graded
NOBODY = "your-id"  # what stands in the notebook until the student writes their own id
_HIDDEN = re.compile(
    r"^[^\n]*BEGIN HIDDEN TESTS.*?END HIDDEN TESTS[^\n]*$", re.DOTALL | re.MULTILINE
)


def _module(homework: str) -> ModuleType | None:
    """Return the module of a homework; None for one that an instructor wrote."""
    return import_module(f"initcourse.homework.{homework}") if homework in HOMEWORKS else None


def title(homework: str) -> str:
    """Return the title of a homework; its name, if the package does not hold it.

    Examples
    --------
    >>> title("hw1")
    'The Gaussian problem'
    """
    module = _module(homework)
    return homework if module is None else str(module.TITLE)


def tasks(homework: str) -> expect.Tasks:
    """Return the tasks of a homework, each with its check; None where a person marks it.

    A homework that the package does not hold has no list of tasks here: the result is empty.

    Examples
    --------
    >>> list(tasks("hw1")), tasks("hw1")["q6"]
    (['q1', 'q2', 'q3', 'q4', 'q5', 'q6'], None)
    """
    module = _module(homework)
    return {} if module is None else dict(module.TASKS)


def given(homework: str, student: str) -> SimpleNamespace:
    """Return the constants of one student for one homework.

    They follow from a digest of both names: the same in every run and on every machine.  Spaces
    around the id and capital letters do not matter.

    Parameters
    ----------
    homework : str
        The homework, such as ``"hw1"``.  For one that the package does not hold the result has the
        single constant ``seed``, from which a notebook makes its own.
    student : str
        The student's id in the course.

    Returns
    -------
    SimpleNamespace
        Plain numbers, and lists of them.

    Raises
    ------
    TypeError, ValueError
        If the id is not a text, or empty.

    Examples
    --------
    >>> given("hw1", "ada") == given("hw1", " Ada"), given("hw1", "ada") == given("hw1", "emmy")
    (True, False)
    """
    import numpy as np

    if not isinstance(student, str):
        raise TypeError(f'student must be a text in quotes, such as "s123"; got {student!r}')
    name = student.strip().casefold()
    if not name:
        raise ValueError("student must not be empty: write the id that you have in the course")
    if name == NOBODY:
        _say("These are nobody's numbers. Write your own id in the cell above, and run it again.")
    digest = hashlib.sha256(f"{homework}\n{name}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest, "big"))
    module = _module(homework)
    constants = {"seed": expect.whole_between(rng, 1, 10**9)} if module is None else {}
    return SimpleNamespace(**(constants if module is None else module.given(rng)))


def check(task: str, value: Any) -> Any:
    """Look at the type, the shape and the range of an answer; say what is odd about it.

    A check knows no answer.  One that it accepts may still be wrong.

    Parameters
    ----------
    task : str
        Homework and task, such as ``"hw1.q2"``.
    value : number, str, bool, array, or list, tuple or dict of these
        The answer.

    Returns
    -------
    object
        The answer as plain data: numbers, texts, lists and dicts.

    Raises
    ------
    AssertionError
        If the answer cannot be right; the message says what to look at.
    ValueError
        If `task` does not name a homework and a task.

    Examples
    --------
    >>> std = check("hw1.q1", 25.0)
    hw1.q1: one std, of a size that can be. The hidden tests compare its value.
    >>> check("hw1.q1", -3.0)
    Traceback (most recent call last):
    AssertionError: hw1.q1: z_std must be above 0, got -3.
    """
    homework, dot, name = task.partition(".")
    if not (homework and dot and name):
        raise ValueError(f'task must name homework and task, such as "hw1.q2"; got {task!r}')
    look = tasks(homework).get(name) or _anything
    try:
        answer = expect.plain(value)
        said = look(answer)
    except expect.Odd as odd:
        raise AssertionError(f"{task}: {odd}") from None
    _say(f"{task}: {said}")
    return answer


def _say(sentence: str) -> None:
    print(f"{sentence}\n", end="")  # in one piece: stored outputs shall not depend on chance


def _anything(answer: Any) -> str:
    expect.finite(answer, "the answer")
    return "an answer. The hidden tests compare its value."


def versions() -> dict[str, str]:
    """Return the versions of the homework that the package holds.

    Examples
    --------
    >>> sorted(versions()) == sorted(HOMEWORKS)
    True
    """
    found: dict[str, str] = json.loads((files(__name__) / "versions.json").read_text("utf-8"))
    return found


def version_of(notebook: Mapping[str, Any]) -> str:
    """Return the version of a homework: 12 hexadecimal digits of a SHA-256.

    It depends on the text that every student gets, and on nothing else: not on solution cells, nor
    on hidden tests.  So a source and its copies have one version, which is stamped into the copies,
    and a mended hidden test changes no version.

    Parameters
    ----------
    notebook : mapping
        A source or an untouched copy, as ``nbformat`` reads it or as plain JSON.

    Returns
    -------
    str

    Examples
    --------
    >>> version_of({"cells": [{"source": "z = 1", "metadata": {}}]})
    '57a8b7d8d43f'
    """
    digest = hashlib.sha256()
    for cell in notebook["cells"]:
        if not cell["metadata"].get("nbgrader", {}).get("solution"):
            source = cell["source"]
            text = source if isinstance(source, str) else "".join(source)
            digest.update(_HIDDEN.sub("", text).rstrip().encode() + b"\0")
    return digest.hexdigest()[:12]
