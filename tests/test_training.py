"""Losses by finite differences, optimizers by hand, and what a training run promises."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import log, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import special

from initcourse import training
from initcourse.activations import identity
from initcourse.datasets import Split, digits, one_hot
from initcourse.initializers import he_normal, lecun_normal
from initcourse.propagation import Network, make_network
from initcourse.training import (
    SGD,
    Adam,
    History,
    accuracy,
    interpolate,
    squared_error,
    train,
    train_classifier,
    train_neurons,
)

LOSSES: dict[str, Callable[[Any, Any], tuple[float, Any]]] = {
    name: getattr(training, name)
    for name in (
        "squared_error",
        "sigmoid_squared_error",
        "sigmoid_cross_entropy",
        "softmax_cross_entropy",
    )
}
each_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)


def line(seed: int = 0) -> tuple[Any, Any, Network]:
    """A linear problem with its linear net."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((40, 3))
    y = x @ np.array([[1.0], [-2.0], [0.5]]) + 0.3
    init = partial(lecun_normal, dtype=np.float64)
    return x, y, make_network((3, 1), rng, init=init, activation="identity")


# Losses


@each_loss
@given(
    z=arrays.arrays(float, (3, 4), elements=st.floats(-8, 8)),
    labels=st.lists(st.integers(0, 3), min_size=3, max_size=3),
)
def test_gradient_of_a_loss(loss: Any, z: Any, labels: list[int]) -> None:
    target = one_hot(labels, 4)
    gradient = loss(z, target)[1]
    h = 1e-5
    for index in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[index] = h
        slope = (loss(z + step, target)[0] - loss(z - step, target)[0]) / (2 * h)
        assert gradient[index] == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_values_of_the_losses() -> None:
    z, target = np.array([[2.0, -1.0], [0.5, 3.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    y, p = special.expit(z), special.softmax(z, axis=1)
    expected = {
        "squared_error": np.sum((z - target) ** 2) / 4,
        "sigmoid_squared_error": np.sum((y - target) ** 2) / 4,
        "sigmoid_cross_entropy": -np.sum(np.log(np.where(target == 1, y, 1 - y))) / 2,
        "softmax_cross_entropy": -np.sum(np.log(p[target == 1])) / 2,
    }
    for name, loss in LOSSES.items():
        assert loss(z, target)[0] == pytest.approx(expected[name], rel=1e-12)


def test_cross_entropy_keeps_the_gradient_of_a_saturated_output() -> None:
    # Claim G7: the factor σ′(z) cancels.
    z, target = np.array([[10.0]]), np.array([[0.0]])
    assert LOSSES["sigmoid_cross_entropy"](z, target)[1][0, 0] == pytest.approx(1, abs=1e-4)
    assert LOSSES["sigmoid_squared_error"](z, target)[1][0, 0] < 1e-4


@each_loss
def test_a_loss_changes_nothing_and_keeps_float32(loss: Any) -> None:
    z, target = np.ones((3, 4), np.float32), one_hot([0, 1, 2], 4).astype(np.float32)
    before = z.copy(), target.copy()
    value, gradient = loss(z, target)
    assert isinstance(value, float)
    assert gradient.dtype == np.float32
    np.testing.assert_array_equal(z, before[0])
    np.testing.assert_array_equal(target, before[1])


@pytest.mark.parametrize("name", ["sigmoid_cross_entropy", "softmax_cross_entropy"])
def test_cross_entropy_far_out(name: str) -> None:
    z, target = np.array([[1000.0, -1000.0]]), np.array([[0.0, 1.0]])
    value, gradient = LOSSES[name](z, target)
    assert value == pytest.approx(2000.0)
    assert gradient == pytest.approx(np.array([[1.0, -1.0]]))


# Optimizers: two steps of one parameter, by hand


def two_steps(optimizer: Any, gradients: tuple[float, float]) -> list[float]:
    parameters: tuple[Any, ...] = (np.array([1.0]),)
    state, path = optimizer.start(parameters), []
    for g in gradients:
        parameters, state = optimizer.step(parameters, (np.array([g]),), state)
        path.append(float(parameters[0][0]))
    return path


def test_gradient_descent_by_hand() -> None:
    assert two_steps(SGD(0.1), (2.0, -1.0)) == pytest.approx([0.8, 0.9])


def test_momentum_by_hand() -> None:
    # v = −0.2, then 0.9·(−0.2) + 0.1 = −0.08.
    assert two_steps(SGD(0.1, momentum=0.9), (2.0, -1.0)) == pytest.approx([0.8, 0.72])


@given(st.floats(0.1, 10), st.floats(-10, 10), st.floats(0.5, 0.99), st.floats(0.5, 0.999))
def test_adam_by_hand(first: float, second: float, beta_1: float, beta_2: float) -> None:
    rate, epsilon = 0.1, 1e-3
    found = two_steps(Adam(rate, beta_1, beta_2, epsilon), (first, second))
    # The first step's corrected means are g and g²; the second's are weighted means of both.
    after_1 = 1 - rate * first / (abs(first) + epsilon)
    m = (beta_1 * first + second) / (1 + beta_1)
    v = (beta_2 * first**2 + second**2) / (1 + beta_2)
    after_2 = after_1 - rate * m / (sqrt(v) + epsilon)
    assert found == pytest.approx([after_1, after_2], rel=1e-9)


@pytest.mark.parametrize("optimizer", [SGD(0.1), SGD(0.1, 0.9), Adam(0.1)])
def test_a_step_changes_nothing_given_and_keeps_float32(optimizer: Any) -> None:
    given_arrays = tuple(np.ones((2, 2), np.float32) for _ in range(4))
    parameters, gradients = given_arrays[:2], given_arrays[2:]
    state = optimizer.start(parameters)
    moved, state = optimizer.step(parameters, gradients, state)
    again, _ = optimizer.step(moved, gradients, state)
    assert all((array == 1).all() for array in given_arrays)
    assert all(p.dtype == np.float32 and (p < 1).all() for p in (*moved, *again))


# Training


def test_gradient_descent_finds_the_least_squares_line() -> None:
    x, y, net = line()
    rng = np.random.default_rng(1)
    run = train(net, x, y, loss=squared_error, optimizer=SGD(0.3), steps=300, rng=rng)
    assert run.loss[-1] < 1e-12
    assert run.network.weights[0] == pytest.approx(np.array([[1.0], [-2.0], [0.5]]), abs=1e-6)
    assert run.network.biases[0] == pytest.approx([0.3], abs=1e-6)


@pytest.mark.parametrize("optimizer", [SGD(0.05, momentum=0.9), Adam(0.05)])
def test_other_optimizers_get_there_too(optimizer: Any) -> None:
    x, y, net = line()
    run = train(
        net,
        x,
        y,
        loss=squared_error,
        optimizer=optimizer,
        steps=600,
        rng=np.random.default_rng(1),
        batch_size=10,
    )
    assert run.loss[-1] < 1e-4 * run.loss[0]


def test_one_full_step_is_gradient_descent_by_hand() -> None:
    x, y, net = line()
    W, b = net.weights[0], net.biases[0]
    run = train(
        net, x, y, loss=squared_error, optimizer=SGD(0.1), steps=1, rng=np.random.default_rng(0)
    )
    error = (x @ W + b - y) / len(x)
    np.testing.assert_allclose(run.network.weights[0], W - 0.1 * x.T @ error, rtol=1e-12)
    np.testing.assert_allclose(run.network.biases[0], b - 0.1 * error.sum(axis=0), rtol=1e-12)
    assert run.loss[0] == pytest.approx(np.sum((x @ W + b - y) ** 2) / 2 / len(x))


def test_one_seed_one_run_and_the_given_net_stays() -> None:
    x, y, net = line()
    kept = [array.copy() for array in (*net.weights, *net.biases, x, y)]

    def fit(seed: int) -> Any:
        return train(
            net,
            x,
            y,
            loss=squared_error,
            optimizer=SGD(0.1, 0.5),
            steps=20,
            rng=np.random.default_rng(seed),
            batch_size=8,
        )

    first, again, other = fit(3), fit(3), fit(4)
    np.testing.assert_array_equal(first.loss, again.loss)
    np.testing.assert_array_equal(first.network.weights[0], again.network.weights[0])
    assert (first.loss[1:] != other.loss[1:]).any()
    for old, new in zip(kept, (*net.weights, *net.biases, x, y), strict=True):
        np.testing.assert_array_equal(old, new)


def test_an_epoch_visits_every_sample_once() -> None:
    batches: list[list[float]] = []

    def spy(z: Any, target: Any) -> tuple[float, Any]:
        batches.append(sorted(target[:, 0]))
        return squared_error(z, target)

    net = Network((np.zeros((1, 1)),), (np.zeros(1),), (identity,))
    samples = np.arange(12.0)[:, None]
    rng = np.random.default_rng(0)
    train(
        net,
        samples,
        samples,
        loss=spy,
        optimizer=SGD(1e-6),
        steps=9,
        rng=rng,
        batch_size=4,
        record_every=100,
    )
    assert batches.pop(0) == batches.pop() == list(range(12))  # the records at both ends
    assert [len(batch) for batch in batches] == [4] * 9
    epochs = [[v for batch in batches[i : i + 3] for v in batch] for i in (0, 3, 6)]
    assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]  # a new order each epoch


@pytest.mark.parametrize(
    ("every", "steps", "recorded"),
    [(1, 3, [0, 1, 2, 3]), (2, 5, [0, 2, 4, 5]), (5, 5, [0, 5]), (100, 7, [0, 7])],
)
def test_records_at_both_ends(every: int, steps: int, recorded: list[int]) -> None:
    x, y, net = line()
    run = train(
        net,
        x,
        y,
        loss=squared_error,
        optimizer=SGD(0.1),
        steps=steps,
        rng=np.random.default_rng(0),
        record_every=every,
        measure=lambda net: {"norm": np.sum(net.weights[0] ** 2), "bias": net.biases[0]},
    )
    assert run.steps.tolist() == recorded
    assert run.loss.shape == run.measured["norm"].shape == (len(recorded),)
    assert run.measured["bias"].shape == (len(recorded), 1)
    assert run.measured["norm"][0] == np.sum(net.weights[0] ** 2)
    assert run.measured["norm"][-1] == np.sum(run.network.weights[0] ** 2)
    assert not run.diverged


@pytest.mark.parametrize("optimizer", [SGD(1e10), SGD(50.0, momentum=0.9)])
def test_a_rate_that_is_too_large_is_told_without_a_warning(optimizer: Any) -> None:
    # Warnings are errors in these tests.
    x, y, net = line()
    run = train(
        net, x, y, loss=squared_error, optimizer=optimizer, steps=2000, rng=np.random.default_rng(0)
    )
    assert run.diverged
    assert not np.isfinite(run.loss[-1])
    assert np.isfinite(run.loss[:-1]).all()
    assert run.steps[-1] < 2000
    # The net is that of the last record that was finite.
    with np.errstate(over="ignore"):
        assert squared_error(x @ run.network.weights[0] + run.network.biases[0], y)[0] == (
            pytest.approx(run.loss[-2])
        )


def test_a_start_that_is_not_finite_is_returned() -> None:
    x, y, net = line()
    bad = Network((np.full((3, 1), np.inf),), net.biases, net.activations)
    run = train(
        bad, x, y, loss=squared_error, optimizer=SGD(1), steps=5, rng=np.random.default_rng(0)
    )
    assert run.diverged
    assert run.network is bad
    assert run.steps.tolist() == [0]


def test_digits_are_learned() -> None:
    data = digits()
    rng = np.random.default_rng(0)
    net = make_network((64, 32, 10), rng, init=he_normal, activation="relu", output="identity")
    target = one_hot(data.labels_train, 10)
    assert accuracy(net, data.x_test, data.labels_test) < 0.4
    run = train(
        net,
        data.x_train,
        target,
        loss=training.softmax_cross_entropy,
        optimizer=Adam(0.01),
        steps=300,
        rng=rng,
        batch_size=64,
        record_every=300,
    )
    assert run.loss[0] == pytest.approx(log(10), rel=0.2)
    assert run.loss[-1] < 0.1
    assert accuracy(run.network, data.x_test, data.labels_test) > 0.93


def test_a_classifier_is_watched_on_the_test_part() -> None:
    data = digits()
    rng = np.random.default_rng(3)
    options = {"init": he_normal, "activation": "relu", "output": "identity"}
    net = make_network((64, 16, 10), rng, **options)
    run = train_classifier(net, data, rate=0.5, steps=20, rng=rng, batch_size=32, record_every=20)
    end = accuracy(run.network, data.x_test, data.labels_test)
    assert run.measured["accuracy"].tolist() == [accuracy(net, data.x_test, data.labels_test), end]
    turned = Split(data.x_test, data.labels_test, data.x_train, data.labels_train)
    again = train_classifier(run.network, turned, rate=0.1, steps=1, rng=rng)
    assert again.loss[0] == run.measured["loss"][-1]


def test_a_classifier_may_be_watched_otherwise() -> None:
    rng = np.random.default_rng(3)
    net = make_network((64, 10), rng, init=he_normal, activation="identity")
    options = {"rate": 0.1, "steps": 1, "measure": lambda net: {"depth": net.depth}}
    run = train_classifier(net, digits(), rng=rng, **options)
    assert set(run.measured) == {"depth"}


def test_neurons_follow_their_gradient_one_by_one() -> None:
    found = train_neurons([0.5, 3.0], rate=0.7, steps=4)
    for column, z in zip(found.T, (0.5, 3.0), strict=True):
        for step in column:
            assert step == pytest.approx(z, rel=1e-13)
            s = special.expit(z)
            z -= 2 * 0.7 * s * s * (1 - s)


def test_accuracy() -> None:
    net = Network((np.eye(3),), (np.zeros(3),), (identity,))
    assert accuracy(net, np.eye(3), [0, 1, 2]) == 1
    assert accuracy(net, np.eye(3), np.array([0, 2, 1])) == pytest.approx(1 / 3)


# The line between two nets


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0, -0.5, 1.5])
def test_interpolate_is_a_straight_line(share: float) -> None:
    rng = np.random.default_rng(0)
    options: Any = {"init": he_normal, "bias_init": lecun_bias, "activation": "tanh"}
    start, end = (make_network((4, 3, 2), rng, **options) for _ in range(2))
    between = interpolate(start, end, share)
    for one, a, b in zip(
        between.weights + between.biases,
        start.weights + start.biases,
        end.weights + end.biases,
        strict=True,
    ):
        np.testing.assert_allclose(one, (1 - share) * a + share * b, rtol=1e-6)
        assert one.dtype == a.dtype
    assert between.activations == start.activations


def lecun_bias(shape: Any, rng: np.random.Generator) -> Any:
    return rng.standard_normal(shape).astype(np.float32)


def test_interpolate_ends_at_its_ends_and_changes_nothing() -> None:
    start, end = (line(seed)[2] for seed in (0, 1))
    kept = start.weights[0].copy(), end.weights[0].copy()
    np.testing.assert_array_equal(interpolate(start, end, 0).weights[0], start.weights[0])
    np.testing.assert_array_equal(interpolate(start, end, 1).weights[0], end.weights[0])
    np.testing.assert_array_equal(kept, (start.weights[0], end.weights[0]))


def test_interpolate_needs_equal_widths_and_a_number() -> None:
    net = line()[2]
    other = make_network((3, 2), np.random.default_rng(0), init=he_normal, activation="tanh")
    with pytest.raises(ValueError, match=r"widths must be equal, got \(3, 1\) and \(3, 2\)"):
        interpolate(net, other, 0.5)
    with pytest.raises(ValueError, match="share must be finite, got nan"):
        interpolate(net, net, float("nan"))


def run_that_ended(loss: float, test_loss: float, accuracy: float, *, diverged: bool) -> History:
    measured = {"loss": np.array([9.0, test_loss]), "accuracy": np.array([0.1, accuracy])}
    net = Network((np.eye(2),), (np.zeros(2),), (identity,))
    return History(np.array([0, 5]), np.array([9.0, loss]), measured, net, diverged)


def test_ends_are_the_last_records_and_a_diverged_run_is_the_worst() -> None:
    good = run_that_ended(0.5, 0.6, 0.9, diverged=False)
    for last in (np.nan, np.inf):  # whatever the loss that was not finite, and the record before
        found = training.ends([good, run_that_ended(last, 0.01, 0.95, diverged=True)])
        assert found["train loss"].tolist() == [0.5, np.inf]
        assert found["test loss"].tolist() == [0.6, np.inf]
        assert found["test accuracy"][0] == 0.9
        assert np.isnan(found["test accuracy"][1])


def test_ends_of_real_runs() -> None:
    data = digits(standardize=True)
    rng = np.random.default_rng(0)
    net = make_network((64, 16, 10), rng, init=he_normal, activation="relu", output="identity")
    run = train_classifier(net, data, rate=0.1, steps=20, rng=rng, batch_size=32)
    wild = train_classifier(net, data, rate=1e200, steps=20, rng=rng)
    found = training.ends([run, wild])
    assert wild.diverged
    assert found["train loss"].tolist() == [run.loss[-1], np.inf]
    right = training.accuracy(run.network, data.x_test, data.labels_test)
    assert found["test accuracy"][0] == right


def test_ends_need_runs_that_were_watched() -> None:
    with pytest.raises(ValueError, match="the number of runs must be >= 1, got 0"):
        training.ends([])
    unwatched = replace(
        run_that_ended(0.5, 0.6, 0.9, diverged=False), measured={"rank": np.ones(2)}
    )
    with pytest.raises(ValueError, match=r"as train_classifier does .* got \['rank'\]"):
        training.ends([unwatched])
