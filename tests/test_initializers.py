"""Every sampler against closed forms and SciPy's distributions, so tightly that 1 % of scale fails.

A sample variance of N draws scatters with a standard error of sqrt((kurtosis - 1) / N), 0.14 % for
2^20 normal draws.  A bound of 5 standard errors gives a false alarm for 1 seed in 1.7 million, and
the seeds are fixed.  An error of 1 % in the standard deviation (2 % in the variance) is 14 of them.
"""

from collections.abc import Callable
from math import prod, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from initcourse import initializers
from initcourse.initializers import compute_fans, variance_scaling

WIDE = (2048, 512)  # 2^20 weights, and no fan equals the other
DTYPES = [np.float16, np.float32, np.float64]
KURTOSIS = {
    "normal": 3.0,
    "uniform": 1.8,
    "truncated_normal": float(stats.truncnorm.stats(-2, 2, moments="k")) + 3,
}
# The variance as the papers write it, from the fans.
SCHEMES: dict[str, tuple[str, Callable[[int, int], float]]] = {
    "lecun_normal": ("normal", lambda n, m: 1 / n),
    "lecun_uniform": ("uniform", lambda n, m: 1 / n),
    "fan_in_uniform": ("uniform", lambda n, m: 1 / (3 * n)),
    "glorot_normal": ("normal", lambda n, m: 2 / (n + m)),
    "glorot_uniform": ("uniform", lambda n, m: 2 / (n + m)),
    "he_normal": ("normal", lambda n, m: 2 / n),
    "he_uniform": ("uniform", lambda n, m: 2 / n),
}
FAN_OF_MODE: dict[str, Callable[[int, int], float]] = {
    "fan_in": lambda n, m: n,
    "fan_out": lambda n, m: m,
    "fan_avg": lambda n, m: (n + m) / 2,
    "fan_geo_avg": lambda n, m: sqrt(n * m),
}
RANDOM = [
    *(getattr(initializers, name) for name in SCHEMES),
    variance_scaling,
    initializers.normal,
    initializers.uniform,
    initializers.truncated_normal,
]

shapes = st.lists(st.integers(1, 6), min_size=2, max_size=4).map(tuple)
seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from(DTYPES)
random_initializers = st.sampled_from(RANDOM)


def assert_variance(sample: Any, variance: float, kurtosis: float, mean: float = 0.0) -> None:
    """Mean and variance lie within 5 standard errors of theirs."""
    sample = sample.astype(np.float64)
    assert abs(sample.mean() - mean) < 5 * sqrt(variance / sample.size)
    measured = np.mean((sample - mean) ** 2) / variance
    assert abs(measured - 1) < 5 * sqrt((kurtosis - 1) / sample.size), f"variance × {measured:.4f}"


def assert_distribution(sample: Any, law: Any) -> None:
    """Kolmogorov and Smirnov's test, with a false alarm for 1 seed in 1000."""
    assert stats.kstest(sample.ravel(), law.cdf, method="asymp").pvalue > 0.001


def scheme_law(distribution: str, std: float) -> Any:
    if distribution == "normal":
        return stats.norm(scale=std)
    if distribution == "uniform":
        return stats.uniform(-sqrt(3) * std, 2 * sqrt(3) * std)
    wide = std / stats.truncnorm.std(-2, 2)
    return stats.truncnorm(-2, 2, scale=wide)


# Fans


@pytest.mark.parametrize(
    ("shape", "axes", "fans"),
    [
        ((64, 32), {}, (64, 32)),
        ((3, 3, 16, 32), {}, (144, 288)),
        ((5, 4, 3, 2, 7), {}, (120, 420)),
        ((32, 64), {"in_axis": 1, "out_axis": 0}, (64, 32)),
        ((32, 16, 3, 3), {"in_axis": 1, "out_axis": 0}, (144, 288)),
        ((10, 64, 32), {"batch_axis": 0}, (64, 32)),
        ((10, 3, 16, 32), {"batch_axis": (0,)}, (48, 96)),
        ((8, 4, 16, 2), {"in_axis": (0, 1), "out_axis": (2, 3)}, (32, 32)),
        ((8, 4, 16, 2), {"in_axis": 0, "out_axis": (-2, -1), "batch_axis": 1}, (8, 32)),
        ((6, 5), {"in_axis": (), "out_axis": (0, 1)}, (1, 30)),
    ],
)
def test_fans(shape: tuple[int, ...], axes: dict[str, Any], fans: tuple[int, int]) -> None:
    assert compute_fans(shape, **axes) == fans


@given(
    st.lists(
        st.tuples(st.integers(1, 7), st.sampled_from(["in", "out", "batch", "field"])),
        min_size=2,
        max_size=6,
    ),
    st.booleans(),
)
def test_fans_are_all_entries_over_the_other_axes(
    axes: list[tuple[int, str]], from_the_end: bool
) -> None:
    shape = [size for size, _ in axes]

    def axes_of(role: str) -> list[int]:
        return [i - len(axes) * from_the_end for i, (_, r) in enumerate(axes) if r == role]

    def size_of(role: str) -> int:
        return prod(size for size, r in axes if r == role)

    fans = compute_fans(
        shape, in_axis=axes_of("in"), out_axis=axes_of("out"), batch_axis=axes_of("batch")
    )
    assert fans.fan_in == prod(shape) // (size_of("out") * size_of("batch"))
    assert fans.fan_out == prod(shape) // (size_of("in") * size_of("batch"))


# The scale and the shape of every sampler


@pytest.mark.parametrize("name", SCHEMES)
def test_named_scheme(name: str) -> None:
    distribution, formula = SCHEMES[name]
    W = getattr(initializers, name)(WIDE, np.random.default_rng(1))
    variance = formula(*WIDE)
    assert_variance(W, variance, KURTOSIS[distribution])
    assert_distribution(W, scheme_law(distribution, sqrt(variance)))


def test_the_sources_figures() -> None:
    # Claim S12: Dense(128) on 2048 inputs.
    figures = {"glorot_normal": 0.030317, "he_normal": 0.031250, "lecun_normal": 0.022097}
    for name, std in figures.items():
        assert sqrt(SCHEMES[name][1](2048, 128)) == pytest.approx(std, abs=5e-7)
        W = getattr(initializers, name)((2048, 128), np.random.default_rng(2))
        assert W.std() == pytest.approx(std, rel=5 / sqrt(2 * W.size))


@pytest.mark.parametrize("distribution", KURTOSIS)
@pytest.mark.parametrize("mode", FAN_OF_MODE)
def test_variance_scaling(mode: Any, distribution: Any) -> None:
    W = variance_scaling(
        WIDE, np.random.default_rng(3), scale=1.7, mode=mode, distribution=distribution
    )
    variance = 1.7 / FAN_OF_MODE[mode](*WIDE)
    assert_variance(W, variance, KURTOSIS[distribution])
    assert_distribution(W, scheme_law(distribution, sqrt(variance)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["he_normal", "he_uniform"])
def test_scale_does_not_depend_on_the_dtype(name: str, dtype: Any) -> None:
    W = getattr(initializers, name)(WIDE, np.random.default_rng(4), dtype=dtype)
    assert W.dtype == dtype
    assert_variance(W, 2 / 2048, KURTOSIS[SCHEMES[name][0]])


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((3, 3, 64, 256), {}),
        ((256, 64, 3, 3), {"in_axis": 1, "out_axis": 0}),
        ((8, 3, 3, 64, 32), {"batch_axis": 0}),
    ],
)
def test_scale_of_a_convolution(shape: tuple[int, ...], axes: dict[str, Any]) -> None:
    W = initializers.he_normal(shape, np.random.default_rng(5), **axes)
    assert W.shape == shape
    assert_variance(W, 2 / (9 * 64), KURTOSIS["normal"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_normal(dtype: Any) -> None:
    W = initializers.normal(WIDE, np.random.default_rng(6), mean=-2, std=0.3, dtype=dtype)
    assert_variance(W, 0.3**2, KURTOSIS["normal"], mean=-2)
    assert_distribution(W, stats.norm(-2, 0.3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_uniform(dtype: Any) -> None:
    W = initializers.uniform(WIDE, np.random.default_rng(7), low=-1, high=3, dtype=dtype)
    assert_variance(W, 16 / 12, KURTOSIS["uniform"], mean=1)
    assert_distribution(W, stats.uniform(-1, 4))


@pytest.mark.parametrize("bound", [0.05, 1.0, 2.0, 4.0, 9.0])
def test_truncated_normal(bound: float) -> None:
    W = initializers.truncated_normal(
        WIDE, np.random.default_rng(8), mean=1, std=0.5, bound=bound, dtype=np.float64
    )
    law = stats.truncnorm(-bound, bound, loc=1, scale=0.5)
    assert abs(W - 1).max() <= 0.5 * bound
    assert_variance(W, law.var(), float(law.stats("k")) + 3, mean=1)
    assert_distribution(W, law)


@pytest.mark.parametrize("bound", [1e-2, 0.1, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 20.0])
def test_truncated_normal_std(bound: float) -> None:
    expected = stats.truncnorm.std(-bound, bound)
    assert initializers.truncated_normal_std(bound) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("bound", [1e-12, 1e-6, 1e-3])
def test_truncated_normal_std_of_a_tiny_bound_is_that_of_a_uniform(bound: float) -> None:
    # To second order: b²/3 · (1 − 2b²/15).
    expected = bound / sqrt(3) * (1 - bound**2 / 15)
    assert initializers.truncated_normal_std(bound) == pytest.approx(expected, rel=1e-11)


def test_truncated_normal_std_of_published_and_large_bounds() -> None:
    assert initializers.truncated_normal_std() == pytest.approx(0.87962566103423978, rel=1e-14)
    assert initializers.truncated_normal_std(1e200) == 1


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("low", "high"), [(-0.1, 0.1), (0, 1), (1, 1.01), (-3, -1)])
def test_uniform_is_half_open(low: float, high: float, dtype: Any) -> None:
    W = initializers.uniform((300, 300), np.random.default_rng(9), low=low, high=high, dtype=dtype)
    assert W.min() >= dtype(low)
    assert W.max() < dtype(high)


@pytest.mark.parametrize("dtype", DTYPES)
def test_cuts_are_respected_in_every_dtype(dtype: Any) -> None:
    rng = np.random.default_rng(10)
    cut = initializers.truncated_normal((300, 300), rng, std=0.1, dtype=dtype)
    limit = initializers.he_uniform((100, 3000), rng, dtype=dtype)
    assert dtype(0.199) < abs(cut).max() <= dtype(0.2)
    assert 0.999 * sqrt(0.06) < abs(limit).max() <= dtype(sqrt(0.06))


# Constants, aliases


@pytest.mark.parametrize("dtype", DTYPES)
def test_constants(dtype: Any) -> None:
    for W, value in [
        (initializers.constant((3, 2), value=0.1, dtype=dtype), 0.1),
        (initializers.zeros((3, 2), dtype=dtype), 0),
        (initializers.zeros((3, 2), np.random.default_rng(0), dtype=dtype), 0),
    ]:
        assert W.shape == (3, 2)
        assert W.dtype == dtype
        assert (dtype(value) == W).all()


def test_no_width_is_the_mean() -> None:
    rng = np.random.default_rng(0)
    assert (initializers.normal((5,), rng, mean=2, std=0) == 2).all()
    assert (initializers.truncated_normal((5,), rng, mean=2, std=0) == 2).all()


def test_aliases_are_the_same_objects() -> None:
    assert initializers.xavier_normal is initializers.glorot_normal
    assert initializers.xavier_uniform is initializers.glorot_uniform
    assert initializers.kaiming_normal is initializers.he_normal
    assert initializers.kaiming_uniform is initializers.he_uniform


# What holds for all of them


@given(random_initializers, shapes, seeds, dtypes)
def test_shape_dtype_and_one_seed_one_array(
    init: Any, shape: tuple[int, ...], seed: int, dtype: Any
) -> None:
    W = init(shape, np.random.default_rng(seed), dtype=dtype)
    assert W.shape == shape
    assert W.dtype == dtype
    assert np.isfinite(W).all()
    np.testing.assert_array_equal(W, init(shape, np.random.default_rng(seed), dtype=dtype))
    np.testing.assert_array_equal(W, init(list(shape), np.random.default_rng(seed), dtype=dtype))


@given(random_initializers, seeds)
def test_layers_of_one_generator_differ(init: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = rng.bit_generator.state
    first, second = init((10, 10), rng), init((10, 10), rng)
    assert rng.bit_generator.state != before
    assert not np.any(first.ravel()[:50] == second.ravel()[:50])


@pytest.mark.parametrize("init", RANDOM)
def test_layers_of_one_generator_are_independent(init: Any) -> None:
    rng = np.random.default_rng(11)
    first, second = init((300, 300), rng), init((300, 300), rng)
    correlation = np.corrcoef(first.ravel(), second.ravel())[0, 1]
    assert abs(correlation) < 5 / 300  # 5 standard errors of 1/√90000


@given(random_initializers, seeds)
def test_the_generator_goes_on_where_it_was(init: Any, seed: int) -> None:
    # No reseeding: what a layer draws depends on what was drawn before it.
    rng = np.random.default_rng(seed)
    rng.random(7)
    assert not np.array_equal(init((4, 4), rng), init((4, 4), np.random.default_rng(seed)))


def test_float32_is_the_default() -> None:
    for init in RANDOM:
        assert init((2, 2), np.random.default_rng(0)).dtype == np.float32


@given(st.sampled_from(list(SCHEMES)), shapes, st.randoms(use_true_random=False), seeds)
def test_axes_may_lie_in_any_order(
    name: str, shape: tuple[int, ...], shuffle: Any, seed: int
) -> None:
    # One draw of the generator, scaled by the fans: so its spread tells the fans that were read.
    order = list(range(len(shape)))
    shuffle.shuffle(order)
    init = getattr(initializers, name)
    permuted = tuple(shape[i] for i in order)
    W = init(shape, np.random.default_rng(seed))
    V = init(
        permuted,
        np.random.default_rng(seed),
        in_axis=order.index(len(shape) - 2),
        out_axis=order.index(len(shape) - 1),
    )
    assert V.shape == permuted
    np.testing.assert_array_equal(V.ravel(), W.ravel())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("low", "high"), [(-1.0, 1.0), (1.0, 1.01), (-3e4, 3e4), (0.1, 0.3), (-0.3, -0.1)]
)
def test_uniform_stays_inside_its_half_open_interval(dtype: Any, low: float, high: float) -> None:
    drawn = initializers.uniform(
        (20_000,), np.random.default_rng(2), low=low, high=high, dtype=dtype
    )
    assert (drawn.astype(np.float64) >= low).all()
    assert (drawn.astype(np.float64) < high).all()
    assert drawn.astype(np.float64).mean() == pytest.approx(
        (low + high) / 2, abs=0.02 * (high - low)
    )


@pytest.mark.parametrize(
    ("dtype", "size"), [(np.float16, 6.5e4), (np.float32, 3e38), (np.float64, 1.7e308)]
)
def test_uniform_over_all_that_a_dtype_holds(dtype: Any, size: float) -> None:
    rng = np.random.default_rng(3)
    drawn = initializers.uniform((20_000,), rng, low=-size, high=size, dtype=dtype)
    assert np.isfinite(drawn).all()
    assert np.mean(drawn / dtype(size) < 0.5) == pytest.approx(0.75, abs=0.02)
