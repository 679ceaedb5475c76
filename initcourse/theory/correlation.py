r"""Two inputs: how their correlation c moves from layer to layer, and over how many layers.

For two inputs with the same second moment q, a wide layer makes of their correlation

.. math:: c' = \frac{\sigma_w^2\,E[\varphi(u)\,\varphi(v)] + \sigma_b^2}
                    {\sigma_w^2\,E[\varphi(u)^2] + \sigma_b^2},

where u and v are normal of variance q and correlation c.  c = 1 always stays.  Where its slope, χ₁,
is below 1 it attracts: the layers make inputs alike (*ordered*).  Where χ₁ is above 1 it repels,
and inputs part until c* < 1 (*chaotic*).  Between the two lies the *edge of chaos*.
"""

from functools import partial
from math import exp, inf, log, nan, sqrt
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks, activations
from initcourse.activations import Activation
from initcourse.quadrature import gaussian_expectation, gaussian_product
from initcourse.theory._moments import plain
from initcourse.theory.mean_field import chi_1, q_star, variance_map

Array: TypeAlias = npt.NDArray[Any]
_CRITICAL = 1e-9  # a |χ₁ − 1| that rounding and the search for q* can make


def product_moment(c: npt.ArrayLike, q: float, activation: str | Activation) -> Any:
    r"""E[φ(u) φ(v)] for u and v from N(0, q) with the correlation c.

    In closed form for the identity, the ReLU family (Cho & Saul) and erf (Williams); for all
    others by :func:`initcourse.quadrature.gaussian_product`.

    Parameters
    ----------
    c : float or array_like
        From −1 to 1.
    q : float
        At least 0.
    activation : str or Activation
        φ.

    Returns
    -------
    float or ndarray
        In units of φ squared.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range or the activation is unknown.

    References
    ----------
    Cho & Saul 2009, equation 6; Williams 1997, equation 11.

    Examples
    --------
    >>> round(product_moment(0.0, 1.0, "relu"), 6)  # 1/(2π)
    0.159155
    """
    q = _checks.not_negative("q", q)
    return plain(np.asarray(_product(activations.named(activation), _correlation(c), q)))


def correlation_map(
    c: npt.ArrayLike,
    q: float,
    activation: str | Activation,
    sigma_w: float,
    sigma_b: float = 0.0,
) -> Any:
    r"""Correlation c' of two inputs after one more layer; see the head of this module.

    Parameters
    ----------
    c : float or array_like
        Their correlation, from −1 to 1.
    q : float
        Their second moment E[z²], above 0.
    activation : str or Activation
        φ.
    sigma_w, sigma_b : float
        As in :func:`~initcourse.theory.mean_field.variance_map`.

    Returns
    -------
    float or ndarray

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range or the activation is unknown.

    References
    ----------
    Poole et al. 2016, equation 5.

    Examples
    --------
    >>> correlation_map([0.0, 1.0], 1.0, "relu", sigma_w=2**0.5).round(4)  # 1/π
    array([0.3183, 1.    ])
    """
    phi, c, q = activations.named(activation), _correlation(c), _checks.positive("q", q)
    following = variance_map(q, phi, sigma_w, sigma_b)
    if following == 0:
        raise ValueError(f"the layer gives 0 for every input, at q = {q}: no correlation is left")
    return plain((sigma_w**2 * np.asarray(_product(phi, c, q)) + sigma_b**2) / following)


def correlation_slope(
    c: npt.ArrayLike,
    q: float,
    activation: str | Activation,
    sigma_w: float,
) -> Any:
    r"""χ at c: :math:`\sigma_w^2\,E[\varphi'(u)\,\varphi'(v)]`, of which χ₁ is the value at c = 1.

    At a fixed point q* it is the slope of :func:`correlation_map`.

    Parameters
    ----------
    c : float or array_like
        From −1 to 1.
    q : float
        E[z²], above 0.
    activation : str or Activation
        φ.
    sigma_w : float
        Above 0.

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
    Schoenholz et al. 2017, equation 5.

    Examples
    --------
    >>> round(correlation_slope(0.0, 1.0, "relu", sigma_w=2**0.5), 9)  # (π − π/2)/π
    0.5
    """
    phi, c, q = activations.named(activation), _correlation(c), _checks.positive("q", q)
    return plain(_checks.positive("sigma_w", sigma_w) ** 2 * np.asarray(_slopes(phi, c, q)))


def c_star(activation: str | Activation, sigma_w: float, sigma_b: float = 0.0) -> float:
    """Correlation c* to which two inputs that differ are led, at q*.

    Parameters
    ----------
    activation, sigma_w, sigma_b
        As in :func:`~initcourse.theory.mean_field.q_star`.

    Returns
    -------
    float
        1 in the ordered phase and at its edge, less in the chaotic one; ``nan`` where q* is 0 or
        ``inf``, so that there is no correlation to settle.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range or the activation is unknown.

    References
    ----------
    Poole et al. 2016.

    Examples
    --------
    >>> c_star("tanh", 1.3, 0.3), round(c_star("tanh", 2.5, 0.3), 3)
    (1.0, 0.122)
    """
    phi = activations.named(activation)
    q = q_star(phi, sigma_w, sigma_b)
    if not 0 < q < inf:
        return nan
    if chi_1(q, phi, sigma_w) <= 1 + _CRITICAL:
        return 1.0
    # E[φ(u)φ(v)] is a power series in c with coefficients ≥ 0: above 0 the map is convex, and
    # below 1, where it leaves the line c' = c steeper than 1, it meets that line once.
    from scipy.optimize import brentq

    def change(c: float) -> float:
        return float(correlation_map(c, q, phi, sigma_w, sigma_b) - c)

    if change(0.0) <= 0:
        return 0.0
    end = 0.5
    while change(end) > 0:
        end = (1 + end) / 2
    return float(brentq(change, 0.0, end, xtol=1e-13, rtol=1e-13))


def variance_slope(q: float, activation: str | Activation, sigma_w: float) -> float:
    r"""Slope of the variance map: :math:`\sigma_w^2\,E[\varphi\,\varphi'\,z]/q`.

    Here z is drawn from N(0, q).  For a smooth φ this is
    :math:`\sigma_w^2\,E[\varphi'^2 + \varphi\,\varphi'']`; the form above
    needs no second derivative and holds for kinks too.

    Parameters
    ----------
    q : float
        E[z²], above 0.
    activation : str or Activation
        φ.
    sigma_w : float
        Above 0.

    Returns
    -------
    float
        A factor, without unit.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range or the activation is unknown.

    Examples
    --------
    >>> round(variance_slope(3.0, "relu", sigma_w=2**0.5), 9)
    1.0
    """
    phi, std = activations.named(activation), sqrt(_checks.positive("q", q))
    sigma_w = _checks.positive("sigma_w", sigma_w)
    product = gaussian_expectation(lambda z: phi(z) * phi.derivative(z) * z, std)
    return float(sigma_w**2 * product / std**2)


def xi_q(activation: str | Activation, sigma_w: float, sigma_b: float = 0.0) -> float:
    r"""Depth scale ξ_q: near q* the distance :math:`|q - q^*|` falls as :math:`e^{-l/\xi_q}`.

    :math:`\xi_q^{-1} = -\ln` of :func:`variance_slope` at q*.

    Parameters
    ----------
    activation, sigma_w, sigma_b
        As in :func:`~initcourse.theory.mean_field.q_star`.

    Returns
    -------
    float
        In layers; ``inf`` where the slope is 1, ``nan`` where q* is 0 or ``inf``.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range or the activation is unknown.

    References
    ----------
    Schoenholz et al. 2017, equation 7.

    Examples
    --------
    >>> round(xi_q("tanh", 1.5**0.5, 0.05**0.5), 2)
    1.68
    """
    q = q_star(activation, sigma_w, sigma_b)
    return _scale(variance_slope(q, activation, sigma_w)) if 0 < q < inf else nan


def xi_c(activation: str | Activation, sigma_w: float, sigma_b: float = 0.0) -> float:
    r"""Depth scale ξ_c: near c* the distance :math:`|c - c^*|` falls as :math:`e^{-l/\xi_c}`.

    :math:`\xi_c^{-1} = -\ln` of :func:`correlation_slope` at c*.

    Parameters
    ----------
    activation, sigma_w, sigma_b
        As in :func:`~initcourse.theory.mean_field.q_star`.

    Returns
    -------
    float
        In layers; ``inf`` at the edge of chaos, ``nan`` where q* is 0 or ``inf``.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range or the activation is unknown.

    References
    ----------
    Schoenholz et al. 2017, equation 9.

    Examples
    --------
    >>> round(xi_c("tanh", 1.5**0.5, 0.05**0.5), 1)
    15.8
    """
    q = q_star(activation, sigma_w, sigma_b)
    if not 0 < q < inf:
        return nan
    c = c_star(activation, sigma_w, sigma_b)
    return _scale(correlation_slope(c, q, activation, sigma_w))


def _scale(slope: float) -> float:
    if abs(slope - 1) <= _CRITICAL:
        return inf
    return -1 / log(abs(slope)) if slope else 0.0


def critical_sigma_w(activation: str | Activation, sigma_b: float = 0.0) -> float:
    r"""The σ_w at which χ₁(q*) = 1 for a given σ_b: a point of the edge of chaos.

    On the edge :math:`\sigma_w^2 = 1/E[\varphi'^2]` and :math:`\sigma_b^2 = q - E[\varphi^2] /
    E[\varphi'^2]`, both at q.  The smallest q that solves the second is taken.

    Parameters
    ----------
    activation : str or Activation
        φ.
    sigma_b : float, default 0
        At least 0.

    Returns
    -------
    float
        σ_w; ``inf`` where no finite q solves it, as for ReLU with any σ_b > 0.

    Raises
    ------
    ValueError, TypeError
        If `sigma_b` is negative or the activation is unknown.

    References
    ----------
    Schoenholz et al. 2017, section 3.

    Examples
    --------
    >>> round(critical_sigma_w("tanh", 0.05**0.5) ** 2, 3)
    1.761
    >>> critical_sigma_w("relu", 0.1)
    inf
    """
    from scipy.optimize import brentq

    phi, sigma_b = activations.named(activation), _checks.not_negative("sigma_b", sigma_b)

    def needed(q: float) -> float:  # σ_b² that the edge needs at q, as a share of q
        return float(1 - variance_map(q, phi, 1.0) / (q * chi_1(q, phi, 1.0)))

    def off(at: float) -> float:
        return needed(exp(at)) - sigma_b**2 / exp(at)

    points = np.linspace(log(1e-8), log(1e8), 321)
    values = np.array([off(at) for at in points])
    if abs(values[0]) < 1e-7:  # solved at q = 0, or everywhere
        return float(chi_1(0.0, phi, 1.0) ** -0.5)
    crossed = np.flatnonzero(values[:-1] * values[1:] < 0)
    if not crossed.size:
        return inf
    at = brentq(off, points[crossed[0]], points[crossed[0] + 1], xtol=1e-14)
    return float(chi_1(exp(at), phi, 1.0) ** -0.5)


def _correlation(c: npt.ArrayLike) -> Array:
    found = _checks.reals("c", c, least=-1)
    if np.any(found > 1):
        raise ValueError(f"c must be <= 1, got {found[found > 1].flat[0]}")
    return found


def _left_slope(phi: Activation) -> float | None:
    """Return a where φ is z for z > 0 and a·z for z < 0; None where it is not of this family."""
    if phi in (activations.identity, activations.relu):
        return 1.0 if phi == activations.identity else 0.0
    leaky = activations.leaky_relu().function
    assert isinstance(leaky, partial)
    if isinstance(phi.function, partial) and phi.function.func is leaky.func:
        return float(phi.function.keywords["slope"])
    return None


def _product(phi: Activation, c: Array, q: float) -> Any:
    a = _left_slope(phi)
    if a is not None:
        return q * (a * c + (1 - a) ** 2 * _arc_cosine(c))
    if phi == activations.erf:
        return plain(2 / np.pi * np.arcsin(2 * q * c / (1 + 2 * q)))
    return gaussian_product(phi, sqrt(q), c)


def _slopes(phi: Activation, c: Array, q: float) -> Any:
    a = _left_slope(phi)
    if a is not None:
        return a + (1 - a) ** 2 * (np.pi - np.arccos(c)) / (2 * np.pi)
    if phi == activations.erf:
        return plain(4 / np.pi / np.sqrt((1 + 2 * q) ** 2 - (2 * q * c) ** 2))
    return gaussian_product(phi.derivative, sqrt(q), c)


def _arc_cosine(c: Array) -> Any:
    """Return E[relu(u) relu(v)] for q = 1."""
    sine = np.sqrt((1 - c) * (1 + c))
    return (sine + (np.pi - np.arccos(c)) * c) / (2 * np.pi)
