"""Singular values of random matrices."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks

Array: TypeAlias = npt.NDArray[Any]


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
