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
