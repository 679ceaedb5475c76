"""What the figures' artists hold, and that the user's settings stay."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.colors import to_hex
from matplotlib.patches import StepPatch

from initcourse.diagnosis import Check, Diagnosis
from initcourse.initializers import he_normal
from initcourse.pages import plots
from initcourse.propagation import depth_sweep

FIRST_COLOUR = "#0072b2"  # of initcourse.mplstyle

KINDS: dict[str, Callable[..., Axes]] = {
    "histogram": lambda **given: plots.histogram(np.arange(10.0), bins=5, **given),
    "dots_and_law": lambda **given: plots.dots_and_law([1, 2], [3.0, 4.0], **given),
    "curves": lambda **given: plots.curves([0, 1], [[3.0, 2.0], [3.0, 1.0]], **given),
    "verdict_matrix": lambda **given: plots.verdict_matrix(
        [[True]], [[1.0]], rows=["a"], columns=["b"], **given
    ),
    "verdicts": lambda **given: plots.verdicts(
        {"a": [diagnosed(Check("b", True, 1.0, 10.0))]}, ["b"], **given
    ),
}
each_kind = pytest.mark.parametrize("draw", KINDS.values(), ids=KINDS)


@pytest.fixture(autouse=True)
def _own_settings_and_no_figure_left() -> Iterator[None]:
    # A user's settings that differ from the course's style, so that a leak is seen.
    with plt.rc_context({"legend.frameon": True, "lines.linewidth": 7, "axes.grid": False}):
        plt.close("all")
        yield
        plt.close("all")


@each_kind
def test_the_axes_given_are_returned(draw: Callable[..., Axes]) -> None:
    _, ax = plt.subplots()
    assert draw(ax=ax) is ax
    assert len(plt.get_fignums()) == 1


@each_kind
def test_a_new_figure_if_none_is_given(draw: Callable[..., Axes]) -> None:
    first, second = draw(), draw()
    assert first.figure is not second.figure
    assert first.has_data()


@each_kind
def test_labels_are_passed_on(draw: Callable[..., Axes]) -> None:
    ax = draw(xlabel="layer", ylabel="q", title="Depth", yscale="log")
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("layer", "q", "Depth")
    assert ax.get_yscale() == "log"


@each_kind
def test_the_users_settings_stay(draw: Callable[..., Axes]) -> None:
    before = dict(rcParams)
    draw()
    plots.subplots(1, 2)
    assert dict(rcParams) == before


def test_the_users_settings_stay_after_an_error() -> None:
    before = dict(rcParams)

    def fail() -> None:
        with plots.course_style():
            assert rcParams["legend.frameon"] is False
            raise KeyError("own")

    with pytest.raises(KeyError):
        fail()
    assert dict(rcParams) == before


@each_kind
def test_arrays_are_not_changed(draw: Callable[..., Axes]) -> None:
    x, y = np.array([1.0, 2.0]), np.array([[3.0, 1.0], [2.0, 4.0]])
    plots.histogram(y, law=(x, x))
    plots.dots_and_law(x, y, law=(x, x))
    plots.curves(x, y)
    assert x.tolist() == [1, 2]
    assert y.tolist() == [[3, 1], [2, 4]]


def bars(ax: Axes) -> tuple[Any, Any]:
    (patch,) = (p for p in ax.patches if isinstance(p, StepPatch))
    data = patch.get_data()
    return np.asarray(data.values), np.asarray(data.edges)


def test_histogram_is_a_density() -> None:
    samples = np.random.default_rng(0).standard_normal((50, 20))
    density, edges = bars(plots.histogram(samples, bins=30))
    assert len(density) == 30
    assert density @ np.diff(edges) == pytest.approx(1)
    np.testing.assert_allclose(density, np.histogram(samples, 30, density=True)[0])


def test_samples_outside_the_bins_are_counted() -> None:
    density, edges = bars(plots.histogram([0.5, 1.5, 2.5, 99.0], bins=[0, 1, 2]))
    assert edges.tolist() == [0, 1, 2]
    assert density.tolist() == [0.25, 0.25]


def test_the_law_is_drawn_over_the_bars() -> None:
    x, y = [0, 1, 2], [0.1, 0.5, 0.1]
    ax = plots.histogram([0.5, 1.5], bins=[0, 1, 2], law=(x, y), label="drawn", law_label="normal")
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_xydata(), np.column_stack([x, y]))
    assert line.get_zorder() > ax.patches[0].get_zorder()
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["drawn", "normal"]
    assert ax.get_ylabel() == "density"


def test_dots_are_medians_with_their_range_and_the_law_is_the_line() -> None:
    runs = np.array([[1.0, 10.0], [2.0, 40.0], [9.0, 20.0]])
    ax = plots.dots_and_law([5, 6], runs, law=([5, 6, 7], [1.0, 2.0, 3.0]), label="measured")
    dots = ax.containers[0][0]
    np.testing.assert_array_equal(dots.get_xydata(), [[5, 2], [6, 20]])
    assert dots.get_linestyle() == "None"
    (bar_lines,) = ax.containers[0][2]
    ranges = [segment[:, 1].tolist() for segment in bar_lines.get_segments()]
    assert ranges == [[1, 9], [10, 40]]
    law = ax.lines[-1]
    np.testing.assert_array_equal(law.get_xydata(), [[5, 1], [6, 2], [7, 3]])
    assert law.get_linestyle() == "-"
    assert to_hex(law.get_color()) == to_hex(dots.get_color()) == FIRST_COLOUR


def test_one_run_has_no_range() -> None:
    ax = plots.dots_and_law([1, 2], [3.0, 4.0])
    (bar_lines,) = ax.containers[0][2]
    assert [np.ptp(segment[:, 1]) for segment in bar_lines.get_segments()] == [0, 0]
    assert ax.get_legend() is None


def test_curves_are_means_in_a_band() -> None:
    runs = np.array([[3.0, 2.0, 1.0], [3.0, 1.0, 0.0]])
    ax = plots.curves([0, 1, 2], runs, label="loss")
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_ydata(), [3, 1.5, 0.5])
    (band,) = (c for c in ax.collections if isinstance(c, FillBetweenPolyCollection))
    corners = {(float(x), float(y)) for x, y in band.get_paths()[0].vertices}
    assert {(1, 1), (1, 2), (2, 0), (2, 1)} <= corners
    assert len(plots.curves([0, 1], [1.0, 2.0]).collections) == 0


def test_curves_of_one_figure_differ_in_colour_and_line() -> None:
    _, ax = plots.subplots()
    for _ in range(6):
        plots.curves([0, 1], [1.0, 2.0], ax=ax)
    assert len({to_hex(line.get_color()) for line in ax.lines}) == 6
    assert to_hex(ax.lines[0].get_color()) == FIRST_COLOUR
    assert len({line.get_linestyle() for line in ax.lines}) >= 4


def test_subplots_are_in_the_courses_style() -> None:
    figure, (left, right) = plots.subplots(1, 2, figsize=(5, 2))
    assert figure.get_size_inches().tolist() == [5, 2]
    assert not left.spines["top"].get_visible()
    assert right.get_facecolor()[3] == 0  # transparent


def test_images_stand_side_by_side_with_a_gap_and_one_scale() -> None:
    pictures = np.arange(3 * 4 * 5, dtype=float).reshape(3, 4, 5) - 10
    before = pictures.copy()
    _, ax = plt.subplots()
    assert plots.images(pictures, columns=2, ax=ax, title="filters") is ax
    (image,) = ax.images
    wall = np.ma.filled(image.get_array(), np.nan)
    assert wall.shape == (2 * 6, 2 * 7)
    np.testing.assert_array_equal(wall[1:5, 1:6], pictures[0])
    np.testing.assert_array_equal(wall[1:5, 8:13], pictures[1])
    np.testing.assert_array_equal(wall[7:11, 1:6], pictures[2])
    assert np.isnan(wall[7:11, 8:13]).all()
    assert np.isnan(wall[0]).all()
    assert image.get_clim() == (-49, 49)
    assert ax.get_title() == "filters"
    assert not ax.axison
    assert plots.images(pictures, limit=2.0).images[0].get_clim() == (-2, 2)
    np.testing.assert_array_equal(pictures, before)


def test_images_need_three_axes() -> None:
    with pytest.raises(ValueError, match=r"\(pictures, height, width\), got \(8, 8\)"):
        plots.images(np.ones((8, 8)))


def test_a_verdict_is_a_mark_a_figure_and_a_colour() -> None:
    passed = [[True, False, None], [False, True, True]]
    figures = np.array([[1.234, 4.2e7, np.nan], [np.inf, 0.0, 0.00037]])
    ax = plots.verdict_matrix(passed, figures, rows=["zeros", "he"], columns=["a", "b", "c"])
    texts = {
        (int(text.get_position()[1]), int(text.get_position()[0])): text.get_text()
        for text in ax.texts
    }
    assert texts == {
        (0, 0): "✓ 1.2",
        (0, 1): "✗ 4e7",
        (0, 2): "–",
        (1, 0): "✗ ∞",
        (1, 1): "✓ 0",
        (1, 2): "✓ 4e-4",
    }
    colors = {
        (int(box.get_y() + 0.5), int(box.get_x() + 0.5)): box.get_facecolor() for box in ax.patches
    }
    assert colors[0, 0] == colors[1, 1] == colors[1, 2]
    assert colors[0, 1] == colors[1, 0]
    assert len(set(colors.values())) == 3
    assert colors[0, 2][3] == 0  # nothing is filled where nothing was measured
    assert [label.get_text() for label in ax.get_yticklabels()] == ["zeros", "he"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b", "c"]
    low, high = ax.get_ylim()
    assert low > high  # the first row is on top


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (12.34, "12"), (99.4, "99"), (0.0123, "0.012"), (99.99, "100"), (150, "2e2")],
)
def test_brief_numbers(value: float, text: str) -> None:
    ax = plots.verdict_matrix([[True]], [[value]], rows=["a"], columns=["b"])
    assert ax.texts[0].get_text() == f"✓ {text}"


def test_dots_and_laws_give_each_group_its_own_colour_marker_and_law() -> None:
    ax = plots.dots_and_laws(
        {"a": [1.0, 2.0], "b": [2.0, 1.0]}, {"b": [2.5, 1.5]}, x=[1, 2], xlabel="n"
    )
    (law,) = [line for line in ax.lines if line.get_linestyle() == "-"]
    assert law.get_ydata().tolist() == [2.5, 1.5]
    dots = [group.lines[0] for group in ax.containers]
    assert len({dot.get_color() for dot in dots}) == len({dot.get_marker() for dot in dots}) == 2
    assert law.get_color() == dots[1].get_color()


def test_a_law_without_a_group_is_refused() -> None:
    for draw in (partial(plots.dots_and_laws, x=[1]), plots.histograms):
        with pytest.raises(ValueError, match="the name of a law must be one of 'a'; got 'b'"):
            draw({"a": [1.0]}, {"b": [1.0]})


def test_a_density_may_be_a_function() -> None:
    ax = plots.histogram(np.linspace(0, 4, 9), bins=4, law=lambda z: 2 * z)
    (line,) = ax.lines
    assert line.get_xdata()[[0, -1]].tolist() == [0.0, 4.0]
    np.testing.assert_array_equal(line.get_ydata(), 2 * line.get_xdata())


def test_histograms_share_their_axes() -> None:
    ax = plots.histograms(
        {"a": [0.0, 1.0], "b": [0.0, 2.0]}, {"a": lambda z: z}, bins=3, xlabel="z"
    )
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["a", "a, theory", "b"]
    assert ax.get_xlabel() == "z"


def test_panels_carry_one_legend_and_hide_what_is_left_over() -> None:
    pictures = {name: {"runs": {"he": [1.0, 2.0]}} for name in "abc"}
    drawn = plots.panels(plots.named_curves, pictures, x=[0, 1], columns=2, ylabel="loss")
    assert [ax.get_title() for ax in drawn] == ["a", "b", "c"]
    assert [ax.get_legend() is not None for ax in drawn] == [True, False, False]
    assert {ax.get_ylabel() for ax in drawn} == {"loss"}
    assert not drawn[0].figure.axes[3].axison


def test_layers_draw_a_panel_a_statistic_over_its_law() -> None:
    sweep = depth_sweep((20,) * 4, seeds=3, init=he_normal, activation="relu")
    share, gradient = plots.layers(
        {"relu": sweep}, ["saturated_share", "rms_gradient"], {"relu": {"rms_gradient": [1, 1, 1]}}
    )
    assert (share.get_yscale(), gradient.get_yscale()) == ("linear", "log")
    dots = gradient.containers[0].lines[0]
    assert dots.get_xdata().tolist() == [1, 2, 3]
    np.testing.assert_array_equal(dots.get_ydata(), np.median(sweep.rms_gradient, axis=0))
    assert len(gradient.lines) > len(share.lines)  # the law


@pytest.mark.parametrize(
    ("line", "x", "y"),
    [
        (0.5, [0, 1], [0.5, 0.5]),  # of the axes: from edge to edge
        (([1.0, 3.0], [4.0, 5.0]), [1, 3], [4, 5]),
        (lambda x: 2 * x, [-2, 2], [-4, 4]),
    ],
    ids=["height", "points", "function"],
)
def test_a_reference_is_a_dashed_line_named_in_the_first_legend(
    line: Any, x: list[float], y: list[float]
) -> None:
    pictures = {name: {"samples": [-1.0, 1.0], "xlim": (-2, 2)} for name in "ab"}
    panels = plots.panels(plots.histogram, pictures)
    plots.reference(panels, line, label="limit")
    for ax in panels:
        drawn = ax.lines[-1]
        assert (drawn.get_linestyle(), drawn.get_label()) == ("--", "limit")
        assert [drawn.get_xdata()[k] for k in (0, -1)] == pytest.approx(x)  # type: ignore[index]
        assert [drawn.get_ydata()[k] for k in (0, -1)] == pytest.approx(y)  # type: ignore[index]
    legends = [ax.get_legend() for ax in panels]
    assert legends[1] is None
    assert [text.get_text() for text in legends[0].get_texts()] == ["measured", "limit"]  # type: ignore[union-attr]
    assert not legends[0].get_frame_on()  # type: ignore[union-attr]


def test_a_function_as_reference_leaves_the_axis_as_it_was() -> None:
    ax = plots.curves([0, 1], [1.0, 2.0])
    ends = ax.get_xlim()
    plots.reference(ax, np.sin, label="sine")
    assert ax.get_xlim() == ends
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["sine"]  # type: ignore[union-attr]


def diagnosed(*found: Check) -> Diagnosis:
    return Diagnosis(found, layers=None)  # type: ignore[arg-type]  # the picture looks at checks


def test_verdicts_show_each_check_of_the_worst_net() -> None:
    first = diagnosed(Check("saturation", True, 0.1, 0.5), Check("gradients", False, 30.0, 10.0))
    second = diagnosed(Check("saturation", False, 0.7, 0.5), Check("gradients", True, 2.0, 10.0))
    alone = diagnosed(Check("saturation", True, 0.2, 0.5), Check("gradients", False, np.inf, 10.0))
    checks = ["gradients", "saturation"]  # in the order asked for
    for nets in ([first, second], [second, first]):
        ax = plots.verdicts({"He": nets, "zeros": [alone]}, checks)
        assert [text.get_text() for text in ax.texts] == ["✗ 30", "✗ 0.7", "✗ ∞", "✓ 0.2"]
        assert [label.get_text() for label in ax.get_xticklabels()] == checks
        assert [label.get_text() for label in ax.get_yticklabels()] == ["He", "zeros"]


def test_a_check_that_applies_to_one_net_only_shows_that_one() -> None:
    silent = diagnosed(Check("explosion", None, np.nan, 10.0))
    loud = diagnosed(Check("explosion", True, 1.5, 10.0))
    for nets, text in (([silent, loud], "✓ 1.5"), ([loud, silent], "✓ 1.5"), ([silent], "–")):
        ax = plots.verdicts({"He": nets}, ["explosion"])
        assert [one.get_text() for one in ax.texts] == [text]


def test_verdicts_need_a_net_a_row_and_known_checks() -> None:
    with pytest.raises(ValueError, match="the number of diagnoses of 'He' must be >= 1"):
        plots.verdicts({"He": []}, ["gradients"])
    with pytest.raises(ValueError, match="check must be one of 'gradients'; got 'slope'"):
        plots.verdicts({"He": [diagnosed(Check("gradients", True, 1.0, 10.0))]}, ["slope"])
