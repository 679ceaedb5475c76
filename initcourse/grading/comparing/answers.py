"""An answer as plain data: what leaves the student's kernel, and nothing else does.

:func:`encode` runs in the kernel, next to code that nobody has read.  :func:`decode` runs outside
and believes nothing: JSON and raw arrays of numbers, of bounded size and depth, no objects, no
pickle.  An object that compares equal to everything arrives as the number that it holds.
"""

import base64
import binascii
import json
import math
from typing import Any

import numpy as np

from initcourse.grading.comparing import MIME

__all__ = ["AnswerError", "Encoded", "decode", "encode"]

MAX_CHARS = 6_000_000  # of the JSON text: half a million float64 numbers
MAX_DEPTH = 16
_KINDS = "biufc"
_ITEM_SIZES = {"b": {1}, "i": {1, 2, 4, 8}, "u": {1, 2, 4, 8}, "f": {2, 4, 8}, "c": {8, 16}}


class AnswerError(ValueError):
    """The answer is not plain data, or too much of it."""


class Encoded(str):
    """The JSON text of an answer, which a kernel sends under :data:`MIME`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<answer, {len(self)} characters>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {MIME: str(self)}


def encode(value: Any) -> Encoded:
    """Return an answer as JSON text: numbers, strings, arrays, and lists, tuples, dicts of these.

    Parameters
    ----------
    value : object
        The answer.  What NumPy can turn into an array of numbers counts as an array.

    Raises
    ------
    AnswerError
        If it is anything else, or longer than 6 million characters.

    Examples
    --------
    >>> str(encode([1, 2.5, (True, None)]))
    '[1, 2.5, {"tuple": [true, null]}]'
    >>> decode(encode({"q": np.eye(2)}))["q"].shape
    (2, 2)
    """
    text = json.dumps(_plain(value, MAX_DEPTH))
    if len(text) > MAX_CHARS:
        raise AnswerError(f"the answer takes {len(text)} characters; at most {MAX_CHARS} are read")
    return Encoded(text)


def _plain(value: Any, depth: int) -> Any:
    """Return what stands for a value in the JSON text."""
    if depth == 0:
        raise AnswerError(f"the answer is nested more than {MAX_DEPTH} deep")
    if value is None or isinstance(value, bool | np.bool_):
        return None if value is None else bool(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return _integer(int.__int__(value))
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in list.__iter__(value)]
    if isinstance(value, tuple):
        return {"tuple": [_plain(item, depth - 1) for item in tuple.__iter__(value)]}
    if isinstance(value, dict):
        pairs = dict.items(value)
        return {"dict": [[_plain(k, depth - 1), _plain(v, depth - 1)] for k, v in pairs]}
    return _array(value, depth)


def _integer(value: int) -> int:
    if value.bit_length() > 4096:
        raise AnswerError("the answer holds a whole number of more than 4096 bits")
    return value


def _array(value: Any, depth: int) -> Any:
    """Return what stands for an array, or for an object that NumPy takes for one."""
    array = np.asarray(value)
    if array.dtype.kind not in _KINDS:
        raise AnswerError(
            f"the answer holds a {type(value).__name__}; hand in numbers, strings, arrays, "
            "or lists, tuples and dictionaries of these"
        )
    if array.dtype.itemsize not in _ITEM_SIZES[array.dtype.kind]:  # long double
        array = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    if isinstance(value, np.generic):
        return _plain(array.item(), depth)
    if array.nbytes > MAX_CHARS:
        raise AnswerError(f"the answer holds an array of {array.nbytes} bytes; too many to read")
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(array.shape)
    data = base64.b64encode(array.tobytes()).decode("ascii")
    return {"array": [array.dtype.str, list(array.shape), data]}


def decode(text: str) -> Any:
    """Return the answer that a JSON text stands for.

    Raises
    ------
    AnswerError
        If the text is not what :func:`encode` writes.

    Examples
    --------
    >>> decode('{"tuple": [1, "two"]}')
    (1, 'two')
    >>> decode('{"array": ["|O", [1], "AAAAAAAAAAA="]}')
    Traceback (most recent call last):
    ...
    initcourse...AnswerError: the answer could not be read: type of array '|O'
    """
    if not isinstance(text, str) or len(text) > MAX_CHARS:
        raise AnswerError("the answer could not be read: too long")
    try:
        return _value(json.loads(text), MAX_DEPTH)
    except AnswerError as error:
        raise AnswerError(f"the answer could not be read: {error}") from None
    except (ValueError, TypeError, RecursionError, OverflowError, binascii.Error):
        raise AnswerError("the answer could not be read: not the expected form") from None


def _value(plain: Any, depth: int) -> Any:
    """Return the value that a piece of the JSON text stands for."""
    if depth == 0:
        raise AnswerError("nested too deep")
    if plain is None or isinstance(plain, bool | int | float | str):
        return plain
    if isinstance(plain, list):
        return [_value(item, depth - 1) for item in plain]
    ((kind, content),) = plain.items()
    match kind:
        case "tuple":
            return tuple(_value(item, depth - 1) for item in content)
        case "dict":
            return {_key(key, depth - 1): _value(item, depth - 1) for key, item in content}
        case "complex":
            real, imag = content
            return complex(float(real), float(imag))
        case "array":
            return _decoded_array(*content)
    raise AnswerError(f"kind {kind!r}")


def _key(plain: Any, depth: int) -> Any:
    """Return a key of a dictionary; its type must be hashable."""
    key = _value(plain, depth)
    if not isinstance(key, str | int | float | bool | tuple | None):
        raise AnswerError("a key that is not a number, a string or a tuple")
    return key


def _decoded_array(dtype: str, shape: list[int], data: str) -> np.ndarray[Any, Any]:
    allowed = {
        f"{order}{kind}{size}"
        for kind, sizes in _ITEM_SIZES.items()
        for size in sizes
        for order in ("|" if size == 1 else "<")
    }
    if dtype not in allowed:
        raise AnswerError(f"type of array {dtype!r}")
    if len(shape) > 8 or not all(type(n) is int and 0 <= n <= MAX_CHARS for n in shape):
        raise AnswerError(f"shape of array {str(shape)[:80]}")
    raw = base64.b64decode(data, validate=True)
    if len(raw) != math.prod(shape) * np.dtype(dtype).itemsize:
        raise AnswerError("length of array")
    return np.frombuffer(raw, dtype).reshape(shape).copy()
