r"""Integrals over the normal distribution that are right at every scale."""

from collections.abc import Callable
from functools import cache
from math import sqrt
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks

Array: TypeAlias = npt.NDArray[Any]

# A normal variable stays within 12 σ but for 1e-32 of the time; sigmoid and tanh bend within
# |x| < 40 and are flat beyond.  Panels of one σ and of one unit there, 20 nodes in each.
_REACH = 12
_BEND = 40
_NODES = 20
_TERMS = 400  # of a Hermite series


@cache
def _legendre() -> tuple[Array, Array]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights


def gaussian_density(x: npt.ArrayLike, std: float, mean: float = 0.0) -> Array:
    r"""Density of :math:`N(\mu, \sigma^2)` at x.

    Parameters
    ----------
    x : array_like
        Where to evaluate it.
    std, mean : float
        Standard deviation (above 0) and mean.

    Returns
    -------
    ndarray
        In 1 / unit of x.

    Raises
    ------
    ValueError, TypeError
        If `std` is not above 0 or a parameter is not finite.

    Examples
    --------
    >>> float(gaussian_density(0.0, 1.0).round(4))
    0.3989
    """
    std, mean = _checks.positive("std", std), _checks.real("mean", mean)
    z = (np.asarray(x, dtype=float) - mean) / std
    return np.asarray(np.exp(-(z**2) / 2) / (std * sqrt(2 * np.pi)))


def gaussian_expectation(
    f: Callable[[Array], npt.ArrayLike], std: float, mean: float = 0.0
) -> float:
    r"""E[f(x)] for :math:`x \sim N(\mu, \sigma^2)`, right for saturating f at every σ.

    Gauss–Hermite quadrature puts its nodes at multiples of σ and misses the bend of a sigmoid when
    σ is large.  This integrates panel by panel with Gauss–Legendre nodes; the panels are as long
    as one σ, or as one unit of x near 0, whichever is shorter.  It takes f to be smooth but for a
    kink at 0, and to change over lengths of about 1.

    Parameters
    ----------
    f : callable
        Takes an array of x, returns the array f(x).
    std : float
        σ, at least 0; with σ = 0 the result is f(μ).
    mean : float, default 0
        μ.

    Returns
    -------
    float
        In the unit of f.

    Raises
    ------
    ValueError, TypeError
        If `std` is negative or a parameter is not finite.

    Examples
    --------
    >>> from initcourse.activations import relu, sigmoid
    >>> round(gaussian_expectation(lambda x: relu(x) ** 2, 3.0), 9)  # σ² / 2
    4.5
    >>> round(gaussian_expectation(sigmoid.derivative, 22.383), 4)
    0.0178
    """
    std, mean = _checks.not_negative("std", std), _checks.real("mean", mean)
    return _expectation(f, std, mean)


def gaussian_product(
    f: Callable[[Array], npt.ArrayLike], std: float, correlation: npt.ArrayLike
) -> Any:
    r"""E[f(u) f(v)] for u and v from :math:`N(0, \sigma^2)` with a correlation c.

    Where f is smooth, by its coefficients :math:`a_k = E[f(\sigma z)\,h_k(z)]` on the normalized
    Hermite polynomials: :math:`\sum_k a_k^2 c^k` (Mehler).  What the first 400 leave out is known,
    since all :math:`a_k^2` add up to E[f²]; where it is too much, by one integral inside another.
    It takes f to be as :func:`gaussian_expectation` takes it.

    Parameters
    ----------
    f : callable
        Takes an array of x, returns the array f(x).
    std : float
        σ, at least 0.
    correlation : float or array_like
        c, from −1 to 1.

    Returns
    -------
    float or ndarray
        One number for each c, in the unit of f squared.

    Raises
    ------
    ValueError, TypeError
        If `std` is negative or a correlation lies outside [−1, 1].

    Examples
    --------
    >>> round(gaussian_product(lambda x: x, 2.0, 0.5), 9)  # σ² c
    2.0
    >>> from scipy.special import erf
    >>> bool(np.isclose(gaussian_product(erf, 2**-0.5, 0.8), 2 / np.pi * np.arcsin(0.8 / 2)))
    True
    """
    std = _checks.not_negative("std", std)
    c = np.asarray(correlation, dtype=float)
    if not np.all(np.abs(c) <= 1):
        raise ValueError(f"correlation must lie between -1 and 1, got {correlation!r}")
    square = _expectation(lambda x: np.asarray(f(x), dtype=float) ** 2, std, 0.0)
    if std == 0 or square == 0:
        found = np.full(c.shape, square)
    else:
        shares = _hermite(f, std) ** 2
        left_out = max(0.0, square - float(shares.sum())) * np.abs(c) ** _TERMS
        found = np.polynomial.polynomial.polyval(c, shares)
        found = np.where(c == 1, square, found)
        rough = (left_out > 1e-11 * square) & (c != 1)
        if rough.any():
            found[rough] = [_nested(f, std, float(one)) for one in c[rough]]
    return float(found) if found.ndim == 0 else found


def _expectation(f: Callable[[Array], npt.ArrayLike], std: float, mean: float) -> float:
    if std == 0:
        return float(np.asarray(f(np.array([mean])), dtype=float)[0])
    z, w = _nodes(std, mean)
    return float(np.asarray(f(mean + std * z), dtype=float) @ w)


def _nodes(std: float, mean: float, more: npt.ArrayLike = ()) -> tuple[Array, Array]:
    """Return nodes z = (x − μ)/σ and their weights, which hold the normal density.

    `more` are further x at which a panel begins.
    """
    steps = np.arange(-_REACH, _REACH + 1)
    bend = np.arange(-_BEND, _BEND + 1.0)
    low, high = mean - _REACH * std, mean + _REACH * std
    # In z, whose panels stay apart also where σ is tiny beside μ.
    bend = np.union1d(bend, more)
    edges = np.union1d(steps, (bend[(bend > low) & (bend < high)] - mean) / std)
    nodes, weights = _legendre()
    half = np.diff(edges) / 2
    z = (edges[:-1] + half)[:, None] + half[:, None] * nodes
    w = half[:, None] * weights * np.exp(-(z**2) / 2) / sqrt(2 * np.pi)
    return z.ravel(), w.ravel()


def _hermite(f: Callable[[Array], npt.ArrayLike], std: float) -> Array:
    """Return E[f(σz) h_k(z)] for k below 400: panels of one σ carry the waves of no higher one."""
    z, w = _nodes(std, 0.0)
    y = np.asarray(f(std * z), dtype=float) * w
    before, h = np.zeros_like(z), np.ones_like(z)
    found = np.empty(_TERMS)
    for k in range(_TERMS):
        found[k] = y @ h
        before, h = h, (z * h - sqrt(k) * before) / sqrt(k + 1)
    return found


def _nested(f: Callable[[Array], npt.ArrayLike], std: float, correlation: float) -> float:
    """Return E[f(u) E[f(v) | u]]: v is normal about c u with the std σ √(1 − c²)."""
    rest = std * sqrt((1 - correlation) * (1 + correlation))
    # A kink of f at a small whole number, seen through v, is a bend of this width.
    kinks = np.add.outer(np.arange(-6, 7), rest * np.array([-12, -6, -3, -1, 1, 3, 6, 12]))
    z, w = _nodes(std, 0.0, kinks / (correlation or 1) if rest < 0.5 else ())
    u, heavy = std * z, w > 1e-20 * w.max()
    inner = [_expectation(f, rest, correlation * float(one)) for one in u[heavy]]
    return float(np.sum(np.asarray(f(u[heavy]), dtype=float) * inner * w[heavy]))
