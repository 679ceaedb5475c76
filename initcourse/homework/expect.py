"""What the checks are made of: each looks at one property and says in one sentence what is odd.

The sentences name the answer and what to look at, never what it should be.
"""

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

Tasks = dict[str, Callable[[Any], str] | None]
"""The check of each task of a homework, which returns a friendly line; None: a person marks it."""


class Odd(Exception):
    """An answer that cannot be right; the text says what to look at."""


def _odd(sentence: str) -> NoReturn:
    raise Odd(sentence)


def that(condition: bool, sentence: str) -> None:
    """Accept the answer if the condition holds; otherwise say the sentence."""
    if not condition:
        _odd(sentence)


def plain(value: Any, name: str = "the answer", depth: int = 16) -> Any:
    """Return an answer as plain data: NumPy's numbers and arrays become Python's.

    It may be nested as deep as grading reads it, 16 levels.

    Examples
    --------
    >>> plain({"std": np.float32(0.5), "steps": np.array([1, 2])})
    {'std': 0.5, 'steps': [1, 2]}
    """
    if value is None or value is ...:
        missing = "there is no answer yet" if name == "the answer" else f"{name} is still None"
        _odd(f"{missing}. Assign it, or return it from your function.")
    if depth == 0:
        _odd(
            "the answer is nested more than 16 deep. Hand in a number, a list, an array or a dict."
        )
    if isinstance(value, np.ndarray):
        return plain(value.tolist(), name, depth)
    if isinstance(value, np.floating):  # of any width
        return float(value)
    if isinstance(value, np.generic) and not isinstance(item := value.item(), np.generic):
        return plain(item, name, depth)
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {
            str(key): plain(one, f"{name}[{str(key)!r:.40}]", depth - 1)
            for key, one in dict.items(value)  # a class of its own may say other things
        }
    if isinstance(value, list | tuple):
        return [plain(one, f"{name}[{place}]", depth - 1) for place, one in enumerate(value)]
    if callable(value):
        _odd(f"{name} is a function. Did you forget to call it, with ( )?")
    return _odd(
        f"{name} is a {type(value).__name__}. Make it of numbers: a number, a list, an "
        "array or a dict of these."
    )


def close(answer: Any, expected: Any, *, rtol: float = 1e-6, atol: float = 1e-12) -> bool:
    """Say whether an answer has the shape and, up to a tolerance, the values that are expected.

    For hidden tests: an answer may be anything, and NumPy's own comparison broadcasts (an empty
    array is "close" to every other) or raises.

    Parameters
    ----------
    answer : object
        Whatever was handed in.
    expected : number or array_like
        The right numbers.
    rtol, atol : float
        The largest error allowed is ``atol + rtol * abs(expected)``.

    Examples
    --------
    >>> close(0.3333333, 1 / 3), close([1, 2], [1.0, 2.0]), close("1", 1), close([], [1.0])
    (True, True, False, False)
    """
    try:
        found = np.asarray(answer)
    except ValueError:  # rows of different lengths
        return False
    wanted = np.asarray(expected, dtype=float)
    if found.dtype.kind not in "iuf" or found.shape != wanted.shape:
        return False
    return bool(np.allclose(found.astype(float), wanted, rtol=rtol, atol=atol))


def finite(answer: Any, name: str) -> None:
    """Refuse an answer that holds a number which is not finite."""
    if isinstance(answer, dict):
        for key, one in answer.items():
            finite(one, f'{name}["{key:.40}"]')
    elif isinstance(answer, list):
        for place, one in enumerate(answer):
            finite(one, f"{name}[{place}]")
    elif isinstance(answer, float) and not math.isfinite(answer):
        _odd(
            f"{name} is {answer}, which is no number to compare. Look for a division by 0, a root "
            "or a logarithm of something below 0, or an overflow."
        )


def _kind(answer: Any) -> str:
    if isinstance(answer, list):
        return f"a list of length {len(answer)}"
    return {dict: "a dict", str: "a text", bool: "True or False"}.get(
        type(answer), f"{answer!r:.40}"
    )


def number(
    answer: Any,
    name: str,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> float:
    """Return the answer as a finite number within its bounds.

    Examples
    --------
    >>> number(0.3, "share", least=0, most=1)
    0.3
    """
    if isinstance(answer, list) and len(answer) == 1:
        _odd(f"{name} is a list or an array with one entry. Give the number itself: {name}[0].")
    if isinstance(answer, bool) or not isinstance(answer, int | float):
        _odd(f"{name} must be one number, got {_kind(answer)}.")
    finite(answer, name)
    if abs(answer) > sys.float_info.max:  # a whole number of hundreds of digits
        _odd(f"{name} is a number of more than 300 digits. Look for what grows without end.")
    size = float(answer)
    bounds = [
        ("above", above, above is None or size > above),
        ("at least", least, least is None or size >= least),
        ("at most", most, most is None or size <= most),
        ("below", below, below is None or size < below),
    ]
    for word, bound, kept in bounds:
        if not kept:
            _odd(f"{name} must be {word} {bound:g}, got {size:.6g}.")
    return size


def whole(answer: Any, name: str, *, least: int = 0) -> int:
    """Return the answer as a whole number of at least `least`."""
    size = number(answer, name, least=least)
    that(size == int(size), f"{name} counts something: it must be a whole number, got {size:.6g}.")
    return int(size)


def items(answer: Any, name: str, count: int) -> list[Any]:
    """Return the answer as a list of `count` entries."""
    that(isinstance(answer, list), f"{name} must be a list or an array, got {_kind(answer)}.")
    that(len(answer) == count, f"{name} must have {count} entries, got {len(answer)}.")
    return list(answer)


def numbers(
    answer: Any,
    name: str,
    count: int,
    *,
    above: float | None = None,
    least: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> list[float]:
    """Return the answer as a list of `count` finite numbers within their bounds."""
    return [
        number(one, f"{name}[{place}]", above=above, least=least, most=most, below=below)
        for place, one in enumerate(items(answer, name, count))
    ]


def matrix(answer: Any, name: str, rows: int, columns: int) -> np.ndarray[Any, Any]:
    """Return the answer as an array of that shape."""
    that(isinstance(answer, list), f"{name} must be a matrix, got {_kind(answer)}.")
    shape = np.shape(answer) if _even(answer) else ()
    that(shape == (rows, columns), f"{name} must have the shape ({rows}, {columns}), got {shape}.")
    return np.array([numbers(row, f"{name}[{place}]", columns) for place, row in enumerate(answer)])


def _even(answer: list[Any]) -> bool:
    rows = [row if isinstance(row, list) else [[]] for row in answer]
    nested = any(isinstance(one, list) for row in rows for one in row)
    return not nested and len({len(row) for row in rows}) == 1


def keyed(answer: Any, name: str, keys: Sequence[str]) -> dict[str, Any]:
    """Return the answer as a dict with exactly these keys."""
    that(isinstance(answer, dict), f"{name} must be a dict, got {_kind(answer)}.")
    wanted = ", ".join(map(repr, keys))
    found = ", ".join(f"{key!r:.40}" for key in list(answer)[:10]) or "none"
    that(set(answer) == set(keys), f"{name} must have the keys {wanted}; it has {found}.")
    return dict(answer)


def positive(answer: Any, name: str, keys: Sequence[str]) -> dict[str, float]:
    """Return the answer as a dict with these keys, in their order, and numbers above 0.

    Examples
    --------
    >>> positive({"growth": 1.02, "scale": 2}, "dropped", ["scale", "growth"])
    {'scale': 2.0, 'growth': 1.02}
    """
    found = keyed(answer, name, keys)
    return {key: number(found[key], f'{name}["{key}"]', above=0) for key in keys}


# How the homework's modules draw their constants.  Only `random()` is used: its stream is the one
# that NumPy is least likely ever to change.


def whole_between(rng: np.random.Generator, low: int, high: int) -> int:
    """Draw a whole number from `low` to `high`, both included."""
    return low + int(rng.random() * (high - low + 1))


def real_between(rng: np.random.Generator, low: float, high: float, digits: int = 3) -> float:
    """Draw a number between `low` and `high`, rounded to so many decimals."""
    return round(low + rng.random() * (high - low), digits)
