"""The law of z for uniform weights: closed form, product rules, adaptive integrals, moments."""

from functools import reduce
from math import pi, sqrt
from typing import Any

import numpy as np
import pytest
from scipy import integrate, special

from initcourse import initializers, theory
from initcourse.theory import uniform_bound, uniform_weights_density, uniform_weights_tail

Z = np.array([1e-6, 0.001, 0.1, 0.5, 1.0, 2.0, 4.0, 8.0, 14.0])


def test_one_input_has_a_closed_form() -> None:
    b = Z / sqrt(2)
    tail = (special.erfc(b) - b / sqrt(pi) * special.exp1(b**2)) / 2
    np.testing.assert_allclose(uniform_weights_tail(Z, 1), tail, rtol=1e-12)
    density = special.exp1(Z**2 / 2) / sqrt(8 * pi)
    np.testing.assert_allclose(uniform_weights_density(Z, 1), density, rtol=1e-12)
    assert uniform_weights_density(0.0, 1) == np.inf


@pytest.mark.parametrize("d", [2, 3, 4])
def test_few_inputs_by_a_product_rule_over_the_weights(d: int) -> None:
    # Given the weights, z is normal with variance Σ u² / d, u uniform on (0, 1).
    nodes, weights = np.polynomial.legendre.leggauss({2: 40, 3: 36, 4: 26}[d])
    squares = reduce(np.add.outer, [((nodes + 1) / 2) ** 2] * d) / d
    share = reduce(np.multiply.outer, [weights / 2] * d)
    for z in (0.5, 1.0, 2.0, 4.0, 8.0):
        tail = np.sum(special.ndtr(-z / np.sqrt(squares)) * share)
        assert float(uniform_weights_tail(z, d)) == pytest.approx(tail, rel=1e-10)
        density = np.sum(np.exp(-(z**2) / squares / 2) / np.sqrt(2 * pi * squares) * share)
        assert float(uniform_weights_density(z, d)) == pytest.approx(density, rel=1e-10)


def test_two_inputs_by_adaptive_integration() -> None:
    expected, _ = integrate.dblquad(
        lambda u, v: special.ndtr(-4 / np.sqrt((u * u + v * v) / 2)), 0, 1, 0, 1, epsrel=1e-10
    )
    assert float(uniform_weights_tail(4.0, 2)) == pytest.approx(expected, rel=1e-8)


def test_published_probabilities() -> None:
    found = [float(2 * uniform_weights_tail(4.0, d)) for d in (1, 10, 100, 1000)]
    assert found == pytest.approx([3.2e-6, 4.9e-9, 2.4e-11, 5.3e-12], rel=0.02)
    assert theory.saturation_probability(4.0, 3**-0.5) == pytest.approx(4.26e-12, rel=1e-3)


@pytest.mark.parametrize("d", [10, 100, 1000])
def test_far_tail_by_drawn_weights(d: int) -> None:
    w = initializers.fan_in_uniform((d, 4_000_000 // d), np.random.default_rng(0), dtype=np.float64)
    z = 2.5
    each = special.ndtr(-z / np.sqrt((w**2).sum(axis=0)))
    error = each.std() / sqrt(len(each))
    assert abs(each.mean() - float(uniform_weights_tail(z, d))) < 5 * error


@pytest.mark.parametrize("d", [1, 2, 7, 50, 3000])
def test_tail_and_density_belong_together(d: int) -> None:
    lower, upper = 0.4, 2.2
    area, _ = integrate.quad(lambda z: float(uniform_weights_density(z, d)), lower, upper)
    step = float(uniform_weights_tail(lower, d) - uniform_weights_tail(upper, d))
    assert area == pytest.approx(step, rel=1e-9)
    variance, _ = integrate.quad(
        lambda z: 2 * z**2 * float(uniform_weights_density(z, d)), 0, 12, limit=200
    )
    assert variance == pytest.approx(1 / 3, rel=1e-7)


def test_many_inputs_are_nearly_normal_by_edgeworth() -> None:
    # First correction: κ₄/24·He₃(x)·φ(x); the kurtosis of one product is 9·(1/5)·3 − 3 = 2.4.
    d, x = 10_000, np.array([0.5, 1.0, 2.0, 3.0])
    correction = 2.4 / d / 24 * (x**3 - 3 * x) * np.exp(-(x**2) / 2) / sqrt(2 * pi)
    tail = uniform_weights_tail(x / sqrt(3), d)
    np.testing.assert_allclose(tail - special.ndtr(-x), correction, rtol=0.01, atol=1e-9)


def test_a_million_inputs_lose_no_digits() -> None:
    # He₃ vanishes at x = √3, so the first correction is 0 and the next is of order 1/d².
    found = float(uniform_weights_tail(1.0, 10**6))
    assert found == pytest.approx(special.ndtr(-sqrt(3)), rel=1e-10)


def test_symmetry_order_and_shape() -> None:
    z = np.linspace(-4, 4, 41).reshape(1, 41)
    tail = uniform_weights_tail(z, 5)
    assert tail.shape == (1, 41)
    np.testing.assert_allclose(tail + tail[:, ::-1], 1, rtol=1e-14)
    assert (np.diff(tail) < 0).all()
    assert tail[0, 20] == 0.5
    np.testing.assert_array_equal(uniform_weights_density(z, 5), uniform_weights_density(-z, 5))
    assert uniform_weights_tail(np.array([]), 3).shape == (0,)


def test_extreme_arguments_do_not_overflow() -> None:
    # Warnings are errors in these tests.
    assert float(uniform_weights_tail(38.0, 1)) < 1e-300
    assert float(uniform_weights_tail(25.0, 10**6)) == pytest.approx(0, abs=1e-300)
    assert float(uniform_weights_tail(-30.0, 3)) == 1


@pytest.mark.parametrize(("d", "mean", "std", "v"), [(100, 0, 1, 1 / 3), (64, 4.9, 6.0, 2.0)])
def test_bound_gives_the_variance(d: int, mean: float, std: float, v: float) -> None:
    b = uniform_bound(d, mean=mean, std=std, variance=v)
    rng = np.random.default_rng(0)
    w: Any = initializers.uniform((d, 40_000), rng, low=-b, high=b)
    x = initializers.normal((d, 40_000), rng, mean=mean, std=std)
    assert np.einsum("ij,ij->j", w, x).var() == pytest.approx(v, rel=5 * sqrt(2 / 40_000))
