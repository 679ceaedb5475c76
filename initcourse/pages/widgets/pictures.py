"""A drawn figure as a small picture."""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[..., tuple[Any, str]]
"""Draws one figure; returns it (or its axes) and a sentence that says what is seen."""

STATIC_DPI = 192
"""Two picture points for each point of a common screen: sharp on a dense one too."""


@dataclass(frozen=True)
class Picture:
    """A picture, and the sentence that says what is seen."""

    png: bytes
    sentence: str

    @property
    def address(self) -> str:
        """The picture as a data address, which a page needs no file for."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


def picture_of(draw: Draw, values: Mapping[str, Any], dpi: float | None = None) -> Picture:
    """Call ``draw`` and turn its figure into a small PNG, leaving no figure open."""
    import matplotlib.pyplot as plt
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    open_before = set(plt.get_fignums())
    try:
        result = draw(**values)
        if not isinstance(result, tuple) or len(result) != 2 or not isinstance(result[1], str):
            raise TypeError(
                f"draw must return (axes, sentence), the sentence a string, got {result!r}"
            )
        drawn, sentence = result
        figure = _figure_of(drawn)
        for ground in (figure.patch, *(ax.patch for ax in figure.axes)):
            ground.set_alpha(0)
        figure.set_dpi(dpi or figure.dpi)
        # Not savefig: it draws a second time to find its size, and a style may trim the picture
        # to its ink, so that the page would jump from one to the next.
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        pixels = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
        image = Image.frombuffer("RGBA", canvas.get_width_height(), pixels)
        # A figure has few colours: a palette of 128 makes the file a third as large.
        image = image.quantize(128, method=Image.Quantize.FASTOCTREE)
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=8)  # 9 is twice as slow and hardly smaller
        return Picture(file.getvalue(), sentence)
    finally:
        for number in set(plt.get_fignums()) - open_before:
            plt.close(number)


def _figure_of(drawn: Any) -> "Figure":
    from matplotlib.figure import Figure

    if isinstance(drawn, Figure):
        return drawn
    first = drawn.flat[0] if hasattr(drawn, "flat") else drawn
    if isinstance(first, Sequence) and first:
        first = first[0]
    figure = getattr(first, "figure", None)
    if not isinstance(figure, Figure):
        raise TypeError(f"draw must return a Matplotlib figure or its axes first, got {drawn!r}")
    return figure


def alternative(alt: str, sentence: str) -> str:
    """Return the alternative text: the kind of picture, then what is seen."""
    return f"{alt} {sentence}".strip()
