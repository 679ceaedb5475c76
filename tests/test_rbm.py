"""The Boltzmann machine against sums over all of its states, and CD-1 by hand."""

from functools import partial
from itertools import product
from math import log
from typing import Any

import numpy as np
import pytest

from initcourse.initializers import normal
from initcourse.training import (
    RBM,
    make_rbm,
    rbm_log_likelihood,
    reconstruction_error,
    train_rbm,
)

GENERATOR = np.random.default_rng(0)
SMALL = RBM(
    GENERATOR.standard_normal((4, 3)), GENERATOR.standard_normal(4), GENERATOR.standard_normal(3)
)
STATES_V = np.array(list(product([0.0, 1.0], repeat=4)))
STATES_H = np.array(list(product([0.0, 1.0], repeat=3)))
STRIPES = np.repeat([[1.0, 0, 1, 0, 1, 0], [0.0, 1, 0, 1, 0, 1]], 30, axis=0)
wide = partial(normal, std=0.1, dtype=np.float64)


def joint() -> Any:
    """Return p(v, h) of every pair of states, one row a v."""
    energy = STATES_V @ SMALL.weights @ STATES_H.T
    energy += (STATES_V @ SMALL.visible_bias)[:, None] + STATES_H @ SMALL.hidden_bias
    p = np.exp(energy)
    return p / p.sum()


def test_conditionals() -> None:
    p = joint()
    given_v = p @ STATES_H / p.sum(axis=1, keepdims=True)
    given_h = p.T @ STATES_V / p.T.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(SMALL.hidden(STATES_V), given_v, rtol=1e-12)
    np.testing.assert_allclose(SMALL.visible(STATES_H), given_h, rtol=1e-12)


def test_log_likelihood() -> None:
    p = joint().sum(axis=1)
    for state, expected in zip(STATES_V, p, strict=True):
        assert rbm_log_likelihood(SMALL, state[None]) == pytest.approx(log(expected), rel=1e-12)
    assert rbm_log_likelihood(SMALL, STATES_V) == pytest.approx(np.log(p).mean(), rel=1e-12)


def test_log_likelihood_of_large_weights_does_not_overflow() -> None:
    huge = RBM(np.full((5, 4), 1e3), np.zeros(5), np.zeros(4))
    assert rbm_log_likelihood(huge, np.ones((1, 5))) == pytest.approx(0, abs=1e-9)


def test_reconstruction_error() -> None:
    v = STATES_V[[3, 5]]
    again = SMALL.visible(SMALL.hidden(v))
    assert reconstruction_error(SMALL, v) == pytest.approx(np.mean((v - again) ** 2))


def test_one_step_is_contrastive_divergence() -> None:
    v = STATES_V[::3]
    run = train_rbm(SMALL, v, rate=0.3, epochs=1, batch_size=len(v), rng=np.random.default_rng(1))
    rng = np.random.default_rng(1)
    v = v[rng.permutation(len(v))]
    h = rng.random((len(v), 3)) < SMALL.hidden(v)
    v1 = SMALL.visible(h.astype(float))
    # Sample by sample, as the formula is written.
    step = sum(
        np.outer(a, SMALL.hidden(a[None])[0]) - np.outer(b, SMALL.hidden(b[None])[0])
        for a, b in zip(v, v1, strict=True)
    ) / len(v)
    np.testing.assert_allclose(run.rbm.weights, SMALL.weights + 0.3 * step, rtol=1e-12)
    np.testing.assert_allclose(
        run.rbm.visible_bias, SMALL.visible_bias + 0.3 * (v - v1).mean(axis=0), rtol=1e-12
    )
    difference = (SMALL.hidden(v) - SMALL.hidden(v1)).mean(axis=0)
    np.testing.assert_allclose(
        run.rbm.hidden_bias, SMALL.hidden_bias + 0.3 * difference, rtol=1e-12
    )


def test_training_raises_the_likelihood_to_that_of_the_data() -> None:
    rng = np.random.default_rng(2)
    start = make_rbm(6, 3, rng, init=wide)
    run = train_rbm(start, STRIPES, rate=0.5, epochs=300, batch_size=10, rng=rng)
    assert rbm_log_likelihood(start, STRIPES) == pytest.approx(-6 * log(2), abs=0.2)
    # Two patterns, each with probability ½: −ln 2 is the most.
    assert -0.85 < rbm_log_likelihood(run.rbm, STRIPES) < -log(2)
    assert run.error[0] == pytest.approx(0.25, abs=0.01)
    assert run.error[-1] < 0.001
    assert run.epochs.tolist() == list(range(301))
    assert run.error[-1] == reconstruction_error(run.rbm, STRIPES)


def test_the_machine_given_is_left_as_it_was_and_a_seed_repeats() -> None:
    start = make_rbm(6, 3, np.random.default_rng(3), init=wide)
    before = start.weights.copy(), start.visible_bias.copy(), start.hidden_bias.copy()
    runs = [
        train_rbm(start, STRIPES, rate=0.5, epochs=3, batch_size=7, rng=np.random.default_rng(seed))
        for seed in (4, 4, 5)
    ]
    for old, new in zip(
        before, (start.weights, start.visible_bias, start.hidden_bias), strict=True
    ):
        np.testing.assert_array_equal(old, new)
    np.testing.assert_array_equal(runs[0].rbm.weights, runs[1].rbm.weights)
    assert not np.array_equal(runs[0].rbm.weights, runs[2].rbm.weights)


def test_start() -> None:
    rbm = make_rbm(5, 2, np.random.default_rng(6), init=normal)
    assert rbm.weights.shape == (5, 2)
    assert rbm.weights.dtype == rbm.visible_bias.dtype == rbm.hidden_bias.dtype == np.float32
    assert not rbm.visible_bias.any()
    assert not rbm.hidden_bias.any()
    assert (rbm.visible_bias.shape, rbm.hidden_bias.shape) == ((5,), (2,))
