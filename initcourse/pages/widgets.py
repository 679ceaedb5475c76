"""The call :func:`explore`: one explorer, two faces.

In a live kernel an explorer is a set of widgets that recompute the figure at any value.  On the
static site it is a set of native inputs over pictures that were drawn while the site was built, so
that it moves with no kernel.  Chapters make one and the same call for both.
"""

import base64
import html
import inspect
import io
import json
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Choice", "Explorer", "explore"]

Value = float | str
"""What a reader can choose: a number or a word."""

Draw = Callable[..., tuple[Any, str]]
"""Draws one figure; returns it (or its axes) and a sentence that says what is seen."""

STATIC_DPI = 192
"""Two picture points for each point of a common screen: sharp on a dense one too."""


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


@dataclass(frozen=True)
class _Picture:
    png: bytes
    sentence: str

    @property
    def address(self) -> str:
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


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
    choices = {name: _choice(name, given) for name, given in parameters.items()}
    defaults = {name: choice.default for name, choice in choices.items()}
    try:
        inspect.signature(draw).bind(**defaults)
    except TypeError as error:
        name = getattr(draw, "__name__", repr(draw))
        raise TypeError(f"{name} cannot be called with {', '.join(defaults)}: {error}") from None

    if os.environ.get("INITCOURSE_EXPLORER") == "static":
        pictures = [
            _picture(draw, dict(zip(choices, values, strict=True)), dpi=STATIC_DPI)
            for values in product(*(choice.values for choice in choices.values()))
        ]
        page = _static_face(title, alt, choices, pictures)
        first = pictures[_position(choices)]
        return Explorer(title, first.sentence, lambda: {"text/html": page})

    first = _picture(draw, defaults)
    return Explorer(title, first.sentence, lambda: _live_face(draw, title, alt, choices, first))


def _plain(value: Any) -> Value:
    """Return NumPy's numbers as Python's, and refuse what is neither number nor word."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"a value must be a number or a string, got {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"a value must be finite, got {value!r}")
    return value


def _choice(name: str, given: Choice | Sequence[Value]) -> Choice:
    if isinstance(given, Choice):
        return given
    try:
        values = given.tolist() if hasattr(given, "tolist") else given
        return Choice(values)
    except (TypeError, ValueError) as error:
        raise type(error)(f"parameter {name}: {error}") from None


def _position(choices: Mapping[str, Choice]) -> int:
    """Return the place of the default picture in the order of `itertools.product`."""
    place = 0
    for choice in choices.values():
        assert choice.default is not None
        place = place * len(choice.values) + list(choice.values).index(choice.default)
    return place


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


def _picture(draw: Draw, values: Mapping[str, Any], dpi: float | None = None) -> _Picture:
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
        return _Picture(file.getvalue(), sentence)
    finally:
        for number in set(plt.get_fignums()) - open_before:
            plt.close(number)


def _static_face(
    title: str, alt: str, choices: Mapping[str, Choice], pictures: Sequence[_Picture]
) -> str:
    """Return the HTML that ``book/static/explorer.js`` brings to life.

    Without a script the default picture and its sentence are shown, and no controls.
    """
    key = "explorer-" + re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    place = _position(choices)
    controls = "\n".join(
        _native_control(f"{key}-{name}", name, choice) for name, choice in choices.items()
    )
    frames = [{"src": picture.address, "sentence": picture.sentence} for picture in pictures]
    data = json.dumps({"alt": alt, "frames": frames}, ensure_ascii=False).replace("<", r"\u003c")
    shown = pictures[place]
    return (
        f'<figure class="explorer" id="{key}" aria-labelledby="{key}-title">\n'
        f'<p class="explorer-title" id="{key}-title">{html.escape(title)}</p>\n'
        f'<div class="explorer-controls" hidden>\n{controls}\n</div>\n'
        f'<img src="{shown.address}" alt="{html.escape(_alternative(alt, shown.sentence))}"'
        f"{_size(shown.png)}>\n"
        f'<figcaption><output aria-live="polite">{html.escape(shown.sentence)}</output>'
        f"</figcaption>\n"
        f'<script type="application/json">{data}</script>\n'
        f"</figure>"
    )


def _native_control(key: str, name: str, choice: Choice) -> str:
    """Return a labelled input: a slider over the places of numbers, a list of words."""
    label = html.escape(choice.label or name)
    texts = [html.escape(choice.text(value)) for value in choice.values]
    codes = [html.escape(_code(value)) for value in choice.values]
    assert choice.default is not None
    place = list(choice.values).index(choice.default)
    if isinstance(choice.values[0], str):
        options = "".join(
            f'<option value="{code}"{" selected" if i == place else ""}>{text}</option>'
            for i, (code, text) in enumerate(zip(codes, texts, strict=True))
        )
        control = f'<select id="{key}" name="{name}">{options}</select>'
    else:
        control = (
            f'<input type="range" id="{key}" name="{name}" min="0" max="{len(texts) - 1}" step="1"'
            f' value="{place}" aria-valuetext="{texts[place]}"'
            f" data-codes='{html.escape(json.dumps([_code(v) for v in choice.values]))}'"
            f" data-texts='{html.escape(json.dumps([choice.text(v) for v in choice.values]))}'>"
            f'<span class="explorer-value" aria-hidden="true">{texts[place]}</span>'
        )
    if choice.play:
        control += f'<button type="button" aria-label="Play {label}">Play</button>'
    return f'<div class="explorer-control"><label for="{key}">{label}</label>{control}</div>'


def _code(value: Value) -> str:
    """Return the value as it stands in the page's address."""
    return value if isinstance(value, str) else f"{value:.6g}"


def _alternative(alt: str, sentence: str) -> str:
    return f"{alt} {sentence}".strip()


def _size(png: bytes) -> str:
    """Return the attributes that keep room for a picture drawn at `STATIC_DPI`."""
    width, height = (int.from_bytes(png[at : at + 4], "big") * 96 // STATIC_DPI for at in (16, 20))
    return f' width="{width}" height="{height}"'


def _live_face(
    draw: Draw, title: str, alt: str, choices: Mapping[str, Choice], first: _Picture
) -> dict[str, Any]:
    """Return widgets that draw again whenever one of them is moved."""
    import ipywidgets

    controls = {name: _widget(name, choice) for name, choice in choices.items()}
    whole = {
        name
        for name, choice in choices.items()
        if all(isinstance(value, int) for value in choice.values)
    }
    view = ipywidgets.HTML(_live_html(alt, first))

    def redraw(_: object) -> None:
        values = {
            name: round(control.value) if name in whole else control.value
            for name, control in controls.items()
        }
        try:
            view.value = _live_html(alt, _picture(draw, values))
        except Exception as error:  # the front end would swallow it
            view.value = f"<p role='alert'>{html.escape(f'{type(error).__name__}: {error}')}</p>"

    for control in controls.values():
        control.observe(redraw, "value")
    heading = ipywidgets.HTML(f"<strong>{html.escape(title)}</strong>")
    rows = [_with_player(controls[name], choice) for name, choice in choices.items()]
    box = ipywidgets.VBox([heading, *rows, view])
    shown: dict[str, Any] = box._repr_mimebundle_()
    shown.pop("text/plain", None)
    return shown


def _live_html(alt: str, picture: _Picture) -> str:
    # The ink is dark and the ground transparent: a dark notebook needs a light plate.
    return (
        f'<img src="{picture.address}" alt="{html.escape(_alternative(alt, picture.sentence))}"'
        ' style="background: white; max-width: 100%">'
        f'<p><output aria-live="polite">{html.escape(picture.sentence)}</output></p>'
    )


def _widget(name: str, choice: Choice) -> Any:
    """Return the widget that offers any value between the least and the greatest."""
    import ipywidgets

    label = f"{choice.label or name} ({choice.unit})" if choice.unit else choice.label or name
    common = {
        "description": label,
        "value": choice.default,
        "style": {"description_width": "initial"},
    }
    if isinstance(choice.values[0], str):
        return ipywidgets.Dropdown(options=list(choice.values), **common)
    numbers = [value for value in choice.values if not isinstance(value, str)]
    low, high = min(numbers), max(numbers)
    common |= {"continuous_update": False, "layout": {"width": "30em"}}
    whole = all(isinstance(number, int) for number in numbers)
    if _geometric(numbers):
        return ipywidgets.FloatLogSlider(
            min=math.log10(low),
            max=math.log10(high),
            step=0.01,
            readout_format=".0f" if whole else ".3g",
            **common,
        )
    if whole:
        return ipywidgets.IntSlider(min=low, max=high, **common)
    step = (high - low) / 100 or 0.01
    return ipywidgets.FloatSlider(min=low, max=high, step=step, readout_format=".3g", **common)


def _with_player(control: Any, choice: Choice) -> Any:
    """Return the control; beside it, for a time axis, a button that runs through the values."""
    import ipywidgets

    if not choice.play:
        return control
    player = ipywidgets.Play(min=0, max=len(choice.values) - 1, interval=800)

    def move(change: dict[str, Any]) -> None:
        control.value = choice.values[change["new"]]

    player.observe(move, "value")
    return ipywidgets.HBox([control, player])


def _geometric(numbers: Sequence[float]) -> bool:
    """Say whether the values grow by about a constant factor, so that a log scale fits them."""
    if len(numbers) < 3 or min(numbers) <= 0:
        return False
    logs = [math.log(number) for number in sorted(numbers)]
    steps = [after - before for before, after in pairwise(logs)]
    return max(steps) < 2 * min(steps) and logs[-1] - logs[0] > math.log(4)
