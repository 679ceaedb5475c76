"""What a reader can choose: numbers or words, with a name and a unit."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Value = float | str
"""What a reader can choose: a number or a word."""


@dataclass(frozen=True)
class Choice:
    """What the reader can choose for one parameter of an explorer.

    Parameters
    ----------
    values : sequence of numbers, or of strings
        The values on offer on the static page, in the order of the slider.  In a live kernel
        numbers are the ends and the kind of a continuous slider: whole numbers stay whole, and
        values that grow by a constant factor make it logarithmic.
    label : str, optional
        What the reader sees instead of the parameter's name.
    unit : str, optional
        Written after the value.
    default : number or str, optional
        The value shown first; the first of ``values`` unless given.
    play : bool, optional
        Whether the values are a time axis: a button then runs through them, one after the other.

    Raises
    ------
    ValueError
        If there are no values, a value occurs twice, the default is not among them, or words
        are to be played.
    TypeError
        If numbers and strings are mixed, or a value is neither.

    Examples
    --------
    >>> Choice([10, 100, 1000], label="inputs", default=100).default
    100
    >>> Choice([0.1, 1.0], default=0.5)
    Traceback (most recent call last):
    ValueError: default must be one of [0.1, 1.0], got 0.5
    """

    values: Sequence[Value]
    label: str = ""
    unit: str = ""
    default: Value | None = None
    play: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.values, str) or not isinstance(self.values, Sequence):
            raise TypeError(
                f"values must be a list of numbers or of strings, got {self.values!r}; "
                f"for a single value write [{self.values!r}]"
            )
        values = [_plain(value) for value in self.values]
        if not values:
            raise ValueError("values must hold at least one value, got []")
        if len({isinstance(value, str) for value in values}) == 2:
            raise TypeError(f"values must be all numbers or all strings, got {values}")
        if len(set(values)) < len(values):
            raise ValueError(f"values must differ from each other, got {values}")
        default = values[0] if self.default is None else _plain(self.default)
        if default not in values:
            raise ValueError(f"default must be one of {values}, got {default!r}")
        if self.play and isinstance(default, str):
            raise ValueError(f"play needs numbers, a time axis, got {values}")
        object.__setattr__(self, "values", tuple(values))
        object.__setattr__(self, "default", default)

    def text(self, value: Value) -> str:
        """Return the value as the reader sees it, with its unit."""
        shown = value if isinstance(value, str) else f"{value:.6g}"
        return f"{shown} {self.unit}" if self.unit else shown


def choice_of(name: str, given: Choice | Sequence[Value]) -> Choice:
    """Return what was given for a parameter as a :class:`Choice`; an error names the parameter."""
    if isinstance(given, Choice):
        return given
    try:
        values = given.tolist() if hasattr(given, "tolist") else given
        return Choice(values)
    except (TypeError, ValueError) as error:
        raise type(error)(f"parameter {name}: {error}") from None


def position(choices: Mapping[str, Choice]) -> int:
    """Return the place of the default picture in the order of `itertools.product`."""
    place = 0
    for choice in choices.values():
        assert choice.default is not None
        place = place * len(choice.values) + list(choice.values).index(choice.default)
    return place


def _plain(value: Any) -> Value:
    """Return NumPy's numbers as Python's, and refuse what is neither number nor word."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"a value must be a number or a string, got {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"a value must be finite, got {value!r}")
    return value
