"""Maps of wide layers and their fixed points: against integrals with 30 digits, and papers."""

import math
from collections.abc import Callable
from math import inf, isnan, pi, sqrt
from typing import Any

import numpy as np
import pytest
from mpmath import mp
from scipy import integrate

from initcourse import activations, theory
from initcourse.activations import Activation, named
from initcourse.quadrature import gaussian_product
from initcourse.theory import (
    c_star,
    chi_1,
    correlation_map,
    correlation_slope,
    critical_sigma_w,
    product_moment,
    q_star,
    variance_map,
    variance_slope,
    xi_c,
    xi_q,
)

SELU = activations._ALPHA, activations._SCALE
KNOWN = dict.fromkeys(activations._KNOWN.values())


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + mp.exp(-z))


def _clip(z: Any, low: float, high: float) -> Any:
    return min(max(z, mp.mpf(low)), mp.mpf(high))


# The same functions again, in mpmath's arithmetic.
EXACT: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "sigmoid": _sigmoid,
    "tanh": mp.tanh,
    "relu": lambda z: max(z, mp.mpf(0)),
    "leaky_relu(0.01)": lambda z: z if z > 0 else z * mp.mpf(0.01),
    "elu": lambda z: z if z > 0 else mp.expm1(z),
    "selu": lambda z: SELU[1] * (z if z > 0 else SELU[0] * mp.expm1(z)),
    "gelu": lambda z: z * mp.ncdf(z),
    "silu": lambda z: z * _sigmoid(z),
    "softplus": lambda z: mp.log1p(mp.exp(z)) if z < 0 else z + mp.log1p(mp.exp(-z)),
    "erf": mp.erf,
    "relu6": lambda z: _clip(z, 0, 6),
    "hard_tanh": lambda z: _clip(z, -1, 1),
    "hard_sigmoid": lambda z: _clip(z / 6 + mp.mpf("0.5"), 0, 1),
    "hard_silu": lambda z: z * _clip(z / 6 + mp.mpf("0.5"), 0, 1),
}
BENDS = [-40, -10, -3, -1, 0, 1, 3, 6, 10, 40]
SIGMAS = [1e-3, 0.03, 0.7, 4.0, 60.0, 1e3]


def with_30_digits(f: Callable[[Any], Any], std: float) -> float:
    """E[f(z)] for z from N(0, std²), piece by piece between the places where f bends."""
    with mp.workdps(30):
        reach = [mp.mpf(std) * k for k in (-14, -9, -6, -4, -2, -1, 0, 1, 2, 4, 6, 9, 14)]
        cuts = sorted({*reach, *(mp.mpf(x) for x in BENDS if abs(x) < 14 * std)})
        return float(mp.quad(lambda z: f(z) * mp.npdf(z, 0, mp.mpf(std)), cuts))


def slope_of(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda z: mp.diff(f, z, h=mp.mpf("1e-12"))


def test_every_activation_is_compared() -> None:
    assert {phi.name for phi in KNOWN} == set(EXACT)


@pytest.mark.parametrize("std", SIGMAS)
@pytest.mark.parametrize("name", EXACT)
def test_the_variance_map_against_30_digits(name: str, std: float) -> None:
    phi, f = named(name.partition("(")[0]), EXACT[name]
    expected = with_30_digits(lambda z: f(z) ** 2, std)
    assert variance_map(std**2, phi, 1.0) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("std", [1e-3, 0.7, 60.0])
@pytest.mark.parametrize("name", EXACT)
def test_chi_1_against_30_digits(name: str, std: float) -> None:
    phi = named(name.partition("(")[0])
    expected = with_30_digits(lambda z: slope_of(EXACT[name])(z) ** 2, std)
    assert chi_1(std**2, phi, 1.0) == pytest.approx(expected, rel=1e-9)


def _density(z: float) -> float:
    return math.exp(-z * z / 2) / math.sqrt(2 * pi)


@pytest.mark.parametrize(
    ("name", "f", "std", "c"),
    [
        ("tanh", math.tanh, 0.5, 0.3),
        ("tanh", math.tanh, 3.0, 0.97),
        ("sigmoid", lambda x: 1 / (1 + math.exp(-x)), 8.0, -0.8),
        ("hard_tanh", lambda x: min(max(x, -1.0), 1.0), 2.0, 0.5),
        ("softplus", lambda x: math.log1p(math.exp(x)), 1.0, 0.9),
    ],
)
def test_a_product_against_a_double_integral(
    name: str, f: Callable[[float], float], std: float, c: float
) -> None:
    rest = std * math.sqrt(1 - c * c)

    def whole(g: Callable[[float], float], middle: float, spread: float) -> float:
        bends = [float(x) for x in BENDS[2:-2] if abs(x - middle) < 8 * spread]
        ends = middle - 8 * spread, middle + 8 * spread
        found, _ = integrate.quad(g, *ends, points=[middle, *bends], epsabs=1e-12, limit=200)
        return float(found)

    def inner(u: float) -> float:
        return whole(lambda v: f(v) * _density((v - c * u) / rest) / rest, c * u, rest)

    expected = whole(lambda u: f(u) * _density(u / std) / std * inner(u), 0.0, std)
    found = product_moment(c, std**2, name)
    assert found == pytest.approx(expected, abs=1e-9 * variance_map(std**2, name, 1.0))


@pytest.mark.parametrize("phi", [p for p in KNOWN if p.name[:4] != "iden"], ids=lambda p: p.name)
@pytest.mark.parametrize("std", [1e-3, 1.0, 30.0, 1e3])
def test_products_at_the_ends(phi: Activation, std: float) -> None:
    # c = 1: the second moment; c = 0: the squared mean; c = −1: E[φ(z) φ(−z)].
    mean = theory.gaussian_expectation(phi, std)
    mirrored = theory.gaussian_expectation(lambda z: phi(z) * phi(-z), std)
    square = variance_map(std**2, phi, 1.0)
    for c, expected in [(1.0, square), (0.0, mean**2), (-1.0, mirrored)]:
        assert product_moment(c, std**2, phi) == pytest.approx(expected, abs=1e-9 * square)


@pytest.mark.parametrize("c", [-0.999, -0.5, 0.0, 0.7, 0.999, 1 - 1e-8, 1.0])
@pytest.mark.parametrize("q", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("name", ["identity", "relu", "leaky_relu", "erf"])
def test_closed_forms_are_the_integrals(name: str, q: float, c: float) -> None:
    phi, std = named(name), sqrt(q)
    for found, f in [
        (product_moment(c, q, phi), phi),
        (correlation_slope(c, q, phi, 1.0), phi.derivative),
    ]:
        size = gaussian_product(f, std, 1.0)
        assert found == pytest.approx(gaussian_product(f, std, c), abs=1e-7 * size)


@pytest.mark.parametrize("q", [0.01, 1.0, 40.0])
@pytest.mark.parametrize("c", [-0.6, 0.2, 0.95])
@pytest.mark.parametrize("phi", KNOWN, ids=lambda p: p.name)
def test_the_slope_is_that_of_the_map(phi: Activation, c: float, q: float) -> None:
    # Price: d/dc E[φ(u)φ(v)] = q E[φ′(u)φ′(v)].
    h = 1e-5
    rise = product_moment(c + h, q, phi) - product_moment(c - h, q, phi)
    slope = q * correlation_slope(c, q, phi, 1.0)
    assert rise / (2 * h) == pytest.approx(slope, rel=1e-5, abs=1e-7 * q)


@pytest.mark.parametrize("q", [1e-4, 1.0, 100.0])
@pytest.mark.parametrize("phi", KNOWN, ids=lambda p: p.name)
def test_the_slope_of_the_variance_map(phi: Activation, q: float) -> None:
    h = 1e-4 * q
    rise = (variance_map(q + h, phi, 1.3) - variance_map(q - h, phi, 1.3)) / (2 * h)
    assert variance_slope(q, phi, 1.3) == pytest.approx(rise, rel=1e-6)


# Published numbers


@pytest.mark.parametrize(
    ("sigma_w", "q", "c"), [(1.3, 0.607, 1.0), (2.5, 4.079, 0.122), (4.0, 12.60, 0.030)]
)
def test_fixed_points_of_poole_et_al(sigma_w: float, q: float, c: float) -> None:
    assert q_star("tanh", sigma_w, 0.3) == pytest.approx(q, rel=1e-3)
    assert c_star("tanh", sigma_w, 0.3) == pytest.approx(c, abs=5e-4)


@pytest.mark.parametrize(
    ("sigma_b_squared", "sigma_w_squared"),
    [(0.0, 1.0), (0.01, 1.424), (0.05, 1.761), (0.1, 1.986), (0.2, 2.285)],
)
def test_critical_line_of_tanh(sigma_b_squared: float, sigma_w_squared: float) -> None:
    found = critical_sigma_w("tanh", sqrt(sigma_b_squared)) ** 2
    assert found == pytest.approx(sigma_w_squared, abs=5.5e-4)


@pytest.mark.parametrize(
    ("sigma_w_squared", "layers"), [(1.3, 7.83), (1.5, 15.8), (1.7, 74.9), (2.0, 25.2), (3.0, 9.05)]
)
def test_depth_scales_of_schoenholz_et_al(sigma_w_squared: float, layers: float) -> None:
    found = xi_c("tanh", sqrt(sigma_w_squared), sqrt(0.05))
    assert found == pytest.approx(layers, rel=2e-3)


def test_a_depth_scale_is_the_rate_at_which_layers_forget() -> None:
    for sigma_w in (1.0, 2.0):  # ordered, chaotic
        setting = "tanh", sigma_w, 0.2
        q, end = q_star(*setting), c_star(*setting)
        c, far = [end - 0.01], []
        for _ in range(30):
            c.append(correlation_map(c[-1], q, *setting))
            far.append(abs(c[-1] - end))
        assert np.log(far[20] / far[10]) == pytest.approx(-10 / xi_c(*setting), rel=0.01)
        second = [1.01 * q]
        for _ in range(8):
            second.append(variance_map(second[-1], *setting))
        rate = np.log(abs(second[7] - q) / abs(second[3] - q))
        assert rate == pytest.approx(-4 / xi_q(*setting), rel=0.02)


@pytest.mark.parametrize(
    ("name", "q", "c_w", "c_b"),
    [
        ("silu", 14.32017362, 1.98800468, 0.55514317),
        ("gelu", 3.56155281, 1.98305826, 0.17292239),
    ],
)
def test_where_smooth_activations_are_critical_twice(
    name: str, q: float, c_w: float, c_b: float
) -> None:
    # Roberts, Yaida & Hanin: both slopes are 1 at K*.  A C_b ten times too small leads elsewhere.
    sigma_w, sigma_b = sqrt(c_w), sqrt(c_b)
    assert variance_map(q, name, sigma_w, sigma_b) == pytest.approx(q, rel=1e-7)
    assert chi_1(q, name, sigma_w) == pytest.approx(1, abs=1e-7)
    assert variance_slope(q, name, sigma_w) == pytest.approx(1, abs=1e-7)
    wrong = theory.variance_path(q, 1000, name, sigma_w, sqrt(c_b / 10))[-1]
    assert wrong < 0.5 * q


# The edges of what there is


def test_what_has_no_fixed_point_says_so() -> None:
    for setting in [("relu", 2.0, 0.1), ("relu", sqrt(2), 0.1), ("tanh", 0.5, 0.0)]:
        assert q_star(*setting) in (0.0, inf)
        assert all(isnan(f(*setting)) for f in (c_star, xi_c, xi_q))
    assert critical_sigma_w("relu", 0.1) == inf
    assert critical_sigma_w("softplus") == inf
    assert xi_c("tanh", critical_sigma_w("tanh", 0.3), 0.3) > 1e6
    with pytest.raises(ValueError, match="no correlation is left"):
        correlation_map(0.5, 1.0, Activation("dead", np.zeros_like, np.zeros_like, 1.0), 1.0)


def test_odd_activations_without_biases_forget_everything_in_chaos() -> None:
    for name in ("tanh", "erf", "hard_tanh"):
        assert c_star(name, 2.0) == 0.0


@pytest.mark.parametrize("name", ["tanh", "relu", "sigmoid", "gelu", "selu", "hard_silu"])
def test_grids_hold_what_single_points_hold(name: str) -> None:
    rng = np.random.default_rng(0)
    sigma_w, sigma_b = rng.uniform(0.05, 5, (10, 20)), rng.uniform(0, 2, (10, 20))
    q = q_star(name, sigma_w, sigma_b)
    chi = chi_1(q, name, sigma_w)
    assert q.shape == chi.shape == (10, 20)
    for place in rng.integers((10, 20), size=(25, 2)):
        at = tuple(place)
        one = q_star(name, float(sigma_w[at]), float(sigma_b[at]))
        assert q[at] == pytest.approx(one, rel=1e-8)
        assert chi[at] == pytest.approx(chi_1(one, name, float(sigma_w[at])), rel=1e-8)
    mapped = variance_map(np.minimum(q, 1e6), name, sigma_w, sigma_b)
    settled = np.isfinite(q) & (q < 1e6)
    np.testing.assert_allclose(mapped[settled], q[settled], rtol=1e-9)


def test_a_grid_starts_where_it_is_told() -> None:
    # q* = 2 attracts from below only: the map of q²/8 + q/2 + 1/2 touches the line there.  Shifted
    # down a little it has two fixed points, and grows without end above the second.
    own = Activation("two", lambda z: np.sqrt(z**4 / 24 + z**2 / 2 + 0.4), np.ones_like, 1.0)
    first, second = 2 - sqrt(0.8), 2 + sqrt(0.8)
    for start, expected in [(0.0, first), (1.0, first), (2.5, first), (3.0, inf)]:
        found = q_star(own, np.array([1.0, 1.0]), start=start)
        assert found == pytest.approx(np.full(2, expected), rel=1e-8)
    assert second < 3


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: correlation_map(1.5, 1.0, "tanh", 1.0), "c must be <= 1, got 1.5"),
        (lambda: correlation_map([0.5, -2.0], 1.0, "tanh", 1.0), "c must be >= -1, got -2"),
        (lambda: correlation_map(0.5, 0.0, "tanh", 1.0), "q must be > 0, got 0"),
        (lambda: q_star("tanh", [1.0, -1.0]), "sigma_w must be > 0, got -1"),
        (lambda: variance_map([1.0, inf], "tanh", 1.0), "q must be finite, got inf"),
        (lambda: chi_1(float("nan"), "tanh", 1.0), "q must be a number, got nan"),
        (lambda: critical_sigma_w("tanh", -0.1), "sigma_b must be >= 0, got -0.1"),
        (lambda: gaussian_product(np.tanh, 1.0, 2.0), "between -1 and 1, got 2"),
    ],
)
def test_bad_input_is_named(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()
    with pytest.raises(TypeError, match="q must be real, a number or an array, got 'one'"):
        chi_1("one", "tanh", 1.0)  # type: ignore[arg-type]


def test_relu_at_the_edge_makes_inputs_alike_slowly() -> None:
    # Result P9: l² (1 − c_l) → 9π²/2.
    c = 0.0
    for _ in range(3000):
        c = correlation_map(c, 1.0, "relu", sqrt(2))
    assert 3000**2 * (1 - c) == pytest.approx(43.9, abs=0.1)
    assert 3000**2 * (1 - c) < 9 * pi**2 / 2
