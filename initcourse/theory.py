r"""What theory predicts before any weight is drawn.

A layer computes ``z = x @ W + b`` and ``a = φ(z)``, with independent weights of variance
:math:`\sigma_w^2 / n_\text{in}` and biases of variance :math:`\sigma_b^2`, all of mean 0.  When
the layer is wide, every z is close to normal, and a few integrals over the normal distribution say
how signals and gradients grow or shrink.  Nothing here draws a sample.

Symbols: ``q`` is the second moment E[z²] of a layer's pre-activations; ``sigma_w`` and ``sigma_b``
are σ_w and σ_b; ``chi_1`` is χ₁.
"""

from collections.abc import Callable
from math import exp, expm1, inf, log, log1p, sqrt
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks, activations
from initcourse.activations import Activation
from initcourse.quadrature import gaussian_density, gaussian_expectation

Array: TypeAlias = npt.NDArray[Any]

_PATIENCE = 200  # layers; far from the edge of chaos q settles in some tens
_ENDLESS = 1e12  # a second moment beyond it grows without end
_NEAR = 1e-100  # as good as 0, yet with two sides
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


def variance_map(
    q: float, activation: str | Activation, sigma_w: float, sigma_b: float = 0.0
) -> float:
    r"""Second moment of the next layer: :math:`\sigma_w^2\,E[\varphi(\sqrt{q}\,z)^2] + \sigma_b^2`.

    Parameters
    ----------
    q : float
        E[z²] of this layer's pre-activations, at least 0.
    activation : str or Activation
        φ.
    sigma_w, sigma_b : float
        The weights have variance σ_w² / fan_in, the biases σ_b²; ``sigma_w > 0``.

    Returns
    -------
    float
        E[z²] of the next layer's pre-activations, in the limit of wide layers.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range or the activation is unknown.

    References
    ----------
    Poole et al. 2016, equation 3.

    Examples
    --------
    >>> round(variance_map(1.0, "relu", sigma_w=2**0.5), 9)  # He: E[z²] stays
    1.0
    """
    q = _checks.not_negative("q", q)
    sigma_w = _checks.positive("sigma_w", sigma_w)
    sigma_b = _checks.not_negative("sigma_b", sigma_b)
    phi = activations.named(activation)
    return sigma_w**2 * gaussian_expectation(lambda z: phi(z) ** 2, sqrt(q)) + sigma_b**2


def variance_path(
    q: float, depth: int, activation: str | Activation, sigma_w: float, sigma_b: float = 0.0
) -> Array:
    """Second moments of `depth` layers in a row, the first of which is `q`.

    Parameters
    ----------
    q : float
        E[z²] of the first layer's pre-activations.
    depth : int
        The number of layers, at least 1.
    activation, sigma_w, sigma_b
        As in :func:`variance_map`, the same in every layer.

    Returns
    -------
    ndarray of shape (depth,)

    Raises
    ------
    ValueError, TypeError
        As :func:`variance_map`.

    Examples
    --------
    >>> variance_path(1.0, 3, "identity", sigma_w=2.0)
    array([ 1.,  4., 16.])
    """
    path = [_checks.not_negative("q", q)]
    for _ in range(_checks.count("depth", depth) - 1):
        path.append(variance_map(path[-1], activation, sigma_w, sigma_b))
    return np.array(path)


def q_star(
    activation: str | Activation,
    sigma_w: float,
    sigma_b: float = 0.0,
    *,
    start: float = 1.0,
) -> float:
    """Fixed point q* that iterating :func:`variance_map` from `start` leads to.

    The iteration goes on for a while.  Where it is slow (at the edge of chaos, or where q grows by
    a constant a layer) the map itself is searched on the way that q is going: the nearest point
    that it leaves in place, or none.

    Parameters
    ----------
    activation, sigma_w, sigma_b
        As in :func:`variance_map`.
    start : float, default 1
        The first q.

    Returns
    -------
    float
        q*; ``inf`` where the second moment grows without end.

    Raises
    ------
    ValueError, TypeError
        As :func:`variance_map`.

    References
    ----------
    Poole et al. 2016.

    Examples
    --------
    >>> round(q_star("tanh", sigma_w=1.3, sigma_b=0.3), 3)
    0.607
    >>> q_star("relu", sigma_w=2**0.5, sigma_b=0.1)  # q grows by 0.01 a layer
    inf
    """
    q = _checks.not_negative("start", start)
    for _ in range(_PATIENCE):
        following = variance_map(q, activation, sigma_w, sigma_b)
        if following > _ENDLESS:
            return inf
        if abs(following - q) <= 1e-13 * max(q, 1e-13):
            return following
        q, before = following, q
    return _next_fixed_point(lambda q: variance_map(q, activation, sigma_w, sigma_b), before, q)


def _next_fixed_point(step: Callable[[float], float], before: float, q: float) -> float:
    """Return the fixed point of a map that lies next on the way from `before` over `q`."""
    from scipy.optimize import brentq, minimize_scalar

    def change(size: float) -> float:
        return step(size) / size - 1

    grows = q > before
    while 1 / _ENDLESS < q < _ENDLESS:
        before, q = q, q * 2 if grows else q / 2
        if change(before) * change(q) < 0:  # the map turns back between the two
            return float(brentq(change, *sorted((before, q)), rtol=1e-13))
        # Or it touches the line: a fixed point that attracts from one side only.
        ends, exactly = (log(min(before, q)), log(max(before, q))), {"xatol": 1e-9}
        near = minimize_scalar(
            lambda at: abs(change(exp(at))), bounds=ends, method="bounded", options=exactly
        )
        if near.fun < 1e-12 and ends[0] + 0.01 < near.x < ends[1] - 0.01:
            return exp(near.x)
        if abs(change(q)) < 1e-13:  # less than rounding: nothing further on can be told
            break
    return inf if grows else 0.0


def chi_1(q: float, activation: str | Activation, sigma_w: float) -> float:
    r"""χ₁ = :math:`\sigma_w^2\,E[\varphi'(\sqrt{q}\,z)^2]`: growth of the squared gradient a layer.

    With equal widths the mean of (∂L/∂z)² is multiplied by χ₁ from a layer to the one before it,
    and its square root, the RMS gradient, by √χ₁.

    Parameters
    ----------
    q : float
        E[z²] of the layer's pre-activations, at least 0; at 0 the limit is returned.
    activation : str or Activation
        φ.
    sigma_w : float
        The weights have variance σ_w² / fan_in; above 0.

    Returns
    -------
    float
        A factor, without unit.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range or the activation is unknown.

    References
    ----------
    Schoenholz et al. 2017.

    Examples
    --------
    >>> round(chi_1(1.0, "relu", sigma_w=2**0.5), 9)  # He
    1.0
    """
    q = _checks.not_negative("q", q)
    sigma_w = _checks.positive("sigma_w", sigma_w)
    phi = activations.named(activation)
    # At q = 0 the limit: the slopes on both sides of a kink at 0 count, not the one that 0 got.
    std = max(sqrt(q), _NEAR)
    return sigma_w**2 * gaussian_expectation(lambda z: phi.derivative(z) ** 2, std)


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


def sigmoid_learning_steps(start: float, end: float, rate: float) -> float:
    r"""Steps of gradient descent that bring one sigmoid neuron from z = start down to z = end.

    The neuron has one input of 1, a weight and a bias, the target 0 and the loss
    :math:`\tfrac12\sigma(z)^2`.  Both parameters move, so z obeys
    :math:`dz/dt = -2\eta\,\sigma(z)\,\sigma'(z)`, which integrates to

    .. math:: t = \frac{F(z_0) - F(z_1)}{2\eta}, \qquad
              F(z) = e^{z} + 3z - 3e^{-z} - \tfrac12 e^{-2z}.

    Parameters
    ----------
    start, end : float
        z before and after, ``end <= start``.
    rate : float
        The learning rate η, above 0; the law is that of small steps.

    Returns
    -------
    float
        A number of steps.

    Raises
    ------
    ValueError, TypeError
        If `end` lies above `start`, `rate` is not above 0, or a parameter is not finite.

    Examples
    --------
    >>> round(sigmoid_learning_steps(2.0, 0.0, rate=0.1))
    77
    """
    start, end = _checks.real("start", start), _checks.real("end", end)
    rate = _checks.positive("rate", rate)
    if end > start:
        raise ValueError(f"end must be <= start, as the target is 0; got {start} to {end}")

    def antiderivative(z: float) -> float:
        return exp(z) + 3 * z - 3 * exp(-z) - exp(-2 * z) / 2

    return (antiderivative(start) - antiderivative(end)) / (2 * rate)


def rms_gradient_path(q_path: npt.ArrayLike, activation: str | Activation, sigma_w: float) -> Array:
    r"""RMS gradient ∂L/∂z of each layer, that of the last layer set to 1.

    With equal widths, layer l has :math:`\prod_{k=l}^{L-1} \sqrt{\chi_1(q_k)}` of the last one's.

    Parameters
    ----------
    q_path : array_like of shape (layers,)
        E[z²] of each layer, as :func:`variance_path` gives it.
    activation, sigma_w
        As in :func:`chi_1`.

    Returns
    -------
    ndarray of shape (layers,)

    Raises
    ------
    ValueError, TypeError
        As :func:`chi_1`.

    Examples
    --------
    >>> rms_gradient_path([1.0, 1.0, 1.0], "identity", sigma_w=2.0)
    array([4., 2., 1.])
    """
    factors = [sqrt(chi_1(float(q), activation, sigma_w)) for q in np.asarray(q_path)[:-1]]
    return np.cumprod([1.0, *factors[::-1]])[::-1]


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


class Moments(NamedTuple):
    """Mean, second moment and variance of a random variable."""

    mean: float
    second_moment: float
    variance: float


def relu_moments(std: float) -> Moments:
    r"""Moments of max(0, z): :math:`\sigma/\sqrt{2\pi}`, :math:`\sigma^2/2` and their difference.

    For :math:`z \sim N(0, \sigma^2)`.  The variance is
    :math:`(\tfrac12 - \tfrac1{2\pi})\,\sigma^2 \approx 0.3408\,\sigma^2`.

    Parameters
    ----------
    std : float
        σ, at least 0.

    Returns
    -------
    Moments
        ``(mean, second_moment, variance)``.

    Raises
    ------
    ValueError, TypeError
        If `std` is negative or not finite.

    Examples
    --------
    >>> [round(moment, 4) for moment in relu_moments(1.0)]
    [0.3989, 0.5, 0.3408]
    """
    std = _checks.not_negative("std", std)
    mean, second = std / sqrt(2 * np.pi), std**2 / 2
    return Moments(mean, second, std**2 * (0.5 - 0.5 / np.pi))


class LogGrowth(NamedTuple):
    """Mean and variance of the logarithm of a random factor."""

    mean: float
    variance: float


def relu_log_growth(width: int) -> LogGrowth:
    r"""Mean and variance of ln(M′/M) in one ReLU layer of n units under He's normal start.

    M is the mean of a² over the units of a layer, for one input and without biases; M′ that of the
    next layer.  Given M, the next layer's z are independent normals of variance 2M, of which K are
    positive, so M′/M is distributed as :math:`\tfrac{2}{n} \chi^2_K` with
    :math:`K \sim \text{Binomial}(n, \tfrac12)`, and

    .. math:: E[\ln] = E[\psi(K/2)] + \ln\tfrac4n \approx -\tfrac{5}{2n}, \qquad
              \operatorname{Var}[\ln] = E[\psi'(K/2)] + \operatorname{Var}[\psi(K/2)]
              \approx \tfrac5n .

    Both are conditional on K > 0: with probability :math:`2^{-n}` all units are off.

    Parameters
    ----------
    width : int
        n, at least 1.

    Returns
    -------
    LogGrowth
        ``(mean, variance)`` of one layer; L independent layers have L times both.

    Raises
    ------
    ValueError, TypeError
        If `width` is not an integer of at least 1.

    References
    ----------
    Hanin & Rolnick 2018.

    Examples
    --------
    >>> mean, variance = relu_log_growth(100)
    >>> round(100 * mean, 2), round(100 * variance, 2)  # −5/2 and 5 in the limit
    (-2.54, 5.19)
    """
    from scipy.special import digamma, polygamma
    from scipy.stats import binom

    n = _checks.count("width", width)
    k = np.arange(1, n + 1)
    p = binom.pmf(k, n, 0.5)
    p /= p.sum()
    middle = float(p @ digamma(k / 2))
    spread = float(p @ (digamma(k / 2) - middle) ** 2 + p @ polygamma(1, k / 2))
    return LogGrowth(middle + log(4 / n), spread)


def quarter_circle_density(s: npt.ArrayLike, sigma_w: float = 1.0) -> Array:
    r"""Density of singular values, :math:`\sqrt{4\sigma_w^2 - s^2} / (\pi\sigma_w^2)`.

    Those of a large n × n matrix with independent entries of mean 0 and variance
    :math:`\sigma_w^2 / n`.  Their mean is :math:`8\sigma_w / (3\pi) \approx 0.849\,\sigma_w`, their
    mean square :math:`\sigma_w^2`, the largest :math:`2\sigma_w`.

    Parameters
    ----------
    s : array_like
        Where to evaluate it.
    sigma_w : float, default 1
        σ_w, above 0.

    Returns
    -------
    ndarray
        0 outside [0, 2 σ_w].

    Raises
    ------
    ValueError, TypeError
        If `sigma_w` is not above 0 or not finite.

    References
    ----------
    Marchenko & Pastur 1967, in the case of a square matrix.

    Examples
    --------
    >>> quarter_circle_density([0.0, 1.0, 3.0]).round(3)
    array([0.637, 0.551, 0.   ])
    """
    sigma_w = _checks.positive("sigma_w", sigma_w)
    s = np.asarray(s, dtype=float)
    inside = np.where(s >= 0, 4 * sigma_w**2 - s**2, 0.0)
    return np.asarray(np.sqrt(np.maximum(inside, 0.0)) / (np.pi * sigma_w**2))


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


def activation_variance(q: float, activation: str | Activation) -> float:
    r"""Var φ(z) = :math:`E[\varphi(z)^2] - E[\varphi(z)]^2` for :math:`z \sim N(0, q)`.

    Parameters
    ----------
    q : float
        E[z²] of the layer's pre-activations, at least 0.
    activation : str or Activation
        φ.

    Returns
    -------
    float
        In units of φ squared.

    Raises
    ------
    ValueError, TypeError
        If `q` is negative or the activation is unknown.

    Examples
    --------
    >>> round(activation_variance(1.0, "relu"), 4)  # 1/2 − 1/(2π), not 1/2
    0.3408
    """
    std = sqrt(_checks.not_negative("q", q))
    phi = activations.named(activation)
    mean = gaussian_expectation(phi, std)
    # About the mean: for small q the difference of the two moments would lose all digits.
    return gaussian_expectation(lambda z: (phi(z) - mean) ** 2, std)


def born_dead_bound(width: int, depth: int) -> float:
    r"""At most :math:`1 - (1 - 2^{-N})^{L-1}` of the ReLU nets with biases 0 are born dead.

    A layer kills an input when all its N units are off for it, and symmetric weights do this with
    probability :math:`2^{-N}`.  For one input, or inputs on one ray from 0, the bound is exact.

    Parameters
    ----------
    width : int
        N, the number of units of each hidden layer.
    depth : int
        L, the number of layers; L − 1 of them are hidden.

    Returns
    -------
    float
        A probability.

    Raises
    ------
    ValueError, TypeError
        If a count is below 1.

    References
    ----------
    Lu, Shin, Su & Karniadakis 2020.

    Examples
    --------
    >>> [round(born_dead_bound(width, 10), 4) for width in (2, 3, 5, 10)]
    [0.9249, 0.6993, 0.2485, 0.0088]
    """
    width, depth = _checks.count("width", width), _checks.count("depth", depth)
    # 1 − (1 − p)^k without the loss of a small p beside 1.
    return -expm1((depth - 1) * log1p(-(0.5**width))) if depth > 1 else 0.0
