"""Wide layers: maps of the second moment q from layer to layer, their fixed points, and χ₁."""

from collections.abc import Callable
from math import exp, inf, log, sqrt
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks, activations
from initcourse.activations import Activation
from initcourse.quadrature import gaussian_expectation
from initcourse.theory._moments import fixed_points, moment, plain

Array: TypeAlias = npt.NDArray[Any]
_PATIENCE = 200  # layers; far from the edge of chaos q settles in some tens
_NOTHING = 1e-24  # a second moment below it falls to 0
_ENDLESS = 1e12  # a second moment beyond it grows without end


def variance_map(
    q: npt.ArrayLike,
    activation: str | Activation,
    sigma_w: npt.ArrayLike,
    sigma_b: npt.ArrayLike = 0.0,
) -> Any:
    r"""Second moment of the next layer: :math:`\sigma_w^2\,E[\varphi(\sqrt{q}\,z)^2] + \sigma_b^2`.

    Parameters
    ----------
    q : float or array_like
        E[z²] of this layer's pre-activations, at least 0.
    activation : str or Activation
        φ.
    sigma_w, sigma_b : float or array_like
        The weights have variance σ_w² / fan_in, the biases σ_b²; ``sigma_w > 0``.

    Returns
    -------
    float or ndarray
        E[z²] of the next layer's pre-activations, in the limit of wide layers; an array of the
        common shape where an array was given.

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
    >>> variance_map(1.0, "identity", sigma_w=[1.0, 2.0], sigma_b=1.0).round(9)
    array([2., 5.])
    """
    q, sigma_w, sigma_b = _finite(q, sigma_w, sigma_b)
    kept = moment(activations.named(activation), "value", q)
    return plain(sigma_w**2 * kept + sigma_b**2)


def _finite(q: npt.ArrayLike, sigma_w: npt.ArrayLike, sigma_b: npt.ArrayLike) -> tuple[Array, ...]:
    """Return what a map takes as arrays; refuse what is out of range or not finite."""
    found = (
        _checks.reals("q", q, least=0),
        _checks.reals("sigma_w", sigma_w, above=0),
        _checks.reals("sigma_b", sigma_b, least=0),
    )
    for name, values in zip(("q", "sigma_w", "sigma_b"), found, strict=True):
        if not np.all(np.isfinite(values)):
            raise ValueError(f"{name} must be finite, got {values[~np.isfinite(values)].flat[0]}")
    return found


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
    sigma_w: npt.ArrayLike,
    sigma_b: npt.ArrayLike = 0.0,
    *,
    start: float = 1.0,
) -> Any:
    """Fixed point q* that iterating :func:`variance_map` from `start` leads to.

    For one pair (σ_w, σ_b) the iteration goes on for a while.  Where it is slow (at the edge of
    chaos, or where q grows by a constant a layer) the map itself is searched on the way that q is
    going: the nearest point that it leaves in place, or none.  For arrays the search is all that
    is done; it takes the map to grow with q, as that of every activation of this package does.

    Parameters
    ----------
    activation, sigma_w, sigma_b
        As in :func:`variance_map`.
    start : float, default 1
        The first q.

    Returns
    -------
    float or ndarray
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
    >>> q_star("tanh", [0.9, 2.5, 4.0], 0.3).round(3)
    array([ 0.217,  4.079, 12.604])
    """
    phi, start = activations.named(activation), _checks.not_negative("start", start)
    _, sigma_w, sigma_b = _finite(start, sigma_w, sigma_b)
    if sigma_w.ndim == sigma_b.ndim == 0:
        return _fixed_point(phi, float(sigma_w), float(sigma_b), start)
    sigma_w, sigma_b = np.broadcast_arrays(sigma_w, sigma_b)
    found = fixed_points(phi, sigma_w.ravel() ** 2, sigma_b.ravel() ** 2, start)
    return found.reshape(sigma_w.shape)


def _fixed_point(phi: Activation, sigma_w: float, sigma_b: float, q: float) -> float:
    for _ in range(_PATIENCE):
        following = variance_map(q, phi, sigma_w, sigma_b)
        if following > _ENDLESS:
            return inf
        if abs(following - q) <= 1e-13 * max(q, 1e-13):
            return float(following) if following > _NOTHING else 0.0
        q, before = following, q
    return _next_fixed_point(lambda q: variance_map(q, phi, sigma_w, sigma_b), before, q)


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


def chi_1(q: npt.ArrayLike, activation: str | Activation, sigma_w: npt.ArrayLike) -> Any:
    r"""χ₁ = :math:`\sigma_w^2\,E[\varphi'(\sqrt{q}\,z)^2]`: growth of the squared gradient a layer.

    With equal widths the mean of (∂L/∂z)² is multiplied by χ₁ from a layer to the one before it,
    and its square root, the RMS gradient, by √χ₁.

    Parameters
    ----------
    q : float or array_like
        E[z²] of the layer's pre-activations, at least 0; at 0 and at ``inf`` the limit is returned.
    activation : str or Activation
        φ.
    sigma_w : float or array_like
        The weights have variance σ_w² / fan_in; above 0.

    Returns
    -------
    float or ndarray
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
    >>> chi_1([0.0, float("inf")], "relu", sigma_w=2.0).round(9)
    array([2., 2.])
    """
    q = _checks.reals("q", q, least=0)
    _, sigma_w, _ = _finite(0.0, sigma_w, 0.0)
    return plain(sigma_w**2 * moment(activations.named(activation), "slope", q))


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
