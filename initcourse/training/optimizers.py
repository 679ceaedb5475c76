"""Optimizers: a step from parameters and their gradients."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks

Array: TypeAlias = npt.NDArray[Any]
Parameters: TypeAlias = tuple[Array, ...]


class Optimizer(Protocol):
    """What :func:`~initcourse.training.trainer.train` asks for: a first state, and a step."""

    def start(self, parameters: Parameters) -> Any:
        """Return the state before the first step."""

    def step(
        self, parameters: Parameters, gradients: Parameters, state: Any
    ) -> tuple[Parameters, Any]:
        """Return the parameters and the state after one step."""


@dataclass(frozen=True)
class SGD:
    r"""Gradient descent, :math:`v \leftarrow \mu v - \eta g,\ \theta \leftarrow \theta + v`.

    Parameters
    ----------
    rate : float
        The learning rate η, above 0.
    momentum : float, default 0
        μ, in [0, 1); 0 is plain gradient descent.

    Raises
    ------
    ValueError, TypeError
        If `rate` or `momentum` is out of its range.

    Examples
    --------
    >>> optimizer = SGD(rate=0.1)
    >>> (w,), _ = optimizer.step((np.ones(1),), (np.ones(1),), optimizer.start((np.ones(1),)))
    >>> w
    array([0.9])
    """

    rate: float
    momentum: float = 0.0

    def __post_init__(self) -> None:
        """Check the parameters."""
        _checks.positive("rate", self.rate)
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must lie in [0, 1), got {self.momentum}")

    def start(self, parameters: Parameters) -> Parameters:
        """Return velocities of zero; plain gradient descent needs none."""
        return tuple(np.zeros_like(p) for p in parameters) if self.momentum else ()

    def step(
        self, parameters: Parameters, gradients: Parameters, state: Parameters
    ) -> tuple[Parameters, Parameters]:
        """Return the parameters and the velocities after one step."""
        if not self.momentum:
            moved = (p - self.rate * g for p, g in zip(parameters, gradients, strict=True))
            return tuple(moved), state
        velocity = tuple(
            self.momentum * v - self.rate * g for v, g in zip(state, gradients, strict=True)
        )
        return tuple(p + v for p, v in zip(parameters, velocity, strict=True)), velocity


@dataclass(frozen=True)
class Adam:
    r"""Adam: steps of :math:`\eta\, \hat m / (\sqrt{\hat v} + \epsilon)`.

    Parameters
    ----------
    rate : float, default 0.001
        The learning rate η, above 0.
    beta_1, beta_2 : float
        Decay of the running means m (of g) and v (of g²), in [0, 1).
    epsilon : float
        Keeps the denominator away from 0.

    Raises
    ------
    ValueError, TypeError
        If a parameter is out of its range.

    References
    ----------
    Kingma & Ba 2015, algorithm 1.

    Examples
    --------
    >>> optimizer = Adam(rate=0.1)
    >>> (w,), _ = optimizer.step((np.ones(1),), (np.ones(1),), optimizer.start((np.ones(1),)))
    >>> w.round(3)
    array([0.9])
    """

    rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        """Check the parameters."""
        _checks.positive("rate", self.rate)
        _checks.positive("epsilon", self.epsilon)
        for name in ("beta_1", "beta_2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must lie in [0, 1), got {getattr(self, name)}")

    def start(self, parameters: Parameters) -> tuple[int, Parameters, Parameters]:
        """Return step 0 and running means of zero."""
        empty = tuple(np.zeros_like(p) for p in parameters)
        return 0, empty, empty

    def step(
        self,
        parameters: Parameters,
        gradients: Parameters,
        state: tuple[int, Parameters, Parameters],
    ) -> tuple[Parameters, tuple[int, Parameters, Parameters]]:
        """Return the parameters and the running means after one step."""
        t, m, v = state
        t += 1
        m = tuple(_decayed(self.beta_1, old, g) for old, g in zip(m, gradients, strict=True))
        v = tuple(_decayed(self.beta_2, old, g**2) for old, g in zip(v, gradients, strict=True))
        m_scale, v_scale = 1 - self.beta_1**t, 1 - self.beta_2**t
        moved = tuple(
            p - self.rate * (a / m_scale) / (np.sqrt(b / v_scale) + self.epsilon)
            for p, a, b in zip(parameters, m, v, strict=True)
        )
        return moved, (t, m, v)


def _decayed(beta: float, old: Array, new: Array) -> Array:
    return beta * old + (1 - beta) * new
