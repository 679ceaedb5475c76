"""What a kernel's axes mean: fans counted by hand, and the variance that they keep in a run."""

from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest

from initcourse import initializers
from initcourse.initializers import (
    compute_fans,
    he_normal,
    identity,
    lecun_normal,
    orthogonal,
    variance_scaling,
)

TORCH = {"in_axis": 1, "out_axis": 0}
# name: (shape, keywords, fan_in, fan_out), counted by hand.
LAYOUTS: dict[str, tuple[tuple[int, ...], dict[str, Any], float, float]] = {
    "dense": ((2048, 128), {}, 2048, 128),
    "convolution": ((3, 3, 16, 32), {}, 144, 288),
    "convolution, PyTorch": ((32, 16, 3, 3), TORCH, 144, 288),
    "grouped": ((3, 3, 16, 64), {"groups": 4}, 144, 144),
    "grouped, PyTorch": ((64, 16, 3, 3), TORCH | {"groups": 4}, 144, 144),
    "depthwise, PyTorch": ((4, 1, 3, 3), TORCH | {"groups": 4}, 9, 9),
    "depthwise, Keras": ((3, 3, 64, 1), {"in_axis": (), "batch_axis": -2}, 9, 9),
    "depthwise, Keras, two each": ((3, 3, 64, 2), {"in_axis": (), "batch_axis": -2}, 9, 18),
    "stride 2": ((4, 4, 16, 32), {"stride": 2}, 256, 128),
    "stride 2, odd kernel": ((3, 3, 16, 32), {"stride": 2}, 144, 72),
    "two strides": ((3, 3, 16, 32), {"stride": (2, 4)}, 144, 36),
    "transposed, Keras": (
        (3, 3, 256, 64), {"in_axis": -1, "out_axis": -2, "transposed": True}, 576, 2304
    ),
    "transposed, PyTorch": (
        (64, 256, 3, 3), {"in_axis": 0, "out_axis": 1, "transposed": True}, 576, 2304
    ),
    "transposed, stride 2": (
        (64, 256, 3, 3), {"in_axis": 0, "out_axis": 1, "stride": 2, "transposed": True}, 144, 2304
    ),
    "transposed, groups": (
        (64, 8, 3, 3), {"in_axis": 0, "out_axis": 1, "groups": 4, "transposed": True}, 144, 72
    ),
    "fused Q, K, V": ((512, 1536), {"groups": 3}, 512, 512),
    "fused Q, K, V, PyTorch": ((1536, 512), TORCH | {"groups": 3}, 512, 512),
    "LSTM gates": ((128, 256), {"groups": 4}, 128, 64),
    "attention heads": ((512, 8, 64), {"in_axis": 0, "out_axis": (1, 2)}, 512, 512),
    "from the heads": ((8, 64, 512), {"in_axis": (0, 1), "out_axis": 2}, 512, 512),
    "embedding": ((50_000, 512), {"in_axis": (), "batch_axis": 0}, 1, 512),
    "ensemble": ((5, 64, 32), {"batch_axis": 0}, 64, 32),
}  # fmt: skip
each_layout = pytest.mark.parametrize("name", LAYOUTS)


@each_layout
def test_fans_by_hand(name: str) -> None:
    shape, keywords, fan_in, fan_out = LAYOUTS[name]
    fans = compute_fans(shape, **keywords)
    assert fans == (fan_in, fan_out)
    assert all(isinstance(fan, int) for fan in fans)


def test_the_table_of_the_docstring_names_every_keyword() -> None:
    text = compute_fans.__doc__ or ""
    for _, keywords, _, _ in LAYOUTS.values():
        for keyword in keywords:
            assert f"{keyword}=" in text


@each_layout
def test_every_scheme_draws_by_those_fans(name: str) -> None:
    shape, keywords, fan_in, fan_out = LAYOUTS[name]
    rng = np.random.default_rng(1)
    drawn = {
        "lecun_normal": fan_in,
        "he_normal": fan_in / 2,
        "glorot_uniform": (fan_in + fan_out) / 2,
    }
    for scheme, n in drawn.items():
        W = getattr(initializers, scheme)(shape, rng, **keywords)
        assert W.shape == shape
        error = 6 * (2 / W.size) ** 0.5
        assert W.astype(float).var() == pytest.approx(1 / n, rel=error)


# ---------------------------------------------------------------- counted in a real convolution


def convolve(x: Any, W: Any, stride: int = 1, groups: int = 1) -> Any:
    """Convolve x (side, side, in), taken as a circle, with W (k, k, in/g, out)."""
    side, k, outputs = len(x), len(W), W.shape[-1]
    z = np.zeros((side // stride, side // stride, outputs))
    parts = zip(np.split(x, groups, axis=-1), np.split(W, groups, axis=-1), strict=True)
    for group, (some, kernel) in enumerate(parts):
        place = slice(group * outputs // groups, (group + 1) * outputs // groups)
        for i, j in product(range(k), repeat=2):
            seen = np.roll(some, (-i, -j), axis=(0, 1))[::stride, ::stride]
            z[..., place] += seen @ kernel[i, j]
    return z


def convolve_back(a: Any, W: Any, stride: int = 1) -> Any:
    """Convolve a (side, side, in) the other way round with W (k, k, out, in), on a circle."""
    side, k, outputs = len(a) * stride, len(W), W.shape[-2]
    z = np.zeros((side, side, outputs))
    spread = np.zeros((side, side, a.shape[-1]))
    spread[::stride, ::stride] = a
    for i, j in product(range(k), repeat=2):
        z += np.roll(spread, (i, j), axis=(0, 1)) @ W[i, j].T
    return z


def kept(z: Any) -> float:
    return float(np.mean(np.square(z)))


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("groups", [1, 4, 8])
def test_a_convolution_keeps_the_second_moment_forward_and_backward(
    stride: int, groups: int
) -> None:
    rng, seen, sent = np.random.default_rng(2), [], []
    for _ in range(40):
        shape, layout = (4, 4, 16 // groups, 32), {"groups": groups, "stride": stride}
        x = rng.standard_normal((16, 16, 16))
        forward = variance_scaling(shape, rng, mode="fan_in", **layout)
        seen.append(kept(convolve(x, forward, stride, groups)))
        # Backward: the gradient of ⟨z, δ⟩ by x, one group at a time.
        backward = variance_scaling(shape, rng, mode="fan_out", **layout)
        delta = rng.standard_normal((16 // stride, 16 // stride, 32))
        one = 32 // groups
        sent.append(kept(convolve_back(delta[..., :one], backward[..., :one], stride)))
    assert np.mean(seen) == pytest.approx(1, rel=0.1)
    assert np.mean(sent) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_transposed_convolution_keeps_the_second_moment(stride: int) -> None:
    rng, layout = np.random.default_rng(3), {"in_axis": -1, "out_axis": -2, "transposed": True}
    drawn = [
        kept(
            convolve_back(
                rng.standard_normal((4, 4, 16)),
                lecun_normal((4, 4, 32, 16), rng, **layout, stride=stride),
                stride,
            )
        )
        for _ in range(20)
    ]
    assert np.mean(drawn) == pytest.approx(1, rel=0.1)


def test_an_embedding_keeps_unit_variance() -> None:
    W = lecun_normal((1000, 64), np.random.default_rng(4), in_axis=(), batch_axis=0)
    rows = W[np.random.default_rng(5).integers(0, 1000, 500)]
    assert kept(rows) == pytest.approx(1, rel=0.05)


def test_fused_projections_are_as_wide_as_separate_ones() -> None:
    fused = initializers.glorot_normal((512, 1536), np.random.default_rng(6), groups=3)
    alone = initializers.glorot_normal((512, 512), np.random.default_rng(6))
    assert fused.std() == pytest.approx(alone.std(), rel=0.01)


@pytest.mark.parametrize(
    ("shape", "keywords"),
    [
        ((64, 256), {"groups": 4}),
        ((256, 64), TORCH | {"groups": 4}),
        ((3, 3, 4, 32), {"groups": 2}),
        ((2, 10, 12), {"groups": 3, "batch_axis": 0}),
    ],
)
def test_each_gate_gets_an_orthogonal_matrix_of_its_own(shape: Any, keywords: Any) -> None:
    W = orthogonal(shape, np.random.default_rng(7), dtype=np.float64, **keywords)
    out = keywords.get("out_axis", -1)
    gates = np.split(np.moveaxis(W, out, -1), keywords["groups"], axis=-1)
    for gate in gates:
        stack = gate if "batch_axis" in keywords else gate[None]
        for matrix in (one.reshape(-1, one.shape[-1]) for one in stack):
            np.testing.assert_allclose(np.linalg.svd(matrix)[1], 1, atol=1e-12)
    assert not np.allclose(gates[0], gates[1])


# ---------------------------------------------------------------- Dirac kernels


@pytest.mark.parametrize("groups", [1, 2])
def test_the_identity_of_a_convolution_copies_its_input(groups: int) -> None:
    x = np.random.default_rng(8).standard_normal((6, 6, 8))
    W = identity((3, 3, 8 // groups, 8), groups=groups, dtype=np.float64)
    z = convolve(x, W, groups=groups)
    np.testing.assert_array_equal(np.roll(z, (1, 1), axis=(0, 1)), x)  # the centre is at 1, 1


def test_more_outputs_than_inputs_stay_zero() -> None:
    W = identity((1, 2, 3), gain=0.5)
    np.testing.assert_array_equal(W, [[[0.5, 0, 0], [0, 0.5, 0]]])


# ---------------------------------------------------------------- what cannot be right is refused


@pytest.mark.parametrize(
    ("shape", "keywords", "message"),
    [
        ((3, 3, 16, 30), {"groups": 4}, "groups must divide the output axis of 30, got 4"),
        ((64, 30), {"groups": 0}, "groups must be >= 1"),
        (
            (30, 8, 3, 3),
            {"in_axis": 0, "out_axis": 1, "groups": 4, "transposed": True},
            "groups must divide the input axis of 30, got 4",
        ),
        ((64, 30), {"stride": 2}, "stride must be 1 where there is no spatial axis, got 2"),
        ((3, 3, 4, 4), {"stride": (2, 2, 2)}, r"one a spatial axis \(2\), got \(2, 2, 2\)"),
        ((3, 3, 4, 4), {"stride": 0}, "stride must be >= 1, got 0"),
    ],
)
def test_groups_and_strides_that_do_not_fit(shape: Any, keywords: Any, message: str) -> None:
    for draw in (compute_fans, partial(he_normal, rng=np.random.default_rng(0))):
        with pytest.raises(ValueError, match=message):
            draw(shape, **keywords)


SCHEMES = [
    name
    for name in dir(initializers)
    if name.startswith(("lecun", "glorot", "he_", "fan_in_u")) and "sigmoid" not in name
]


@pytest.mark.parametrize("name", [*SCHEMES, "glorot_sigmoid_uniform", "variance_scaling"])
@pytest.mark.parametrize(
    ("keyword", "remedy"),
    [
        ("a", "scale=2 / "),
        ("negative_slope", "scale=2 / "),
        ("gain", r"scale=gain\*\*2"),
        ("fan", "it takes in_axis, out_axis, batch_axis, groups, stride, transposed, dtype"),
        ("mode", "choose it in variance_scaling"),
        ("scale", "choose it in variance_scaling"),
        ("distribution", "choose it in variance_scaling"),
    ],
)
def test_an_unknown_keyword_is_refused_by_the_function_that_was_called(
    name: str, keyword: str, remedy: str
) -> None:
    if name == "variance_scaling" and keyword in ("mode", "scale", "distribution"):
        pytest.skip("it takes them")
    with pytest.raises(
        TypeError, match=rf"^{name}\(\) got an unexpected keyword '{keyword}'; .*{remedy}"
    ):
        getattr(initializers, name)((4, 4), np.random.default_rng(0), **{keyword: 1})


@pytest.mark.parametrize("shape", [(256, 128), (128, 256), (3, 3, 16, 32), (1, 1, 16, 64)])
def test_the_variance_of_an_orthogonal_kernel(shape: Any) -> None:
    W = orthogonal(shape, np.random.default_rng(9), dtype=np.float64)
    fan_in, channels = compute_fans(shape).fan_in, shape[-1]
    assert kept(W) == pytest.approx(1 / max(fan_in, channels), rel=1e-12)
