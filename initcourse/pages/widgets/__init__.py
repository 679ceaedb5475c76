"""The call :func:`explore`: one explorer, two faces.

In a live kernel an explorer is a set of widgets that recompute the figure at any value.  On the
static site it is a set of native inputs over pictures that were drawn while the site was built, so
that it moves with no kernel.  Chapters make one and the same call for both.
"""

import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from initcourse.pages.widgets.live_face import live_face
from initcourse.pages.widgets.pictures import STATIC_DPI, Draw, picture_of
from initcourse.pages.widgets.static_face import static_face
from initcourse.pages.widgets.values import Choice, Value, choice_of, position

__all__ = ["Choice", "Explorer", "explore"]


@dataclass(frozen=True)
class Explorer:
    """The result of :func:`explore`; the notebook shows it, nothing else needs it.

    Attributes
    ----------
    title : str
        The explorer's name.
    sentence : str
        What the default picture shows, in words.
    """

    title: str
    sentence: str
    _show: Callable[[], dict[str, Any]]

    def __repr__(self) -> str:
        return f"Explorer {self.title!r}: {self.sentence}"

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return {"text/plain": repr(self), **self._show()}


def explore(
    draw: Draw, /, *, title: str, alt: str = "", **parameters: Choice | Sequence[Value]
) -> Explorer:
    """Let the reader change a figure's parameters.

    Parameters
    ----------
    draw : callable
        Called with one keyword argument a parameter.  It draws one Matplotlib figure and returns
        ``(figure_or_axes, sentence)``; the sentence says in words and numbers what is seen.  It is
        shown under the picture, read aloud when it changes, and is the picture's alternative text.
        The same arguments should give the same figure, so seed its generators inside.
    title : str
        The explorer's name; on the static page also its address, ``#explorer-<title>``.
    alt : str, optional
        What kind of picture it is, said once before the sentence in the alternative text.
    **parameters : Choice or sequence of values
        What can be chosen for each parameter of ``draw``.  The static page draws every
        combination, so keep their number small; a live kernel draws none ahead.

    Returns
    -------
    Explorer
        An object that shows itself as the last expression of a cell: as widgets in a live
        kernel, as HTML where the environment variable ``INITCOURSE_EXPLORER`` is ``static``.

    Raises
    ------
    ValueError
        If there is no parameter, or one has no values or a default that is not among them.
    TypeError
        If ``draw`` does not take the parameters, or does not return a figure and a sentence.

    Examples
    --------
    >>> import numpy as np
    >>> import matplotlib.pyplot as plt
    >>> def wave(frequency):
    ...     figure, ax = plt.subplots()
    ...     x = np.linspace(0, 1, 101)
    ...     _ = ax.plot(x, np.sin(2 * np.pi * frequency * x))
    ...     return ax, f"The wave has {frequency} crests."
    >>> explore(wave, title="Waves", frequency=[1, 2, 3])
    Explorer 'Waves': The wave has 1 crests.
    """
    if not title.strip():
        raise ValueError(f"title must not be empty, got {title!r}")
    if not parameters:
        raise ValueError("explore needs at least one parameter, as in explore(draw, std=[0.1, 1])")
    choices = {name: choice_of(name, given) for name, given in parameters.items()}
    defaults = {name: choice.default for name, choice in choices.items()}
    try:
        inspect.signature(draw).bind(**defaults)
    except TypeError as error:
        name = getattr(draw, "__name__", repr(draw))
        raise TypeError(f"{name} cannot be called with {', '.join(defaults)}: {error}") from None

    if os.environ.get("INITCOURSE_EXPLORER") == "static":
        pictures = [
            picture_of(draw, dict(zip(choices, values, strict=True)), dpi=STATIC_DPI)
            for values in product(*(choice.values for choice in choices.values()))
        ]
        page = static_face(title, alt, choices, pictures)
        first = pictures[position(choices)]
        return Explorer(title, first.sentence, lambda: {"text/html": page})

    first = picture_of(draw, defaults)
    return Explorer(title, first.sentence, lambda: live_face(draw, title, alt, choices, first))
