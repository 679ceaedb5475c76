"""A restricted Boltzmann machine, trained by contrastive divergence."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks
from initcourse.activations import sigmoid
from initcourse.initializers import Initializer

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True)
class RBM:
    r"""A restricted Boltzmann machine of binary units, :math:`p(v, h) \propto e^{vWh + a v + b h}`.

    Attributes
    ----------
    weights : ndarray of shape (visible, hidden)
        W.
    visible_bias, hidden_bias : ndarray of shape (visible,) and (hidden,)
        a and b.
    """

    weights: Array
    visible_bias: Array
    hidden_bias: Array

    def hidden(self, v: Array) -> Array:
        """Return P(h = 1 | v), of shape (samples, hidden)."""
        return sigmoid(v @ self.weights + self.hidden_bias)

    def visible(self, h: Array) -> Array:
        """Return P(v = 1 | h), of shape (samples, visible)."""
        return sigmoid(h @ self.weights.T + self.visible_bias)


def make_rbm(visible: int, hidden: int, rng: np.random.Generator, *, init: Initializer) -> RBM:
    """Draw the weights of an RBM; its biases start at 0.

    Parameters
    ----------
    visible, hidden : int
        The numbers of units.
    rng : numpy.random.Generator
        The source of randomness.
    init : initializer
        A function of ``(shape, rng)``.

    Returns
    -------
    RBM

    Raises
    ------
    ValueError, TypeError
        If a number is below 1 or `rng` is not a generator.

    Examples
    --------
    >>> from initcourse.initializers import normal
    >>> make_rbm(64, 16, np.random.default_rng(0), init=normal).weights.shape
    (64, 16)
    """
    visible, hidden = _checks.count("visible", visible), _checks.count("hidden", hidden)
    weights = init((visible, hidden), _checks.generator(rng))
    return RBM(weights, np.zeros(visible, weights.dtype), np.zeros(hidden, weights.dtype))


def reconstruction_error(rbm: RBM, v: Array) -> float:
    r"""Mean of :math:`(v - P(v = 1 \mid \hat h))^2`, where :math:`\hat h = P(h = 1 \mid v)`.

    Parameters
    ----------
    rbm : RBM
        The machine.
    v : ndarray of shape (samples, visible)
        Binary data.

    Returns
    -------
    float
        A mean square a pixel; 0.25 if every pixel is answered with ½.

    Examples
    --------
    >>> rbm = RBM(np.zeros((2, 1)), np.zeros(2), np.zeros(1))
    >>> reconstruction_error(rbm, np.array([[0.0, 1.0]]))
    0.25
    """
    return float(np.mean((v - rbm.visible(rbm.hidden(v))) ** 2, dtype=np.float64))


def rbm_log_likelihood(rbm: RBM, v: Array) -> float:
    r"""Mean of :math:`\ln p(v)`, exact: the normalizer sums over all :math:`2^{hidden}` states.

    Parameters
    ----------
    rbm : RBM
        The machine, with at most 20 hidden units.
    v : ndarray of shape (samples, visible)
        Binary data.

    Returns
    -------
    float
        In nats; −visible · ln 2 if every v is equally likely.

    Raises
    ------
    ValueError
        If there are more than 20 hidden units.

    Examples
    --------
    >>> rbm = RBM(np.zeros((2, 1)), np.zeros(2), np.zeros(1))
    >>> round(rbm_log_likelihood(rbm, np.array([[0.0, 1.0]])), 4)  # −2 ln 2
    -1.3863
    """
    from scipy.special import logsumexp

    W, a, b = (np.asarray(p, np.float64) for p in (rbm.weights, rbm.visible_bias, rbm.hidden_bias))
    hidden = W.shape[1]
    if hidden > 20:
        raise ValueError(f"hidden must be <= 20, as 2^hidden states are summed, got {hidden}")
    # Row k of `total` is Wh + a for the k-th of all states h, built up unit by unit.
    total = np.zeros((1, len(a))) + a
    offset = np.zeros(1)
    for column, bias in zip(W.T, b, strict=True):
        total, offset = np.concatenate([total, total + column]), np.r_[offset, offset + bias]
    log_z = logsumexp(np.logaddexp(0, total).sum(axis=1) + offset)
    free = v @ a + np.logaddexp(0, v @ W + b).sum(axis=1)
    return float(np.mean(free) - log_z)


@dataclass(frozen=True)
class RBMHistory:
    """What :func:`train_rbm` leaves behind.

    Attributes
    ----------
    epochs : ndarray of shape (records,)
        0 (before training), 1, 2, …
    error : ndarray of shape (records,)
        :func:`reconstruction_error` over all samples after each epoch.
    rbm : RBM
        The machine at the end.
    """

    epochs: Array
    error: Array
    rbm: RBM


def train_rbm(
    rbm: RBM,
    v: Array,
    *,
    rate: float,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
) -> RBMHistory:
    r"""Contrastive divergence with one step (CD-1); the machine given is left as it was.

    :math:`\Delta W = \eta\,\langle v_0 \hat h_0 - \hat v_1 \hat h_1 \rangle`: here
    :math:`\hat h_0 = P(h = 1 \mid v_0)` for the data v₀; hidden states h₀ are drawn from it, then
    :math:`\hat v_1 = P(v = 1 \mid h_0)` and :math:`\hat h_1 = P(h = 1 \mid \hat v_1)`.  Only h₀ is
    drawn, as Hinton's guide advises.

    Parameters
    ----------
    rbm : RBM
        The start.
    v : ndarray of shape (samples, visible)
        Binary data, values in [0, 1].
    rate : float
        The learning rate η, above 0.
    epochs, batch_size : int
        Passes over the data, and samples a step.
    rng : numpy.random.Generator
        Draws the hidden states, and the order of the samples in each epoch.

    Returns
    -------
    RBMHistory

    Raises
    ------
    ValueError, TypeError
        If `rate` is not above 0, a count is below 1, a batch is larger than the data, `v` does not
        fit the machine or leaves [0, 1], or `rng` is not a generator.

    References
    ----------
    Hinton 2010, "A practical guide to training restricted Boltzmann machines", sections 2 and 3.

    Examples
    --------
    >>> from initcourse.initializers import normal
    >>> rng = np.random.default_rng(0)
    >>> v = np.repeat([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], 20, axis=0)
    >>> start = make_rbm(3, 2, rng, init=normal)
    >>> run = train_rbm(start, v, rate=0.5, epochs=100, batch_size=10, rng=rng)
    >>> bool(run.error[-1] < 0.1 * run.error[0])
    True
    """
    rng, rate = _checks.generator(rng), _checks.positive("rate", rate)
    epochs, size = _checks.count("epochs", epochs), _checks.count("batch_size", batch_size)
    if v.ndim != 2 or v.shape[1] != len(rbm.weights):
        raise ValueError(f"v must have shape (samples, {len(rbm.weights)}), got {v.shape}")
    if not (v.min() >= 0 and v.max() <= 1):
        raise ValueError(f"v must lie in [0, 1], got {v.min()} to {v.max()}")
    if size > len(v):
        raise ValueError(f"batch_size must be <= {len(v)}, the number of samples, got {size}")
    errors = [reconstruction_error(rbm, v)]
    for _ in range(epochs):
        order = rng.permutation(len(v))
        for first in range(0, len(v) - size + 1, size):
            rbm = _cd_1(rbm, v[order[first : first + size]], rate, rng)
        errors.append(reconstruction_error(rbm, v))
    return RBMHistory(np.arange(epochs + 1), np.array(errors), rbm)


def _cd_1(rbm: RBM, v0: Array, rate: float, rng: np.random.Generator) -> RBM:
    """Return the machine after one step of contrastive divergence."""
    p0 = rbm.hidden(v0)
    h0 = (rng.random(p0.shape) < p0).astype(p0.dtype)
    v1 = rbm.visible(h0)
    p1 = rbm.hidden(v1)
    step = rate / len(v0)
    return RBM(
        rbm.weights + step * (v0.T @ p0 - v1.T @ p1),
        rbm.visible_bias + step * (v0 - v1).sum(axis=0),
        rbm.hidden_bias + step * (p0 - p1).sum(axis=0),
    )
