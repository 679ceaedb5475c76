"""Predictions against adaptive integration, closed forms, published numbers and simulation."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from math import inf, pi, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special, stats

from initcourse import theory
from initcourse.activations import Activation, identity, leaky_relu, named, relu, sigmoid, tanh
from initcourse.quadrature import gaussian_expectation
from initcourse.theory import chi_1, q_star, variance_map, variance_path

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "sigmoid": sigmoid,
    "sigmoid'": sigmoid.derivative,
    "sigmoid'^2": lambda x: sigmoid.derivative(x) ** 2,
    "tanh^2": lambda x: tanh(x) ** 2,
    "tanh'^2": lambda x: tanh.derivative(x) ** 2,
    "relu": relu,
    "relu^2": lambda x: relu(x) ** 2,
    "relu'": relu.derivative,
}


def adaptive(f: Callable[[Any], Any], std: float, mean: float) -> float:
    """E[f(x)] by SciPy's adaptive integration, cut where f bends and where the density lives."""
    cuts = {mean + std * k for k in range(-14, 15, 2)}
    cuts |= {float(x) for x in (-40, -20, -10, -5, 0, 5, 10, 20, 40) if abs(x - mean) < 14 * std}
    edges = sorted(cuts)
    pieces = [
        integrate.quad(
            lambda x: (
                float(np.ravel(f(np.array([x])))[0])
                * np.exp(-(((x - mean) / std) ** 2) / 2)
                / (std * sqrt(2 * pi))
            ),
            *ends,
            epsabs=0,
            epsrel=1e-12,
            limit=200,
        )[0]
        for ends in pairwise(edges)
    ]
    return float(sum(pieces))


# Integrals over the normal distribution


@pytest.mark.filterwarnings("ignore::scipy.integrate.IntegrationWarning")
@pytest.mark.parametrize("mean", [0.0, 3.0, -50.0])
@pytest.mark.parametrize("std", [0.1, 1.0, 22.0, 112.0])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_expectation_against_adaptive_integration(name: str, std: float, mean: float) -> None:
    f = FUNCTIONS[name]
    expected = adaptive(f, std, mean)
    assert gaussian_expectation(f, std, mean) == pytest.approx(expected, rel=1e-10, abs=1e-300)


@given(st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_expectation_of_polynomials(std: float, mean: float) -> None:
    assert gaussian_expectation(np.ones_like, std, mean) == pytest.approx(1, rel=1e-13)
    size = abs(mean) + std
    assert gaussian_expectation(lambda x: x, std, mean) == pytest.approx(mean, abs=1e-12 * size)
    square = gaussian_expectation(np.square, std, mean)
    assert square == pytest.approx(mean**2 + std**2, rel=1e-12)


@given(st.floats(1e-3, 1e3), st.floats(-5, 5))
def test_expectation_of_relu_is_its_closed_form(std: float, shift: float) -> None:
    mean = shift * std
    Phi, phi = stats.norm.cdf(shift), stats.norm.pdf(shift)
    for f, expected in [
        (relu, mean * Phi + std * phi),
        (lambda x: relu(x) ** 2, (mean**2 + std**2) * Phi + mean * std * phi),
        (relu.derivative, Phi),
    ]:
        tolerance = 1e-12 * max(1, mean**2 + std**2)
        assert gaussian_expectation(f, std, mean) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("std", [1e-300, 1e-30, 1e-17, 1e-15, 1e-9])
def test_expectation_with_a_std_that_is_tiny_beside_the_mean(std: float) -> None:
    assert gaussian_expectation(sigmoid, std, 1.0) == pytest.approx(special.expit(1.0), rel=1e-12)


def test_expectation_without_width_is_the_value() -> None:
    assert gaussian_expectation(np.tanh, 0, 0.5) == np.tanh(0.5)


@pytest.mark.parametrize("std", [22.383, 112.0])
def test_gauss_hermite_would_be_wrong(std: float) -> None:
    # Why the package does not use it: 100 nodes miss the bend of a sigmoid.
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    naive = weights @ sigmoid.derivative(std * nodes) / sqrt(2 * pi)
    right = adaptive(sigmoid.derivative, std, 0.0)
    assert abs(naive / right - 1) > 0.5
    assert gaussian_expectation(sigmoid.derivative, std) == pytest.approx(right, rel=1e-10)


def test_published_figures_of_the_gaussian_problem() -> None:
    # Result P1: √501 with N(0, 1), √1.5 with the cure; 0.837 of the units are nearly off or on.
    assert gaussian_expectation(sigmoid.derivative, sqrt(501)) == pytest.approx(0.01777, abs=5e-6)
    assert gaussian_expectation(sigmoid.derivative, sqrt(1.5)) == pytest.approx(0.1928, abs=5e-5)
    outside = theory.saturation_probability(special.logit(0.99), sqrt(501))
    assert outside == pytest.approx(0.837, abs=5e-4)


# Distributions of one neuron


def test_gaussian_density() -> None:
    x = np.linspace(-9, 9, 31)
    np.testing.assert_allclose(
        theory.gaussian_density(x, 2.5, -1), stats.norm(-1, 2.5).pdf(x), rtol=1e-13
    )


@given(st.floats(0, 50), st.floats(0.1, 100), st.floats(-20, 20))
def test_saturation_probability(threshold: float, std: float, mean: float) -> None:
    law = stats.norm(mean, std)
    expected = law.cdf(-threshold) + law.sf(threshold)
    found = theory.saturation_probability(threshold, std, mean)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-300)


def test_published_saturation_probabilities() -> None:
    # Claims G5 and G9.
    for threshold, share in [(1, 0.9644), (4, 0.8582), (10, 0.6550)]:
        found = theory.saturation_probability(threshold, sqrt(501))
        assert found == pytest.approx(share, abs=5e-5)
    assert theory.saturation_probability(4, sqrt(1.5)) == pytest.approx(0.00109, abs=5e-6)


@pytest.mark.parametrize(("std", "mean"), [(0.5, 0.0), (1.0, 1.0), (4.0, -2.0), (22.4, 0.0)])
def test_sigmoid_density(std: float, mean: float) -> None:
    # Between two y the density holds what the normal holds between their logits.
    edges = special.expit(np.linspace(-6, 6, 9))
    for low, high in pairwise(edges):
        held = integrate.quad(lambda y: float(theory.sigmoid_density(y, std, mean)), low, high)[0]
        z = stats.norm(mean, std).cdf(special.logit([low, high]))
        assert held == pytest.approx(z[1] - z[0], abs=1e-8)


@pytest.mark.parametrize(("std", "mean"), [(0.5, 0.0), (1.0, 1.0)])
def test_sigmoid_density_holds_everything(std: float, mean: float) -> None:
    whole = integrate.quad(lambda y: float(theory.sigmoid_density(y, std, mean)), 1e-12, 1 - 1e-12)
    assert whole[0] == pytest.approx(1, abs=1e-7)


def test_weighted_sum_variance() -> None:
    assert theory.weighted_sum_variance(500, 1, 1) == 501
    assert theory.weighted_sum_variance(500, 1 / sqrt(1000), 1) == pytest.approx(1.5)
    assert theory.weighted_sum_variance(0, 3) == 0


# From layer to layer


@given(st.floats(1e-3, 1e3), st.floats(0.1, 5), st.floats(0, 2))
def test_variance_map_in_closed_form(q: float, sigma_w: float, sigma_b: float) -> None:
    slope = 0.2
    for phi, kept in [(identity, 1), (relu, 1 / 2), (leaky_relu(slope), (1 + slope**2) / 2)]:
        expected = sigma_w**2 * kept * q + sigma_b**2
        assert variance_map(q, phi, sigma_w, sigma_b) == pytest.approx(expected, rel=1e-11)
        assert chi_1(q, phi, sigma_w) == pytest.approx(sigma_w**2 * kept, rel=1e-11)


@pytest.mark.parametrize(("sigma_w", "published"), [(1.3, 0.607), (2.5, 4.079), (4.0, 12.60)])
def test_fixed_points_of_poole_et_al(sigma_w: float, published: float) -> None:
    q = q_star("tanh", sigma_w, 0.3)
    assert q == pytest.approx(published, rel=1e-3)
    assert variance_map(q, "tanh", sigma_w, 0.3) == pytest.approx(q, rel=1e-12)
    assert q_star("tanh", sigma_w, 0.3, start=50) == pytest.approx(q, rel=1e-10)


def test_fixed_points_at_the_ends() -> None:
    assert q_star("relu", 2.0) == inf
    assert q_star("relu", sqrt(2), start=0.7) == pytest.approx(0.7)
    assert q_star("tanh", 0.5) == pytest.approx(0, abs=1e-12)
    assert q_star("identity", 0.5, 1.0) == pytest.approx(4 / 3)


def test_gain_5_3_settles_and_is_chaotic() -> None:
    # Claim D8 and the page of misconceptions: 0.651 is the spread of the activations.
    q = q_star("tanh", tanh.gain)
    assert sqrt(q) / tanh.gain == pytest.approx(0.651, abs=5e-4)
    assert chi_1(q, "tanh", tanh.gain) == pytest.approx(1.21, abs=5e-3)


@pytest.mark.parametrize(
    ("sigma_b_squared", "sigma_w_squared"),
    [(0.01, 1.424), (0.05, 1.761), (0.1, 1.986), (0.2, 2.285)],
)
def test_critical_line_of_schoenholz_et_al(sigma_b_squared: float, sigma_w_squared: float) -> None:
    # Result P8 gives three decimals: χ₁ crosses 1 within the last of them.
    def at_fixed_point(squared: float) -> float:
        sigma_w = sqrt(squared)
        return chi_1(q_star("tanh", sigma_w, sqrt(sigma_b_squared)), "tanh", sigma_w)

    assert at_fixed_point(sigma_w_squared - 0.001) < 1 < at_fixed_point(sigma_w_squared + 0.001)


def sigmoid_chi_1_with_standard_gaussians(width: int) -> float:
    # Weights and biases from N(0, 1): σ_w² = width, and the fixed point of the second moment.
    return chi_1(q_star("sigmoid", sqrt(width), 1.0), "sigmoid", sqrt(width))


def test_the_domino_effect_in_numbers() -> None:
    # Claim G8: gradients grow in RMS in wide nets, shrink in narrow ones.
    assert sigmoid_chi_1_with_standard_gaussians(1000) == pytest.approx(3.02, abs=5e-3)
    assert sqrt(sigmoid_chi_1_with_standard_gaussians(1000)) == pytest.approx(1.738, abs=5e-4)
    assert sigmoid_chi_1_with_standard_gaussians(50) == pytest.approx(0.689, abs=5e-4)
    assert sigmoid_chi_1_with_standard_gaussians(105) < 1
    assert sigmoid_chi_1_with_standard_gaussians(106) > 1


def test_he_keeps_both_moments_under_relu() -> None:
    for q in (0.01, 1.0, 300.0):
        assert variance_map(q, "relu", sqrt(2)) == pytest.approx(q, rel=1e-12)
        assert chi_1(q, "relu", sqrt(2)) == pytest.approx(1, rel=1e-12)


def test_xavier_under_sigmoid_loses_gradients() -> None:
    # Claim M4: ×0.236 a layer.
    q = q_star("sigmoid", 1.0)
    assert chi_1(q, "sigmoid", 1.0) == pytest.approx(0.0557, abs=5e-5)


def test_tanh_at_criticality_falls_as_one_over_2_l() -> None:
    # Result P9: the input has variance 1 and so has z of the first layer; E[a²] follows.
    path = variance_path(1.0, 101, "tanh", 1.0)
    after = dict(enumerate(path[1:], start=1))  # E[φ(z)²] of layer l, as sigma_w is 1
    for layer, published in [(1, 0.394), (5, 0.104), (10, 0.0522), (20, 0.026), (100, 0.00507)]:
        assert after[layer] == pytest.approx(published, rel=0.01)
    assert after[100] * 200 == pytest.approx(1, abs=0.02)


def test_variance_path_is_the_map_again_and_again() -> None:
    path = variance_path(0.7, 4, "tanh", 1.5, 0.2)
    assert path.shape == (4,)
    assert path[0] == 0.7
    for q, following in pairwise(path):
        assert following == variance_map(q, "tanh", 1.5, 0.2)


@pytest.mark.parametrize("q", [0.1, 1.0, 10.0])
def test_slope_of_the_variance_map(q: float) -> None:
    # Stein: dE[φ²]/dq = E[φ′² + φφ″] with tanh″ = −2 tanh tanh′; χ₁ is its first term.
    h = 1e-4 * q
    slope = (variance_map(q + h, "tanh", 1.5) - variance_map(q - h, "tanh", 1.5)) / (2 * h)
    second = gaussian_expectation(lambda z: -2 * tanh(z) ** 2 * tanh.derivative(z), sqrt(q))
    assert slope == pytest.approx(chi_1(q, "tanh", 1.5) + 1.5**2 * second, rel=1e-6)


def test_chi_1_at_zero_is_the_squared_slope() -> None:
    assert chi_1(0, "tanh", 1.3) == pytest.approx(1.3**2)
    assert chi_1(0, "sigmoid", 4.0) == pytest.approx(1.0)


def test_rms_gradient_path() -> None:
    q = [0.5, 1.0, 2.0]
    first, second, last = theory.rms_gradient_path(q, "tanh", 1.4)
    assert last == 1
    assert second == pytest.approx(sqrt(chi_1(1.0, "tanh", 1.4)))
    assert first == pytest.approx(sqrt(chi_1(0.5, "tanh", 1.4) * chi_1(1.0, "tanh", 1.4)))
    np.testing.assert_allclose(theory.rms_gradient_path([1.0], "tanh", 1.4), [1.0])


# One neuron that learns


@pytest.mark.parametrize(("start", "end"), [(2.0, 0.0), (5.0, 1.0), (1.0, -2.0)])
def test_learning_steps_against_gradient_descent(start: float, end: float) -> None:
    rate = 0.01
    w = b = start / 2
    steps = 0
    while w + b > end:
        y = 1 / (1 + np.exp(-(w + b)))
        gradient = y * y * (1 - y)
        w, b, steps = w - rate * gradient, b - rate * gradient, steps + 1
    assert steps == pytest.approx(theory.sigmoid_learning_steps(start, end, rate), rel=3e-3)


@given(st.floats(-5, 20), st.floats(0, 10), st.floats(1e-3, 1))
def test_learning_steps_add_up(start: float, fall: float, rate: float) -> None:
    steps = theory.sigmoid_learning_steps
    middle, end = start - fall / 2, start - fall
    whole = steps(start, end, rate)
    assert whole >= 0
    assert steps(start, middle, rate) + steps(middle, end, rate) == pytest.approx(whole, rel=1e-9)
    assert steps(start, end, 2 * rate) == pytest.approx(whole / 2)


# Uniform draws, spread after an activation, born dead nets


@given(st.integers(1, 10**6), st.floats(1e-3, 1e3))
def test_uniform_limit_gives_the_variance(fan_in: int, sigma_w: float) -> None:
    limit = theory.uniform_limit(fan_in, sigma_w)
    assert stats.uniform(-limit, 2 * limit).var() * fan_in == pytest.approx(sigma_w**2, rel=1e-12)


def test_uniform_limit_of_the_schemes() -> None:
    # He and LeCun in their uniform form: √(6/n) and √(3/n).
    assert theory.uniform_limit(2048, sqrt(2)) == pytest.approx(sqrt(6 / 2048), rel=1e-14)
    assert theory.uniform_limit(2048) == pytest.approx(sqrt(3 / 2048), rel=1e-14)


@given(st.floats(1e-3, 1e3))
def test_activation_variance_in_closed_form(q: float) -> None:
    assert theory.activation_variance(q, identity) == pytest.approx(q, rel=1e-11)
    assert theory.activation_variance(q, relu) == pytest.approx((0.5 - 0.5 / pi) * q, rel=1e-11)
    # An odd activation has mean 0: its variance is the second moment.
    second = gaussian_expectation(lambda z: tanh(z) ** 2, sqrt(q))
    assert theory.activation_variance(q, tanh) == pytest.approx(second, rel=1e-11)


@pytest.mark.parametrize("q", [1e-12, 1e-6, 1e-3])
def test_activation_variance_of_a_tiny_spread(q: float) -> None:
    # σ(z) ≈ 1/2 + z/4: the mean ½ must not swallow the digits of q / 16.
    found = theory.activation_variance(q, sigmoid)
    assert found == pytest.approx(q / 16, rel=2 * q + 1e-6, abs=0)
    assert theory.activation_variance(0, sigmoid) == 0


def test_activation_variance_of_a_saturated_sigmoid() -> None:
    # A coin that falls on 0 or 1.
    assert theory.activation_variance(1e12, sigmoid) == pytest.approx(0.25, rel=1e-5)


def test_published_bounds_of_born_dead_nets() -> None:
    # Result P12: 10 layers, 9 of them hidden.
    published = {2: 0.925, 3: 0.699, 5: 0.249, 10: 0.0088}
    for width, bound in published.items():
        assert theory.born_dead_bound(width, 10) == pytest.approx(bound, abs=6e-4)
    assert theory.born_dead_bound(1, 2) == 0.5
    assert theory.born_dead_bound(7, 1) == 0  # no hidden layer, nothing that dies


# Derivations


@pytest.mark.parametrize("means", [(0.0, 0.0), (0.0, 1.0), (1.0, -2.0)])
def test_variance_of_a_product_against_two_point_variables(means: tuple[float, float]) -> None:
    # X and Y take mean ± std with probability ½ each: four equally likely products.
    x, y = (mean + np.array([-std, std]) for mean, std in zip(means, (0.5, 3.0), strict=True))
    expected = np.outer(x, y).var()
    assert theory.product_variance(means[0], 0.25, means[1], 9.0) == pytest.approx(expected)


@pytest.mark.parametrize("std", [0.0, 0.3, 1.0, 20.0])
def test_moments_of_relu_against_quadrature(std: float) -> None:
    moments = theory.relu_moments(std)
    mean = gaussian_expectation(relu, std)
    second = gaussian_expectation(lambda x: relu(x) ** 2, std)
    assert moments == pytest.approx((mean, second, second - mean**2), rel=1e-12)


def test_relu_keeps_0_3408_of_the_variance() -> None:
    assert theory.relu_moments(2.0).variance / 4 == pytest.approx(0.3408450569081046)


@pytest.mark.parametrize("width", [1, 2, 7])
def test_log_growth_against_integration_over_chi_squares(width: int) -> None:
    chance = stats.binom.pmf(np.arange(1, width + 1), width, 0.5)
    chance /= chance.sum()
    logs = [stats.chi2(k) for k in range(1, width + 1)]

    def expectation(power: int) -> float:
        moments = [chi2.expect(lambda c: np.log(2 * c / width) ** power) for chi2 in logs]
        return float(chance @ moments)

    mean, square = expectation(1), expectation(2)
    growth = theory.relu_log_growth(width)
    assert growth.mean == pytest.approx(mean, rel=1e-5)
    assert growth.variance == pytest.approx(square - mean**2, rel=1e-5)


def test_log_growth_approaches_its_limit() -> None:
    growth = theory.relu_log_growth(20_000)
    assert 20_000 * growth.mean == pytest.approx(-2.5, rel=1e-3)
    assert 20_000 * growth.variance == pytest.approx(5.0, rel=1e-3)


def test_log_growth_against_drawn_nets() -> None:
    rng, width, nets = np.random.default_rng(0), 30, 4000
    W = rng.standard_normal((nets, width, width)) * sqrt(2 / width)
    logs = np.log(np.mean(relu(np.ones(width) @ W) ** 2, axis=1))
    growth = theory.relu_log_growth(width)
    assert logs.mean() == pytest.approx(growth.mean, abs=4 * sqrt(growth.variance / nets))
    assert logs.var() == pytest.approx(growth.variance, rel=0.12)


@pytest.mark.parametrize("sigma_w", [0.5, 1.0, 3.0])
def test_quarter_circle_has_its_moments(sigma_w: float) -> None:
    def moment(power: int) -> float:
        found: float = integrate.quad(
            lambda s: s**power * float(theory.quarter_circle_density(s, sigma_w)), 0, 2 * sigma_w
        )[0]
        return found

    assert moment(0) == pytest.approx(1.0, rel=1e-6)
    assert moment(1) == pytest.approx(8 * sigma_w / (3 * pi), rel=1e-6)
    assert moment(2) == pytest.approx(sigma_w**2, rel=1e-6)
    outside = theory.quarter_circle_density([-0.1, 2 * sigma_w + 0.1], sigma_w)
    assert outside.tolist() == [0.0, 0.0]


def test_quarter_circle_against_a_random_matrix() -> None:
    W = np.random.default_rng(0).standard_normal((600, 600)) / sqrt(600)
    found = np.histogram(np.linalg.svd(W, compute_uv=False), np.linspace(0, 2, 11))[0] / 600 / 0.2
    centres = np.linspace(0.1, 1.9, 10)
    assert found == pytest.approx(theory.quarter_circle_density(centres), abs=0.05)


@pytest.mark.parametrize(("name", "scale"), [("sigmoid", 1.0), ("tanh", 4.0)])
@pytest.mark.parametrize("std", [0.5, 3.0, 22.4, 500.0])
@pytest.mark.parametrize("mean", [0.0, -2.0])
def test_saturated_share_against_the_slope_in_closed_form(
    name: str, scale: float, std: float, mean: float
) -> None:
    # σ′(z) = t where (1 − 2σ)² = 1 − 4t; tanh′(z) = 4σ′(2z).
    threshold = 0.01
    edge = np.log((1 + np.sqrt(1 - 4 * threshold / scale)) ** 2 / (4 * threshold / scale))
    edge /= 1 if name == "sigmoid" else 2
    expected = theory.saturation_probability(float(edge), std, mean)
    assert theory.saturated_share(name, std, mean) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("name", "threshold"), [("sigmoid", 0.25), ("relu", 0.5), ("tanh", 2.0)])
def test_saturated_share_needs_a_threshold_below_the_best_slope(
    name: str, threshold: float
) -> None:
    with pytest.raises(ValueError, match="threshold must lie between the slopes"):
        theory.saturated_share(name, 1.0, threshold=threshold)


@pytest.mark.parametrize("sigma_b", [1e-4, 0.1, 1.0])
@pytest.mark.parametrize("name", ["relu", "identity"])
def test_what_grows_by_a_constant_a_layer_grows_without_end(name: str, sigma_b: float) -> None:
    assert q_star(name, named(name).gain, sigma_b) == inf


def test_slow_ways_lead_to_their_fixed_point() -> None:
    # Just above the critical σ_w = 1, tanh's q* solves q = σ_w² E[tanh²] with 1 − 2q + … = 1/σ_w².
    sigma_w = 1.0001
    q = q_star("tanh", sigma_w)
    assert variance_map(q, "tanh", sigma_w) == pytest.approx(q, rel=1e-12)
    assert q == pytest.approx(1e-4, rel=0.01)
    assert q_star("tanh", 1.0) == 0  # at it, q falls as 1/(2l)
    for start in (0.5, 40.0):
        near_one = q_star("leaky_relu", sqrt(2 / 1.0001) * 0.9999, 0.1, start=start)
        mapped = variance_map(near_one, "leaky_relu", sqrt(2 / 1.0001) * 0.9999, 0.1)
        assert mapped == pytest.approx(near_one, rel=1e-12)


def test_a_fixed_point_that_is_only_touched_is_found() -> None:
    # φ² with E[φ(√q z)²] − q = (q − 2)²/8 for the map of a quartic: q* = 2 attracts from below.
    # E[z²] = 1 and E[z⁴] = 3, so φ² = z⁴/24 + z²/2 + 1/2 gives q²/8 + q/2 + 1/2.
    own = Activation("touch", lambda z: np.sqrt(z**4 / 24 + z**2 / 2 + 0.5), np.ones_like)
    assert q_star(own, 1.0, start=0.1) == pytest.approx(2, rel=1e-4)
    assert q_star(own, 1.0, start=2.5) == inf


@pytest.mark.parametrize(
    ("name", "slope_squared"),
    [("relu", 0.5), ("tanh", 1.0), ("sigmoid", 1 / 16), ("identity", 1.0)],
)
def test_chi_1_at_zero_is_its_limit(name: str, slope_squared: float) -> None:
    assert chi_1(0.0, name, 1.5) == pytest.approx(1.5**2 * slope_squared, rel=1e-12)
    assert chi_1(1e-12, name, 1.5) == pytest.approx(chi_1(0.0, name, 1.5), rel=1e-9)


@pytest.mark.parametrize("width", [1, 5, 54, 300, 1000])
@pytest.mark.parametrize("depth", [1, 2, 10, 1000])
def test_born_dead_bound_keeps_its_digits(width: int, depth: int) -> None:
    exact = 1 - (1 - Fraction(1, 2**width)) ** (depth - 1)
    assert theory.born_dead_bound(width, depth) == pytest.approx(float(exact), rel=1e-12)
