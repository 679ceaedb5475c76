"""Checks of arguments, made at the door: each error names the value and the remedy."""

import math
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Key = TypeVar("Key")
Value = TypeVar("Value")


def generator(rng: object) -> np.random.Generator:
    """Return `rng` if it is a generator, never an integer seed."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng must be a numpy.random.Generator, got {rng!r}; make one generator with "
            "np.random.default_rng(seed) and pass it to every layer: a bare seed would give two "
            "layers the same weights"
        )
    return rng


def floating(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return `dtype` as a real floating NumPy dtype."""
    found = np.dtype(dtype)
    if found.kind != "f":
        raise TypeError(f"dtype must be a real floating type such as np.float32, got {found}")
    return found


def real(name: str, value: object) -> float:
    """Return `value` as a finite float."""
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a real number, got {value!r}")
    if not math.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}")
    return float(value)


def positive(name: str, value: object) -> float:
    """Return `value` as a finite float above zero."""
    number = real(name, value)
    if number <= 0:
        raise ValueError(f"{name} must be > 0, got {value}")
    return number


def not_negative(name: str, value: object) -> float:
    """Return `value` as a finite float, zero allowed."""
    number = real(name, value)
    if number < 0:
        raise ValueError(f"{name} must be >= 0, got {value}")
    return number


def reals(
    name: str, value: npt.ArrayLike, *, least: float = -math.inf, above: float = -math.inf
) -> npt.NDArray[np.float64]:
    """Return numbers, or arrays of them, as float64: none is nan, all are within the bounds."""
    try:
        found = np.asarray(value)
        if found.dtype.kind not in "iuf":
            raise TypeError
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be real, a number or an array, got {value!r}") from None
    found = found.astype(np.float64)
    for wrong, said in [
        (np.isnan(found), "must be a number"),
        (found < least, f"must be >= {least:g}"),
        (found <= above, f"must be > {above:g}"),
    ]:
        if wrong.any():
            raise ValueError(f"{name} {said}, got {found[wrong].flat[0]}")
    return found


def count(name: str, value: object, *, least: int = 1) -> int:
    """Return `value` as an integer that is at least `least`."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be >= {least}, got {value}")
    return int(value)


def choice(name: str, value: Key, known: dict[Key, Value]) -> Value:
    """Return what `known` holds under `value`."""
    if value not in known:
        names = ", ".join(repr(key) for key in known)
        raise ValueError(f"{name} must be one of {names}; got {value!r}")
    return known[value]
