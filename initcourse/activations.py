"""Activations, each with its derivative and its conventional gain.

An :class:`Activation` is called like a function: ``tanh(z)``; its derivative is
``tanh.derivative(z)``.  Arrays keep their floating dtype, and nothing changes its input.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import sqrt
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks

Array: TypeAlias = npt.NDArray[Any]
Elementwise: TypeAlias = Callable[[Array], Array]


@dataclass(frozen=True)
class Activation:
    r"""An elementwise function φ with its derivative φ′.

    Attributes
    ----------
    name : str
        The field's name of the function.
    derivative : callable
        φ′, elementwise.
    gain : float
        The conventional factor g in std = g / √fan_in (PyTorch's ``calculate_gain``): a
        convention, not a theorem; chapter 4 measures what each one keeps.

    Examples
    --------
    >>> relu(np.array([-2.0, 3.0]))
    array([0., 3.])
    >>> sigmoid.derivative(np.array([0.0]))
    array([0.25])
    """

    name: str
    function: Elementwise = field(repr=False)
    derivative: Elementwise = field(repr=False)
    gain: float = 1.0

    def __call__(self, z: npt.ArrayLike) -> Array:
        """Return φ(z), elementwise, in the floating dtype of `z`."""
        return self.function(np.asarray(z))


def _identity(z: Array) -> Array:
    return z.copy()


def _sigmoid(z: Array) -> Array:
    from scipy.special import expit

    # SciPy answers float16 with float64.
    return np.asarray(expit(z), dtype=np.result_type(z, np.float16))


def _sigmoid_derivative(z: npt.ArrayLike) -> Array:
    # σ′(z) = t (1 − t) with t = σ(−|z|), which keeps its digits far out, where 1 − σ(z) has none.
    t = _sigmoid(-np.abs(z))
    return np.asarray(t * (1 - t))


def _tanh_derivative(z: npt.ArrayLike) -> Array:
    # tanh′(z) = 4σ′(2z) keeps its digits far out, where 1 − tanh² rounds to 0.
    return 4 * _sigmoid_derivative(2 * np.asarray(z))


def _leaky(z: Array, slope: float) -> Array:
    return np.where(z > 0, z, slope * z)


def _leaky_derivative(z: npt.ArrayLike, slope: float) -> Array:
    z = np.asarray(z)
    return np.where(z > 0, 1.0, slope).astype(np.result_type(z, np.float16), copy=False)


def _relu_derivative(z: npt.ArrayLike) -> Array:
    z = np.asarray(z)
    return np.asarray(z > 0, dtype=np.result_type(z, np.float16))


identity = Activation("identity", _identity, lambda z: np.ones_like(z))
sigmoid = Activation("sigmoid", _sigmoid, _sigmoid_derivative)
tanh = Activation("tanh", np.tanh, _tanh_derivative, gain=5 / 3)
relu = Activation("relu", lambda z: np.maximum(z, 0), _relu_derivative, gain=sqrt(2))


def leaky_relu(slope: float = 0.01) -> Activation:
    r"""Leaky ReLU: z for z > 0, else slope · z; gain :math:`\sqrt{2 / (1 + \text{slope}^2)}`.

    Parameters
    ----------
    slope : float, default 0.01
        The slope left of zero.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError, TypeError
        If `slope` is not a finite number.

    References
    ----------
    He, Zhang, Ren & Sun 2015, equation 15 (for the gain).

    Examples
    --------
    >>> leaky_relu(0.1)(np.array([-2.0, 3.0]))
    array([-0.2,  3. ])
    """
    slope = _checks.real("slope", slope)
    return Activation(
        f"leaky_relu({slope:g})",
        partial(_leaky, slope=slope),
        partial(_leaky_derivative, slope=slope),
        gain=sqrt(2 / (1 + slope**2)),
    )


_KNOWN = {a.name: a for a in (identity, sigmoid, tanh, relu)} | {"leaky_relu": leaky_relu()}


def named(activation: str | Activation) -> Activation:
    """Return the activation of that name; an :class:`Activation` is returned as it is.

    Parameters
    ----------
    activation : str or Activation
        ``"identity"``, ``"sigmoid"``, ``"tanh"``, ``"relu"`` or ``"leaky_relu"`` (slope 0.01).

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If the name is unknown; the message lists the known ones.

    Examples
    --------
    >>> named("tanh") is tanh
    True
    """
    if isinstance(activation, Activation):
        return activation
    return _checks.choice("activation", activation, _KNOWN)
