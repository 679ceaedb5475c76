"""Each activation: its values, its derivative near and far, its gain."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from initcourse import activations
from initcourse.activations import Activation, identity, leaky_relu, named, relu, sigmoid, tanh

ALL = [identity, sigmoid, tanh, relu, leaky_relu(), leaky_relu(0.3), leaky_relu(-0.5)]
all_activations = pytest.mark.parametrize("phi", ALL, ids=lambda phi: phi.name)


@pytest.mark.parametrize(
    ("phi", "z", "value", "derivative"),
    [
        (identity, -3.0, -3.0, 1.0),
        (sigmoid, 0.0, 0.5, 0.25),
        (sigmoid, 2.0, 0.8807970779778823, 0.10499358540350662),
        (tanh, 0.0, 0.0, 1.0),
        (tanh, 1.0, 0.7615941559557649, 0.41997434161402614),
        (relu, -2.0, 0.0, 0.0),
        (relu, 0.0, 0.0, 0.0),
        (relu, 3.0, 3.0, 1.0),
        (leaky_relu(), -2.0, -0.02, 0.01),
        (leaky_relu(0.3), -2.0, -0.6, 0.3),
        (leaky_relu(0.3), 3.0, 3.0, 1.0),
    ],
)
def test_values(phi: Activation, z: float, value: float, derivative: float) -> None:
    assert phi(np.array([z]))[0] == pytest.approx(value, rel=1e-14)
    assert phi.derivative(np.array([z]))[0] == pytest.approx(derivative, rel=1e-14)


@all_activations
@given(z=st.floats(-15, 15).filter(lambda z: abs(z) > 1e-3))
def test_derivative_is_the_slope(phi: Activation, z: float) -> None:
    h = 1e-5  # central: an error of h² times the third derivative, and of rounding / h
    slope = (phi(np.array([z + h])) - phi(np.array([z - h])))[0] / (2 * h)
    assert phi.derivative(np.array([z]))[0] == pytest.approx(slope, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("z", [-300.0, -40.0, -25.0, 25.0, 40.0, 300.0])
def test_sigmoid_derivative_far_out(z: float) -> None:
    # 1/(2 + 2 cosh z); σ(1 − σ) would round to 0 from z = 37 on.
    expected = 1 / (2 + 2 * math.cosh(z))
    assert sigmoid.derivative(np.array([z]))[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("z", [-150.0, -20.0, -12.0, 12.0, 20.0, 150.0])
def test_tanh_derivative_far_out(z: float) -> None:
    # 1/cosh² z; 1 − tanh² would round to 0 from z = 19 on.
    expected = math.cosh(z) ** -2
    assert tanh.derivative(np.array([z]))[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("phi", "z"), [(sigmoid, 40.0), (tanh, 20.0)])
def test_derivative_far_out_in_float32(phi: Activation, z: float) -> None:
    exact = phi.derivative(np.array([z]))[0]
    assert phi.derivative(np.array([-z, z], np.float32)) == pytest.approx(exact, rel=1e-5)


@given(st.floats(-1e4, 1e4))
def test_derivatives_of_saturating_units_are_even(z: float) -> None:
    for phi in (sigmoid, tanh):
        left, right = phi.derivative(np.array([-z, z]))
        assert left == right
        assert 0 <= right <= phi.derivative(np.array([0.0]))[0] * (1 + 1e-15)


@all_activations
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtype_and_shape_are_kept_and_nothing_is_changed(phi: Activation, dtype: Any) -> None:
    z = np.linspace(-8, 8, 24, dtype=dtype).reshape(2, 3, 4)
    before = z.copy()
    for result in (phi(z), phi.derivative(z)):
        assert result.dtype == dtype
        assert result.shape == z.shape
        assert not np.shares_memory(result, z)
        result += 1
    np.testing.assert_array_equal(z, before)


@all_activations
def test_extreme_input_gives_no_warning(phi: Activation) -> None:
    z = np.array([-1e300, -1000.0, 0.0, 1000.0, 1e300])
    assert np.isfinite(phi(z)).all()
    assert np.isfinite(phi.derivative(z)).all()


@all_activations
def test_whole_numbers_are_taken_as_reals(phi: Activation) -> None:
    whole = np.array([-3, 0, 2])
    assert phi(whole) == pytest.approx(phi(whole.astype(float)))
    assert phi.derivative(whole) == pytest.approx(phi.derivative(whole.astype(float)))
    assert phi([-3, 0, 2]) == pytest.approx(phi(whole.astype(float)))


def test_against_scipy() -> None:
    z = np.linspace(-30, 30, 601)
    np.testing.assert_allclose(sigmoid(z), special.expit(z), rtol=1e-15)
    np.testing.assert_allclose(tanh(z), np.tanh(z), rtol=1e-15)


def test_gains_are_pytorchs() -> None:
    gains = {"identity": 1, "sigmoid": 1, "tanh": 5 / 3, "relu": math.sqrt(2)}
    for name, gain in gains.items():
        assert named(name).gain == pytest.approx(gain, rel=1e-15)
    for slope in (0.01, 0.3, 1.0):
        assert leaky_relu(slope).gain == pytest.approx(math.sqrt(2 / (1 + slope**2)), rel=1e-15)


def test_leaky_relu_between_relu_and_identity() -> None:
    z = np.linspace(-5, 5, 11)
    np.testing.assert_array_equal(leaky_relu(0)(z), relu(z))
    np.testing.assert_array_equal(leaky_relu(1)(z), identity(z))
    assert leaky_relu(0.25).name == "leaky_relu(0.25)"


def test_named() -> None:
    for name in ("identity", "sigmoid", "tanh", "relu"):
        assert named(name) is getattr(activations, name)
        assert named(name).name == name
    assert named("leaky_relu")(np.array([-1.0]))[0] == -0.01
    own = Activation("square", np.square, lambda z: 2 * np.asarray(z))
    assert named(own) is own
