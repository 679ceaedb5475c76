"""One call, two faces."""

import base64
import html
import io
import json
import re
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from initcourse.pages import widgets
from initcourse.pages.widgets import Choice, explore

drawn: list[dict[str, Any]] = []


def draw(inputs: int, std: float = 1.0, kind: str = "line") -> tuple[Any, str]:
    drawn.append({"inputs": inputs, "std": std, "kind": kind})
    _, ax = plt.subplots(figsize=(3, 2))
    ax.plot([0, inputs], [0, std])
    return ax, f"inputs <{inputs}> & std {std}, {kind}"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INITCOURSE_EXPLORER", raising=False)
    drawn.clear()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("INITCOURSE_EXPLORER", "static")
    explorer = explore(
        draw,
        title="One neuron: z",
        alt="A line.",
        inputs=Choice([10, 100], label="number of inputs", unit="px", default=100),
        std=[0.5, 1.0],
        kind=["line", "dots"],
    )
    text: str = explorer._repr_mimebundle_()["text/html"]
    return text


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


# The static face


def test_every_combination_is_drawn_the_last_parameter_fastest(page: str) -> None:
    assert [(d["inputs"], d["std"], d["kind"]) for d in drawn] == [
        (n, s, k) for n in (10, 100) for s in (0.5, 1.0) for k in ("line", "dots")
    ]
    sentences = [frame["sentence"] for frame in data_of(page)["frames"]]
    assert sentences[4] == "inputs <100> & std 0.5, line"


def test_the_default_picture_needs_no_script(page: str) -> None:
    shown = re.search(r'<img src="([^"]*)" alt="([^"]*)"', page)
    assert shown is not None
    assert shown[1] == data_of(page)["frames"][4]["src"]
    assert html.unescape(shown[2]) == "A line. inputs <100> & std 0.5, line"
    assert '<div class="explorer-controls" hidden>' in page
    assert "inputs &lt;100&gt; &amp; std 0.5, line</output>" in page


def test_controls_are_native_and_labelled(page: str) -> None:
    assert 'id="explorer-one-neuron-z"' in page
    for name in ("inputs", "std", "kind"):
        assert f'<label for="explorer-one-neuron-z-{name}">' in page
        assert f'id="explorer-one-neuron-z-{name}" name="{name}"' in page
    assert page.count('type="range"') == 2
    assert 'aria-valuetext="100 px"' in page
    assert '<option value="line" selected>line</option><option value="dots">dots</option>' in page


def test_a_time_axis_has_a_button(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INITCOURSE_EXPLORER", "static")
    time = Choice([0, 5, 50], label="steps", play=True)
    page = explore(draw, title="t", inputs=time, std=[1.0])._repr_mimebundle_()["text/html"]
    assert page.count("<button") == 1
    assert '<button type="button" aria-label="Play steps">Play</button></div>' in page


def test_pictures_are_small_dense_and_transparent(page: str) -> None:
    for frame in data_of(page)["frames"]:
        content = base64.b64decode(frame["src"].removeprefix("data:image/png;base64,"))
        assert len(content) < 20_000
        picture = Image.open(io.BytesIO(content))
        assert picture.size == (3 * widgets.STATIC_DPI, 2 * widgets.STATIC_DPI)
        assert picture.convert("RGBA").getpixel((0, 0))[3] == 0
    assert 'width="288" height="192"' in page


def test_the_same_call_gives_the_same_page(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    again = explore(draw, title="t", inputs=[1, 2])._repr_mimebundle_()["text/html"]
    assert again == explore(draw, title="t", inputs=[1, 2])._repr_mimebundle_()["text/html"]


# The live face


def parts(bundle: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return the controls by description, and the view."""
    from ipywidgets.widgets.widget import _instances

    box: Any = _instances[bundle["application/vnd.jupyter.widget-view+json"]["model_id"]]
    _, *controls, view = box.children
    return {control.description: control for control in controls}, view


def test_a_live_kernel_draws_none_ahead_and_any_value() -> None:
    explorer = explore(draw, title="t", inputs=[1, 50, 100], std=[0.1, 0.2], kind=["a", "b"])
    controls, view = parts(explorer._repr_mimebundle_())
    assert len(drawn) == 1
    controls["inputs"].value = 37
    controls["std"].value = 0.15
    controls["kind"].value = "b"
    assert drawn[-1] == {"inputs": 37, "std": pytest.approx(0.15), "kind": "b"}
    assert 'aria-live="polite">inputs &lt;37&gt;' in view.value


def test_geometric_values_get_a_logarithmic_slider() -> None:
    import ipywidgets

    explorer = explore(draw, title="t", inputs=[10, 100, 1000], std=[0.01, 0.1, 1.0])
    controls, _ = parts(explorer._repr_mimebundle_())
    assert isinstance(controls["std"], ipywidgets.FloatLogSlider)
    assert (controls["std"].min, controls["std"].max) == (-2, 0)
    controls["inputs"].value = 123.4
    assert drawn[-1]["inputs"] == 123
    assert isinstance(drawn[-1]["inputs"], int)


def test_a_live_time_axis_is_played() -> None:
    from ipywidgets.widgets.widget import _instances

    explorer = explore(draw, title="t", inputs=Choice([0, 5, 50], play=True), std=[1.0, 2.0])
    view = explorer._repr_mimebundle_()["application/vnd.jupyter.widget-view+json"]
    box: Any = _instances[view["model_id"]]
    slider, player = box.children[1].children
    assert (player.min, player.max) == (0, 2)
    player.value = 2
    assert slider.value == 50
    assert (drawn[-1]["inputs"], drawn[-1]["std"]) == (50, 1.0)


def test_an_error_while_moving_is_shown() -> None:
    def fails_above_one(x: int) -> tuple[Any, str]:
        if x > 1:
            raise ValueError(f"x must be <= 1, got {x}")
        return draw(x)

    controls, view = parts(explore(fails_above_one, title="t", x=[1, 2])._repr_mimebundle_())
    controls["x"].value = 2
    assert "ValueError: x must be &lt;= 1, got 2" in view.value


# Both


@pytest.mark.parametrize("face", ["live", "static"])
def test_no_figure_stays_open(face: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INITCOURSE_EXPLORER", face)
    mine = plt.figure()
    explore(draw, title="t", inputs=[1, 2])._repr_mimebundle_()
    with pytest.raises(RuntimeError):
        explore(raises, title="t", x=[1])
    assert plt.get_fignums() == [mine.number]
    plt.close(mine)


def raises(x: int) -> tuple[Any, str]:
    plt.figure()
    raise RuntimeError("drawing failed")


@pytest.mark.parametrize(
    "result",
    [
        lambda f, a: f,
        lambda f, a: a[0],
        lambda f, a: a,
        lambda f, a: list(a),
        lambda f, a: a[0].lines,
    ],
)
def test_a_figure_or_its_axes_may_be_returned(result: Any) -> None:
    def two(x: int) -> tuple[Any, str]:
        figure, axes = plt.subplots(1, 2)
        axes[0].plot([x, x])
        return result(figure, axes), "two axes"

    assert repr(explore(two, title="t", x=[1])) == "Explorer 't': two axes"


def test_numpy_values_are_taken() -> None:
    explore(draw, title="t", inputs=np.array([1, 2]), std=list(np.array([0.1, 0.2])))
    assert drawn[-1]["inputs"] == 1
    assert type(drawn[-1]["std"]) is float


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({}, ValueError, "at least one parameter"),
        ({"inputs": []}, ValueError, "parameter inputs: .*at least one value"),
        ({"inputs": 3}, TypeError, "parameter inputs: .*for a single value write \\[3\\]"),
        ({"inputs": "abc"}, TypeError, "list of numbers or of strings, got 'abc'"),
        ({"inputs": [1, "a"]}, TypeError, "all numbers or all strings"),
        ({"inputs": [1, 1]}, ValueError, "differ from each other"),
        ({"inputs": [True, False]}, TypeError, "number or a string, got True"),
        ({"inputs": [float("nan")]}, ValueError, "finite, got nan"),
        ({"width": [1]}, TypeError, "draw cannot be called with width"),
        ({"std": [1]}, TypeError, "missing a required argument: 'inputs'"),
    ],
)
def test_bad_parameters_are_refused_at_the_door(
    arguments: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        explore(draw, title="t", **arguments)
    assert drawn == []


def test_a_default_must_be_on_offer() -> None:
    with pytest.raises(ValueError, match=r"default must be one of \[1, 2\], got 3"):
        Choice([1, 2], default=3)


def test_words_are_no_time_axis() -> None:
    with pytest.raises(ValueError, match="play needs numbers, a time axis, got"):
        Choice(["a", "b"], play=True)


def test_a_title_is_needed() -> None:
    with pytest.raises(ValueError, match="title must not be empty"):
        explore(draw, title=" ", inputs=[1])


@pytest.mark.parametrize("result", [None, "words", (1, 2, 3), ("ax", 3), (3, "words")])
def test_draw_must_return_axes_and_a_sentence(result: Any) -> None:
    with pytest.raises(TypeError, match="draw must return"):
        explore(lambda x: result, title="t", x=[1])
