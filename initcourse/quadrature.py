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
    if std == 0:
        return float(np.asarray(f(np.array([mean])), dtype=float)[0])
    steps = np.arange(-_REACH, _REACH + 1)
    bend = np.arange(-_BEND, _BEND + 1.0)
    low, high = mean - _REACH * std, mean + _REACH * std
    # In z = (x − μ)/σ, whose panels stay apart also where σ is tiny beside μ.
    edges = np.union1d(steps, (bend[(bend > low) & (bend < high)] - mean) / std)
    nodes, weights = _legendre()
    half = np.diff(edges) / 2
    z = (edges[:-1] + half)[:, None] + half[:, None] * nodes
    w = half[:, None] * weights * gaussian_density(z, 1.0)
    values = np.asarray(f(mean + std * z.ravel()), dtype=float)
    return float(values @ w.ravel())
