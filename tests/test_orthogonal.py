"""The orthogonal family: orthonormal in every layout, uniformly (Haar) distributed, length kept."""

from collections.abc import Callable
from math import prod, sqrt
from typing import Any

import numpy as np
import pytest
from scipy import stats

from initcourse import initializers
from initcourse.initializers import delta_orthogonal, identity, orthogonal

N, DRAWS = 10, 20_000


def rotations() -> Any:
    return orthogonal(
        (DRAWS, N, N), np.random.default_rng(0), batch_axis=0, dtype=np.float64, gain=1
    )


def gaussian_squares() -> Any:
    return np.random.default_rng(0).standard_normal((DRAWS, N, N))


def is_haar(Q: Any) -> bool:
    """Trace: mean 0 and variance 1, as N(0, 1); an entry x: density ∝ (1 − x²)^((n − 3)/2)."""
    traces = np.trace(Q, axis1=1, axis2=2)
    error = 1 / sqrt(len(Q))
    entry = stats.beta((N - 1) / 2, (N - 1) / 2, loc=-1, scale=2)
    # All entries have mean 0: 100 of them within 5.5 standard errors of 1/√n/√draws.
    means = np.abs(Q.mean(axis=0)) * sqrt(N * len(Q))
    return bool(
        abs(traces.mean()) < 5 * error
        and abs(traces.var() - 1) < 5 * sqrt(2) * error
        and means.max() < 5.5
        and stats.kstest(Q[:, 0, 0], entry.cdf).pvalue > 1e-4
        and stats.kstest(Q[:, -1, 2], entry.cdf).pvalue > 1e-4
    )


def test_orthogonal_is_haar() -> None:
    assert is_haar(rotations())


def test_a_fixed_rotation_changes_nothing() -> None:
    turn = orthogonal((N, N), np.random.default_rng(1), dtype=np.float64)
    assert is_haar(turn @ rotations())
    assert is_haar(rotations() @ turn)


def test_u_and_plain_qr_are_not_haar() -> None:
    # What they are instead depends on the LAPACK, so only the difference is tested.
    G = gaussian_squares()
    u, _, vt = np.linalg.svd(G)
    Q, R = np.linalg.qr(G)
    for M in (u, Q):
        assert np.abs(M.swapaxes(1, 2) @ M - np.eye(N)).max() < 1e-12
        assert not is_haar(M)
        assert abs(np.trace(M, axis1=1, axis2=2).mean()) > 10 / sqrt(DRAWS)
    assert is_haar(Q * np.sign(np.diagonal(R, axis1=1, axis2=2))[:, None])
    assert is_haar(u @ vt)


@pytest.mark.parametrize(
    ("shape", "axes", "columns"),
    [
        ((64, 32), {}, (-1,)),
        ((32, 64), {}, (-1,)),
        ((40, 40), {}, (-1,)),
        ((3, 3, 16, 32), {}, (-1,)),
        ((2, 3, 4, 5, 200), {}, (-1,)),
        ((32, 64), {"in_axis": 1, "out_axis": 0}, (0,)),
        ((32, 16, 3, 3), {"in_axis": 1, "out_axis": 0}, (0,)),
        ((8, 4, 16, 2), {"in_axis": (0, 1), "out_axis": (2, 3)}, (2, 3)),
        ((1, 7), {}, (-1,)),
        ((7, 1), {}, (-1,)),
    ],
)
@pytest.mark.parametrize("gain", [1.0, 2.5])
def test_singular_values_are_the_gain(
    shape: tuple[int, ...], axes: dict[str, Any], columns: tuple[int, ...], gain: float
) -> None:
    W = orthogonal(shape, np.random.default_rng(2), gain=gain, **axes)
    assert W.shape == shape
    assert W.dtype == np.float32
    assert W.flags.c_contiguous
    count = prod(shape[i] for i in columns)
    matrix = np.moveaxis(W, columns, range(-len(columns), 0)).reshape(-1, count)
    matrix = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    gram = matrix.astype(np.float64).T @ matrix
    np.testing.assert_allclose(gram, gain**2 * np.eye(len(gram)), atol=1e-5)


@pytest.mark.parametrize("gain", [1.0, 3.0])
def test_each_batch_has_a_matrix_of_its_own(gain: float) -> None:
    W = orthogonal(
        (6, 5, 4), np.random.default_rng(3), batch_axis=1, gain=gain, in_axis=0, dtype=np.float64
    )
    for i in range(5):
        gram = W[:, i].T @ W[:, i]
        np.testing.assert_allclose(gram, gain**2 * np.eye(4), atol=1e-12)
        assert not np.allclose(W[:, i], W[:, i - 1])


@pytest.mark.parametrize(("dtype", "error"), [(np.float16, 5e-3), (np.float32, 1e-6)])
def test_a_smaller_dtype_rounds_the_same_matrix(dtype: Any, error: float) -> None:
    small = orthogonal((20, 30), np.random.default_rng(4), dtype=dtype)
    full = orthogonal((20, 30), np.random.default_rng(4), dtype=np.float64)
    assert small.dtype == dtype
    np.testing.assert_array_equal(small, full.astype(dtype))
    np.testing.assert_allclose(small.astype(float) @ small.T.astype(float), np.eye(20), atol=error)


@pytest.mark.parametrize("init", [orthogonal, initializers.glorot_sigmoid_uniform])
def test_one_seed_one_array_and_layers_differ(init: Callable[..., Any]) -> None:
    rng = np.random.default_rng(5)
    first, second = init((9, 7), rng), init((9, 7), rng)
    np.testing.assert_array_equal(first, init((9, 7), np.random.default_rng(5)))
    assert not np.any(first == second)


def circular_convolution(x: Any, kernel: Any) -> Any:
    """Return y[p] = Σ_k x[p + k − centre] @ kernel[k], on a ring along each spatial axis."""
    spatial = kernel.shape[:-2]
    y = 0.0
    for offset in np.ndindex(*spatial):
        shift = [(k - 1) // 2 - o for k, o in zip(spatial, offset, strict=True)]
        y = y + np.roll(x, shift, axis=tuple(range(len(spatial)))) @ kernel[offset]
    return y


@pytest.mark.parametrize(
    "shape", [(3, 5, 8), (4, 8, 8), (3, 3, 5, 8), (4, 3, 8, 9), (3, 2, 3, 4, 6)]
)
def test_delta_orthogonal_keeps_every_length(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(6)
    kernel = delta_orthogonal(shape, rng, gain=2.0, dtype=np.float64)
    assert kernel.shape == shape
    x = rng.standard_normal((*[6] * (len(shape) - 2), shape[-2]))
    y = circular_convolution(x, kernel)
    # Position by position: nothing is moved, everything turned and doubled.
    np.testing.assert_allclose(
        np.linalg.norm(y, axis=-1), 2 * np.linalg.norm(x, axis=-1), rtol=1e-12
    )
    centre = tuple((k - 1) // 2 for k in shape[:-2])
    kernel[centre] = 0
    assert not kernel.any()


def test_delta_orthogonal_holds_a_haar_matrix() -> None:
    rng = np.random.default_rng(7)
    centres = [delta_orthogonal((3, N, N), rng, dtype=np.float64)[1] for _ in range(2000)]
    assert is_haar(np.array(centres))


@pytest.mark.parametrize("shape", [(3, 3), (2, 5), (5, 2)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_identity(shape: tuple[int, int], dtype: Any) -> None:
    W = identity(shape, gain=0.5, dtype=dtype)
    assert W.dtype == dtype
    np.testing.assert_array_equal(W, 0.5 * np.eye(*shape))
    np.testing.assert_array_equal(identity(shape, np.random.default_rng(0)), np.eye(*shape))


def test_glorot_sigmoid_uniform() -> None:
    W = initializers.glorot_sigmoid_uniform((2048, 512), np.random.default_rng(8))
    bound = 4 * sqrt(6 / (2048 + 512))
    assert 0.9999 * bound < abs(W).max() <= np.float32(bound)
    assert stats.kstest(W.ravel(), stats.uniform(-bound, 2 * bound).cdf).pvalue > 0.001
    twin = initializers.glorot_uniform((2048, 512), np.random.default_rng(8))
    np.testing.assert_allclose(W, 4 * twin, rtol=1e-4, atol=1e-6)
