"""Diagnose a net of :mod:`initcourse.propagation`."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks
from initcourse.diagnosis.criteria import Diagnosis, Losses, Thresholds, diagnose
from initcourse.propagation import Network, backward, forward

Array: TypeAlias = npt.NDArray[Any]


def diagnose_network(
    network: Network,
    x: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    losses: Losses | None = None,
    thresholds: Thresholds | None = None,
) -> Diagnosis:
    """Judge the hidden layers of a :class:`~initcourse.propagation.Network`.

    A random gradient of RMS 1 at the output is sent backward, so that the result depends on no
    loss; the checks are ratios and do not see its scale.

    Parameters
    ----------
    network : Network
        The net; its last layer is the output and is not judged.
    x : array_like of shape (samples, inputs)
        Inputs, as they will be in training.
    rng : numpy.random.Generator
        Draws ∂L/∂z of the output from N(0, 1).
    losses : Losses, optional
        After a training.
    thresholds : Thresholds, optional
        Where a figure stops to pass.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ValueError, TypeError
        If the net has no hidden layer, `x` does not fit it, or `rng` is not a generator.

    Examples
    --------
    >>> from initcourse.initializers import he_normal
    >>> from initcourse.propagation import make_network
    >>> rng = np.random.default_rng(0)
    >>> net = make_network((64,) * 6, rng, init=he_normal, activation="relu", output="identity")
    >>> diagnose_network(net, rng.standard_normal((50, 64)), rng).valid
    True
    """
    rng = _checks.generator(rng)
    if network.depth < 2:
        raise ValueError(
            f"network must have a hidden layer before its output, got {network.depth} layer; "
            "for a single layer call diagnose"
        )
    with np.errstate(all="ignore"):
        trace = forward(network, x)
        last = rng.standard_normal(trace.z[-1].shape).astype(trace.z[-1].dtype)
        gradients = backward(network, trace, last).z
    return diagnose(
        trace.z[:-1],
        trace.a[:-1],
        gradients[:-1],
        activation=network.activations[:-1],
        x=x,
        losses=losses,
        thresholds=thresholds,
    )
