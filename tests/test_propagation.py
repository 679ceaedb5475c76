"""Forward and backward by hand and by finite differences; the layers' statistics against theory."""

from dataclasses import replace
from functools import partial
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import special

from initcourse import theory
from initcourse.activations import identity, leaky_relu, relu, sigmoid, tanh
from initcourse.initializers import constant, fan_in_uniform, he_normal, lecun_normal, normal, zeros
from initcourse.propagation import (
    Network,
    backward,
    born_dead_share,
    dead_share,
    depth_sweep,
    forward,
    layer_jacobian_singular_values,
    layer_statistics,
    make_network,
    mean_cosine,
    median_magnitude,
    rms,
    sample_weight_gradient_rms,
    saturated_share,
    weighted_sums,
)

DOUBLE = partial(normal, std=0.8, dtype=np.float64)
ALL = [identity, sigmoid, tanh, relu, leaky_relu(0.2)]
all_activations = pytest.mark.parametrize("phi", ALL, ids=lambda phi: phi.name)


def small_net(phi: Any, seed: int = 0) -> tuple[Network, Any, Any]:
    """A net of three layers with inputs and the ∂L/∂z of its last layer."""
    rng = np.random.default_rng(seed)
    net = make_network((3, 5, 4, 2), rng, init=DOUBLE, bias_init=DOUBLE, activation=phi)
    return net, rng.standard_normal((6, 3)), rng.standard_normal((6, 2))


# Networks


def test_make_network_draws_layer_by_layer() -> None:
    rng = np.random.default_rng(1)
    net = make_network(
        (3, 4, 2), rng, init=he_normal, bias_init=normal, activation="relu", output="identity"
    )
    again = np.random.default_rng(1)
    for layer, (fan_in, fan_out) in enumerate([(3, 4), (4, 2)]):
        np.testing.assert_array_equal(net.weights[layer], he_normal((fan_in, fan_out), again))
        np.testing.assert_array_equal(net.biases[layer], normal((fan_out,), again))
    assert rng.bit_generator.state == again.bit_generator.state
    assert net.activations == (relu, identity)
    assert (net.depth, net.widths) == (2, (3, 4, 2))


def test_biases_start_at_zero_and_one_activation_serves_all() -> None:
    net = make_network((3, 4, 2), np.random.default_rng(1), init=he_normal, activation=tanh)
    assert all((b == 0).all() for b in net.biases)
    assert net.activations == (tanh, tanh)


def test_layers_of_equal_shape_get_different_weights() -> None:
    net = make_network((4, 4, 4), np.random.default_rng(1), init=he_normal, activation=tanh)
    assert not np.any(net.weights[0] == net.weights[1])


# Forward


def test_forward_by_hand() -> None:
    net = Network(
        weights=(np.array([[1.0, -1.0], [2.0, 0.5]]), np.array([[3.0], [-2.0]])),
        biases=(np.array([0.5, 0.0]), np.array([1.0])),
        activations=(relu, sigmoid),
    )
    trace = forward(net, [[1.0, 2.0], [-1.0, 0.0]])
    np.testing.assert_array_equal(trace.z[0], [[5.5, 0.0], [-0.5, 1.0]])
    np.testing.assert_array_equal(trace.a[0], [[5.5, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(trace.z[1], [[17.5], [-1.0]])
    np.testing.assert_allclose(trace.a[1], 1 / (1 + np.exp([[-17.5], [1.0]])), rtol=1e-14)


@given(st.integers(1, 8), st.integers(0, 1000))
def test_samples_do_not_see_each_other(samples: int, seed: int) -> None:
    net, _, _ = small_net(tanh, seed)
    x = np.random.default_rng(seed).standard_normal((samples, 3))
    for z, each in zip(
        forward(net, x).z[-1], (forward(net, row[None]).z[-1][0] for row in x), strict=True
    ):
        np.testing.assert_allclose(z, each, rtol=1e-12, atol=1e-14)  # sums of terms near 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("of_inputs", [np.float32, np.float64, int])
def test_the_net_decides_the_precision(dtype: Any, of_inputs: Any) -> None:
    look = {"init": he_normal, "activation": "sigmoid", "dtype": dtype}
    net = make_network((3, 4, 2), np.random.default_rng(1), **look)
    trace = forward(net, np.ones((5, 3), of_inputs))
    gradients = backward(net, trace, np.ones((5, 2), of_inputs))
    for arrays in (trace.z, trace.a, gradients.z, gradients.weights, gradients.biases):
        assert all(array.dtype == dtype for array in arrays)


def test_a_net_computes_in_float64_with_weights_drawn_in_float32() -> None:
    options = {"init": he_normal, "activation": "relu"}
    net = make_network((3, 4), np.random.default_rng(1), **options)
    single = make_network((3, 4), np.random.default_rng(1), **options, dtype=np.float32)
    assert net.weights[0].dtype == np.float64
    assert_array_equal(net.weights[0], single.weights[0])


def test_each_layer_may_have_a_rule_of_its_own() -> None:
    rng = np.random.default_rng(4)
    ones, twos = (partial(constant, value=value) for value in (1.0, 2.0))
    net = make_network(
        (3, 4, 2), rng, init=[ones, he_normal], bias_init=(twos, zeros), activation="relu"
    )
    assert (net.weights[0] == 1).all()
    assert net.weights[1].std() > 0
    assert (net.biases[0] == 2).all()
    assert (net.biases[1] == 0).all()


def test_one_rule_for_all_layers_draws_as_a_list_of_it() -> None:
    nets = [
        make_network((3, 4, 2), np.random.default_rng(4), init=init, activation="tanh")
        for init in (he_normal, [he_normal, he_normal])
    ]
    for one, other in zip(nets[0].weights, nets[1].weights, strict=True):
        assert_array_equal(one, other)


def test_depth_sweep_draws_every_net_from_its_own_seed() -> None:
    look = {"init": he_normal, "activation": "tanh"}
    sweep = depth_sweep((30, 20, 10), seeds=3, samples=7, **look)
    for seed, found in enumerate(sweep.rms_gradient):
        rng = np.random.default_rng(seed)
        net = make_network((30, 20, 10), rng, **look)
        alone = layer_statistics(net, rng.standard_normal((7, 30)), rng)
        assert_array_equal(found, alone.rms_gradient)
    assert_array_equal(
        sweep.factor("second_moment"), sweep.second_moment[:, 1] / sweep.second_moment[:, 0]
    )


def test_depth_sweep_draws_the_inputs_that_are_asked_for() -> None:
    options = {"init": he_normal, "activation": "relu"}
    ones = partial(np.full, fill_value=1.0)
    sweep = depth_sweep((400, 400), seeds=1, inputs=lambda m, n, rng: ones((m, n)), **options)
    assert sweep.second_moment[0, 0] == pytest.approx(2, rel=0.3)
    with pytest.raises(ValueError, match="name must be one of 'second_moment'"):
        sweep.factor("moment")


# Backward


def loss_of(net: Network, x: Any, weighting: Any) -> float:
    """A scalar whose ∂L/∂z of the last layer is `weighting`."""
    return float(np.sum(forward(net, x).z[-1] * weighting))


def numerical(net: Network, x: Any, weighting: Any, kind: str, layer: int) -> Any:
    """Central differences of the loss by every entry of one weight matrix or bias vector."""
    h = 1e-5
    arrays = getattr(net, kind)
    slope = np.zeros_like(arrays[layer])
    for index in np.ndindex(slope.shape):
        ends = []
        for step in (h, -h):
            moved = arrays[layer].copy()
            moved[index] += step
            changed = (*arrays[:layer], moved, *arrays[layer + 1 :])
            ends.append(loss_of(replace(net, **{kind: changed}), x, weighting))
        slope[index] = (ends[0] - ends[1]) / (2 * h)
    return slope


@all_activations
def test_backward_against_finite_differences(phi: Any) -> None:
    net, x, weighting = small_net(phi)
    trace = forward(net, x)
    # The differences must not step over a kink.
    assert min(abs(z).min() for z in trace.z) > 1e-3
    gradients = backward(net, trace, weighting)
    for layer in range(net.depth):
        for kind in ("weights", "biases"):
            np.testing.assert_allclose(
                getattr(gradients, kind)[layer],
                numerical(net, x, weighting, kind, layer),
                rtol=1e-6,
                atol=1e-8,
            )


@all_activations
def test_gradient_by_preactivation_against_finite_differences(phi: Any) -> None:
    # One sample a time, a unit's bias moves its z alone: ∂L/∂b of that sample is ∂L/∂z.
    net, x, weighting = small_net(phi, seed=3)
    trace = forward(net, x)
    assert min(abs(z).min() for z in trace.z) > 1e-3
    gradients = backward(net, trace, weighting)
    for layer in range(net.depth):
        for sample in range(len(x)):
            one = slice(sample, sample + 1)
            np.testing.assert_allclose(
                gradients.z[layer][sample],
                numerical(net, x[one], weighting[one], "biases", layer),
                rtol=1e-6,
                atol=1e-8,
            )


@all_activations
def test_weight_gradients_are_sums_over_the_samples(phi: Any) -> None:
    net, x, weighting = small_net(phi)
    whole = backward(net, forward(net, x), weighting)
    parts = [backward(net, forward(net, x[i : i + 1]), weighting[i : i + 1]) for i in range(len(x))]
    for layer in range(net.depth):
        for kind in ("weights", "biases"):
            total = sum(getattr(part, kind)[layer] for part in parts)
            np.testing.assert_allclose(getattr(whole, kind)[layer], total, rtol=1e-12, atol=1e-14)
        stacked = np.concatenate([part.z[layer] for part in parts])
        np.testing.assert_allclose(whole.z[layer], stacked, rtol=1e-12)


def test_nothing_is_changed() -> None:
    net, x, weighting = small_net(relu)
    kept = [array.copy() for array in (*net.weights, *net.biases, x, weighting)]
    trace = forward(net, x)
    traced = [array.copy() for array in (*trace.z, *trace.a)]
    backward(net, trace, weighting)
    layer_statistics(net, x, np.random.default_rng(0))
    for old, new in zip(kept, (*net.weights, *net.biases, x, weighting), strict=True):
        np.testing.assert_array_equal(old, new)
    for old, new in zip(traced, (*trace.z, *trace.a), strict=True):
        np.testing.assert_array_equal(old, new)


# Statistics


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_rms_and_median(values: list[float]) -> None:
    assert rms(values) == pytest.approx(sqrt(sum(v * v for v in values) / len(values)))
    ordered = sorted(abs(v) for v in values)
    middle = (ordered[(len(values) - 1) // 2] + ordered[len(values) // 2]) / 2
    assert median_magnitude(values) == pytest.approx(middle)


def test_median_and_rms_tell_apart_what_a_few_units_carry() -> None:
    values = np.array([0.0, 0.0, 0.0, -8.0])
    assert median_magnitude(values) == 0
    assert rms(values) == 4


def test_statistics_are_summed_in_float64() -> None:
    # 300² overflows float16; the sum of 10^6 of them stalls in float32.
    assert rms(np.full(1_000_000, 300, np.float16)) == 300
    assert rms(np.full(1_000_000, 1e30, np.float32)) == pytest.approx(1e30, rel=1e-7)
    ramp = np.full(3_000_001, 0.1, np.float32)
    assert rms(ramp) == pytest.approx(float(np.float32(0.1)), rel=1e-12)


def test_saturated_share() -> None:
    # σ′ = 0.01 at |z| = 4.59.
    z = np.array([-5.0, -4.6, -4.58, 0.0, 4.58, 4.6, 5.0, 90.0])
    assert saturated_share("sigmoid", z) == 5 / 8
    assert saturated_share(relu, np.array([-1.0, 1.0])) == 1 / 2
    assert saturated_share("identity", z) == 0
    assert saturated_share("sigmoid", np.array([0.0]), threshold=0.26) == 1


SETTINGS = {
    "sigmoid, N(0, 1)": (sigmoid, 1000, partial(normal, std=1.0), normal, sqrt(1000), 1.0),
    "relu, He": (relu, 1000, he_normal, partial(constant, value=0.0), sqrt(2), 0.0),
    "tanh, LeCun": (tanh, 1000, lecun_normal, partial(constant, value=0.0), 1.0, 0.0),
    "tanh, σ_w = 1.5, σ_b = 0.5": (
        tanh,
        1000,
        partial(normal, std=1.5 / sqrt(1000)),
        partial(normal, std=0.5),
        1.5,
        0.5,
    ),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_wide_nets_follow_theory(setting: str) -> None:
    phi, width, init, bias_init, sigma_w, sigma_b = SETTINGS[setting]
    depth, runs = 5, []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        net = make_network(
            (width,) * (depth + 1), rng, init=init, bias_init=bias_init, activation=phi
        )
        x = rng.standard_normal((20, width)).astype(np.float32)
        runs.append(layer_statistics(net, x, rng))
    q = theory.variance_path(sigma_w**2 + sigma_b**2, depth, phi, sigma_w, sigma_b)
    # Five seeds scatter by a few percent; a factor of √2 in a weight is 41 % a layer.
    moments = np.mean([run.second_moment for run in runs], axis=0)
    np.testing.assert_allclose(moments, q, rtol=0.06)
    squares = np.mean([run.rms_gradient**2 for run in runs], axis=0)
    path = theory.rms_gradient_path(q, phi, sigma_w)
    np.testing.assert_allclose(np.sqrt(squares), path, rtol=0.06)


def test_saturation_and_medians_of_the_domino_effect() -> None:
    # Claim G8 at width 1000.
    rng = np.random.default_rng(0)
    net = make_network((1000,) * 5, rng, init=normal, bias_init=normal, activation="sigmoid")
    run = layer_statistics(net, rng.standard_normal((10, 1000)), rng)
    edge = special.logit((1 + sqrt(1 - 4 * 0.01)) / 2)  # where σ′ = y(1 − y) falls to 0.01
    expected = theory.saturation_probability(edge, sqrt(run.second_moment[-1]))
    assert run.saturated_share[-1] == pytest.approx(expected, abs=0.02)
    assert run.median_gradient[-1] == pytest.approx(0.6745, abs=0.03)  # of N(0, 1)
    assert (run.median_gradient[:-1] < 0.01 * run.rms_gradient[:-1]).all()
    assert run.rms_gradient[0] > 3 * run.rms_gradient[-1]


def test_statistics_are_those_of_a_forward_and_a_backward_pass() -> None:
    net, x, _ = small_net(sigmoid)
    run = layer_statistics(net, x, np.random.default_rng(5), threshold=0.2)
    trace = forward(net, x)
    last = np.random.default_rng(5).standard_normal((6, 2))
    gradients = backward(net, trace, last)
    for layer in range(net.depth):
        z, g = trace.z[layer], gradients.z[layer]
        assert run.second_moment[layer] == pytest.approx(np.mean(z**2))
        assert run.saturated_share[layer] == np.mean(sigmoid.derivative(z) < 0.2)
        assert run.median_gradient[layer] == pytest.approx(np.median(abs(g)))
        assert run.rms_gradient[layer] == pytest.approx(sqrt(np.mean(g**2)))


# Dead units, samples that look alike, nets that are born dead


def test_dead_share_by_hand() -> None:
    # First layer: one unit for x > 0, one for x < 0, one that is always off.  Second: dead, alive.
    W = (np.array([[1.0, -1.0, 0.0]]), np.array([[-1.0, 1.0], [-1.0, 1.0], [9.0, 9.0]]))
    net = Network(W, (np.array([0.0, 0.0, -1.0]), np.zeros(2)), (relu, relu))
    np.testing.assert_allclose(dead_share(net, [[2.0], [-2.0]]), [1 / 3, 1 / 2])
    np.testing.assert_allclose(dead_share(net, [[2.0], [3.0]]), [2 / 3, 1 / 2])
    np.testing.assert_allclose(dead_share(net, [[0.0]]), [1, 1])


def test_an_output_of_0_is_dead_at_either_sign_of_z() -> None:
    net = Network((np.array([[1.0, 0.0]]),), (np.zeros(2),), (identity,))
    np.testing.assert_allclose(dead_share(net, [[-1.0], [-2.0]]), [0.5])


def test_half_of_the_units_are_dead_for_one_sample() -> None:
    net = make_network((50, 4000), np.random.default_rng(0), init=he_normal, activation=relu)
    x = np.random.default_rng(1).standard_normal((1, 50))
    assert dead_share(net, x)[0] == pytest.approx(0.5, abs=0.025)  # 3 standard errors


def test_mean_cosine_against_all_pairs() -> None:
    rows = np.random.default_rng(0).standard_normal((7, 3))
    rows[:, 0] += 0.5
    pairs = [
        rows[i] @ rows[j] / np.linalg.norm(rows[i]) / np.linalg.norm(rows[j])
        for i in range(7)
        for j in range(7)
        if i != j
    ]
    assert mean_cosine(rows) == pytest.approx(np.mean(pairs), rel=1e-12)
    scaled = rows * np.arange(1, 8)[:, None]  # lengths do not count
    assert mean_cosine(scaled) == pytest.approx(np.mean(pairs), rel=1e-12)


def test_mean_cosine_at_the_ends() -> None:
    assert mean_cosine([[1, 2], [2, 4], [0, 0], [3, 6]]) == pytest.approx(1)
    assert mean_cosine([[1, 2], [-1, -2]]) == pytest.approx(-1)
    assert mean_cosine(np.eye(4)) == pytest.approx(0)


@pytest.mark.parametrize(("width", "depth"), [(1, 4), (2, 10), (3, 10), (5, 10)])
def test_born_dead_on_one_ray_is_the_law(width: int, depth: int) -> None:
    # Theorem: exact on a ray; 4 standard errors of a share.
    nets = 20_000
    law = theory.born_dead_bound(width, depth)
    found = born_dead_share([[1.0], [3.0]], width, depth, np.random.default_rng(0), nets=nets)
    assert found == pytest.approx(law, abs=4 * sqrt(law * (1 - law) / nets))


@pytest.mark.parametrize(("width", "published"), [(2, 0.88), (3, 0.57), (5, 0.125), (10, 0.001)])
def test_born_dead_on_the_line_is_below_the_bound(width: int, published: float) -> None:
    # Result P12.
    found = born_dead_share([[-1.0], [1.0]], width, 10, np.random.default_rng(0), nets=20_000)
    assert found < theory.born_dead_bound(width, 10) - 0.004
    assert found == pytest.approx(published, abs=0.016)


def test_without_a_hidden_layer_nothing_is_born_dead() -> None:
    assert born_dead_share([[1.0]], 1, 1, np.random.default_rng(0)) == 0


def test_a_large_bias_keeps_narrow_nets_alive_and_a_negative_one_kills() -> None:
    def share(bias: float) -> float:
        return born_dead_share([[1.0]], 2, 3, np.random.default_rng(0), bias=bias, nets=500)

    assert share(-100.0) == 1
    assert share(1.0) < share(0.0) - 0.1


def test_born_dead_share_agrees_with_whole_networks() -> None:
    # The same share, by nets drawn one by one: the output is the same for every input.
    x = np.array([[-1.0], [1.0]])
    rng = np.random.default_rng(3)
    nets = [make_network((1, 3, 3, 3, 1), rng, init=he_normal, activation=relu, output=identity)
            for _ in range(3000)]  # fmt: skip
    constant_output = np.mean([np.ptp(forward(net, x).a[-1]) == 0 for net in nets])
    assert born_dead_share(x, 3, 4, rng, nets=20_000) == pytest.approx(constant_output, abs=0.03)


# Weight gradients and Jacobians


def test_weight_gradients_of_single_samples_against_one_pass_a_sample() -> None:
    net, x, _ = small_net(tanh)
    trace = forward(net, x)
    gradient = np.random.default_rng(1).standard_normal(trace.z[-1].shape)
    squares = []
    for i in range(len(x)):
        alone = forward(net, x[i : i + 1])
        weights = backward(net, alone, gradient[i : i + 1]).weights
        squares.append([np.mean(W**2) for W in weights])
    found = sample_weight_gradient_rms(trace, backward(net, trace, gradient))
    assert found == pytest.approx(np.sqrt(np.mean(squares, axis=0)), rel=1e-12)


def test_singular_values_against_a_numerical_jacobian() -> None:
    net, x, _ = small_net(tanh)
    trace, layer, step = forward(net, x), 1, 1e-6
    found = layer_jacobian_singular_values(net, trace, layer)
    for i, z in enumerate(trace.z[layer - 1]):
        moves = step * np.eye(len(z))
        upper = [tanh(z + sign * moves) @ net.weights[layer] for sign in (1, -1)]
        jacobian = (upper[0] - upper[1]) / (2 * step)
        assert found[i] == pytest.approx(np.linalg.svd(jacobian, compute_uv=False), rel=1e-6)


def test_mean_singular_value_of_a_wide_linear_layer() -> None:
    rng = np.random.default_rng(0)
    net = make_network((300,) * 3, rng, init=lecun_normal, activation="identity")
    found = layer_jacobian_singular_values(net, forward(net, np.ones((1, 300))), 1)
    assert found.shape == (1, 300)
    assert found.mean() == pytest.approx(8 / (3 * np.pi), rel=0.02)


# Weighted sums


@pytest.mark.parametrize("mean", [0.0, 3.0])
def test_weighted_sums_have_the_predicted_variance(mean: float) -> None:
    z = weighted_sums(fan_in_uniform, 50, 40_000, np.random.default_rng(0), mean=mean)
    variance = (mean**2 + 1) / 3
    assert z.var() == pytest.approx(variance, rel=0.03)
    assert abs(z.mean()) < 4 * sqrt(variance / len(z))


@pytest.mark.parametrize("inputs", [1, 7, 3000])
def test_a_block_is_one_matrix_of_weights_and_one_of_inputs(
    monkeypatch: pytest.MonkeyPatch, inputs: int
) -> None:
    # Neurons that do not fill the last block, and neurons larger than a block.
    monkeypatch.setattr("initcourse.propagation._BLOCK", 21)
    found = weighted_sums(normal, inputs, 10, np.random.default_rng(0), mean=2.0)
    rng, block, parts = np.random.default_rng(0), min(10, max(1, 21 // inputs)), []
    for size in [block] * (10 // block) + [10 % block] * (10 % block > 0):
        x = normal((inputs, size), rng, mean=2.0)
        parts.append((normal((inputs, size), rng) * x).sum(axis=0, dtype=np.float64))
    assert found.dtype == np.float64
    assert found == pytest.approx(np.concatenate(parts), rel=1e-3, abs=1e-3)


def test_weighted_sums_refuse_what_is_no_count() -> None:
    with pytest.raises(ValueError, match="neurons"):
        weighted_sums(normal, 3, 0, np.random.default_rng(0))
    with pytest.raises(ValueError, match="mean"):
        weighted_sums(normal, 3, 1, np.random.default_rng(0), mean=np.inf)
