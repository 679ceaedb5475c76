"""What the width of a layer changes: fluctuations from net to net, and nets born dead."""

from math import expm1, log, log1p
from typing import NamedTuple

import numpy as np

from initcourse import _checks


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

    .. math::

        \begin{aligned}
        E[\ln] &= E[\psi(K/2)] + \ln\tfrac4n \approx -\tfrac{5}{2n}, \\
        \operatorname{Var}[\ln] &= E[\psi'(K/2)] + \operatorname{Var}[\psi(K/2)]
        \approx \tfrac5n .
        \end{aligned}

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
