"""Each activation: its values, its derivative near and far, its gain."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special

from initcourse import activations
from initcourse.activations import (
    Activation,
    elu,
    erf,
    gelu,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    identity,
    leaky_relu,
    named,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softplus,
    tanh,
)
from initcourse.quadrature import gaussian_expectation

SMOOTH = [identity, sigmoid, tanh, gelu, silu, softplus, erf]
HARD = [relu6, hard_tanh, hard_sigmoid, hard_silu]
KNOWN = list(dict.fromkeys(activations._KNOWN.values()))  # what a new one joins
ALL = [*KNOWN, leaky_relu(0.3), leaky_relu(-0.5), elu(0.3)]
KINKS = [-3.0, -1.0, 0.0, 1.0, 3.0, 6.0]
all_activations = pytest.mark.parametrize("phi", ALL, ids=lambda phi: phi.name)


VALUES = [
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
    (elu(), -1.0, math.exp(-1) - 1, math.exp(-1)),
    (elu(0.3), -1.0, 0.3 * (math.exp(-1) - 1), 0.3 * math.exp(-1)),
    (selu, 2.0, 2 * 1.0507009873554805, 1.0507009873554805),
    (selu, -700.0, -1.7580993408473766, 0.0),
    (gelu, 1.0, 0.8413447460685429, 0.8413447460685429 + 0.24197072451914337),
    (silu, 2.0, 1.7615941559557649, 1.0907842487848955),
    (softplus, 0.0, math.log(2), 0.5),
    (erf, 0.0, 0.0, 2 / math.sqrt(math.pi)),
    (relu6, 7.0, 6.0, 0.0),
    (relu6, 5.0, 5.0, 1.0),
    (hard_tanh, -0.5, -0.5, 1.0),
    (hard_tanh, -2.0, -1.0, 0.0),
    (hard_sigmoid, 1.0, 2 / 3, 1 / 6),
    (hard_sigmoid, -4.0, 0.0, 0.0),
    (hard_silu, 1.0, 2 / 3, 5 / 6),
    (hard_silu, 4.0, 4.0, 1.0),
]


@pytest.mark.parametrize(("phi", "z", "value", "derivative"), VALUES)
def test_values(phi: Activation, z: float, value: float, derivative: float) -> None:
    assert phi(np.array([z]))[0] == pytest.approx(value, rel=1e-14)
    assert phi.derivative(np.array([z]))[0] == pytest.approx(derivative, rel=1e-14)


@all_activations
@given(z=st.floats(-15, 15).filter(lambda z: min(abs(z - kink) for kink in KINKS) > 1e-3))
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


@all_activations
@pytest.mark.parametrize("dtype", "bBhHiIlLqQ?")
def test_no_whole_number_wraps_or_stays_whole(phi: Activation, dtype: str) -> None:
    values = [0, 1] if dtype == "?" else [0, 3, 5, 70, 127]
    whole = np.array(values, dtype)
    for computed in (phi, phi.derivative):
        found = computed(whole)
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, computed(np.array(values, np.float64)))


def test_a_users_own_function_sees_floats_too() -> None:
    own = Activation("negated", lambda z: -z, lambda z: -np.ones_like(z))
    assert own(np.uint8([3])) == [-3.0]
    assert own.derivative(np.uint8([3])) == [-1.0]


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


CHOSEN = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "selu")  # gains of other reasons


@pytest.mark.parametrize(
    "phi", [phi for phi in KNOWN if not phi.name.startswith(CHOSEN)], ids=lambda phi: phi.name
)
def test_other_gains_keep_the_second_moment(phi: Activation) -> None:
    kept, _ = integrate.quad(
        lambda z: float(phi(z)) ** 2 * math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
        -40, 40, points=KINKS, limit=400, epsabs=1e-13,
    )  # fmt: skip
    assert phi.gain == pytest.approx(kept**-0.5, rel=1e-9)


def test_every_activation_is_described_and_has_values_to_compare() -> None:
    for phi in KNOWN:
        assert f"``{phi.name.partition('(')[0]}``" in (activations.__doc__ or ""), phi.name
    assert {phi.name for phi, *_ in VALUES} >= {phi.name for phi in KNOWN}


def test_published_gains() -> None:
    assert gelu.gain == pytest.approx(1.5335, abs=5e-5)
    assert silu.gain == pytest.approx(1.6765, abs=5e-5)
    assert selu.gain == 1  # self-normalizing nets: PyTorch's 3/4 is another convention


def test_a_users_own_activation_gets_its_gain() -> None:
    own = Activation("half", lambda z: z / 2, lambda z: np.full_like(z, 0.5))
    assert own.gain == pytest.approx(2)
    assert Activation("half", own.function, own.slope, 3.0).gain == 3.0


def test_selu_keeps_mean_0_and_variance_1() -> None:
    assert gaussian_expectation(selu, 1.0) == pytest.approx(0, abs=1e-12)
    assert gaussian_expectation(lambda z: selu(z) ** 2, 1.0) == pytest.approx(1, abs=1e-12)


def test_leaky_relu_between_relu_and_identity() -> None:
    z = np.linspace(-5, 5, 11)
    np.testing.assert_array_equal(leaky_relu(0)(z), relu(z))
    np.testing.assert_array_equal(leaky_relu(1)(z), identity(z))
    assert leaky_relu(0.25).name == "leaky_relu(0.25)"


def test_named() -> None:
    for phi in (*SMOOTH, *HARD, relu, selu):
        assert named(phi.name) is getattr(activations, phi.name)
    assert named("swish") is silu
    assert named("hard_swish") is hard_silu
    assert named("elu")(np.array([-1.0]))[0] == elu(1.0)(np.array([-1.0]))[0]
    for name in ("identity", "sigmoid", "tanh", "relu"):
        assert named(name).name == name
    assert named("leaky_relu")(np.array([-1.0]))[0] == -0.01
    own = Activation("square", np.square, lambda z: 2 * np.asarray(z))
    assert named(own) is own
