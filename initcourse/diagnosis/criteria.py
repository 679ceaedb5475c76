r"""Is a start valid?  Four criteria and two rules, each with the figure behind its verdict.

A start is called valid where no criterion fails:

============  ======================================  ============================================
criterion     figure                                  passes if
============  ======================================  ============================================
losses        larger of train and test loss, over     it is at most ``Thresholds.losses``; measured
              the loss of a constant guess            only if losses are given
saturation    largest share of units with a small     it is at most ``Thresholds.saturation``;
              slope φ′, over the layers               only layers that are flat on both sides
explosion     largest RMS activation over that of     it is at most ``Thresholds.explosion``; only
              the input (or of the first layer)       layers without a bound
gradients     largest over smallest RMS of ∂L/∂z      it is at most ``Thresholds.gradients``
============  ======================================  ============================================

and keeps two rules: ``mean``, the largest \|mean\| of a layer's pre-activations over their RMS, and
``variance``, the largest over the smallest variance of the layers' pre-activations.

All but the losses are known before the first step of training.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import inf, isfinite
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks, activations
from initcourse.activations import Activation
from initcourse.propagation import median_magnitude, rms
from initcourse.tables import table

Array: TypeAlias = npt.NDArray[Any]
CRITERIA = ("losses", "saturation", "explosion", "gradients")
RULES = ("mean", "variance")


@dataclass(frozen=True)
class Thresholds:
    r"""Where a figure stops to pass.  All are adjustable: ``Thresholds(gradients=100)``.

    Attributes
    ----------
    losses : float, default 0.8
        Largest loss, as a share of the constant guess's.  It says that something was learned in a
        short training; it is no measure of a good end.
    slope : float, default 0.01
        A unit is saturated where φ′(z) lies below.  It is absolute: 1 % of the largest slope of
        tanh, 4 % of the sigmoid's.
    saturation : float, default 0.5
        Largest share of saturated units: "most" means more than a half.
    explosion : float, default 10
        Largest growth of the RMS activation.  False alarm: inputs that were not scaled (pixels of
        0 to 255, or all far below 1) make the first layer the largest or the smallest.
    gradients : float, default 10
        Largest ratio of RMS gradients between two layers.  False alarms: layers of unequal width
        (the RMS changes with √(width ratio) even in a good start), and narrow nets, whose
        gradients fluctuate by chance.  Missed: a net whose typical unit gets no gradient while a
        few get large ones; compare the layers' medians.
    mean : float, default 0.5
        Largest \|mean\| over RMS of z in a layer.  With n units chance alone gives about 1/√n, so
        below some 40 units expect false alarms.  Missed: units whose z hardly depends on the input
        but whose means have both signs.
    variance : float, default 10
        Largest ratio of two layers' variances of z.  False alarm: tanh nets with Glorot's start,
        whose variance falls like 1/depth and which train all the same.

    Raises
    ------
    ValueError, TypeError
        If a threshold is not a finite number above 0.

    Examples
    --------
    >>> Thresholds(gradients=100).gradients
    100
    """

    losses: float = 0.8
    slope: float = 0.01
    saturation: float = 0.5
    explosion: float = 10.0
    gradients: float = 10.0
    mean: float = 0.5
    variance: float = 10.0

    def __post_init__(self) -> None:
        """Check the thresholds."""
        for one in fields(self):
            _checks.positive(one.name, getattr(self, one.name))


@dataclass(frozen=True)
class Losses:
    """Losses after a training, and the loss of the best constant guess to compare them with.

    Attributes
    ----------
    train, test : float
        Mean losses of a sample; not finite if the training diverged.
    baseline : float
        The loss of a model that ignores its input: ln(classes) for cross-entropy and classes of
        equal size, half the targets' variance for the squared error.

    Raises
    ------
    ValueError, TypeError
        If `baseline` is not above 0.
    """

    train: float
    test: float
    baseline: float

    def __post_init__(self) -> None:
        """Check the baseline."""
        _checks.positive("baseline", self.baseline)

    @property
    def larger(self) -> float:
        """The larger of the two; not a number if one of them is none."""
        return float(np.max([self.train, self.test]))


@dataclass(frozen=True)
class Check:
    """One criterion or rule with its verdict.

    Attributes
    ----------
    name : str
        One of :data:`CRITERIA` or :data:`RULES`.
    passed : bool or None
        ``None`` where it does not apply or was not measured.
    figure : float
        What was measured; ``nan`` where `passed` is ``None``, ``inf`` where a ratio has no bound
        or a value is not finite.
    threshold : float
        The largest figure that passes.
    layer : int or None
        The layer of the worst value, counted from 1, where there is one.
    """

    name: str
    passed: bool | None
    figure: float
    threshold: float
    layer: int | None = None

    @property
    def verdict(self) -> str:
        """``"passes"``, ``"fails"`` or ``"not measured"``."""
        return {True: "passes", False: "fails", None: "not measured"}[self.passed]


@dataclass(frozen=True)
class Layers:
    """What was measured in each layer; arrays of shape ``(layers,)``.

    Attributes
    ----------
    z_mean, z_variance : ndarray
        Mean and variance of the pre-activations over units and samples.
    a_mean, a_rms : ndarray
        Mean and RMS of the activations.
    saturated_share : ndarray
        Share with a slope below the threshold; ``nan`` where the activation is not flat on both
        sides.
    rms_gradient, median_gradient : ndarray
        RMS of ∂L/∂z, and median of its size.
    """

    z_mean: Array
    z_variance: Array
    a_mean: Array
    a_rms: Array
    saturated_share: Array
    rms_gradient: Array
    median_gradient: Array


@dataclass(frozen=True)
class Diagnosis:
    """Four criteria and two rules, with what was measured; shows itself as a table.

    Attributes
    ----------
    checks : tuple of Check
        In the order of :data:`CRITERIA`, then :data:`RULES`.
    layers : Layers
        The figures of every layer.
    """

    checks: tuple[Check, ...]
    layers: Layers

    def __getitem__(self, name: str) -> Check:
        """Return the check of that name."""
        return _checks.choice("check", name, {check.name: check for check in self.checks})

    @property
    def valid(self) -> bool:
        """Whether no criterion fails."""
        return all(self[name].passed is not False for name in CRITERIA)

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the criteria and rules that fail."""
        return tuple(check.name for check in self.checks if check.passed is False)

    def _table(self) -> Any:
        return table({
            "check": [check.name for check in self.checks],
            "verdict": [check.verdict for check in self.checks],
            "figure": ["" if check.passed is None else check.figure for check in self.checks],
            "passes up to": [check.threshold for check in self.checks],
            "layer": ["" if check.layer is None else check.layer for check in self.checks],
        })

    def __repr__(self) -> str:
        """Return the checks as a table of text."""
        return repr(self._table())

    def _repr_html_(self) -> str:
        return str(self._table()._repr_html_())


def diagnose(
    z: Sequence[npt.ArrayLike],
    a: Sequence[npt.ArrayLike],
    gradients: Sequence[npt.ArrayLike],
    *,
    activation: str | Activation | Sequence[str | Activation],
    x: npt.ArrayLike | None = None,
    losses: Losses | None = None,
    thresholds: Thresholds | None = None,
) -> Diagnosis:
    """Judge a net of any framework by arrays that were recorded in its hidden layers.

    Leave the output layer out: its width and its loss set its scale, not the start.

    Parameters
    ----------
    z, a : sequence of array_like
        Pre-activations and activations of each layer, from the first on; any shape.
    gradients : sequence of array_like
        ∂L/∂z of each layer.  Not weight gradients: these can be alike in a start whose
        back-propagated gradients vanish.
    activation : str or Activation, or a sequence of them
        φ of all layers or of each; for a function of your own make an
        :class:`~initcourse.activations.Activation` of it and its derivative.
    x : array_like, optional
        The input; growth counts from it, or from the first layer if it is left out.
    losses : Losses, optional
        After a training.
    thresholds : Thresholds, optional
        Where a figure stops to pass.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ValueError, TypeError
        If there is no layer, the lists differ in length, an array is empty, or an activation is
        unknown.

    References
    ----------
    Glorot & Bengio 2010, figures 6 and 7 (activations and back-propagated gradients by layer).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = [scale * rng.standard_normal((50, 100)) for scale in (1, 5, 25)]
    >>> gradients = [rng.standard_normal((50, 100)) for _ in z]
    >>> found = diagnose(z, [np.maximum(one, 0) for one in z], gradients, activation="relu")
    >>> found.valid, found.failed
    (False, ('explosion', 'variance'))
    """
    limits = Thresholds() if thresholds is None else thresholds
    count = _checks.count("the number of layers in z", len(z))
    kinds = [activation] * count if isinstance(activation, str | Activation) else [*activation]
    given = {"a": len(a), "gradients": len(gradients), "activation": len(kinds)}
    for name, length in given.items():
        if length != count:
            raise ValueError(f"{name} must have one entry a layer, {count}, got {length}")
    phis = [activations.named(kind) for kind in kinds]
    arrays = {
        name: [np.asarray(one, dtype=np.float64) for one in values]
        for name, values in {"z": z, "a": a, "gradients": gradients}.items()
    }
    for name, values in arrays.items():
        for place, one in enumerate(values):
            if one.size == 0:
                raise ValueError(f"{name}[{place}] must not be empty, got shape {one.shape}")
    with np.errstate(all="ignore"):  # a net that exploded is what is looked for
        layers = _layers(phis, arrays["z"], arrays["a"], arrays["gradients"], limits.slope)
        start = layers.a_rms[0] if x is None else rms(x)
        unbounded = [_unbounded(phi) for phi in phis]
        growth = np.where(unbounded, [_ratio(value, start) for value in layers.a_rms], np.nan)
        z_rms = np.sqrt(layers.z_variance + layers.z_mean**2)
        tilt = np.array([
            0.0 if m == 0 else _ratio(abs(m), s) for m, s in zip(layers.z_mean, z_rms, strict=True)
        ])
    loss = None if losses is None else _finite(losses.larger / losses.baseline)
    return Diagnosis(
        checks=(
            _check("losses", loss, limits.losses),
            _largest("saturation", layers.saturated_share, limits.saturation),
            _largest("explosion", growth, limits.explosion),
            _spread("gradients", layers.rms_gradient, limits.gradients),
            _largest("mean", tilt, limits.mean),
            _spread("variance", layers.z_variance, limits.variance),
        ),
        layers=layers,
    )


def _layers(
    phis: list[Activation], z: list[Array], a: list[Array], gradients: list[Array], slope: float
) -> Layers:
    saturated = [
        # Written so that a z that is not a number counts as saturated.
        1 - np.mean(phi.derivative(one) >= slope) if _flat_on_both_sides(phi, slope) else np.nan
        for phi, one in zip(phis, z, strict=True)
    ]
    return Layers(
        z_mean=np.array([one.mean() for one in z]),
        z_variance=np.array([one.var() for one in z]),
        a_mean=np.array([one.mean() for one in a]),
        a_rms=np.array([rms(one) for one in a]),
        saturated_share=np.array(saturated),
        rms_gradient=np.array([rms(one) for one in gradients]),
        median_gradient=np.array([median_magnitude(one) for one in gradients]),
    )


def _flat_on_both_sides(phi: Activation, slope: float) -> bool:
    return bool(np.all(phi.derivative(np.array([-100.0, 100.0])) < slope))


def _unbounded(phi: Activation) -> bool:
    return bool(np.max(np.abs(phi(np.array([-1e4, 1e4])))) > 1e3)


def _finite(value: float) -> float:
    """Return `value`, or infinity where it is not finite."""
    return float(value) if isfinite(value) else inf


def _ratio(value: float, to: float) -> float:
    """Return ``value / to``, infinity where this has no finite value."""
    return _finite(value / to) if to > 0 else inf


def _check(name: str, figure: float | None, threshold: float, layer: int | None = None) -> Check:
    if figure is None:
        return Check(name, None, float("nan"), threshold)
    return Check(name, figure <= threshold, figure, threshold, layer)


def _largest(name: str, values: Array, threshold: float) -> Check:
    """Judge the largest value; ``nan`` marks layers to which the check does not apply."""
    if np.all(np.isnan(values)):
        return _check(name, None, threshold)
    worst = int(np.nanargmax(values))
    return _check(name, float(values[worst]), threshold, worst + 1)


def _spread(name: str, values: Array, threshold: float) -> Check:
    """Judge the largest over the smallest value; its layer is the smallest one."""
    lowest = int(np.argmin(np.where(np.isfinite(values), values, -1)))
    return _check(name, _ratio(float(values.max()), float(values[lowest])), threshold, lowest + 1)
