r"""Activations, each with its derivative and its gain.

An :class:`Activation` is called like a function: ``tanh(z)``; its derivative is
``tanh.derivative(z)``.  Arrays keep their floating dtype, whole numbers are computed in float64,
and nothing changes its input.

``identity``, ``sigmoid``, ``tanh``, ``relu``, ``leaky_relu``, ``elu``, ``selu``, ``gelu``, ``silu``
(Swish), ``softplus`` and ``erf``, and the piecewise linear ``relu6``, ``hard_tanh``,
``hard_sigmoid`` and ``hard_silu`` (Hardswish): :func:`named` finds each by its name.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from math import pi, sqrt
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks
from initcourse.quadrature import gaussian_expectation

Array: TypeAlias = npt.NDArray[Any]
Elementwise: TypeAlias = Callable[[Array], Array]


def _floats(z: npt.ArrayLike) -> Array:
    """Return `z` as an array of floats; whole numbers and truths become float64."""
    given = np.asarray(z)
    return given if given.dtype.kind == "f" else given.astype(np.float64)


@dataclass(frozen=True)
class Activation:
    r"""An elementwise function φ with its derivative φ′.

    Attributes
    ----------
    name : str
        The field's name of the function.
    function, slope : callable
        φ and φ′ of an array of floats; call the activation itself, and :meth:`derivative`.
    convention : float, optional
        The factor g in std = g / √fan_in that frameworks use (PyTorch's ``calculate_gain``), where
        they have one: a convention, not a theorem; chapter 4 measures what each one keeps.

    Examples
    --------
    >>> relu(np.array([-2.0, 3.0]))
    array([0., 3.])
    >>> sigmoid.derivative(np.array([0.0]))
    array([0.25])
    >>> Activation("square", np.square, lambda z: 2 * z).gain  # E[z⁴] = 3
    0.57735026919
    """

    name: str
    function: Elementwise = field(repr=False)
    slope: Elementwise = field(repr=False)
    convention: float | None = None

    def __call__(self, z: npt.ArrayLike) -> Array:
        """Return φ(z), elementwise, in the floating dtype of `z`."""
        return np.asarray(self.function(_floats(z)))

    def derivative(self, z: npt.ArrayLike) -> Array:
        """Return φ′(z), elementwise, in the floating dtype of `z`."""
        return np.asarray(self.slope(_floats(z)))

    @cached_property
    def gain(self) -> float:
        r"""The conventional factor g, or else the one that keeps :math:`E[z^2] = 1`.

        That one is :math:`1 / \sqrt{E[\varphi(z)^2]}` for :math:`z \sim N(0, 1)`, by quadrature.
        """
        if self.convention is not None:
            return self.convention
        kept = gaussian_expectation(lambda z: self(z) ** 2, 1.0)
        # Rounded to the digits that the quadrature has, so that it is one number everywhere.
        return float(f"{kept**-0.5:.11g}")


def _expit(z: Array) -> Array:
    from scipy.special import expit

    return np.asarray(expit(z), dtype=z.dtype)  # SciPy answers float16 with float64


def _sigmoid_slope(z: Array) -> Array:
    # σ′(z) = t (1 − t) with t = σ(−|z|), which keeps its digits far out, where 1 − σ(z) has none.
    t = _expit(-np.abs(z))
    return np.asarray(t * (1 - t))


def _leaky(z: Array, slope: float) -> Array:
    return np.where(z > 0, z, slope * z)


def _steps(z: Array, edges: tuple[float, ...], values: tuple[float, ...]) -> Array:
    """Return a function that is constant between edges; an edge belongs to the piece below it."""
    return np.asarray(np.asarray(values, dtype=z.dtype)[np.searchsorted(edges, z)])


def _leaky_slope(z: Array, slope: float) -> Array:
    return _steps(z, (0.0,), (slope, 1.0))


def _elu(z: Array, alpha: float, scale: float = 1.0) -> Array:
    return np.asarray(scale * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))))


def _elu_slope(z: Array, alpha: float, scale: float = 1.0) -> Array:
    return np.asarray(scale * np.where(z > 0, z.dtype.type(1), alpha * np.exp(np.minimum(z, 0))))


def _normal_tail(z: Array) -> Array:
    from scipy.special import ndtr

    return np.asarray(ndtr(z), dtype=z.dtype)  # Φ(z)


def _gauss(z: Array) -> Array:
    # exp(−z²), which is 0 in every dtype beyond 40, where z² might overflow.
    return np.asarray(np.exp(-(np.minimum(np.abs(z), 40) ** 2)))


def _normal_density(z: Array) -> Array:
    return np.asarray(_gauss(z / z.dtype.type(sqrt(2))) / z.dtype.type(sqrt(2 * pi)))


def _erf(z: Array) -> Array:
    from scipy.special import erf

    return np.asarray(erf(z), dtype=z.dtype)


def _softplus(z: Array) -> Array:
    return np.asarray(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))


def _silu_slope(z: Array) -> Array:
    return np.asarray(_expit(z) + z * _sigmoid_slope(z))


def _hard_silu_slope(z: Array) -> Array:
    return np.where(np.abs(z) < 3, z / 3 + z.dtype.type(0.5), _steps(z, (0.0,), (0.0, 1.0)))


identity = Activation("identity", np.copy, np.ones_like, 1.0)
sigmoid = Activation("sigmoid", _expit, _sigmoid_slope, 1.0)
# tanh′(z) = 4σ′(2z) keeps its digits far out, where 1 − tanh² rounds to 0.
tanh = Activation("tanh", np.tanh, lambda z: 4 * _sigmoid_slope(2 * z), 5 / 3)
relu = Activation("relu", lambda z: np.maximum(z, 0), partial(_leaky_slope, slope=0.0), sqrt(2))
gelu = Activation(
    "gelu", lambda z: z * _normal_tail(z), lambda z: _normal_tail(z) + z * _normal_density(z)
)
silu = Activation("silu", lambda z: z * _expit(z), _silu_slope)
softplus = Activation("softplus", _softplus, _expit)
erf = Activation("erf", _erf, lambda z: _gauss(z) * z.dtype.type(2 / sqrt(pi)))
relu6 = Activation(
    "relu6", lambda z: np.clip(z, 0, 6), lambda z: _steps(z, (0.0, 6.0), (0.0, 1.0, 0.0))
)
hard_tanh = Activation(
    "hard_tanh", lambda z: np.clip(z, -1, 1), lambda z: _steps(z, (-1.0, 1.0), (0.0, 1.0, 0.0))
)
hard_sigmoid = Activation(  # JAX's, Keras' and PyTorch's: a straight line between −3 and 3
    "hard_sigmoid",
    lambda z: np.clip(z / 6 + z.dtype.type(0.5), 0, 1),
    lambda z: _steps(z, (-3.0, 3.0), (0.0, 1 / 6, 0.0)),
)
hard_silu = Activation(
    "hard_silu", lambda z: z * np.clip(z / 6 + z.dtype.type(0.5), 0, 1), _hard_silu_slope
)
# The scale and slope with which mean 0 and variance 1 are a fixed point; then no other gain is due.
_ALPHA, _SCALE = 1.6732632423543772, 1.0507009873554805
selu = Activation(
    "selu",
    partial(_elu, alpha=_ALPHA, scale=_SCALE),
    partial(_elu_slope, alpha=_ALPHA, scale=_SCALE),
    1.0,
)


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
        partial(_leaky_slope, slope=slope),
        sqrt(2 / (1 + slope**2)),
    )


def elu(alpha: float = 1.0) -> Activation:
    r"""ELU: z for z > 0, else :math:`\alpha\,(e^z - 1)`; its gain is found by quadrature.

    Parameters
    ----------
    alpha : float, default 1
        α: minus the limit far left, at least 0.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError, TypeError
        If `alpha` is negative or not a finite number.

    References
    ----------
    Clevert, Unterthiner & Hochreiter 2016.

    Examples
    --------
    >>> elu()(np.array([-100.0, 3.0]))
    array([-1.,  3.])
    """
    alpha = _checks.not_negative("alpha", alpha)
    name = "elu" if alpha == 1 else f"elu({alpha:g})"
    return Activation(name, partial(_elu, alpha=alpha), partial(_elu_slope, alpha=alpha))


_PLAIN = (identity, sigmoid, tanh, relu, elu(), selu, gelu, silu, softplus, erf)
_HARD = (relu6, hard_tanh, hard_sigmoid, hard_silu)
_KNOWN = {a.name: a for a in (*_PLAIN, *_HARD)} | {
    "leaky_relu": leaky_relu(),
    "swish": silu,
    "hard_swish": hard_silu,
}


def named(activation: str | Activation) -> Activation:
    """Return the activation of that name; an :class:`Activation` is returned as it is.

    Parameters
    ----------
    activation : str or Activation
        One of the names above; ``"leaky_relu"`` has the slope 0.01 and ``"elu"`` the α 1, and
        ``"swish"`` and ``"hard_swish"`` are other names of ``"silu"`` and ``"hard_silu"``.

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
