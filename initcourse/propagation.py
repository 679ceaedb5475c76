r"""Forward and backward through a dense net, and what the layers look like on the way.

A :class:`Network` holds weights, biases and activations as plain arrays.  Layer ``l`` computes
``z[l] = a[l-1] @ W[l] + b[l]`` and ``a[l] = φ(z[l])``, where ``a[-1]`` is the input ``x`` of shape
``(samples, fan_in)``.  *Gradient* means ∂L/∂z, one number a unit and sample, unless it is named
otherwise.  Statistics are summed in float64.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks, activations
from initcourse.activations import Activation
from initcourse.initializers import Initializer, he_normal, normal, zeros

Array: TypeAlias = npt.NDArray[Any]
_BLOCK = 2_000_000  # weights drawn at once: 8 MB


@dataclass(frozen=True)
class Network:
    """A dense net: one weight matrix, bias vector and activation a layer.

    Attributes
    ----------
    weights : tuple of ndarray
        ``weights[l]`` has shape ``(fan_in, fan_out)``.
    biases : tuple of ndarray
        ``biases[l]`` has shape ``(fan_out,)``.
    activations : tuple of Activation
        One a layer; the last is often ``identity``.
    """

    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    activations: tuple[Activation, ...]

    @property
    def depth(self) -> int:
        """The number of layers."""
        return len(self.weights)

    @property
    def widths(self) -> tuple[int, ...]:
        """The number of inputs, then of units in each layer."""
        return (self.weights[0].shape[0], *(W.shape[1] for W in self.weights))


@dataclass(frozen=True)
class Trace:
    """What a forward pass leaves behind: the input, and z and a of every layer."""

    x: Array
    z: tuple[Array, ...]
    a: tuple[Array, ...]


@dataclass(frozen=True)
class Gradients:
    """What a backward pass finds: ∂L/∂z a sample, ∂L/∂W and ∂L/∂b summed over the samples."""

    z: tuple[Array, ...]
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]


def make_network(
    widths: Sequence[int],
    rng: np.random.Generator,
    *,
    init: Initializer | Sequence[Initializer],
    activation: str | Activation,
    bias_init: Initializer | Sequence[Initializer] = zeros,
    output: str | Activation | None = None,
    dtype: npt.DTypeLike = np.float64,
) -> Network:
    r"""Draw a network layer by layer, first the weights of a layer, then its biases.

    Initializers draw in float32, as the frameworks do.  The net then computes in `dtype`: in
    float64 a processor's own order of adding changes no digit that is shown.

    Parameters
    ----------
    widths : sequence of int
        The number of inputs, then of units in each layer: at least two numbers.
    rng : numpy.random.Generator
        The one source of randomness of all layers.
    init, bias_init : initializer or sequence of initializer
        Functions of ``(shape, rng)``, one for all layers or one a layer; biases have shape
        ``(units,)``.
    activation : str or Activation
        φ of every layer.
    output : str or Activation, optional
        φ of the last layer, if it differs.
    dtype : dtype, default float64
        A real floating type: the one in which the net's signals and gradients are computed.

    Returns
    -------
    Network

    Raises
    ------
    ValueError, TypeError
        If there are fewer than two widths, a width is below 1, there are not as many initializers
        as layers, an activation is unknown, `rng` is not a generator, or the dtype is not floating.

    Examples
    --------
    >>> from initcourse.initializers import fan_in_uniform, he_normal, uniform
    >>> net = make_network((64, 32, 10), np.random.default_rng(0), init=[he_normal, zeros],
    ...                    activation="relu", output="identity")  # a readout that starts at 0
    >>> net.widths, [phi.name for phi in net.activations], bool(net.weights[1].any())
    ((64, 32, 10), ['relu', 'identity'], False)

    PyTorch's default draws the biases from :math:`U(\pm 1/\sqrt{n_\text{in}})` too, so that each
    layer has a rule of its own:

    >>> from functools import partial
    >>> limits = [n**-0.5 for n in (64, 32)]
    >>> biases = [partial(uniform, low=-limit, high=limit) for limit in limits]
    >>> net = make_network((64, 32, 10), np.random.default_rng(0), init=fan_in_uniform,
    ...                    bias_init=biases, activation="relu")
    >>> bool(abs(net.biases[0]).max() <= 1 / 8)
    True
    """
    if len(widths) < 2:
        raise ValueError(f"widths must hold the inputs and at least one layer, got {widths}")
    sizes = [_checks.count(f"widths[{i}]", width) for i, width in enumerate(widths)]
    rng, dtype = _checks.generator(rng), _checks.floating(dtype)
    hidden = activations.named(activation)
    last = hidden if output is None else activations.named(output)
    shapes = list(pairwise(sizes))
    rules = zip(
        _one_a_layer("init", init, len(shapes)),
        _one_a_layer("bias_init", bias_init, len(shapes)),
        strict=True,
    )
    weights, biases = [], []
    for shape, (draw, draw_bias) in zip(shapes, rules, strict=True):
        weights.append(draw(shape, rng).astype(dtype, copy=False))
        biases.append(draw_bias(shape[1:], rng).astype(dtype, copy=False))
    return Network(tuple(weights), tuple(biases), (hidden,) * (len(weights) - 1) + (last,))


def _one_a_layer(
    name: str, given: Initializer | Sequence[Initializer], layers: int
) -> list[Initializer]:
    """Return an initializer for each layer."""
    rules = [given] * layers if callable(given) else list(given)
    if len(rules) != layers:
        raise ValueError(
            f"{name} must be one initializer or one for each of the {layers} layers, "
            f"got {len(rules)}"
        )
    return rules


def forward(network: Network, x: npt.ArrayLike) -> Trace:
    """Compute ``z = a @ W + b`` and ``a = φ(z)`` layer by layer, in the dtype of the weights.

    Parameters
    ----------
    network : Network
        The net.
    x : array_like of shape (samples, fan_in)
        The inputs.

    Returns
    -------
    Trace
        z and a of every layer, each of shape ``(samples, units)``.

    Raises
    ------
    ValueError
        If `x` does not have two axes or as many columns as the net has inputs.

    Examples
    --------
    >>> net = Network((np.eye(2),), (np.zeros(2),), (activations.relu,))
    >>> forward(net, [[1.0, -1.0]]).a[-1]
    array([[1., 0.]])
    """
    x = np.asarray(x, dtype=network.weights[0].dtype)
    if x.ndim != 2 or x.shape[1] != network.widths[0]:
        raise ValueError(
            f"x must have shape (samples, {network.widths[0]}), got {x.shape}; "
            "a single input is x[None, :]"
        )
    z: list[Array] = []
    a: list[Array] = []
    for W, b, phi in zip(network.weights, network.biases, network.activations, strict=True):
        z.append((a[-1] if a else x) @ W + b)
        a.append(phi(z[-1]))
    return Trace(x, tuple(z), tuple(a))


def backward(network: Network, trace: Trace, gradient: npt.ArrayLike) -> Gradients:
    r"""Back-propagate: :math:`\delta_{l} = (\delta_{l+1} W_{l+1}^\top) \odot \varphi'(z_l)`.

    Parameters
    ----------
    network : Network
        The net.
    trace : Trace
        What :func:`forward` returned.
    gradient : array_like of shape (samples, outputs)
        ∂L/∂z of the *last* layer.

    Returns
    -------
    Gradients
        ``z[l]`` of shape ``(samples, units)``; ``weights[l]`` and ``biases[l]`` shaped as in the
        net and summed over the samples.

    Raises
    ------
    ValueError
        If `gradient` does not have the shape of the last layer's z.

    References
    ----------
    Nielsen 2015, chapter 2.

    Examples
    --------
    >>> net = Network((np.eye(2),), (np.zeros(2),), (activations.relu,))
    >>> trace = forward(net, [[1.0, -1.0]])
    >>> backward(net, trace, [[0.5, 2.0]]).weights[0]
    array([[ 0.5,  2. ],
           [-0.5, -2. ]])
    """
    delta = np.asarray(gradient, dtype=trace.z[-1].dtype)
    if delta.shape != trace.z[-1].shape:
        raise ValueError(f"gradient must have shape {trace.z[-1].shape}, got {delta.shape}")
    dz: list[Array] = [delta]
    for layer in range(network.depth - 1, 0, -1):
        back = dz[0] @ network.weights[layer].T
        dz.insert(0, back * network.activations[layer - 1].derivative(trace.z[layer - 1]))
    inputs = (trace.x, *trace.a[:-1])
    return Gradients(
        z=tuple(dz),
        weights=tuple(a.T @ d for a, d in zip(inputs, dz, strict=True)),
        biases=tuple(d.sum(axis=0) for d in dz),
    )


def rms(values: npt.ArrayLike) -> float:
    """Root of the mean square, summed in float64.

    Parameters
    ----------
    values : array_like
        Any shape, not empty.

    Returns
    -------
    float
        In the unit of `values`.

    Examples
    --------
    >>> rms([3.0, -4.0, 0.0, 0.0])
    2.5
    """
    return float(np.sqrt(np.mean(np.square(np.asarray(values, dtype=np.float64)))))


def median_magnitude(values: npt.ArrayLike) -> float:
    """Median of the absolute values.

    Parameters
    ----------
    values : array_like
        Any shape, not empty.

    Returns
    -------
    float
        In the unit of `values`.

    Examples
    --------
    >>> median_magnitude([3.0, -4.0, 0.0])
    3.0
    """
    return float(np.median(np.abs(values)))


def saturated_share(
    activation: str | Activation, z: npt.ArrayLike, threshold: float = 0.01
) -> float:
    """Share of the units whose derivative φ′(z) lies below `threshold`.

    Parameters
    ----------
    activation : str or Activation
        φ.
    z : array_like
        Pre-activations, any shape.
    threshold : float, default 0.01
        Below this φ′ a unit counts as saturated.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError, TypeError
        If `threshold` is not above 0 or the activation is unknown.

    Examples
    --------
    >>> saturated_share("sigmoid", np.array([0.0, 3.0, 10.0, -10.0]))
    0.5
    """
    threshold = _checks.positive("threshold", threshold)
    return float(np.mean(activations.named(activation).derivative(np.asarray(z)) < threshold))


@dataclass(frozen=True)
class LayerStatistics:
    """What a forward and a backward pass show of each layer.

    The arrays have shape ``(layers,)`` for one net, ``(seeds, layers)`` for several.

    Attributes
    ----------
    second_moment : ndarray
        Mean of z² over units and samples.
    saturated_share : ndarray
        Share of the units and samples with φ′(z) below the threshold.
    median_gradient : ndarray
        Median of the absolute value of ∂L/∂z.
    rms_gradient : ndarray
        Root mean square of ∂L/∂z.
    """

    second_moment: Array
    saturated_share: Array
    median_gradient: Array
    rms_gradient: Array

    def factor(self, name: str) -> Array:
        r"""Return the growth a layer of a statistic, :math:`(v_L / v_1)^{1 / (L - 1)}`.

        Parameters
        ----------
        name : str
            One of the attributes.

        Returns
        -------
        ndarray of shape () or (seeds,)

        Examples
        --------
        >>> LayerStatistics(*np.array([[1.0, 2.0, 4.0]] * 4)).factor("second_moment")
        np.float64(2.0)
        """
        values = _checks.choice("name", name, vars(self))
        return np.asarray((values[..., -1] / values[..., 0]) ** (1 / (values.shape[-1] - 1)))[()]


def layer_statistics(
    network: Network,
    x: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    threshold: float = 0.01,
) -> LayerStatistics:
    """Send inputs forward and a random gradient of RMS 1 backward; measure every layer.

    Parameters
    ----------
    network : Network
        The net.
    x : array_like of shape (samples, inputs)
        The inputs.
    rng : numpy.random.Generator
        Draws ∂L/∂z of the last layer from N(0, 1), so that nothing depends on a loss.
    threshold : float, default 0.01
        Below this φ′ a unit counts as saturated.

    Returns
    -------
    LayerStatistics

    Raises
    ------
    ValueError, TypeError
        If `x` does not fit the net, `threshold` is not above 0, or `rng` is not a generator.

    Examples
    --------
    >>> from initcourse.initializers import lecun_normal
    >>> rng = np.random.default_rng(0)
    >>> net = make_network((500, 500, 500), rng, init=lecun_normal, activation="identity")
    >>> layer_statistics(net, np.ones((1, 500)), rng).second_moment.round(1)
    array([1., 1.])
    """
    rng, threshold = _checks.generator(rng), _checks.positive("threshold", threshold)
    trace = forward(network, x)
    last = rng.standard_normal(trace.z[-1].shape).astype(trace.z[-1].dtype)
    gradients = backward(network, trace, last).z
    layers = list(zip(network.activations, trace.z, strict=True))
    return LayerStatistics(
        second_moment=np.array([rms(z) ** 2 for z in trace.z]),
        saturated_share=np.array([saturated_share(phi, z, threshold) for phi, z in layers]),
        median_gradient=np.array([median_magnitude(g) for g in gradients]),
        rms_gradient=np.array([rms(g) for g in gradients]),
    )


def depth_sweep(
    widths: Sequence[int],
    *,
    seeds: int,
    init: Initializer,
    activation: str | Activation,
    samples: int = 20,
    inputs: Callable[[int, int, np.random.Generator], Array] | None = None,
    **options: Any,
) -> LayerStatistics:
    """Draw a net and inputs from each of several seeds, and measure every layer.

    Parameters
    ----------
    widths : sequence of int
        The number of inputs, then of units in each layer; ``(n,) * (L + 1)`` for L equal layers.
    seeds : int
        The number of nets; the k-th draws its weights, inputs and gradient from seed k.
    init, activation
        As :func:`make_network` takes them.
    samples : int, default 20
        Inputs sent through each net.
    inputs : callable, optional
        A function of ``(samples, inputs, rng)`` that draws them; N(0, 1) if left out.
    **options
        What :func:`make_network` takes besides.

    Returns
    -------
    LayerStatistics
        Arrays of shape ``(seeds, layers)``.

    Raises
    ------
    ValueError, TypeError
        If a count is below 1, or as :func:`make_network`.

    Examples
    --------
    >>> from initcourse.initializers import he_normal
    >>> sweep = depth_sweep((300,) * 11, seeds=2, init=he_normal, activation="relu")
    >>> sweep.rms_gradient.shape, sweep.factor("rms_gradient").round(1)
    ((2, 10), array([1., 1.]))
    """
    seeds, samples = _checks.count("seeds", seeds), _checks.count("samples", samples)
    found = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        net = make_network(widths, rng, init=init, activation=activation, **options)
        draw = inputs or (lambda samples, inputs, rng: rng.standard_normal((samples, inputs)))
        found.append(layer_statistics(net, draw(samples, widths[0], rng), rng))
    return LayerStatistics(*(np.array(rows) for rows in zip(*map(_values, found), strict=True)))


def _values(statistics: LayerStatistics) -> tuple[Array, ...]:
    return tuple(vars(statistics).values())


def sample_weight_gradient_rms(trace: Trace, gradients: Gradients) -> Array:
    r"""RMS of each layer's *weight* gradient of a single sample, over its entries and the samples.

    One sample's weight gradient is the outer product :math:`a_{l-1} \otimes \delta_l`, whose mean
    square is the product of the mean squares of the two.

    Parameters
    ----------
    trace : Trace
        What :func:`forward` returned.
    gradients : Gradients
        What :func:`backward` returned for it.

    Returns
    -------
    ndarray of shape (layers,)

    Examples
    --------
    >>> net = Network((np.eye(2),), (np.zeros(2),), (activations.identity,))
    >>> trace = forward(net, [[3.0, 4.0]])
    >>> sample_weight_gradient_rms(trace, backward(net, trace, [[1.0, 1.0]])).round(4)
    array([3.5355])
    """
    inputs = (trace.x, *trace.a[:-1])
    squares = [
        np.square(a, dtype=np.float64).mean(axis=1) * np.square(d, dtype=np.float64).mean(axis=1)
        for a, d in zip(inputs, gradients.z, strict=True)
    ]
    return np.asarray(np.sqrt(np.mean(squares, axis=1)))


def layer_jacobian_singular_values(network: Network, trace: Trace, layer: int) -> Array:
    r"""Singular values of :math:`\partial z_l / \partial z_{l-1}` for each sample.

    The Jacobian of a sample is :math:`\operatorname{diag}(\varphi'(z_{l-1}))\, W_l`, of shape
    ``(units before, units)``.

    Parameters
    ----------
    network : Network
        The net.
    trace : Trace
        What :func:`forward` returned; its samples choose where the Jacobian is taken.
    layer : int
        l, from 1 (the second layer) to depth − 1.

    Returns
    -------
    ndarray of shape (samples, min(units before, units))
        From the largest to the smallest.

    Raises
    ------
    ValueError, TypeError
        If `layer` is not an integer from 1 to depth − 1.

    References
    ----------
    Glorot & Bengio 2010, section 4.2.

    Examples
    --------
    >>> W = np.diag([3.0, 2.0])
    >>> net = Network((W, W), (np.zeros(2),) * 2, (activations.relu, activations.identity))
    >>> layer_jacobian_singular_values(net, forward(net, [[1.0, -1.0]]), 1)
    array([[3., 0.]])
    """
    index = _checks.count("layer", layer)
    if index >= network.depth:
        raise ValueError(f"layer must be <= {network.depth - 1} in this net, got {layer}")
    slopes = network.activations[index - 1].derivative(trace.z[index - 1])
    jacobians = np.asarray(slopes[:, :, None] * network.weights[index], dtype=np.float64)
    return np.asarray(np.linalg.svd(jacobians, compute_uv=False))


def dead_share(network: Network, x: npt.ArrayLike) -> Array:
    """Share of the units of each layer whose output is 0 for every sample.

    Parameters
    ----------
    network : Network
        The net.
    x : array_like of shape (samples, inputs)
        The inputs: the more of them, the fewer units count as dead.

    Returns
    -------
    ndarray of shape (layers,)

    Raises
    ------
    ValueError
        If `x` does not fit the net.

    Examples
    --------
    >>> net = Network((np.array([[1.0, -1.0]]),), (np.zeros(2),), (activations.relu,))
    >>> dead_share(net, [[1.0], [2.0]]), dead_share(net, [[1.0], [-2.0]])
    (array([0.5]), array([0.]))
    """
    return np.array([np.mean(~np.any(a != 0, axis=0)) for a in forward(network, x).a])


def mean_cosine(values: npt.ArrayLike) -> float:
    r"""Mean of :math:`\cos\angle(v_i, v_j)` over all pairs of different rows: how alike they are.

    Parameters
    ----------
    values : array_like of shape (samples, units)
        One row a sample, at least two of them; a row of zeros has no angle and is left out.

    Returns
    -------
    float
        1 if all rows point the same way, near 0 if they are unrelated.

    Raises
    ------
    ValueError
        If fewer than two rows differ from 0.

    Examples
    --------
    >>> round(mean_cosine([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0]]), 3)  # of 1, 0 and 0
    0.333
    """
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 2:
        raise ValueError(f"values must have shape (samples, units), got {rows.shape}")
    lengths = np.linalg.norm(rows, axis=1)
    rows = rows[lengths > 0] / lengths[lengths > 0, None]
    pairs = len(rows) * (len(rows) - 1)
    if pairs == 0:
        raise ValueError(f"values must hold two rows that differ from 0, got {len(rows)}")
    # The sum over all pairs is the square of the sum of the unit rows; each row's own 1 goes.
    return float((np.sum(rows.sum(axis=0) ** 2) - len(rows)) / pairs)


def born_dead_share(
    x: npt.ArrayLike,
    width: int,
    depth: int,
    rng: np.random.Generator,
    *,
    bias: float = 0.0,
    nets: int = 2000,
) -> float:
    """Share of random ReLU nets in which no sample passes every hidden layer.

    A sample is stopped by a layer all of whose units are off: beyond it nothing depends on the
    sample, and no gradient of it comes back.  With biases 0 the output is then a constant, 0.

    Parameters
    ----------
    x : array_like of shape (samples, inputs)
        The inputs.
    width, depth : int
        Units of each hidden layer, and the number of layers with the output layer.
    rng : numpy.random.Generator
        Draws He-normal weights.
    bias : float, default 0
        The bias of every hidden unit.
    nets : int, default 2000
        How many nets are drawn.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError, TypeError
        If `x` does not have two axes, a count is below 1, `bias` is not finite, or `rng` is not a
        generator.

    References
    ----------
    Lu, Shin, Su & Karniadakis 2020.

    Examples
    --------
    >>> share = born_dead_share([[1.0]], width=2, depth=10, rng=np.random.default_rng(0))
    >>> round(share, 1)  # the law for a single input: 0.925
    0.9
    """
    rng, bias = _checks.generator(rng), _checks.real("bias", bias)
    width, depth = _checks.count("width", width), _checks.count("depth", depth)
    nets = _checks.count("nets", nets)
    inputs = np.asarray(x, dtype=np.float64)
    if inputs.ndim != 2:
        raise ValueError(f"x must have shape (samples, inputs), got {inputs.shape}")
    a = np.broadcast_to(inputs, (nets, *inputs.shape))
    stopped = np.zeros((nets, len(inputs)), dtype=bool)
    for _ in range(depth - 1):
        W = he_normal((nets, a.shape[2], width), rng, batch_axis=0, dtype=np.float64)
        a = activations.relu(a @ W + bias)
        stopped |= ~np.any(a > 0, axis=2)
    return float(np.mean(np.all(stopped, axis=1)))


def weighted_sums(
    init: Initializer,
    inputs: int,
    neurons: int,
    rng: np.random.Generator,
    *,
    mean: float = 0.0,
) -> Array:
    r"""Draw :math:`z = \sum_{j=1}^d w_j x_j` of many neurons, each with its own weights and inputs.

    The weights of a neuron are one column of what `init` draws; its inputs are independent draws
    from N(m, 1).  What :func:`~initcourse.theory.weighted_sums.uniform_weights_density` predicts.

    Parameters
    ----------
    init : initializer
        A function of ``(shape, rng)`` that does not scale by the number of columns: neurons are
        drawn in blocks that fit in memory.
    inputs : int
        d, at least 1.
    neurons : int
        Their number, at least 1.
    rng : numpy.random.Generator
        The source of randomness.
    mean : float, default 0
        m, of the inputs.

    Returns
    -------
    ndarray of float64, shape (neurons,)

    Raises
    ------
    ValueError, TypeError
        If a count is below 1, `mean` is not a finite number, or `rng` is not a generator.

    Examples
    --------
    >>> from initcourse.initializers import fan_in_uniform
    >>> z = weighted_sums(fan_in_uniform, 10, 200_000, np.random.default_rng(0))
    >>> float(z.var().round(2))  # 1/3, whatever d
    0.33
    """
    inputs, neurons = _checks.count("inputs", inputs), _checks.count("neurons", neurons)
    rng, mean = _checks.generator(rng), _checks.real("mean", mean)
    block = max(1, min(neurons, _BLOCK // inputs))
    z = np.empty(neurons)
    for first in range(0, neurons, block):
        shape = inputs, min(block, neurons - first)
        x = normal(shape, rng, mean=mean)
        z[first : first + block] = np.einsum("ij,ij->j", init(shape, rng), x)
    return z
