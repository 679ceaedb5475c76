"""The face in a live kernel: widgets that draw the figure again at any value."""

import html
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from initcourse.pages.widgets.pictures import Draw, Picture, alternative, picture_of
from initcourse.pages.widgets.values import Choice


def live_face(
    draw: Draw, title: str, alt: str, choices: Mapping[str, Choice], first: Picture
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
            view.value = _live_html(alt, picture_of(draw, values))
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


def _live_html(alt: str, picture: Picture) -> str:
    # The ink is dark and the ground transparent: a dark notebook needs a light plate.
    return (
        f'<img src="{picture.address}" alt="{html.escape(alternative(alt, picture.sentence))}"'
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
