"""Four criteria and two rules: each figure against a number made by hand, verdicts at limits."""

from dataclasses import FrozenInstanceError, fields, replace
from functools import partial
from math import inf, isnan, log, pi, sqrt
from typing import Any

import numpy as np
import pytest

from initcourse import activations, theory
from initcourse.activations import Activation, leaky_relu, relu, sigmoid, tanh
from initcourse.diagnosis import (
    CRITERIA,
    RULES,
    Diagnosis,
    Losses,
    Thresholds,
    diagnose,
    diagnose_network,
)
from initcourse.initializers import (
    constant,
    fan_in_uniform,
    glorot_normal,
    he_normal,
    normal,
    zeros,
)
from initcourse.propagation import Network, backward, forward, make_network

SIGNS = np.array([[1.0, -1.0], [-1.0, 1.0]])  # mean 0, RMS 1


def net_of(
    init: Any,
    activation: str,
    depth: int = 10,
    width: int = 100,
    seed: int = 0,
    dtype: Any = np.float64,
) -> Network:
    rng = np.random.default_rng(seed)
    widths = (width,) * (depth + 1) + (10,)
    options = {"activation": activation, "output": "identity", "dtype": dtype}
    return make_network(widths, rng, init=init, **options)


def judged(init: Any, activation: str, **net: Any) -> Diagnosis:
    rng = np.random.default_rng(1)
    network = net_of(init, activation, **net)
    return diagnose_network(network, rng.standard_normal((100, network.widths[0])), rng)


def by_hand(**changes: Any) -> Diagnosis:
    """Two layers of relu with figures that are easy to read."""
    z = [SIGNS, 2 * SIGNS]
    given: dict[str, Any] = {
        "z": z,
        "a": [relu(one) for one in z],
        "gradients": [SIGNS, 3 * SIGNS],
        "activation": "relu",
    }
    given |= changes
    return diagnose(given.pop("z"), given.pop("a"), given.pop("gradients"), **given)


# Each figure


def test_the_checks_come_in_order() -> None:
    found = by_hand()
    assert tuple(check.name for check in found.checks) == CRITERIA + RULES
    assert found["gradients"].name == "gradients"
    with pytest.raises(ValueError, match=r"one of 'losses', .*'variance'; got 'loss'"):
        found["loss"]


def test_gradients_are_the_largest_rms_over_the_smallest() -> None:
    assert by_hand()["gradients"].figure == pytest.approx(3)
    assert by_hand()["gradients"].layer == 1
    shrinking = by_hand(gradients=[5 * SIGNS, 0.5 * SIGNS])["gradients"]
    assert (shrinking.figure, shrinking.layer) == (pytest.approx(10), 2)


def test_the_gradient_is_an_rms_not_a_median() -> None:
    spike = np.zeros((10, 10))
    spike[0, 0] = 10.0  # RMS 1, median 0
    found = by_hand(gradients=[spike, SIGNS])
    assert found["gradients"].figure == pytest.approx(1)
    assert found.layers.median_gradient.tolist() == [0, 1]


def test_variance_is_about_the_mean() -> None:
    found = by_hand(z=[SIGNS + 100, 2 * SIGNS])
    assert found["variance"].figure == pytest.approx(4)
    np.testing.assert_allclose(found.layers.z_variance, [1, 4])
    np.testing.assert_allclose(found.layers.z_mean, [100, 0])


def test_mean_is_relative_to_the_rms_and_has_no_sign() -> None:
    found = by_hand(z=[SIGNS, 3 * SIGNS - 4])["mean"]
    assert (found.figure, found.layer) == (pytest.approx(4 / 5), 2)
    assert found.passed is False


def test_explosion_counts_from_the_input_if_it_is_given() -> None:
    found = by_hand()["explosion"]
    assert (found.figure, found.layer) == (pytest.approx(2), 2)
    assert by_hand(x=SIGNS / 10)["explosion"].figure == pytest.approx(20 / sqrt(2))


def test_saturation_is_the_largest_share_of_small_slopes() -> None:
    z = [np.array([0.0, 1.0, 5.0, -5.0]), np.array([-5.0, 5.0, 6.0, 0.0])]
    found = by_hand(z=z, a=[sigmoid(one) for one in z], activation="sigmoid")
    assert (found["saturation"].figure, found["saturation"].layer) == (0.75, 2)
    assert found.layers.saturated_share.tolist() == [0.5, 0.75]
    assert found["explosion"].passed is None
    assert isnan(found["explosion"].figure)


def test_losses_are_judged_by_the_larger() -> None:
    assert by_hand()["losses"].passed is None
    for train, test in [(0.1, 0.9), (0.9, 0.1)]:
        found = by_hand(losses=Losses(train, test, baseline=2.0))["losses"]
        assert found.figure == pytest.approx(0.45)
        assert found.passed is True
    assert by_hand(losses=Losses(0.1, 1.7, baseline=2.0)).failed == ("losses",)
    for bad in (inf, float("nan")):
        found = by_hand(losses=Losses(bad, 0.1, baseline=2.0))["losses"]
        assert (found.figure, found.passed) == (inf, False)
        found = by_hand(losses=Losses(0.1, bad, baseline=2.0))["losses"]
        assert (found.figure, found.passed) == (inf, False)


# To what a check applies


@pytest.mark.parametrize("phi", [sigmoid, tanh])
def test_bounded_units_saturate_and_do_not_explode(phi: Activation) -> None:
    found = judged(he_normal, phi.name)
    assert found["saturation"].passed is not None
    assert found["explosion"].passed is None


@pytest.mark.parametrize("phi", [relu, leaky_relu(0.1), activations.identity])
def test_unbounded_units_explode_and_do_not_saturate(phi: Activation) -> None:
    found = by_hand(activation=phi)
    assert found["saturation"].passed is None
    assert found["explosion"].passed is not None


def test_a_function_of_ones_own_and_a_mixed_net() -> None:
    own = Activation("sin", np.sin, np.cos)  # bounded, never flat for good
    z = [SIGNS, 10 * SIGNS]
    found = by_hand(z=z, a=[np.sin(z[0]), np.tanh(z[1])], activation=[own, "tanh"])
    assert found["saturation"].layer == 2
    assert found["saturation"].figure == 1.0


# Limits


@pytest.mark.parametrize(
    ("name", "figure"), [("gradients", 3), ("variance", 4), ("explosion", 2), ("mean", 0.6)]
)
def test_the_limit_itself_passes(name: str, figure: float) -> None:
    z = [SIGNS, 2 * SIGNS] if name != "mean" else [SIGNS + 0.75, SIGNS]
    at = by_hand(z=z, thresholds=Thresholds(**{name: figure * (1 + 1e-12)}))[name]
    below = by_hand(z=z, thresholds=Thresholds(**{name: figure * (1 - 1e-9)}))[name]
    assert at.figure == pytest.approx(figure)
    assert (at.passed, below.passed) == (True, False)
    assert (at.verdict, below.verdict) == ("passes", "fails")


def test_exactly_at_the_limit() -> None:
    # Powers of two: no rounding between the figure and the threshold.
    found = by_hand(gradients=[SIGNS, 2 * SIGNS], thresholds=Thresholds(gradients=2))["gradients"]
    assert (found.figure, found.passed) == (2, True)


def test_the_slope_and_share_of_saturation_are_adjustable() -> None:
    z = [np.array([0.0, 0.0, 3.0, -3.0])]  # tanh′(3) = 0.00987
    made: dict[str, Any] = {"z": z, "a": [np.tanh(z[0])], "gradients": [z[0]], "activation": "tanh"}
    assert by_hand(**made)["saturation"].figure == 0.5
    assert by_hand(**made, thresholds=Thresholds(slope=0.009))["saturation"].figure == 0.0
    assert by_hand(**made, thresholds=Thresholds(saturation=0.4)).failed == ("saturation",)


def test_valid_looks_at_the_criteria_and_not_at_the_rules() -> None:
    found = by_hand(z=[SIGNS, 100 * SIGNS + 1000], thresholds=Thresholds(explosion=1e9))
    assert found.failed == ("mean", "variance")
    assert found.valid
    assert not by_hand(gradients=[SIGNS, 11 * SIGNS]).valid


# Nets that are broken


def test_a_layer_without_gradient_fails() -> None:
    found = by_hand(gradients=[0 * SIGNS, SIGNS])["gradients"]
    assert (found.figure, found.passed, found.layer) == (inf, False, 1)


@pytest.mark.parametrize("bad", [inf, float("nan")])
def test_values_that_are_not_finite_fail_without_a_warning(bad: float) -> None:
    broken = np.array([[1.0, bad], [-1.0, 1.0]])
    found = by_hand(z=[SIGNS, broken], a=[SIGNS, broken], gradients=[SIGNS, broken])
    for name in ("explosion", "gradients", "mean", "variance"):
        assert (found[name].figure, found[name].passed) == (inf, False), name
    saturated = by_hand(z=[SIGNS, broken], a=[SIGNS, SIGNS], activation="tanh")["saturation"]
    assert saturated.figure == 0.25


def test_an_overflow_in_float32_is_found_without_a_warning() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((20, 100), dtype=np.float32)
    net = net_of(partial(normal, std=1e10), "relu", dtype=np.float32)
    found = diagnose_network(net, x, rng)
    assert not found.valid
    assert found["explosion"].figure == inf


def test_zero_and_constant_starts() -> None:
    zero = judged(zeros, "relu")
    assert zero.failed == ("gradients", "variance")
    assert zero["mean"].figure == 0
    assert judged(partial(constant, value=0.05), "relu", depth=10)["explosion"].passed is False


# Nets that are known


@pytest.mark.parametrize("seed", range(5))
def test_he_is_valid_for_relu_and_glorot_is_not(seed: int) -> None:
    assert judged(he_normal, "relu", seed=seed).valid
    assert "gradients" in judged(glorot_normal, "relu", seed=seed).failed


def test_sigmoid_gradients_follow_the_theory() -> None:
    width, depth = 400, 6
    found = judged(glorot_normal, "sigmoid", depth=depth, width=width)
    q = theory.variance_path(1.0, depth, "sigmoid", 1.0)
    predicted = theory.rms_gradient_path(q, "sigmoid", 1.0)
    measured = found.layers.rms_gradient
    np.testing.assert_allclose(measured / measured[-1], predicted, rtol=0.1)
    assert found["gradients"].figure == pytest.approx(1 / predicted[0], rel=0.1)


def test_relu_keeps_its_mean_over_rms() -> None:
    layers = judged(he_normal, "relu", width=1000, depth=2).layers
    np.testing.assert_allclose(layers.a_mean / layers.a_rms, 1 / sqrt(pi), rtol=0.05)


def test_tanh_with_normal_weights_is_saturated() -> None:
    found = judged(normal, "tanh", width=500, depth=3)
    assert found["saturation"].figure > 0.85
    assert found["gradients"].passed is False


def test_weight_gradients_would_not_tell() -> None:
    rng = np.random.default_rng(0)
    net = net_of(fan_in_uniform, "tanh")
    trace = forward(net, rng.standard_normal((100, 100)))
    found = backward(net, trace, rng.standard_normal((100, 10)))
    hidden = trace.z[:-1], trace.a[:-1]
    assert diagnose(*hidden, found.z[:-1], activation="tanh")["gradients"].figure > 50
    assert diagnose(*hidden, found.weights[:-1], activation="tanh")["gradients"].figure < 5


# The convenient call


def test_diagnose_network_is_diagnose_of_the_hidden_layers() -> None:
    net, x = net_of(he_normal, "tanh", depth=3), np.random.default_rng(3).standard_normal((20, 100))
    found = diagnose_network(net, x, np.random.default_rng(5))
    trace = forward(net, x)
    last = np.random.default_rng(5).standard_normal((20, 10)).astype(trace.z[-1].dtype)
    gradients = backward(net, trace, last).z
    again = diagnose(trace.z[:-1], trace.a[:-1], gradients[:-1], activation="tanh", x=x)
    for one, other in zip(found.checks, again.checks, strict=True):
        assert (one.name, one.passed, one.threshold) == (other.name, other.passed, other.threshold)
        np.testing.assert_equal(one.figure, other.figure)
    assert len(found.layers.rms_gradient) == 3


def test_the_scale_of_the_inputs_does_not_matter_to_relu() -> None:
    net = net_of(he_normal, "relu", depth=3)
    x = np.random.default_rng(3).standard_normal((20, 100))
    one = diagnose_network(net, x, np.random.default_rng(5))
    other = diagnose_network(net, 1000 * x, np.random.default_rng(5))
    np.testing.assert_allclose(
        [check.figure for check in one.checks], [check.figure for check in other.checks], rtol=1e-4
    )


def test_losses_and_thresholds_are_passed_on() -> None:
    net, x = net_of(he_normal, "relu", depth=3), np.ones((20, 100))
    losses = Losses(2.3, 2.3, baseline=log(10))
    found = diagnose_network(net, x, np.random.default_rng(5), losses=losses)
    assert found["losses"].passed is False
    assert not found.valid
    kind = diagnose_network(
        net, x, np.random.default_rng(5), losses=losses, thresholds=Thresholds(losses=1.1)
    )
    assert kind["losses"].passed is True


def test_convolutions_have_more_axes() -> None:
    z = [np.random.default_rng(0).standard_normal((2, 8, 8, 3)) for _ in range(3)]
    assert diagnose(z, [relu(one) for one in z], z, activation="relu").valid


def test_nothing_is_changed() -> None:
    z = [SIGNS.copy(), 2 * SIGNS]
    a, gradients = [relu(one) for one in z], [SIGNS.copy(), SIGNS.copy()]
    kept = [one.copy() for one in (*z, *a, *gradients)]
    diagnose(z, a, gradients, activation="relu")
    for old, new in zip(kept, (*z, *a, *gradients), strict=True):
        np.testing.assert_array_equal(old, new)


# The result


def test_the_result_is_frozen() -> None:
    found = by_hand()
    for one in (found, found.checks[0], found.layers, Thresholds(), Losses(1, 1, 1)):
        name = fields(one)[0].name
        with pytest.raises(FrozenInstanceError):
            setattr(one, name, None)
    assert replace(Thresholds(), mean=1.0).mean == 1.0


def test_it_shows_itself_as_a_table() -> None:
    text, page = repr(by_hand()), by_hand()._repr_html_()
    assert "gradients   passes" in text
    assert "saturation  not measured" in text
    assert "nan" not in text
    assert page.count("<tr>") == 7


# Errors


@pytest.mark.parametrize("name", [one.name for one in fields(Thresholds)])
@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), inf])
def test_bad_thresholds(name: str, bad: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be .* got {bad}"):
        Thresholds(**{name: bad})


def test_bad_calls() -> None:
    with pytest.raises(ValueError, match="number of layers in z must be >= 1, got 0"):
        by_hand(z=[], a=[], gradients=[])
    with pytest.raises(ValueError, match="a must have one entry a layer, 2, got 1"):
        by_hand(a=[SIGNS])
    with pytest.raises(ValueError, match="gradients must have one entry a layer, 2, got 3"):
        by_hand(gradients=[SIGNS] * 3)
    with pytest.raises(ValueError, match="activation must have one entry a layer, 2, got 1"):
        by_hand(activation=["relu"])
    with pytest.raises(ValueError, match=r"'relu'.* got 'reluu'"):
        by_hand(activation="reluu")
    with pytest.raises(ValueError, match=r"a\[1\] must not be empty, got shape \(0, 2\)"):
        by_hand(a=[SIGNS, np.zeros((0, 2))])
    with pytest.raises(ValueError, match="baseline must be > 0, got 0"):
        Losses(1.0, 1.0, baseline=0)
    net = make_network((3, 2), np.random.default_rng(0), init=he_normal, activation="relu")
    with pytest.raises(
        ValueError, match=r"hidden layer before its output, got 1 layer; .* diagnose"
    ):
        diagnose_network(net, np.ones((5, 3)), np.random.default_rng(0))
    with pytest.raises(TypeError, match="got 42"):
        diagnose_network(net_of(he_normal, "relu"), np.ones((5, 100)), 42)  # type: ignore[arg-type]
