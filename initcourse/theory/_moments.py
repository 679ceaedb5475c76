"""E[φ(z)²] and E[φ′(z)²] for z from N(0, q): exact for a few q, from a table for a whole grid.

The one place where the theory is fast instead of plain.  Both moments depend on q alone, not on σ_w
and σ_b, and are smooth in ln q.  So a spline of the fifth degree through 40 points a decade, each
computed by quadrature, gives them with an error below 1e-10 of their size, and a diagram of
200 × 200 points costs two tables instead of millions of integrals.
"""

from functools import lru_cache
from math import sqrt
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse.activations import Activation
from initcourse.quadrature import gaussian_expectation

Array: TypeAlias = npt.NDArray[Any]
Which: TypeAlias = Literal["value", "slope"]

LEAST, MOST = 1e-12, 1e12  # the q between which the tables are used
A_FEW = 64  # values of q that are integrated one by one
_A_DECADE = 40
_SEARCHED = 10  # points a decade at which the map is compared with q
_BLOCK = 2048  # pairs at once: 4 MB
_HALVINGS = 48  # of a tenth of a decade: down to rounding
_ROUNDING = 1e-13
_NEAR = 1e-100  # as good as 0, yet with two sides


def exact(phi: Activation, which: Which, q: float) -> float:
    """Return the moment by quadrature."""
    if which == "value":
        return gaussian_expectation(lambda z: phi(z) ** 2, sqrt(q))
    # At q = 0 the limit: the slopes on both sides of a kink at 0 count, not the one that 0 got.
    return gaussian_expectation(lambda z: phi.derivative(z) ** 2, max(sqrt(q), _NEAR))


def moment(phi: Activation, which: Which, q: Array) -> Array:
    """Return the moment at every q of an array; where q is infinite, its limit at the largest q."""
    different, places = np.unique(np.minimum(q, MOST**2), return_inverse=True)
    found = np.empty(different.shape)
    tabled = (different >= LEAST) & (different <= MOST)
    if tabled.sum() <= A_FEW:
        tabled[:] = False
    if tabled.any():
        found[tabled] = table(phi, which)(np.log(different[tabled]))
    found[~tabled] = [exact(phi, which, float(one)) for one in different[~tabled]]
    return np.asarray(found[places].reshape(q.shape))


@lru_cache(maxsize=64)
def table(phi: Activation, which: Which) -> Any:
    """Return the moment as a spline of ln q; its points reach beyond the range that is used."""
    from scipy.interpolate import make_interp_spline

    points = np.log(np.geomspace(LEAST / 100, MOST * 100, 28 * _A_DECADE + 1))
    return make_interp_spline(points, [exact(phi, which, float(np.exp(p))) for p in points], k=5)


def fixed_points(phi: Activation, sigma_w2: Array, sigma_b2: Array, start: float) -> Array:
    """Return, for each pair of variances, the first q on the way from `start` that maps to itself.

    The map is compared with q at the table's points; where it crosses, the place is found by
    halving.  No crossing above is ``inf``, none below is 0.
    """
    spline = table(phi, "value")
    points = np.geomspace(LEAST, MOST, 24 * _SEARCHED + 1)
    points = np.union1d(points, np.clip(start, LEAST, MOST))
    first = int(np.searchsorted(points, np.clip(start, LEAST, MOST)))
    kept = np.asarray(spline(np.log(points)))
    kept[first] = exact(phi, "value", float(points[first]))
    found = np.empty(sigma_w2.shape)
    for block in range(0, len(found), _BLOCK):
        here = slice(block, block + _BLOCK)
        found[here] = _searched(spline, points, kept, first, sigma_w2[here], sigma_b2[here])
    return found


def _searched(
    spline: Any, points: Array, kept: Array, first: int, sigma_w2: Array, sigma_b2: Array
) -> Array:
    change = np.multiply.outer(sigma_w2, kept)
    change += sigma_b2[:, None]
    change /= points
    change -= 1
    grows = change[:, first] > 0
    stays = np.abs(change[:, first]) < _ROUNDING
    above, below = change[:, first:] <= 0, change[:, first::-1] >= 0
    up, down = first + above.argmax(axis=1), first - below.argmax(axis=1)
    low = np.log(points[np.where(grows, np.maximum(up - 1, 0), down)])
    high = np.log(points[np.where(grows, up, np.minimum(down + 1, len(points) - 1))])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        over = sigma_w2 * spline(middle) + sigma_b2 > np.exp(middle)
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    found = np.exp((low + high) / 2)
    found[grows & ~above.any(axis=1)] = np.inf
    found[~grows & ~below.any(axis=1)] = 0.0
    found[stays] = points[first]
    return np.asarray(found)


def plain(values: Array) -> Any:
    """Return an array without axes as a float."""
    return float(values) if values.ndim == 0 else values
