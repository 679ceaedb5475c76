"""Side by side with PyTorch, JAX and Keras, where they are installed; the course runs without them.

Standard deviations of 2^20 draws of each side agree to 5 of their standard errors of 0.07 %.
"""

import os
from functools import partial
from math import sqrt
from typing import Any

import numpy as np
import pytest

from initcourse import activations, initializers
from initcourse.initializers import compute_fans, variance_scaling
from initcourse.propagation import backward, forward, make_network

os.environ.setdefault("KERAS_BACKEND", "jax")

SHAPE = (2048, 512)
SCHEMES = ["lecun", "glorot", "he"]
KERNELS = [(64, 32), (3, 16, 32), (3, 3, 16, 32), (2, 3, 4, 5, 6)]


def assert_alike(ours: Any, theirs: Any) -> None:
    """Equal spread to 0.5 %, equal limits to 0.1 % where there are any, and equal means."""
    ours, theirs = (np.asarray(a, dtype=np.float64) for a in (ours, theirs))
    assert ours.shape == theirs.shape
    assert ours.std() == pytest.approx(theirs.std(), rel=0.005)
    assert abs(ours.mean() - theirs.mean()) < 7 * ours.std() / sqrt(ours.size)
    # Quantiles tell the shapes apart: normal, truncated, uniform.
    shares = [0.001, 0.02, 0.2, 0.8, 0.98, 0.999]
    np.testing.assert_allclose(np.quantile(ours, shares), np.quantile(theirs, shares), rtol=0.03)


def assert_same_limit(ours: Any, theirs: Any) -> None:
    assert float(abs(ours).max()) == pytest.approx(float(abs(np.asarray(theirs)).max()), rel=1e-3)


# PyTorch: plain normals, kernels laid out (out, in, *spatial)


@pytest.mark.parametrize("shape", [(32, 64), (32, 16, 3), (32, 16, 3, 3), (6, 5, 2, 3, 4)])
def test_fans_of_pytorch(shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
    assert compute_fans(shape, in_axis=1, out_axis=0) == theirs


@pytest.mark.parametrize("shape", [(512, 2048), (1024, 64, 4, 4)])
@pytest.mark.parametrize(
    ("ours", "theirs", "options"),
    [
        ("xavier_normal", "xavier_normal_", {}),
        ("xavier_uniform", "xavier_uniform_", {}),
        ("kaiming_normal", "kaiming_normal_", {}),
        ("kaiming_uniform", "kaiming_uniform_", {}),
        ("fan_in_uniform", "kaiming_uniform_", {"a": sqrt(5)}),
        ("lecun_normal", "kaiming_normal_", {"nonlinearity": "linear"}),
    ],
)
def test_schemes_of_pytorch(
    ours: str, theirs: str, options: dict[str, Any], shape: tuple[int, ...]
) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    V = getattr(torch.nn.init, theirs)(torch.empty(shape), **options).numpy()
    W = getattr(initializers, ours)(shape, np.random.default_rng(0), in_axis=1, out_axis=0)
    assert_alike(W, V)
    if "uniform" in ours:
        assert_same_limit(W, V)


def test_default_layer_of_pytorch_is_fan_in_uniform() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    layer = torch.nn.Linear(2048, 512)
    W = initializers.fan_in_uniform((512, 2048), np.random.default_rng(0), in_axis=1, out_axis=0)
    assert_alike(W, layer.weight.detach().numpy())
    assert_same_limit(W, layer.weight.detach().numpy())


def test_gains_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    gain = torch.nn.init.calculate_gain
    for ours, theirs in {
        "identity": "linear",
        "sigmoid": "sigmoid",
        "tanh": "tanh",
        "relu": "relu",
    }.items():
        assert activations.named(ours).gain == pytest.approx(gain(theirs))
    assert activations.leaky_relu(0.2).gain == pytest.approx(gain("leaky_relu", 0.2))


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "leaky_relu"])
def test_activations_of_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    function = getattr(torch.nn.functional, name)
    z = torch.linspace(-18, 18, 1000, dtype=torch.float64, requires_grad=True)
    theirs = function(z)
    theirs.sum().backward()
    ours = activations.named(name)
    np.testing.assert_allclose(ours(z.detach().numpy()), theirs.detach().numpy(), rtol=1e-12)
    # PyTorch computes 1 − tanh², which loses its digits far out.
    np.testing.assert_allclose(
        ours.derivative(z.detach().numpy()), z.grad.numpy(), rtol=1e-9, atol=1e-15
    )


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "leaky_relu", "identity"])
def test_backward_is_autograd(name: str) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)

    def draw(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
        return initializers.normal(shape, rng, std=0.7, dtype=np.float64)

    net = make_network((7, 9, 8, 3), rng, init=draw, bias_init=draw, activation=name)
    x, gradient = rng.standard_normal((11, 7)), rng.standard_normal((11, 3))
    weights = [torch.tensor(W, requires_grad=True) for W in net.weights]
    biases = [torch.tensor(b, requires_grad=True) for b in net.biases]
    function = (lambda z: z) if name == "identity" else getattr(torch.nn.functional, name)
    a, zs = torch.tensor(x), []
    for W, b in zip(weights, biases, strict=True):
        zs.append(a @ W + b)
        zs[-1].retain_grad()
        a = function(zs[-1])
    zs[-1].backward(torch.tensor(gradient))
    ours = backward(net, forward(net, x), gradient)
    for layer in range(3):
        for found, tensor in [
            (ours.weights[layer], weights[layer]),
            (ours.biases[layer], biases[layer]),
            (ours.z[layer], zs[layer]),
        ]:
            np.testing.assert_allclose(found, tensor.grad.numpy(), rtol=1e-10, atol=1e-12)


# JAX: the same layout, truncated normals


@pytest.mark.parametrize("shape", KERNELS)
def test_fans_of_jax(shape: tuple[int, ...]) -> None:
    jax = pytest.importorskip("jax")
    fans = jax._src.nn.initializers._compute_fans(shape)
    assert compute_fans(shape) == tuple(int(fan) for fan in fans)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg", "fan_geo_avg"])
@pytest.mark.parametrize("distribution", ["normal", "truncated_normal", "uniform"])
def test_variance_scaling_of_jax(mode: Any, distribution: Any) -> None:
    jax = pytest.importorskip("jax")
    theirs = jax.nn.initializers.variance_scaling(1.7, mode, distribution)
    V = theirs(jax.random.key(0), SHAPE)
    W = variance_scaling(
        SHAPE, np.random.default_rng(0), scale=1.7, mode=mode, distribution=distribution
    )
    assert_alike(W, V)
    if distribution != "normal":
        assert_same_limit(W, V)


@pytest.mark.parametrize("axes", [{"in_axis": 1, "out_axis": 0}, {"batch_axis": 0}])
def test_axes_of_jax(axes: dict[str, Any]) -> None:
    jax = pytest.importorskip("jax")
    shape = (16, 32, 64, 32)
    V = jax.nn.initializers.he_uniform(**axes)(jax.random.key(0), shape)
    W = initializers.he_uniform(shape, np.random.default_rng(0), **axes)
    assert_alike(W, V)
    assert_same_limit(W, V)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_schemes_of_jax(scheme: str) -> None:
    jax = pytest.importorskip("jax")
    scale, mode = (2.0 if scheme == "he" else 1.0), ("fan_avg" if scheme == "glorot" else "fan_in")
    rng = np.random.default_rng(0)
    uniform = getattr(jax.nn.initializers, f"{scheme}_uniform")()(jax.random.key(0), SHAPE)
    assert_alike(getattr(initializers, f"{scheme}_uniform")(SHAPE, rng), uniform)
    truncated: Any = {"scale": scale, "mode": mode, "distribution": "truncated_normal"}
    normal = getattr(jax.nn.initializers, f"{scheme}_normal")()(jax.random.key(1), SHAPE)
    W = variance_scaling(SHAPE, rng, **truncated)
    assert_alike(W, normal)
    assert_same_limit(W, normal)
    # The name alone draws the papers' plain normal: as wide, but not cut.
    plain = getattr(initializers, f"{scheme}_normal")(SHAPE, rng)
    assert plain.std() == pytest.approx(float(np.std(normal)), rel=0.005)
    assert abs(plain).max() > 1.5 * float(abs(np.asarray(normal)).max())


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "leaky_relu"])
def test_activations_of_jax(name: str) -> None:
    jax = pytest.importorskip("jax")
    function, ours = getattr(jax.nn, name), activations.named(name)
    z = np.linspace(-8, 8, 999, dtype=np.float32) + np.float32(1e-3)
    np.testing.assert_allclose(ours(z), np.asarray(function(z)), rtol=1e-5, atol=1e-6)
    slope = np.asarray(jax.vmap(jax.grad(function))(z))
    np.testing.assert_allclose(ours.derivative(z), slope, rtol=1e-4, atol=1e-6)


# Keras: as JAX, without fan_geo_avg


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("distribution", ["uniform", "truncated_normal"])
def test_schemes_of_keras(scheme: str, distribution: Any) -> None:
    keras = pytest.importorskip("keras")
    kind = {"uniform": "Uniform", "truncated_normal": "Normal"}[distribution]
    V = np.asarray(getattr(keras.initializers, f"{scheme.title()}{kind}")(seed=0)(SHAPE))
    W = variance_scaling(
        SHAPE,
        np.random.default_rng(0),
        scale=2.0 if scheme == "he" else 1.0,
        mode="fan_avg" if scheme == "glorot" else "fan_in",
        distribution=distribution,
    )
    assert_alike(W, V)
    assert_same_limit(W, V)


@pytest.mark.parametrize("shape", [(64, 32), (3, 3, 16, 32), (3, 16, 32)])
def test_fans_of_keras(shape: tuple[int, ...]) -> None:
    pytest.importorskip("keras")
    from keras.src.initializers.random_initializers import compute_fans as theirs

    assert compute_fans(shape) == theirs(shape)


# Orthogonal matrices: the same shapes, orthonormal along the same side


def gram_matrices(W: Any) -> tuple[Any, Any]:
    """Return W·Wᵀ and Wᵀ·W of a kernel read with its outputs as columns."""
    matrix = np.asarray(W, dtype=np.float64).reshape(-1, np.shape(W)[-1])
    return matrix @ matrix.T, matrix.T @ matrix


@pytest.mark.parametrize("shape", [(64, 32), (32, 64), (20, 20), (3, 3, 4, 16), (3, 3, 4, 60)])
@pytest.mark.parametrize("framework", ["torch", "jax", "keras"])
def test_orthogonal(framework: str, shape: tuple[int, ...]) -> None:
    module = pytest.importorskip(framework)
    if framework == "torch":
        turned = (shape[-1], shape[-2], *shape[:-2])  # (out, in, *spatial)
        V = module.nn.init.orthogonal_(module.empty(turned), gain=1.5).numpy()
        mine = initializers.orthogonal(
            turned, np.random.default_rng(0), gain=1.5, in_axis=1, out_axis=0
        )
        assert mine.shape == V.shape
        V, W = (np.moveaxis(a, 0, -1) for a in (V, mine))
    else:
        if framework == "jax":
            V = module.nn.initializers.orthogonal(1.5)(module.random.key(0), shape)
        else:
            V = np.asarray(module.initializers.Orthogonal(gain=1.5, seed=0)(shape))
        W = initializers.orthogonal(shape, np.random.default_rng(0), gain=1.5)
        assert W.shape == V.shape
    side = int(W.reshape(-1, W.shape[-1]).shape[0] >= W.shape[-1])
    for kernel in (V, W):
        gram = gram_matrices(kernel)[side]
        np.testing.assert_allclose(gram, 1.5**2 * np.eye(len(gram)), atol=2e-5)


@pytest.mark.parametrize("shape", [(3, 4, 8), (4, 3, 8, 8), (2, 3, 4, 5, 6)])
def test_delta_orthogonal_of_jax(shape: tuple[int, ...]) -> None:
    jax = pytest.importorskip("jax")
    V = np.asarray(jax.nn.initializers.delta_orthogonal(1.5)(jax.random.key(0), shape))
    W = initializers.delta_orthogonal(shape, np.random.default_rng(0), gain=1.5)
    np.testing.assert_array_equal(V.any(axis=(-2, -1)), W.any(axis=(-2, -1)))
    for kernel in (V, W):
        centre = kernel[tuple((k - 1) // 2 for k in shape[:-2])]
        np.testing.assert_allclose(centre @ centre.T, 1.5**2 * np.eye(shape[-2]), atol=2e-5)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3)])
def test_identity_of_keras(shape: tuple[int, int]) -> None:
    keras = pytest.importorskip("keras")
    V = np.asarray(keras.initializers.Identity(gain=2.0)(shape))
    np.testing.assert_array_equal(V, initializers.identity(shape, gain=2.0))


# The nine variants of chapter 2 on its layer: 2048 inputs, 128 units

CUT: Any = {"distribution": "truncated_normal"}
VARIANTS: dict[str, tuple[Any, float, float]] = {  # ours, std, limit
    "zeros": (initializers.zeros, 0.0, 0.0),
    "RandomNormal": (partial(initializers.normal, std=0.05), 0.05, np.inf),
    "RandomUniform": (partial(initializers.uniform, low=-0.05, high=0.05), 0.05 / sqrt(3), 0.05),
    "glorot_normal": (partial(variance_scaling, mode="fan_avg", **CUT), 0.030317, 0.068931),
    "glorot_uniform": (initializers.glorot_uniform, 0.030317, 0.052511),
    "he_normal": (partial(variance_scaling, scale=2.0, **CUT), 0.031250, 0.071053),
    "he_uniform": (initializers.he_uniform, 0.031250, 0.054127),
    "lecun_normal": (partial(variance_scaling, **CUT), 0.022097, 0.050242),
    "lecun_uniform": (initializers.lecun_uniform, 0.022097, 0.038273),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_nine_variants_of_keras(name: str) -> None:
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    layer = keras.layers.Dense(128, activation="relu", kernel_initializer=name)
    layer.build((None, 2048))
    theirs = np.asarray(layer.kernel)
    draw, std, limit = VARIANTS[name]
    ours = draw((2048, 128), np.random.default_rng(0))
    assert ours.dtype == theirs.dtype == np.float32
    assert ours.shape == theirs.shape
    assert np.asarray(layer.bias).tolist() == [0.0] * 128
    for W in (ours, theirs):
        # 2^18 draws: 0.8 % is more than five standard errors.
        assert W.std(dtype=np.float64) == pytest.approx(std, rel=0.008)
        assert abs(W.mean(dtype=np.float64)) <= 5 * std / 512
        if np.isinf(limit):
            assert abs(W).max() > 4 * std
        else:
            assert limit * 0.999 <= abs(W).max() <= limit * (1 + 1e-5)


def test_the_template_of_keras_draws_glorot_uniform() -> None:
    keras = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    layer = keras.layers.Dense(128, activation="relu")
    layer.build((None, 2048))
    W = initializers.glorot_uniform((2048, 128), np.random.default_rng(0))
    assert_alike(W, layer.kernel)
    assert_same_limit(W, layer.kernel)
