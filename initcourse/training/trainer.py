"""Train the nets of :mod:`initcourse.propagation`, and measure on the way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks
from initcourse.activations import sigmoid
from initcourse.datasets import Split, one_hot
from initcourse.propagation import Network, backward, forward
from initcourse.training.losses import Loss, sigmoid_squared_error, softmax_cross_entropy
from initcourse.training.optimizers import SGD, Optimizer, Parameters

Array: TypeAlias = npt.NDArray[Any]


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
    >>> from initcourse.training import squared_error
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


def ends(runs: Sequence[History]) -> dict[str, Array]:
    """Losses and accuracy at the end of several runs of :func:`train_classifier`.

    Parameters
    ----------
    runs : sequence of History
        Runs that were watched on the test part; at least one.

    Returns
    -------
    dict of str to ndarray of shape (runs,)
        ``"train loss"``, ``"test loss"`` and ``"test accuracy"``.  A run that diverged has
        infinite losses and no accuracy (``nan``), so that a median over runs counts it as the
        worst.

    Raises
    ------
    ValueError
        If there is no run, or a run was not watched on the test part.

    Examples
    --------
    >>> from initcourse import datasets, initializers, propagation
    >>> data, look = datasets.digits(), {"init": initializers.zeros, "activation": "identity"}
    >>> net = propagation.make_network((64, 10), np.random.default_rng(0), **look)
    >>> runs = [
    ...     train_classifier(net, data, rate=0.5, steps=50, rng=np.random.default_rng(seed))
    ...     for seed in range(2)
    ... ]
    >>> {name: values.round(1).tolist() for name, values in ends(runs).items()}
    {'train loss': [0.6, 0.6], 'test loss': [0.7, 0.7], 'test accuracy': [0.9, 0.9]}
    """
    _checks.count("the number of runs", len(runs))
    rows = [(np.inf, np.inf, np.nan) if run.diverged else _end(run) for run in runs]
    names = "train loss", "test loss", "test accuracy"
    return dict(zip(names, np.transpose(rows), strict=True))


def _end(run: History) -> tuple[float, float, float]:
    if not {"loss", "accuracy"} <= set(run.measured):
        raise ValueError(
            "runs must have measured the test part's loss and accuracy, as train_classifier does "
            f"unless it is given measure=…; got {sorted(run.measured)}"
        )
    return run.loss[-1], run.measured["loss"][-1], run.measured["accuracy"][-1]
