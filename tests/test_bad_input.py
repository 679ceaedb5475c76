"""Errors are raised at the door: the type, the value in the message, the remedy, nothing lost."""

import copy
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from initcourse import activations, datasets, initializers, propagation, tables, theory
from initcourse.pages import claims
from initcourse.propagation import backward, forward, layer_statistics, make_network
from initcourse.training import (
    RBM,
    SGD,
    Adam,
    make_rbm,
    rbm_log_likelihood,
    squared_error,
    train,
    train_rbm,
)

Generator = np.random.Generator

NET = make_network(
    (3, 4, 2), np.random.default_rng(0), init=initializers.he_normal, activation="tanh"
)
X = np.ones((5, 3))
TARGET = np.zeros((5, 2))
NAN, INF = float("nan"), float("inf")


def fit(rng: Any, **changes: Any) -> Any:
    given: dict[str, Any] = {
        "network": NET,
        "x": X,
        "target": TARGET,
        "loss": squared_error,
        "optimizer": SGD(0.1),
        "steps": 2,
    }
    return train(**(given | changes), rng=rng)


def rbm(rng: Any, **changes: Any) -> Any:
    given: dict[str, Any] = {"v": X, "rate": 0.1, "epochs": 1, "batch_size": 2}
    return train_rbm(RBM(np.zeros((3, 2)), np.zeros(3), np.zeros(2)), **(given | changes), rng=rng)


# (what to call with a good generator, the type of the error, what its message shows)
BAD_CALLS: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    # scales
    (lambda r: initializers.normal((2,), r, std=-1), ValueError, "std must be >= 0, got -1"),
    (lambda r: initializers.normal((2,), r, std=NAN), ValueError, "std must be finite, got nan"),
    (lambda r: initializers.normal((2,), r, std=INF), ValueError, "std must be finite, got inf"),
    (lambda r: initializers.normal((2,), r, mean=NAN), ValueError, "mean must be finite, got nan"),
    (lambda r: initializers.normal((2,), r, std="1"), TypeError, "std must be a real .* got '1'"),
    (lambda r: initializers.normal((2,), r, std=True), TypeError, "std must be .* got True"),
    (lambda r: initializers.normal((2,), r, std=1j), TypeError, "std must be a real .* got 1j"),
    (lambda r: initializers.constant((2,), value=INF), ValueError, "value must be .* got inf"),
    (lambda r: initializers.uniform((2,), r, low=2, high=2), ValueError, "low=2.* and high=2"),
    (lambda r: initializers.uniform((2,), r, low=3, high=2), ValueError, "low must be < high"),
    (lambda r: initializers.uniform((2,), r, low=-INF), ValueError, "low must be .* got -inf"),
    (lambda r: initializers.truncated_normal((2,), r, bound=0), ValueError, "bound .* > 0, got 0"),
    (lambda r: initializers.truncated_normal((2,), r, std=-2), ValueError, "std .*>= 0, got -2"),
    (lambda r: initializers.truncated_normal_std(-2.0), ValueError, "bound must be > 0, got -2"),
    (lambda r: initializers.truncated_normal_std(INF), ValueError, "bound must be .* got inf"),
    (lambda r: initializers.variance_scaling((2, 2), r, scale=0), ValueError, "scale .* > 0"),
    (lambda r: initializers.variance_scaling((2, 2), r, scale=-1), ValueError, "got -1"),
    (lambda r: initializers.variance_scaling((2, 2), r, scale=NAN), ValueError, "got nan"),
    # names
    (
        lambda r: initializers.variance_scaling((2, 2), r, mode="fan"),  # type: ignore[arg-type]
        ValueError,
        "mode must be one of 'fan_in', 'fan_out', 'fan_avg', 'fan_geo_avg'; got 'fan'",
    ),
    (
        lambda r: initializers.variance_scaling((2, 2), r, distribution="gauss"),  # type: ignore[arg-type]
        ValueError,
        "one of 'normal', 'truncated_normal', 'uniform'; got 'gauss'",
    ),
    (lambda r: activations.named("gelu!"), ValueError, "activation .*'sigmoid'.* got 'gelu!'"),
    (lambda r: theory.chi_1(1.0, "sofd", 1.0), ValueError, "'relu'.* got 'sofd'"),
    (lambda r: propagation.saturated_share("sofd", X), ValueError, "'relu'.* got 'sofd'"),
    (lambda r: claims.show("Z9"), ValueError, "'G1'.* got 'Z9'"),
    # shapes
    (lambda r: initializers.zeros(()), ValueError, r"at least one axis, got \(\); .*\(n,\)"),
    (lambda r: initializers.normal((), r), ValueError, "at least one axis"),
    (lambda r: initializers.normal((3, 0), r), ValueError, r"shape\[1\] must be >= 1, got 0"),
    (lambda r: initializers.normal((-3,), r), ValueError, r"shape\[0\] must be >= 1, got -3"),
    (lambda r: initializers.normal((3.0,), r), TypeError, r"shape\[0\] .* an integer, got 3.0"),
    (lambda r: initializers.normal(5, r), TypeError, r"tuple .* such as \(64, 32\), got 5"),
    (lambda r: initializers.normal("ab", r), TypeError, "tuple .* got 'ab'"),
    (lambda r: initializers.he_normal((0, 3), r), ValueError, r"shape\[0\] must be >= 1, got 0"),
    (lambda r: initializers.he_normal((3, 3, 0, 4), r), ValueError, r"shape\[2\] .* got 0"),
    (lambda r: initializers.he_normal((7,), r), ValueError, r"got \(7,\); .* zeros, constant"),
    (lambda r: initializers.he_normal((), r), ValueError, "at least one axis"),
    (lambda r: initializers.glorot_uniform(9, r), TypeError, "tuple .* got 9"),
    # axes
    (lambda r: initializers.he_normal((2, 2), r, in_axis=1), ValueError, "different .* got 1, -1"),
    (lambda r: initializers.he_normal((2, 2), r, in_axis=2), ValueError, r"in_axis .* got 2"),
    (lambda r: initializers.he_normal((2, 2), r, out_axis=-3), ValueError, r"\[-2, 1\] .* got -3"),
    (lambda r: initializers.he_normal((2, 2), r, batch_axis=0), ValueError, "different axes"),
    (lambda r: initializers.compute_fans((2, 2), in_axis=(0, 1)), ValueError, "different axes"),
    # dtypes
    (lambda r: initializers.zeros((2,), dtype=complex), TypeError, "dtype .* got complex128"),
    (lambda r: initializers.normal((2,), r, dtype=int), TypeError, "np.float32, got int64"),
    (lambda r: initializers.uniform((2,), r, dtype=bool), TypeError, "floating .* got bool"),
    (lambda r: initializers.he_normal((2, 2), r, dtype="c8"), TypeError, "got complex64"),
    (lambda r: initializers.truncated_normal((2,), r, dtype="i4"), TypeError, "got int32"),
    (lambda r: initializers.he_uniform((2, 2), r, dtype=object), TypeError, "got object"),
    (lambda r: datasets.digits(dtype=np.int8), TypeError, "dtype .* got int8"),
    # activations
    (lambda r: activations.leaky_relu(NAN), ValueError, "slope must be finite, got nan"),
    (lambda r: activations.leaky_relu("0.1"), TypeError, "slope must be .* got '0.1'"),
    # theory
    (lambda r: theory.gaussian_density(0, 0.0), ValueError, "std must be > 0, got 0.0"),
    (lambda r: theory.gaussian_expectation(np.tanh, -1), ValueError, "std must be >= 0, got -1"),
    (lambda r: theory.gaussian_expectation(np.tanh, 1, NAN), ValueError, "mean .* got nan"),
    (lambda r: theory.weighted_sum_variance(-1, 1), ValueError, "inputs_on .* >= 0, got -1"),
    (lambda r: theory.weighted_sum_variance(2.5, 1), TypeError, "inputs_on .* got 2.5"),
    (lambda r: theory.weighted_sum_variance(5, -1), ValueError, "weight_std .* got -1"),
    (lambda r: theory.weighted_sum_variance(5, 1, -1), ValueError, "bias_std .* got -1"),
    (lambda r: theory.saturation_probability(-4, 1), ValueError, "threshold .* >= 0, got -4"),
    (lambda r: theory.saturation_probability(4, 0), ValueError, "std must be > 0, got 0"),
    (lambda r: theory.sigmoid_density([0.5, 1.0], 1), ValueError, r"inside \(0, 1\), .* to 1.0"),
    (lambda r: theory.sigmoid_density(0.5, -1), ValueError, "std must be > 0, got -1"),
    (lambda r: theory.variance_map(-1, "tanh", 1), ValueError, "q must be >= 0, got -1"),
    (lambda r: theory.variance_map(1, "tanh", -1.0), ValueError, "sigma_w must be > 0, got -1.0"),
    (lambda r: theory.variance_map(1, "tanh", 1, -1), ValueError, "sigma_b must be >= 0, got -1"),
    (lambda r: theory.variance_path(1, 0, "tanh", 1), ValueError, "depth must be >= 1, got 0"),
    (lambda r: theory.q_star("tanh", 0), ValueError, "sigma_w must be > 0, got 0"),
    (lambda r: theory.chi_1(-0.5, "tanh", 1), ValueError, "q must be >= 0, got -0.5"),
    (lambda r: theory.chi_1(1, "tanh", INF), ValueError, "sigma_w must be finite, got inf"),
    (lambda r: theory.sigmoid_learning_steps(0, 2, 0.1), ValueError, "end .* got 0.0 to 2.0"),
    (lambda r: theory.sigmoid_learning_steps(2, 0, 0), ValueError, "rate must be > 0, got 0"),
    (lambda r: theory.uniform_limit(0), ValueError, "fan_in must be >= 1, got 0"),
    (lambda r: theory.uniform_limit(2.5), TypeError, "fan_in must be an integer, got 2.5"),
    (lambda r: theory.uniform_limit(3, -1), ValueError, "sigma_w must be > 0, got -1"),
    (lambda r: theory.activation_variance(-1, "relu"), ValueError, "q must be >= 0, got -1"),
    (lambda r: theory.activation_variance(1, "sofd"), ValueError, "'relu'.* got 'sofd'"),
    (lambda r: theory.born_dead_bound(0, 3), ValueError, "width must be >= 1, got 0"),
    (lambda r: theory.born_dead_bound(3, 0), ValueError, "depth must be >= 1, got 0"),
    # propagation
    (
        lambda r: make_network((3,), r, init=initializers.he_normal, activation="relu"),
        ValueError,
        r"at least one layer, got \(3,\)",
    ),
    (
        lambda r: make_network((3, 0), r, init=initializers.he_normal, activation="relu"),
        ValueError,
        r"widths\[1\] must be >= 1, got 0",
    ),
    (
        lambda r: make_network((3, 2), r, init=initializers.he_normal, activation="sofd"),
        ValueError,
        "got 'sofd'",
    ),
    (
        lambda r: make_network(
            (3, 2), r, init=initializers.he_normal, activation="relu", output="sofd"
        ),
        ValueError,
        "got 'sofd'",
    ),
    (lambda r: forward(NET, np.ones((5, 4))), ValueError, r"\(samples, 3\), got \(5, 4\)"),
    (lambda r: forward(NET, np.ones(3)), ValueError, r"got \(3,\); a single input is x\[None, :\]"),
    (
        lambda r: backward(NET, forward(NET, X), np.ones((5, 3))),
        ValueError,
        r"gradient must have shape \(5, 2\), got \(5, 3\)",
    ),
    (lambda r: propagation.saturated_share("relu", X, 0), ValueError, "threshold .* > 0, got 0"),
    (lambda r: theory.product_variance(0, -1, 0, 1), ValueError, "var_x must be >= 0, got -1"),
    (lambda r: theory.product_variance(0, 1, NAN, 1), ValueError, "mean_y must be .* got nan"),
    (lambda r: theory.relu_moments(-1.0), ValueError, "std must be >= 0, got -1.0"),
    (lambda r: theory.relu_log_growth(0), ValueError, "width must be >= 1, got 0"),
    (lambda r: theory.relu_log_growth(2.5), TypeError, "width must be an integer, got 2.5"),
    (lambda r: theory.quarter_circle_density(1, 0), ValueError, "sigma_w must be > 0, got 0"),
    (
        lambda r: propagation.layer_jacobian_singular_values(NET, forward(NET, X), 2),
        ValueError,
        "layer must be <= 1 in this net, got 2",
    ),
    (
        lambda r: propagation.layer_jacobian_singular_values(NET, forward(NET, X), 0),
        ValueError,
        "layer must be >= 1, got 0",
    ),
    (lambda r: propagation.dead_share(NET, X[:, :2]), ValueError, r"x must .* got \(5, 2\)"),
    (lambda r: propagation.mean_cosine([1.0, 2.0]), ValueError, r"\(samples, units\), got \(2,\)"),
    (lambda r: propagation.mean_cosine([[1.0], [0.0]]), ValueError, "two rows .* got 1"),
    (lambda r: propagation.born_dead_share([1.0], 2, 3, r), ValueError, r"inputs\), got \(1,\)"),
    (lambda r: propagation.born_dead_share([[1.0]], 0, 3, r), ValueError, "width .* got 0"),
    (lambda r: propagation.born_dead_share([[1.0]], 2, 0, r), ValueError, "depth .* got 0"),
    (lambda r: propagation.born_dead_share([[1.0]], 2, 3, r, nets=0), ValueError, "nets .* got 0"),
    (lambda r: propagation.born_dead_share([[1.0]], 2, 3, r, bias=NAN), ValueError, "bias .* nan"),
    (lambda r: layer_statistics(NET, X, r, threshold=-1), ValueError, "threshold .* got -1"),
    (lambda r: layer_statistics(NET, X[:, :2], r), ValueError, r"got \(5, 2\)"),
    # training
    (lambda r: SGD(0), ValueError, "rate must be > 0, got 0"),
    (lambda r: SGD(NAN), ValueError, "rate must be finite, got nan"),
    (lambda r: SGD(0.1, momentum=1.0), ValueError, r"momentum must lie in \[0, 1\), got 1.0"),
    (lambda r: SGD(0.1, momentum=-0.1), ValueError, "momentum .* got -0.1"),
    (lambda r: SGD(0.1, momentum=NAN), ValueError, "momentum .* got nan"),
    (lambda r: Adam(-1), ValueError, "rate must be > 0, got -1"),
    (lambda r: Adam(beta_1=1.0), ValueError, r"beta_1 must lie in \[0, 1\), got 1.0"),
    (lambda r: Adam(beta_2=-0.1), ValueError, "beta_2 .* got -0.1"),
    (lambda r: Adam(epsilon=0), ValueError, "epsilon must be > 0, got 0"),
    (lambda r: fit(r, steps=0), ValueError, "steps must be >= 1, got 0"),
    (lambda r: fit(r, steps=1.5), TypeError, "steps must be an integer, got 1.5"),
    (lambda r: fit(r, record_every=0), ValueError, "record_every must be >= 1, got 0"),
    (lambda r: fit(r, batch_size=0), ValueError, "batch_size must be >= 1, got 0"),
    (lambda r: fit(r, batch_size=6), ValueError, "batch_size must be <= 5, .* got 6"),
    (lambda r: fit(r, target=TARGET[:4]), ValueError, "as many rows, got 5 and 4"),
    (lambda r: fit(r, x=X[:, :2]), ValueError, r"\(samples, 3\), got \(5, 2\)"),
    # orthogonal family, sums of products, Boltzmann machines
    (lambda r: initializers.orthogonal((2, 2), r, gain=0), ValueError, "gain must be > 0, got 0"),
    (lambda r: initializers.orthogonal((2, 2), r, gain=NAN), ValueError, "gain must be .* got nan"),
    (lambda r: initializers.orthogonal((5,), r), ValueError, r"got \(5,\); .* zeros, constant"),
    (lambda r: initializers.orthogonal((2, 2), r, in_axis=-1), ValueError, "different axes"),
    (lambda r: initializers.orthogonal((2, 2), r, dtype=int), TypeError, "np.float32, got int64"),
    (lambda r: initializers.delta_orthogonal((4, 4), r), ValueError, r"3 to 5 axes, got \(4, 4\)"),
    (lambda r: initializers.delta_orthogonal((3,) * 6, r), ValueError, "3 to 5 axes"),
    (lambda r: initializers.delta_orthogonal((3, 5, 4), r), ValueError, r"<= out .* \(5, 4\)"),
    (lambda r: initializers.delta_orthogonal((3, 4, 4), r, gain=-1), ValueError, "gain .* got -1"),
    (lambda r: initializers.identity((3,)), ValueError, r"an output axis, got \(3,\)"),
    (lambda r: initializers.identity((3, 4), groups=3), ValueError, "groups must divide .* got 3"),
    (
        lambda r: initializers.uniform((2,), r, low=1, high=1 + 2**-40),
        ValueError,
        "low and high must differ in float32, .* np.float64",
    ),
    (
        lambda r: propagation.make_network(
            (2, 3), r, init=[initializers.he_normal] * 2, activation="relu"
        ),
        ValueError,
        "init must be one initializer or one for each of the 1 layers, got 2",
    ),
    (
        lambda r: propagation.make_network(
            (2, 3, 4), r, init=initializers.zeros, bias_init=[], activation="relu"
        ),
        ValueError,
        "bias_init must be one .* the 2 layers, got 0",
    ),
    (lambda r: initializers.identity((3, 3), gain=0), ValueError, "gain must be > 0, got 0"),
    (lambda r: initializers.identity((3, 3), dtype=int), TypeError, "got int64"),
    (lambda r: theory.uniform_bound(0, variance=1), ValueError, "inputs must be >= 1, got 0"),
    (lambda r: theory.uniform_bound(5, variance=0), ValueError, "variance must be > 0, got 0"),
    (lambda r: theory.uniform_bound(5, std=-1, variance=1), ValueError, "std must be >= 0, got -1"),
    (lambda r: theory.uniform_bound(5, std=0, variance=1), ValueError, "must not both be 0"),
    (lambda r: theory.uniform_weights_tail(1.0, 0), ValueError, "inputs must be >= 1, got 0"),
    (lambda r: theory.uniform_weights_tail([1.0, NAN], 2), ValueError, "z must be finite, got nan"),
    (lambda r: theory.uniform_weights_density(INF, 2), ValueError, "z must be finite, got inf"),
    (lambda r: theory.uniform_weights_density(1.0, 2.0), TypeError, "inputs must be an integer"),
    (lambda r: rbm(r, rate=0), ValueError, "rate must be > 0, got 0"),
    (lambda r: rbm(r, epochs=0), ValueError, "epochs must be >= 1, got 0"),
    (lambda r: rbm(r, batch_size=6), ValueError, "batch_size must be <= 5, .* got 6"),
    (lambda r: rbm(r, v=X[:, :2]), ValueError, r"v must have shape \(samples, 3\), got \(5, 2\)"),
    (lambda r: rbm(r, v=2 * X), ValueError, r"lie in \[0, 1\], got 2.0 to 2.0"),
    (lambda r: make_rbm(0, 2, r, init=initializers.zeros), ValueError, "visible .* got 0"),
    (lambda r: make_rbm(2, 0, r, init=initializers.zeros), ValueError, "hidden .* got 0"),
    (
        lambda r: rbm_log_likelihood(make_rbm(2, 21, r, init=initializers.zeros), X),
        ValueError,
        "21",
    ),
    # datasets and tables
    (lambda r: datasets.digits(enlarge=0), ValueError, "enlarge must be >= 1, got 0"),
    (lambda r: datasets.one_hot([0, 3], 3), ValueError, r"in 0 … 2, got 0 to 3"),
    (lambda r: datasets.one_hot([-1, 1], 3), ValueError, r"in 0 … 2, got -1 to 1"),
    (lambda r: datasets.one_hot([0], 0), ValueError, "classes must be >= 1, got 0"),
    (lambda r: datasets.on_off_inputs(0, 3, r, on=1), ValueError, "samples .* got 0"),
    (lambda r: datasets.on_off_inputs(2, 3, r, on=4), ValueError, "on must be <= 3, .* got 4"),
    (lambda r: datasets.on_off_inputs(2, 3, r, on=-1), ValueError, "on must be >= 0, got -1"),
    (lambda r: tables.table({"a": [1], "b": [1, 2]}), ValueError, "one length, got .*'b': 2"),
    (lambda r: tables.table({}), ValueError, "columns must be given"),
    (lambda r: tables.table({"a": [1]}, digits=0), ValueError, "digits must be >= 1, got 0"),
    (lambda r: claims.show("G3", share_within_3={}), TypeError, "number, text or a list .* got {}"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_CALLS)
def test_bad_call(call: Callable[[Any], Any], error: type[Exception], message: str) -> None:
    rng = np.random.default_rng(1)
    before = rng.bit_generator.state
    inputs = copy.deepcopy((NET.weights, NET.biases, X, TARGET))
    with pytest.raises(error, match=message) as caught:
        call(rng)
    assert caught.type is error
    # Nothing is lost: the generator and the arrays are as they were.
    assert rng.bit_generator.state == before
    for old, new in zip(
        (*inputs[0], *inputs[1], *inputs[2:]), (*NET.weights, *NET.biases, X, TARGET), strict=True
    ):
        np.testing.assert_array_equal(old, new)


NEED_A_GENERATOR: list[Callable[[Any], Any]] = [
    lambda r: initializers.normal((2, 2), r),
    lambda r: initializers.uniform((2, 2), r),
    lambda r: initializers.truncated_normal((2, 2), r),
    lambda r: initializers.variance_scaling((2, 2), r),
    lambda r: initializers.lecun_normal((2, 2), r),
    lambda r: initializers.lecun_uniform((2, 2), r),
    lambda r: initializers.fan_in_uniform((2, 2), r),
    lambda r: initializers.glorot_normal((2, 2), r),
    lambda r: initializers.glorot_uniform((2, 2), r),
    lambda r: initializers.he_normal((2, 2), r),
    lambda r: initializers.he_uniform((2, 2), r),
    lambda r: initializers.glorot_sigmoid_uniform((2, 2), r),
    lambda r: initializers.orthogonal((2, 2), r),
    lambda r: initializers.delta_orthogonal((3, 2, 2), r),
    lambda r: make_rbm(3, 2, r, init=initializers.zeros),
    lambda r: rbm(r),
    lambda r: make_network((3, 2), r, init=initializers.zeros, activation="relu"),
    lambda r: layer_statistics(NET, X, r),
    lambda r: propagation.born_dead_share([[1.0]], 2, 3, r),
    lambda r: datasets.on_off_inputs(2, 3, r, on=1),
    fit,
]


@pytest.mark.parametrize("call", NEED_A_GENERATOR)
@pytest.mark.parametrize("rng", [42, None, "42", np.int64(7), np.random.default_rng])
def test_a_seed_is_no_generator(call: Callable[[Any], Any], rng: Any) -> None:
    with pytest.raises(TypeError, match=re.escape(f"got {rng!r}")) as caught:
        call(rng)
    assert "np.random.default_rng(seed)" in str(caught.value)


@pytest.mark.parametrize("call", NEED_A_GENERATOR)
def test_the_old_random_state_is_no_generator(call: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator, got RandomState"):
        call(np.random.RandomState(0))
