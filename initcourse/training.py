"""A small trainer for the nets of :mod:`initcourse.propagation`.

A loss takes the last layer's pre-activations ``z`` and the targets, both of shape
``(samples, outputs)``, and returns the mean loss of a sample with its gradient ∂L/∂z.  The output
activation is part of the loss, so that the two can be differentiated together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks
from initcourse.activations import sigmoid
from initcourse.datasets import Split, one_hot
from initcourse.initializers import Initializer
from initcourse.propagation import Network, backward, forward

Array: TypeAlias = npt.NDArray[Any]
Loss: TypeAlias = Callable[[Array, Array], tuple[float, Array]]
Parameters: TypeAlias = tuple[Array, ...]


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


class Optimizer(Protocol):
    """What :func:`train` asks of an optimizer: a first state, and a step."""

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


@dataclass(frozen=True)
class History:
    """What a training run leaves behind.

    Attributes
    ----------
    steps : ndarray of shape (records,)
        The steps at which something was recorded, from 0 (before training) on.
    loss : ndarray of shape (records,)
        The mean loss over all samples at those steps.
    measured : dict of str to ndarray
        What `measure` returned, stacked over the records; none for a loss that was not finite.
    network : Network
        The net at the end, or at the last record that was finite.
    diverged : bool
        Whether a loss was not finite; the run stops there.
    """

    steps: Array
    loss: Array
    measured: dict[str, Array]
    network: Network
    diverged: bool


def train(
    network: Network,
    x: Array,
    target: Array,
    *,
    loss: Loss,
    optimizer: Optimizer,
    steps: int,
    rng: np.random.Generator,
    batch_size: int | None = None,
    record_every: int = 1,
    measure: Callable[[Network], Mapping[str, npt.ArrayLike]] | None = None,
) -> History:
    """Train for a number of steps; the net given is left as it was.

    Parameters
    ----------
    network : Network
        The start.
    x : ndarray of shape (samples, inputs)
        Inputs.
    target : ndarray of shape (samples, outputs)
        Targets.
    loss : callable
        One of the losses of this module; the net's last activation is not applied, as the loss
        holds it.
    optimizer : SGD, Adam or alike
        Makes the steps.
    steps : int
        Their number, at least 1.
    rng : numpy.random.Generator
        Chooses the batches: a new order of the samples each epoch.
    batch_size : int, optional
        Samples a step; all of them if left out.
    record_every : int, default 1
        Record the loss over all samples (and `measure`) every so many steps, and at both ends.
    measure : callable, optional
        Takes the net, returns named numbers or arrays, such as statistics of its layers.

    Returns
    -------
    History

    Raises
    ------
    ValueError, TypeError
        If a count is below 1, `x` and `target` differ in length, a batch is larger than the data,
        or `rng` is not a generator.

    Examples
    --------
    >>> from initcourse.propagation import make_network
    >>> from initcourse.initializers import lecun_normal
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((50, 3)); y = x @ np.ones((3, 1))
    >>> net = make_network((3, 1), rng, init=lecun_normal, activation="identity")
    >>> run = train(net, x, y, loss=squared_error, optimizer=SGD(0.5), steps=30, rng=rng)
    >>> bool(run.loss[-1] < 1e-3 * run.loss[0]), run.diverged
    (True, False)
    """
    rng = _checks.generator(rng)
    x, target = (np.asarray(given, dtype=network.weights[0].dtype) for given in (x, target))
    steps = _checks.count("steps", steps)
    record_every = _checks.count("record_every", record_every)
    if len(x) != len(target):
        raise ValueError(f"x and target must have as many rows, got {len(x)} and {len(target)}")
    size = _checks.count("batch_size", len(x) if batch_size is None else batch_size)
    if size > len(x):
        raise ValueError(f"batch_size must be <= {len(x)}, the number of samples, got {size}")

    depth = network.depth
    parameters: Parameters = network.weights + network.biases
    state = optimizer.start(parameters)
    order = np.array([], dtype=int)
    recorded_steps: list[int] = []
    losses: list[float] = []
    measured: dict[str, list[npt.ArrayLike]] = {}
    diverged = False
    kept = network
    # A run that diverges overflows on the way: that is recorded as `diverged`, not warned about.
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(steps + 1):
            if step % record_every == 0 or step == steps:
                current = loss(forward(network, x).z[-1], target)[0]
                recorded_steps.append(step)
                losses.append(current)
                if not np.isfinite(current):
                    diverged = True
                    break
                kept = network
                for name, value in (measure(network) if measure else {}).items():
                    measured.setdefault(name, []).append(value)
            if step == steps:
                break
            if len(order) < size:
                order = rng.permutation(len(x))
            batch, order = order[:size], order[size:]
            trace = forward(network, x[batch])
            gradients = backward(network, trace, loss(trace.z[-1], target[batch])[1])
            parameters, state = optimizer.step(
                parameters, gradients.weights + gradients.biases, state
            )
            network = replace(network, weights=parameters[:depth], biases=parameters[depth:])
    return History(
        steps=np.array(recorded_steps),
        loss=np.array(losses),
        measured={name: np.array(values) for name, values in measured.items()},
        network=kept,
        diverged=diverged,
    )


def accuracy(network: Network, x: Array, labels: Sequence[int] | Array) -> float:
    """Share of the samples whose largest output is that of their label.

    Parameters
    ----------
    network : Network
        The net.
    x : ndarray of shape (samples, inputs)
        Inputs.
    labels : array_like of int, shape (samples,)
        The right classes, from 0.

    Returns
    -------
    float
        Between 0 and 1.

    Examples
    --------
    >>> from initcourse.activations import identity
    >>> net = Network((np.eye(2),), (np.zeros(2),), (identity,))
    >>> accuracy(net, np.array([[2.0, 1.0], [0.0, 1.0]]), [0, 0])
    0.5
    """
    return float(np.mean(forward(network, x).z[-1].argmax(axis=1) == np.asarray(labels)))


def train_classifier(
    network: Network,
    data: Split,
    *,
    rate: float,
    steps: int,
    rng: np.random.Generator,
    loss: Loss = softmax_cross_entropy,
    **options: Any,
) -> History:
    """Train a net to name the classes of labelled data, and watch it on the test part.

    Parameters
    ----------
    network : Network
        The start, with one output a class.
    data : Split
        Inputs and labels to train on and to test on.
    rate : float
        Of gradient descent.
    steps : int
        Their number.
    rng : numpy.random.Generator
        Chooses the batches.
    loss : callable, default softmax_cross_entropy
        One of the losses of this module.
    **options
        What :func:`train` takes besides, such as ``batch_size`` and ``record_every``.

    Returns
    -------
    History
        ``measured`` holds the test part's ``"loss"`` and ``"accuracy"``, unless ``measure`` is
        given.

    Raises
    ------
    ValueError, TypeError
        As :func:`train`, or if there are more classes than outputs.

    Examples
    --------
    >>> from initcourse import datasets, initializers, propagation
    >>> rng, data = np.random.default_rng(0), datasets.digits()
    >>> look = {"init": initializers.zeros, "activation": "identity"}
    >>> net = propagation.make_network((64, 10), rng, **look)
    >>> run = train_classifier(net, data, rate=0.5, steps=50, batch_size=32, rng=rng)
    >>> bool(run.measured["accuracy"][-1] > 0.8)
    True
    """
    classes = network.widths[-1]
    train_target, test_target = (
        one_hot(labels, classes) for labels in (data.labels_train, data.labels_test)
    )

    def on_test_part(net: Network) -> dict[str, float]:
        z = forward(net, data.x_test).z[-1]
        right = float(np.mean(z.argmax(axis=1) == data.labels_test))
        return {"loss": loss(z, test_target)[0], "accuracy": right}

    given = {"measure": on_test_part} | options
    return train(
        network, data.x_train, train_target,
        loss=loss, optimizer=SGD(rate), steps=steps, rng=rng, **given,
    )  # fmt: skip


def train_neurons(starts: npt.ArrayLike, *, rate: float, steps: int) -> Array:
    r"""Train sigmoid neurons of one input to answer 0 by the squared error; return their z.

    Each has the input 1 and starts with weight and bias z₀ / 2, so that gradient descent at the
    rate η moves z by :math:`-2\eta\,\sigma(z)\,\sigma'(z)` a step.

    Parameters
    ----------
    starts : array_like of shape (neurons,)
        The z₀ of each neuron.
    rate : float
        η, above 0.
    steps : int
        Their number, at least 1.

    Returns
    -------
    ndarray of shape (steps + 1, neurons)
        z before training and after each step.

    Raises
    ------
    ValueError, TypeError
        If `rate` is not above 0 or `steps` is below 1.

    References
    ----------
    Nielsen 2015, chapter 3.

    Examples
    --------
    >>> z = train_neurons([2.0, 10.0], rate=2.0, steps=100)
    >>> sigmoid(z[-1]).round(2)  # one has learned, one still waits
    array([0.04, 1.  ])
    """
    half = np.asarray(starts, dtype=np.float64) / 2
    run = train(
        Network((half[None],), (half,), (sigmoid,)), np.ones((1, 1)), np.zeros((1, len(half))),
        loss=sigmoid_squared_error, optimizer=SGD(rate), steps=steps,
        rng=np.random.default_rng(0),  # there is one sample: no batch to choose
        measure=lambda net: {"z": net.weights[0][0] + net.biases[0]},
    )  # fmt: skip
    return run.measured["z"]


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


def interpolate(start: Network, end: Network, share: float) -> Network:
    r"""Net with the parameters :math:`(1 - t)\,\theta_0 + t\,\theta_1`: a point on a straight line.

    The loss over t is a slice through the loss surface.

    Parameters
    ----------
    start, end : Network
        Two nets of the same widths; the activations are those of `start`.
    share : float
        t: 0 gives `start`, 1 gives `end`; values outside [0, 1] lie on the line beyond them.

    Returns
    -------
    Network

    Raises
    ------
    ValueError, TypeError
        If the widths differ or `share` is not a finite number.

    References
    ----------
    Goodfellow, Vinyals & Saxe 2015.

    Examples
    --------
    >>> from initcourse.activations import identity
    >>> a, b = (Network((np.full((1, 1), w),), (np.zeros(1),), (identity,)) for w in (1.0, 3.0))
    >>> interpolate(a, b, 0.25).weights[0]
    array([[1.5]])
    """
    share = _checks.real("share", share)
    if start.widths != end.widths:
        raise ValueError(f"widths must be equal, got {start.widths} and {end.widths}")

    def between(one: Parameters, other: Parameters) -> Parameters:
        return tuple((1 - share) * p + share * q for p, q in zip(one, other, strict=True))

    return replace(
        start,
        weights=between(start.weights, end.weights),
        biases=between(start.biases, end.biases),
    )
