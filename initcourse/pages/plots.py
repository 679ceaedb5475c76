"""One function a kind of figure: takes arrays and ``ax=None``, draws, returns the ``Axes``.

Nothing here computes beyond what drawing needs.  Figures made by this module follow
``initcourse.mplstyle``; the user's own Matplotlib settings stay as they are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib import rc_params_from_file, rcParams
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.projections import register_projection
from matplotlib.ticker import NullLocator

from initcourse import _checks

_MARKERS = "os^Dv<>"
_POINTS = 400  # of a line whose law is a function
_STYLE = rc_params_from_file(
    str(files("initcourse.pages") / "initcourse.mplstyle"), use_default_template=False
)


class _CourseAxes(Axes):
    """Axes whose logarithmic scales mark decades alone: minor ticks double the time of drawing."""

    name = "initcourse"

    def set_xscale(self, value: Any, **options: Any) -> None:
        super().set_xscale(value, **options)
        for ax in self.get_shared_x_axes().get_siblings(self):
            ax.xaxis.set_minor_locator(NullLocator())

    def set_yscale(self, value: Any, **options: Any) -> None:
        super().set_yscale(value, **options)
        for ax in self.get_shared_y_axes().get_siblings(self):
            ax.yaxis.set_minor_locator(NullLocator())


register_projection(_CourseAxes)


@contextmanager
def course_style() -> Iterator[None]:
    """Switch the course's style on, as a ``with`` block or a decorator, and restore it after.

    Only the style's own settings are restored: Jupyter turns on interactive mode when the first
    figure is made, and ``plt.style.context`` would turn it off again.

    Examples
    --------
    >>> before = plt.rcParams["legend.frameon"]
    >>> with course_style():
    ...     plt.rcParams["legend.frameon"]
    False
    >>> plt.rcParams["legend.frameon"] == before
    True
    """
    own = {key: rcParams[key] for key in _STYLE}
    rcParams.update(_STYLE)
    try:
        yield
    finally:
        rcParams.update(own)


@course_style()
def subplots(rows: int = 1, columns: int = 1, **options: Any) -> tuple[Figure, Any]:
    """Make a figure with axes in the course's style, as ``matplotlib.pyplot.subplots`` does.

    Parameters
    ----------
    rows, columns : int
        The grid of axes.
    **options
        Passed on to Matplotlib.

    Returns
    -------
    (Figure, Axes or array of Axes)

    Examples
    --------
    >>> figure, (left, right) = subplots(1, 2)
    >>> plt.close(figure)
    """
    kind = {"projection": _CourseAxes.name} | options.pop("subplot_kw", {})
    return plt.subplots(rows, columns, subplot_kw=kind, **options)


def _axes(ax: Axes | None) -> Axes:
    return subplots()[1] if ax is None else ax


def _finish(ax: Axes, labels: dict[str, Any]) -> Axes:
    """Set what :meth:`Axes.set` takes; show a legend where something has a label."""
    ax.set(**labels)
    if ax.get_legend_handles_labels()[1]:
        ax.legend()
    return ax


@course_style()
def histogram(
    samples: npt.ArrayLike,
    *,
    bins: int | npt.ArrayLike = 60,
    law: tuple[npt.ArrayLike, npt.ArrayLike] | Callable[[Any], npt.ArrayLike] | None = None,
    label: str = "measured",
    law_label: str = "theory",
    color: str = "0.6",
    law_color: str = "C1",
    ax: Axes | None = None,
    **labels: Any,
) -> Axes:
    """Draw the measured density as bars, and the predicted density as a line over it.

    Parameters
    ----------
    samples : array_like
        The values drawn, any shape.
    bins : int or array_like
        Number or edges of the bins.
    law : (x, density) or callable, optional
        The predicted density, as points or as a function of the value.
    label, law_label : str
        Names in the legend.
    color, law_color : str
        Of the bars and of the line.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    **labels
        What ``Axes.set`` takes: ``xlabel``, ``title`` and so on.

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = histogram(np.arange(10.0), bins=5, xlabel="z")
    >>> plt.close(ax.figure)
    """
    ax = _axes(ax)
    values = np.ravel(samples)
    edges = np.histogram_bin_edges(values, bins)
    counts, _ = np.histogram(values, edges)
    # The share is of all samples, also of those outside the bins: a cut axis must not inflate it.
    density = counts / (values.size * np.diff(edges))
    ax.stairs(density, edges, fill=True, color=to_hex(color), alpha=0.5, label=label)
    if callable(law):
        grid = np.linspace(edges[0], edges[-1], _POINTS)
        law = grid, law(grid)
    if law is not None:
        ax.plot(*law, color=to_hex(law_color), linestyle="-", label=law_label)
    return _finish(ax, {"ylabel": "density", **labels})


@course_style()
def dots_and_law(
    x: npt.ArrayLike,
    measured: npt.ArrayLike,
    *,
    law: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    label: str | None = None,
    law_label: str | None = None,
    color: str = "C0",
    marker: str = "o",
    ax: Axes | None = None,
    **labels: Any,
) -> Axes:
    """Draw measured dots with their range over seeds, and the law as a line.

    Parameters
    ----------
    x : array_like of shape (points,)
        Where it was measured: layers, widths, …
    measured : array_like of shape (points,) or (seeds, points)
        A dot is the median over seeds, its bar runs from the lowest to the highest.
    law : (x, y), optional
        The predicted line.
    label, law_label : str, optional
        Names in the legend.
    color, marker : str
        Of the dots; the line takes the same colour.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    **labels
        What ``Axes.set`` takes.

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = dots_and_law([1, 2], [[1.0, 2.0], [1.2, 2.4]], law=([1, 2], [1, 2]), xlabel="layer")
    >>> plt.close(ax.figure)
    """
    ax = _axes(ax)
    color = to_hex(
        color
    )  # "C0" means the course's first colour, whatever the style at drawing time
    runs = np.atleast_2d(np.asarray(measured, dtype=float))
    middle = np.median(runs, axis=0)
    reach = np.abs([middle - runs.min(axis=0), runs.max(axis=0) - middle])
    ax.errorbar(
        x, middle, yerr=reach, fmt=marker, color=color, capsize=2, elinewidth=1, label=label
    )
    if law is not None:
        ax.plot(*law, color=color, linestyle="-", linewidth=1.2, label=law_label)
    return _finish(ax, labels)


@course_style()
def curves(
    x: npt.ArrayLike,
    runs: npt.ArrayLike,
    *,
    label: str | None = None,
    ax: Axes | None = None,
    **labels: Any,
) -> Axes:
    """Draw the mean of several runs as a line, inside a band from the lowest to the highest run.

    Parameters
    ----------
    x : array_like of shape (points,)
        Steps, or any other axis.
    runs : array_like of shape (points,) or (runs, points)
        One row a seed.
    label : str, optional
        Name in the legend.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    **labels
        What ``Axes.set`` takes.

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = curves([0, 1, 2], [[3.0, 2.0, 1.0], [3.0, 1.0, 0.5]], label="loss", xlabel="step")
    >>> plt.close(ax.figure)
    """
    ax = _axes(ax)
    rows = np.atleast_2d(np.asarray(runs, dtype=float))
    (line,) = ax.plot(x, rows.mean(axis=0), label=label)
    if len(rows) > 1:
        low, high = rows.min(axis=0), rows.max(axis=0)
        ax.fill_between(x, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    return _finish(ax, labels)


@course_style()
def dots_and_laws(
    measured: Mapping[str, npt.ArrayLike],
    laws: Mapping[str, npt.ArrayLike | tuple[npt.ArrayLike, npt.ArrayLike]] | None = None,
    *,
    x: npt.ArrayLike,
    ax: Axes | None = None,
    **labels: Any,
) -> Axes:
    """Draw several groups of dots, each with its law, in colours and markers of their own.

    Parameters
    ----------
    measured : mapping of str to array_like of shape (points,) or (seeds, points)
        By the group's name in the legend: see :func:`dots_and_law`.
    laws : mapping of str to y or (x, y), optional
        The predicted lines, by the same names; a group may go without one.
    x : array_like of shape (points,)
        Where it was measured.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    **labels
        What ``Axes.set`` takes.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If a law belongs to no group.

    Examples
    --------
    >>> ax = dots_and_laws({"tanh": [1.0, 0.5], "relu": [1.0, 1.0]}, {"tanh": [1.0, 0.4]}, x=[1, 2])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['tanh', 'relu']
    >>> plt.close(ax.figure)
    """
    ax, laws = _axes(ax), {} if laws is None else laws
    for name in laws:
        _checks.choice("the name of a law", name, dict(measured))
    for place, (name, runs) in enumerate(measured.items()):
        look = {"color": f"C{place % 6}", "marker": _MARKERS[place % len(_MARKERS)]}
        law = laws.get(name)
        if law is not None and not isinstance(law, tuple):
            law = (x, law)
        dots_and_law(x, runs, law=law, label=name, **look, ax=ax)
    return _finish(ax, labels)


@course_style()
def named_curves(
    runs: Mapping[str, npt.ArrayLike], *, x: npt.ArrayLike, ax: Axes | None = None, **labels: Any
) -> Axes:
    """Draw several groups of runs, each as :func:`curves` does.

    Parameters
    ----------
    runs : mapping of str to array_like of shape (points,) or (runs, points)
        By the group's name in the legend.
    x : array_like of shape (points,)
        Steps, or any other axis.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    **labels
        What ``Axes.set`` takes.

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = named_curves({"he": [3.0, 1.0], "xavier": [3.0, 2.0]}, x=[0, 100], ylabel="loss")
    >>> len(ax.lines)
    2
    >>> plt.close(ax.figure)
    """
    ax = _axes(ax)
    for name, group in runs.items():
        curves(x, group, label=name, ax=ax)
    return _finish(ax, labels)


@course_style()
def histograms(
    samples: Mapping[str, npt.ArrayLike],
    laws: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike] | Callable[[Any], npt.ArrayLike]]
    | None = None,
    *,
    ax: Axes | None = None,
    **labels: Any,
) -> Axes:
    """Draw several histograms over each other, each with its density, in colours of their own.

    Parameters
    ----------
    samples : mapping of str to array_like
        By the name in the legend: see :func:`histogram`.
    laws : mapping of str to (x, density) or callable, optional
        The predicted densities, by the same names.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    **labels
        What :func:`histogram` and ``Axes.set`` take.

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = histograms({"wide": [-2.0, 0.0, 2.0], "narrow": [-1.0, 0.0, 1.0]}, bins=5)
    >>> len(ax.patches)
    2
    >>> plt.close(ax.figure)
    """
    ax, laws = _axes(ax), {} if laws is None else laws
    for name in laws:
        _checks.choice("the name of a law", name, dict(samples))
    for place, (name, values) in enumerate(samples.items()):
        color = f"C{place % 6}"
        look = {"label": name, "law_label": f"{name}, theory", "color": color, "law_color": color}
        histogram(values, law=laws.get(name), **look, ax=ax, **labels)
    return ax


@course_style()
def panels(
    draw: Callable[..., Axes],
    pictures: Mapping[str, Mapping[str, Any]],
    *,
    columns: int | None = None,
    figsize: tuple[float, float] | None = None,
    **common: Any,
) -> list[Axes]:
    """Draw small pictures of one kind side by side; the first one carries the legend.

    Parameters
    ----------
    draw : callable
        A function of this module, such as :func:`dots_and_laws`.
    pictures : mapping of str to mapping
        A panel's title, and what `draw` takes for it.
    columns : int, optional
        Panels in a row; all of them if left out.
    figsize : (width, height), optional
        In inches; by default 8 wide and 3.4 high a row.
    **common
        What `draw` takes in every panel.

    Returns
    -------
    list of Axes

    Examples
    --------
    >>> left, right = panels(curves, {"tanh": {"runs": [1, 2]}, "relu": {"runs": [2, 3]}}, x=[0, 1])
    >>> left.get_title(), right.get_title()
    ('tanh', 'relu')
    >>> plt.close(left.figure)
    """
    width = columns or len(pictures)
    height = -(-len(pictures) // width)
    _, grid = subplots(height, width, figsize=figsize or (8, 3.4 * height), squeeze=False)
    drawn = list(grid.flat)
    for place, (title, picture) in enumerate(pictures.items()):
        ax = draw(**{"title": title} | common | dict(picture), ax=drawn[place])
        if place and (legend := ax.get_legend()):
            legend.remove()
    for ax in drawn[len(pictures) :]:
        ax.set_axis_off()
    return drawn[: len(pictures)]


@course_style()
def layers(
    nets: Mapping[str, Any],
    names: Sequence[str],
    laws: Mapping[str, Mapping[str, npt.ArrayLike]] | None = None,
    **common: Any,
) -> list[Axes]:
    """Draw statistics of the layers of several nets, one panel a statistic, over their laws.

    Parameters
    ----------
    nets : mapping of str to object
        By the name in the legend, with the statistics as attributes of shape ``(seeds, layers)``,
        such as :class:`initcourse.propagation.LayerStatistics`.
    names : sequence of str
        The statistics; shares have a linear axis, all others a logarithmic one.
    laws : mapping of str to mapping, optional
        For each net the predicted statistics by name.
    **common
        What :func:`panels` takes.

    Returns
    -------
    list of Axes

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> net = SimpleNamespace(rms_gradient=np.array([[0.25, 0.5, 1.0]]))
    >>> (ax,) = layers({"tanh": net}, ["rms_gradient"], {"tanh": {"rms_gradient": [0.2, 0.5, 1.0]}})
    >>> ax.get_title(), ax.get_yscale()
    ('rms gradient', 'log')
    >>> plt.close(ax.figure)
    """
    pictures = {
        name.replace("_", " "): {
            "measured": {net: getattr(found, name) for net, found in nets.items()},
            "laws": {net: law[name] for net, law in (laws or {}).items() if name in law},
            "yscale": "linear" if name.endswith("share") else "log",
        }
        for name in names
    }
    x = 1 + np.arange(np.shape(getattr(next(iter(nets.values())), names[0]))[-1])
    return panels(dots_and_laws, pictures, x=x, xlabel="layer", **common)


@course_style()
def verdict_matrix(
    passed: Sequence[Sequence[bool | None]],
    figures: npt.ArrayLike,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    ax: Axes | None = None,
    **labels: Any,
) -> Axes:
    """Draw one field a verdict: a tick or a cross, the figure behind it, and a colour.

    Parameters
    ----------
    passed : sequence of sequences of bool or None, rows × columns
        ``None`` marks what was not measured or does not apply; it shows as a dash.
    figures : array_like of shape (rows, columns)
        The numbers behind the verdicts, written with two digits.
    rows, columns : sequence of str
        Names, the rows from top to bottom.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    **labels
        What ``Axes.set`` takes.

    Returns
    -------
    Axes

    Examples
    --------
    >>> ax = verdict_matrix([[True, None]], [[1.2, 0.0]], rows=["he"], columns=["a", "b"])
    >>> [text.get_text() for text in ax.texts]
    ['✓ 1.2', '–']
    >>> plt.close(ax.figure)
    """
    ax = _axes(ax)
    values = np.asarray(figures, dtype=float)
    colors = {True: "#56B4E959", False: "#D55E0080", None: "none"}
    marks = {True: "✓ ", False: "✗ "}
    for i, line in enumerate(passed):
        for j, verdict in enumerate(line):
            box = Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=colors[verdict], edgecolor="0.5")
            ax.add_patch(box)
            text = "–" if verdict is None else marks[verdict] + _brief(values[i, j])
            weight = "bold" if verdict is False else "normal"
            ax.text(j, i, text, ha="center", va="center", fontsize=9, fontweight=weight)
    ax.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.grid(False)
    ax.tick_params(length=0, labeltop=True, labelbottom=False)
    ax.spines[:].set_visible(False)
    return _finish(ax, labels)


def _brief(value: float) -> str:
    """Write a number with two digits at most, as briefly as it can be read."""
    if not np.isfinite(value):
        return "∞"
    if value == 0 or 0.01 <= abs(value) < 100:
        return np.format_float_positional(float(f"{value:.2g}"), trim="-")
    mantissa, power = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(power)}"


@course_style()
def images(
    pictures: npt.ArrayLike,
    *,
    columns: int = 8,
    limit: float | None = None,
    ax: Axes | None = None,
    **labels: Any,
) -> Axes:
    """Draw small pictures side by side: blue below 0, white at 0, red above.

    Parameters
    ----------
    pictures : array_like of shape (pictures, height, width)
        The pictures, row by row of the grid.
    columns : int, default 8
        Pictures in a row of the grid.
    limit : float, optional
        The magnitude of full colour; the largest of all pictures if left out.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    **labels
        What ``Axes.set`` takes.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If `pictures` does not have three axes.

    Examples
    --------
    >>> ax = images(np.ones((16, 8, 8)), title="filters")
    >>> plt.close(ax.figure)
    """
    tiles = np.asarray(pictures, dtype=float)
    if tiles.ndim != 3:
        raise ValueError(f"pictures must have shape (pictures, height, width), got {tiles.shape}")
    ax = _axes(ax)
    framed = np.pad(tiles, ((0, -len(tiles) % columns), (1, 1), (1, 1)), constant_values=np.nan)
    framed[len(tiles) :] = np.nan
    rows = framed.reshape(-1, columns, *framed.shape[1:]).swapaxes(1, 2)
    wall = rows.reshape(-1, columns * framed.shape[2])
    limit = np.nanmax(np.abs(wall)) if limit is None else limit
    ax.imshow(wall, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    ax.set_axis_off()
    return _finish(ax, labels)


@course_style()
def reference(
    axes: Axes | Sequence[Axes],
    line: float | tuple[npt.ArrayLike, npt.ArrayLike] | Callable[[Any], npt.ArrayLike],
    *,
    label: str,
) -> None:
    """Draw a dashed line to compare with, and name it in the legend of the first axes.

    Parameters
    ----------
    axes : Axes or sequence of Axes
        Where to draw, such as what :func:`panels` returns.
    line : float, (x, y) or callable
        A height, points, or a function of x; a function is drawn as far as the axis reaches.
    label : str
        Its name.

    Examples
    --------
    >>> ax = histogram([-1.0, 0.0, 1.0], law=lambda z: 0.3 * np.exp(-(z**2)))
    >>> reference(ax, 0.2, label="uniform")
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['measured', 'theory', 'uniform']
    >>> plt.close(ax.figure)
    """
    drawn = [axes] if isinstance(axes, Axes) else list(axes)
    look: dict[str, Any] = {"color": "0.3", "linestyle": "--", "linewidth": 1.2, "label": label}
    for ax in drawn:
        if callable(line):
            ends = ax.get_xlim()
            x = np.linspace(*ends, _POINTS)
            ax.plot(x, line(x), **look)
            ax.set_xlim(ends)
        elif isinstance(line, tuple):
            ax.plot(*line, **look)
        else:
            ax.axhline(line, **look)
    drawn[0].legend()


def verdicts(
    found: Mapping[str, Sequence[Any]],
    checks: Sequence[str],
    *,
    ax: Axes | None = None,
    **labels: Any,
) -> Axes:
    """Draw what diagnoses found: one row a start, each check as its worst net has it.

    Parameters
    ----------
    found : mapping of str to sequence of Diagnosis
        By the row's name, the diagnoses of one or several nets: see :mod:`initcourse.diagnosis`.
    checks : sequence of str
        The columns: names of criteria and rules.
    ax : Axes, optional
        Where to draw; a new figure if left out.
    **labels
        What ``Axes.set`` takes.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If a row has no diagnosis, or a check is unknown.

    Examples
    --------
    >>> from initcourse.diagnosis import diagnose
    >>> nets = [diagnose([z], [z], [z], activation="tanh") for z in ([0.1, -0.1], [9.0, 9.0])]
    >>> ax = verdicts({"N(0, 1)": nets}, ["saturation", "explosion"])
    >>> [text.get_text() for text in ax.texts]
    ['✗ 1', '–']
    >>> plt.close(ax.figure)
    """
    for name, nets in found.items():
        _checks.count(f"the number of diagnoses of {name!r}", len(nets))
    worst = [
        [max((net[name] for net in nets), key=_size) for name in checks] for nets in found.values()
    ]
    return verdict_matrix(
        [[check.passed for check in row] for row in worst],
        [[check.figure for check in row] for row in worst],
        rows=list(found),
        columns=checks,
        ax=ax,
        **labels,
    )


def _size(check: Any) -> float:
    """Return a check's figure; one that does not apply is below all others."""
    return -np.inf if check.passed is None else float(check.figure)
