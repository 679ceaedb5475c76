"""Losses: the mean over the samples, with its gradient.

A loss takes the last layer's pre-activations ``z`` and the targets, both of shape
``(samples, outputs)``, and returns the mean loss of a sample with its gradient ∂L/∂z.  The output
activation is part of the loss, so that the two can be differentiated together.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse.activations import sigmoid

Array: TypeAlias = npt.NDArray[Any]
Loss: TypeAlias = Callable[[Array, Array], tuple[float, Array]]


def squared_error(z: Array, target: Array) -> tuple[float, Array]:
    r"""Linear output, :math:`L = \tfrac12 \sum_k (z_k - t_k)^2`, mean over the samples.

    Parameters
    ----------
    z, target : ndarray of shape (samples, outputs)
        Last pre-activations and targets.

    Returns
    -------
    (float, ndarray)
        The mean loss of a sample and its gradient ∂L/∂z.

    Examples
    --------
    >>> squared_error(np.array([[3.0]]), np.array([[1.0]]))
    (2.0, array([[2.]]))
    """
    error = z - target
    return float(np.sum(error**2, dtype=np.float64) / 2 / len(z)), error / len(z)


def sigmoid_squared_error(z: Array, target: Array) -> tuple[float, Array]:
    r"""Sigmoid output, :math:`L = \tfrac12 \sum_k (\sigma(z_k) - t_k)^2`, mean over the samples.

    Parameters
    ----------
    z, target : ndarray of shape (samples, outputs)
        Last pre-activations and targets in [0, 1].

    Returns
    -------
    (float, ndarray)
        The mean loss of a sample and its gradient ∂L/∂z, which carries a factor σ′(z).

    Examples
    --------
    >>> loss, gradient = sigmoid_squared_error(np.array([[2.0]]), np.array([[0.0]]))
    >>> round(loss, 4), gradient.round(4)
    (0.3879, array([[0.0925]]))
    """
    error = sigmoid(z) - target
    loss = float(np.sum(error**2, dtype=np.float64) / 2 / len(z))
    return loss, error * sigmoid.derivative(z) / len(z)


def sigmoid_cross_entropy(z: Array, target: Array) -> tuple[float, Array]:
    r"""Sigmoid output, :math:`L = -\sum_k t_k \ln\sigma(z_k) + (1-t_k)\ln(1-\sigma(z_k))`.

    Parameters
    ----------
    z, target : ndarray of shape (samples, outputs)
        Last pre-activations and targets in [0, 1].

    Returns
    -------
    (float, ndarray)
        The mean loss of a sample and its gradient ∂L/∂z = σ(z) − t: the factor σ′(z) cancels.

    Examples
    --------
    >>> loss, gradient = sigmoid_cross_entropy(np.array([[2.0]]), np.array([[0.0]]))
    >>> round(loss, 4), gradient.round(4)
    (2.1269, array([[0.8808]]))
    """
    # ln(1 + eᶻ) − t z, written so that a large |z| neither overflows nor loses digits.
    loss = float(np.sum(np.logaddexp(0, z) - target * z, dtype=np.float64) / len(z))
    return loss, (sigmoid(z) - target) / len(z)


def softmax_cross_entropy(z: Array, target: Array) -> tuple[float, Array]:
    r"""Softmax output, :math:`L = -\sum_k t_k \ln p_k` with :math:`p = \operatorname{softmax}(z)`.

    Parameters
    ----------
    z, target : ndarray of shape (samples, outputs)
        Last pre-activations, and targets that sum to 1 in each row.

    Returns
    -------
    (float, ndarray)
        The mean loss of a sample and its gradient ∂L/∂z = p − t.

    Examples
    --------
    >>> loss, gradient = softmax_cross_entropy(np.zeros((1, 2)), np.array([[1.0, 0.0]]))
    >>> round(loss, 4), gradient
    (0.6931, array([[-0.5,  0.5]]))
    """
    shifted = z - z.max(axis=1, keepdims=True)  # the largest exponent is 0: nothing overflows
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = float(-np.sum(target * log_p, dtype=np.float64) / len(z))
    return loss, (np.exp(log_p) - target) / len(z)
