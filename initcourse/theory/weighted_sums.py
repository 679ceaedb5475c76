"""A unit's weighted sum of its inputs: its variance, its tails, and what a sigmoid makes of it."""

from collections.abc import Callable
from math import inf, sqrt
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks, activations
from initcourse.activations import Activation
from initcourse.quadrature import gaussian_density

Array: TypeAlias = npt.NDArray[Any]
_FAR = 700.0  # here the slope of a sigmoid is still above 0 in float64


def weighted_sum_variance(inputs_on: int, weight_std: float, bias_std: float = 0.0) -> float:
    r"""Variance :math:`k\,\sigma^2 + \sigma_b^2` of :math:`z = \sum_j w_j x_j + b`, k inputs at 1.

    Parameters
    ----------
    inputs_on : int
        The number k of inputs that equal 1; the others equal 0.
    weight_std, bias_std : float
        Standard deviations of the weights and of the bias, both of mean 0.

    Returns
    -------
    float
        Var(z), in units of z squared.

    Raises
    ------
    ValueError, TypeError
        If a parameter is negative or not finite.

    References
    ----------
    Nielsen 2015, chapter 3.

    Examples
    --------
    >>> weighted_sum_variance(500, weight_std=1.0, bias_std=1.0)
    501.0
    """
    inputs_on = _checks.count("inputs_on", inputs_on, least=0)
    weight_std = _checks.not_negative("weight_std", weight_std)
    bias_std = _checks.not_negative("bias_std", bias_std)
    return inputs_on * weight_std**2 + bias_std**2


def product_variance(mean_x: float, var_x: float, mean_y: float, var_y: float) -> float:
    r"""Var(XY) = :math:`v_x v_y + v_x m_y^2 + v_y m_x^2` for independent X and Y.

    Parameters
    ----------
    mean_x, mean_y : float
        The means m.
    var_x, var_y : float
        The variances v, at least 0.

    Returns
    -------
    float
        In units of (XY)².

    Raises
    ------
    ValueError, TypeError
        If a variance is negative or a parameter is not finite.

    Examples
    --------
    >>> product_variance(0.0, 2.0, 0.0, 3.0), product_variance(1.0, 1.0, 1.0, 1.0)
    (6.0, 3.0)
    """
    mean_x, mean_y = _checks.real("mean_x", mean_x), _checks.real("mean_y", mean_y)
    var_x, var_y = _checks.not_negative("var_x", var_x), _checks.not_negative("var_y", var_y)
    return var_x * var_y + var_x * mean_y**2 + var_y * mean_x**2


def saturation_probability(threshold: float, std: float, mean: float = 0.0) -> float:
    r""":math:`P(|z| > t)` for :math:`z \sim N(\mu, \sigma^2)`.

    Parameters
    ----------
    threshold : float
        t, at least 0: the size of z from which a unit counts as saturated.
    std, mean : float
        σ (above 0) and μ.

    Returns
    -------
    float
        A probability.

    Raises
    ------
    ValueError, TypeError
        If `threshold` is negative, `std` is not above 0, or a parameter is not finite.

    Examples
    --------
    >>> round(saturation_probability(4.0, std=501**0.5), 4)
    0.8582
    """
    from scipy.special import ndtr

    threshold = _checks.not_negative("threshold", threshold)
    std, mean = _checks.positive("std", std), _checks.real("mean", mean)
    return float(ndtr((-threshold - mean) / std) + ndtr((mean - threshold) / std))


def saturated_share(
    activation: str | Activation, std: float, mean: float = 0.0, *, threshold: float = 0.01
) -> float:
    r""":math:`P(\varphi'(z) < t)` for :math:`z \sim N(\mu, \sigma^2)`, with φ′ of one hump.

    What :func:`initcourse.propagation.saturated_share` measures.

    Parameters
    ----------
    activation : str or Activation
        φ, whose derivative is even and falls from 0 outward, such as the sigmoid's or tanh's.
    std, mean : float
        σ (above 0) and μ.
    threshold : float, default 0.01
        t, between 0 and φ′(0): below this slope a unit counts as saturated.

    Returns
    -------
    float
        A probability.

    Raises
    ------
    ValueError, TypeError
        If `threshold` does not lie below φ′(0) or is never reached, `std` is not above 0, or the
        activation is unknown.

    Examples
    --------
    >>> round(saturated_share("sigmoid", std=501**0.5), 3)
    0.838
    """
    from scipy.optimize import brentq

    phi, threshold = activations.named(activation), _checks.positive("threshold", threshold)

    def above(z: float) -> float:
        return float(phi.derivative(np.asarray(z))) - threshold

    if not above(0.0) > 0 > above(_FAR):
        raise ValueError(
            f"threshold must lie between the slopes of {phi.name} at {_FAR:g} and at 0, "
            f"got {threshold}"
        )
    return saturation_probability(brentq(above, 0.0, _FAR, xtol=1e-14), std, mean)


def sigmoid_density(y: npt.ArrayLike, std: float, mean: float = 0.0) -> Array:
    r"""Density of y = σ(z), :math:`p(\operatorname{logit} y) / (y(1-y))`, z of normal density p.

    Parameters
    ----------
    y : array_like
        Points inside (0, 1).
    std, mean : float
        Standard deviation (above 0) and mean of z.

    Returns
    -------
    ndarray
        The density, at its largest near 0 and 1 when `std` is large.

    Raises
    ------
    ValueError, TypeError
        If a y lies outside (0, 1), `std` is not above 0, or a parameter is not finite.

    Examples
    --------
    >>> float(sigmoid_density(0.5, std=1.0).round(3))  # 4 / √(2π)
    1.596
    """
    from scipy.special import logit

    y = np.asarray(y, dtype=float)
    if not np.all((y > 0) & (y < 1)):
        raise ValueError(f"y must lie inside (0, 1), got values from {y.min()} to {y.max()}")
    return np.asarray(gaussian_density(logit(y), std, mean) / (y * (1 - y)))


def uniform_limit(fan_in: int, sigma_w: float = 1.0) -> float:
    r"""The ε of U[−ε, ε] that gives the weights the variance σ_w²/n: :math:`\sigma_w\sqrt{3/n}`.

    A draw from U[−ε, ε] has the variance ε²/3.

    Parameters
    ----------
    fan_in : int
        n, the number of inputs of a unit.
    sigma_w : float, default 1
        σ_w, above 0; 1 keeps the variance of an identity layer.

    Returns
    -------
    float
        ε, in the unit of a weight.

    Raises
    ------
    ValueError, TypeError
        If `fan_in` is below 1 or `sigma_w` is not above 0.

    Examples
    --------
    >>> round(uniform_limit(300), 9)
    0.1
    """
    fan_in = _checks.count("fan_in", fan_in)
    return _checks.positive("sigma_w", sigma_w) * sqrt(3 / fan_in)


def uniform_bound(inputs: int, *, mean: float = 0.0, std: float = 1.0, variance: float) -> float:
    r"""Bound :math:`\sqrt{3v / (d\,(m^2 + s^2))}` of uniform weights that give z the variance v.

    For :math:`z = \sum_j w_j x_j` with d inputs of mean m and standard deviation s; the bound
    :math:`1/\sqrt{d}` is that of m = 0, s = 1 and v = 1/3.

    Parameters
    ----------
    inputs : int
        d, at least 1.
    mean, std : float
        m and s of the inputs; not both 0.
    variance : float
        The wanted v, above 0.

    Returns
    -------
    float
        The weights are drawn from U(-bound, bound).

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range, or `mean` and `std` are both 0.

    Examples
    --------
    >>> round(uniform_bound(100, variance=1 / 3), 12)
    0.1
    """
    inputs, variance = _checks.count("inputs", inputs), _checks.positive("variance", variance)
    mean, std = _checks.real("mean", mean), _checks.not_negative("std", std)
    if mean == std == 0:
        raise ValueError("mean and std must not both be 0: inputs of 0 give z = 0 for every bound")
    return sqrt(3 * variance / (inputs * (mean**2 + std**2)))


def uniform_weights_tail(z: npt.ArrayLike, inputs: int) -> Array:
    r"""P(Z > z) for a sum of d products of weights from :math:`U(\pm 1/\sqrt{d})`, inputs N(0, 1).

    Exact for every d, and right in the far tail: relative errors are below 1e-10 down to
    probabilities of 1e-50.  With one input it is
    :math:`\tfrac12 \operatorname{erfc}(b) - \tfrac{b}{2\sqrt{\pi}} E_1(b^2)`,
    :math:`b = z/\sqrt{2}`.

    Parameters
    ----------
    z : array_like
        Where to evaluate it.
    inputs : int
        d, at least 1.

    Returns
    -------
    ndarray
        Probabilities.

    Raises
    ------
    ValueError, TypeError
        If `inputs` is not a count, or a z is not finite.

    Notes
    -----
    Given the weights, the sum is normal; its moment generating function is that of one product to
    the power d, :math:`\left(\sqrt{\pi}\,\operatorname{erfi}(s) / (2s)\right)^d` with
    :math:`s = \theta/\sqrt{2d}`.  The tail is its inverse Laplace transform along a curve that runs
    through the saddle point, where nothing cancels, and bends to the right, where the integrand
    dies fast.

    Examples
    --------
    >>> [f"{2 * float(uniform_weights_tail(4.0, d)):.1e}" for d in (1, 10, 100, 1000)]
    ['3.2e-06', '4.9e-09', '2.4e-11', '5.3e-12']
    """
    points, d = _finite("z", z), _checks.count("inputs", inputs)
    tail = _inverse_laplace(np.abs(points), d, lambda theta: 1 / theta)
    return np.asarray(np.where(points == 0, 0.5, np.where(points > 0, tail, 1 - tail)))


def uniform_weights_density(z: npt.ArrayLike, inputs: int) -> Array:
    r"""Density of the sum of :func:`uniform_weights_tail`.

    With one input it is :math:`E_1(z^2/2) / \sqrt{8\pi}`, infinite at 0; with many it nears
    the normal density of variance 1/3.

    Parameters
    ----------
    z : array_like
        Where to evaluate it.
    inputs : int
        d, at least 1.

    Returns
    -------
    ndarray
        In 1 / unit of z.

    Raises
    ------
    ValueError, TypeError
        If `inputs` is not a count, or a z is not finite.

    Examples
    --------
    >>> [float(uniform_weights_density(1.0, d).round(4)) for d in (1, 10, 1000)]
    [0.1117, 0.1458, 0.1541]
    >>> float(gaussian_density(1.0, 3**-0.5).round(4))
    0.1542
    """
    points, d = _finite("z", z), _checks.count("inputs", inputs)
    density = _inverse_laplace(np.abs(points), d, np.ones_like)
    return np.asarray(np.where((points == 0) & (d == 1), inf, density))


def _finite(name: str, values: npt.ArrayLike) -> Array:
    array = np.asarray(values, dtype=float)
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} must be finite, got {array[~np.isfinite(array)][0]}")
    return array


def _log_moment(theta: Array, d: int) -> Array:
    """Return log E[exp(θ Z)], θ complex, for the sum of d products uniform times normal."""
    from scipy.special import dawsn, wofz

    s = theta / sqrt(2 * d)
    near = np.abs(s.imag) < 5
    inner, outer = np.where(near, s, 1), np.where(near, 1 + 30j, s)
    # √π/2·erfi(s) = exp(s²)·D(s), Dawson's function; far out, through the Faddeeva function w(s),
    # with the larger of 1 and |exp(s²)| taken out of the logarithm so that nothing overflows.
    square = outer**2
    scale = np.maximum(square.real, 0)
    rest = np.exp(-scale) - np.exp(square - scale) * wofz(outer)
    far = scale + np.log(0.5j * sqrt(np.pi) * rest / outer)
    return np.asarray(d * np.where(near, inner**2 + np.log(dawsn(inner) / inner), far))


def _inverse_laplace(z: Array, d: int, factor: Callable[[Array], Array]) -> Array:
    """Return the integral of factor(θ)·E[exp(θZ)]·exp(−θz) / 2πi along a curve, for z >= 0."""
    from scipy.special import dawsn

    z = np.maximum(z, 1e-12)[..., None]
    # The saddle point, where d/dθ log E = z, lies between z and 3z: halve that interval.
    low, high = z, 3 * z
    for _ in range(30):
        middle = (low + high) / 2
        s = np.maximum(middle / sqrt(2 * d), 1e-3)
        short = sqrt(d / 2) * (1 / dawsn(s) - 1 / s) < z
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    start = np.maximum(low, 1.0)  # keep off the pole at 0
    # θ(u) = start + (cosh u − 1)/2 + i·sinh u, to where exp(−θz) has died; the trapezoidal rule
    # converges exponentially.  The lower half of the curve is the mirror image of the upper.
    step = 0.04
    u = np.arange(0.0, step + np.arcsinh(90 / z.min(initial=1.0)), step)
    theta = start + (np.cosh(u) - 1) / 2 + 1j * np.sinh(u)
    values = np.exp(_log_moment(theta, d) - theta * z) * factor(theta)
    values *= np.sinh(u) / 2 + 1j * np.cosh(u)
    values[..., 0] /= 2
    return np.asarray(values.imag.sum(axis=-1) * step / np.pi)
