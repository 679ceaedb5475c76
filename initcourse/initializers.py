"""Initializers: plain functions that take a shape and a generator and return an array.

An initializer passes as a value (``init=he_normal``); ``functools.partial`` sets its parameters
(``partial(normal, std=0.01)``).  Every scheme that scales with a layer's size is one call of
:func:`variance_scaling`:

======================  ======  ==========  ==============  =========================
name                    scale   mode        distribution    variance of a weight
======================  ======  ==========  ==============  =========================
lecun_normal            1       fan_in      normal          1 / fan_in
lecun_uniform           1       fan_in      uniform         1 / fan_in
fan_in_uniform          1/3     fan_in      uniform         1 / (3 fan_in)
glorot_normal           1       fan_avg     normal          2 / (fan_in + fan_out)
glorot_uniform          1       fan_avg     uniform         2 / (fan_in + fan_out)
glorot_sigmoid_uniform  16      fan_avg     uniform         32 / (fan_in + fan_out)
he_normal               2       fan_in      normal          2 / fan_in
he_uniform              2       fan_in      uniform         2 / fan_in
======================  ======  ==========  ==============  =========================

Three more choose the matrix as a whole: :func:`orthogonal` keeps the length of every vector,
:func:`delta_orthogonal` does so for convolutions, and :func:`identity` changes nothing (for a
convolution it is a Dirac kernel).

Kernels are laid out ``(*spatial, in, out)``, so that a dense layer computes ``x @ W``.  For any
other layout, and for grouped, strided, transposed, fused or embedding kernels, keywords say what
the axes mean: the table of :func:`compute_fans` has a row for each.

The functions named ``..._normal`` draw a *plain* normal, as the papers and PyTorch do.  JAX and
Keras draw a normal cut at two standard deviations under the same names; here that is
``variance_scaling(..., distribution="truncated_normal")``.
"""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite, prod, sqrt
from typing import Any, Literal, NamedTuple, TypeAlias, TypedDict, Unpack

import numpy as np
import numpy.typing as npt

from initcourse import _checks

Array: TypeAlias = npt.NDArray[Any]
Axis: TypeAlias = int | Sequence[int]
Initializer: TypeAlias = Callable[[tuple[int, ...], np.random.Generator], Array]
Mode: TypeAlias = Literal["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]
Distribution: TypeAlias = Literal["normal", "truncated_normal", "uniform"]


class Axes(TypedDict, total=False):
    """How to read the fans from a shape: see :func:`compute_fans`."""

    in_axis: Axis
    out_axis: Axis
    batch_axis: Axis
    groups: int
    stride: int | Sequence[int]
    transposed: bool


class Layout(Axes, total=False):
    """The keywords that every scaled scheme takes: how to read the axes, and the dtype."""

    dtype: npt.DTypeLike


class Fans(NamedTuple):
    """The number of inputs that one unit reads, and of units that one input feeds, on average."""

    fan_in: float
    fan_out: float


def _shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Return `shape` as a tuple of axis lengths, all at least 1."""
    if isinstance(shape, int | np.integer | str):
        raise TypeError(f"shape must be a tuple of axis lengths such as (64, 32), got {shape!r}")
    if len(shape) == 0:
        raise ValueError("shape must have at least one axis, got (); a bias of n units is (n,)")
    return tuple(_checks.count(f"shape[{i}]", size) for i, size in enumerate(shape))


def _axes(name: str, axis: Axis, ndim: int) -> set[int]:
    """Return `axis` as a set of indices counted from 0."""
    given = (axis,) if isinstance(axis, int | np.integer) else tuple(axis)
    for one in given:
        if not -ndim <= one < ndim:
            raise ValueError(f"{name} must lie in [-{ndim}, {ndim - 1}] for {ndim} axes, got {one}")
    return {int(one) % ndim for one in given}


def compute_fans(
    shape: Sequence[int],
    *,
    in_axis: Axis = -2,
    out_axis: Axis = -1,
    batch_axis: Axis = (),
    groups: int = 1,
    stride: int | Sequence[int] = 1,
    transposed: bool = False,
) -> Fans:
    r"""Fans of a kernel: :math:`n_\text{in} = R\prod_{in} s`, :math:`n_\text{out}=R\prod_{out} s`.

    Here :math:`R`, the receptive field, is the product of the axes that are neither input, output
    nor batch: 1 for a dense layer, 9 for a 3 × 3 convolution.  No function can see from a shape
    what its axes mean, so say it:

    ================================  =================  ===========================================
    kernel                            shape              keywords
    ================================  =================  ===========================================
    dense or convolution, JAX, Keras  (k, k, in, out)    none
    the same in PyTorch               (out, in, k, k)    in_axis=1, out_axis=0
    grouped                           (k, k, in/g, out)  groups=g
    grouped or depthwise in PyTorch   (out, in/g, k, k)  in_axis=1, out_axis=0, groups=g
    depthwise in Keras, m an input    (k, k, in, m)      in_axis=(), batch_axis=-2
    convolution of stride s           (k, k, in, out)    stride=s
    transposed in Keras               (k, k, out, in)    in_axis=-1, out_axis=-2, stride=s,
                                                         transposed=True
    transposed in PyTorch             (in, out/g, k, k)  in_axis=0, out_axis=1, groups=g, stride=s,
                                                         transposed=True
    fused Q, K, V, or g LSTM gates    (in, g·out)        groups=g
    the same in PyTorch               (g·out, in)        in_axis=1, out_axis=0, groups=g
    from a model of d to its heads    (d, heads, size)   in_axis=0, out_axis=(1, 2)
    from the heads back               (heads, size, d)   in_axis=(0, 1), out_axis=2
    embedding                         (words, features)  in_axis=(), batch_axis=0
    ensemble of dense layers          (copies, in, out)  batch_axis=0
    ================================  =================  ===========================================

    Parameters
    ----------
    shape : sequence of int
        Lengths of the kernel's axes, at least two of them.
    in_axis, out_axis : int or sequence of int
        The axes that count inputs and outputs; the default reads ``(*spatial, in, out)``.
    batch_axis : int or sequence of int
        Axes that count independent kernels (an ensemble, say); they enter no fan.
    groups : int, default 1
        Independent kernels side by side along the output axis: the groups of a convolution, the
        gates of an LSTM, the Q, K and V of a fused projection.  Each input feeds, or is to be
        scaled for, the outputs of one of them.  In a transposed convolution they lie along the
        input axis.
    stride : int or sequence of int, default 1
        Of a convolution, for each spatial axis.  One input feeds a unit only every so many
        positions, so fan_out is divided by the product (which counts edges as an average does).
    transposed : bool, default False
        A transposed convolution: there the stride spreads the inputs apart, so that a unit reads
        fewer of them, and fan_in is divided.

    Returns
    -------
    Fans
        ``(fan_in, fan_out)``, positive, without unit; whole but for strides.

    Raises
    ------
    ValueError
        If the shape has fewer than two axes or an axis of length 0, if the axes overlap, if the
        groups do not divide their axis, or the strides do not fit the spatial axes.

    Examples
    --------
    >>> compute_fans((2048, 128))
    Fans(fan_in=2048, fan_out=128)
    >>> compute_fans((3, 3, 16, 32))
    Fans(fan_in=144, fan_out=288)
    >>> compute_fans((4, 1, 3, 3), in_axis=1, out_axis=0, groups=4)  # depthwise, PyTorch
    Fans(fan_in=9, fan_out=9)
    >>> compute_fans((50_000, 512), in_axis=(), batch_axis=0)  # an embedding
    Fans(fan_in=1, fan_out=512)
    """
    sizes = _shape(shape)
    if len(sizes) < 2:
        raise ValueError(
            f"shape must have an input and an output axis, got {sizes}; "
            "a vector has no fans: use zeros, constant, uniform or normal for biases"
        )
    ndim = len(sizes)
    ins = _axes("in_axis", in_axis, ndim)
    outs = _axes("out_axis", out_axis, ndim)
    batch = _axes("batch_axis", batch_axis, ndim)
    if ins & outs or ins & batch or outs & batch:
        raise ValueError(
            f"in_axis, out_axis and batch_axis must name different axes, "
            f"got {in_axis}, {out_axis} and {batch_axis} for {ndim} axes"
        )
    spatial = [sizes[i] for i in range(ndim) if i not in ins | outs | batch]
    counted = [prod(sizes[i] for i in axes) for axes in (ins, outs)]
    along = 0 if transposed else 1  # where groups lie, and what strides thin out
    groups = _checks.count("groups", groups)
    if counted[along] % groups:
        axis = "input" if transposed else "output"
        raise ValueError(f"groups must divide the {axis} axis of {counted[along]}, got {groups}")
    counted[along] //= groups
    fans: list[float] = [prod(spatial) * size for size in counted]
    thinned = _stride(stride, len(spatial))
    whole = fans[along] % thinned == 0
    fans[along] = fans[along] // thinned if whole else fans[along] / thinned
    return Fans(*fans)


def _stride(stride: int | Sequence[int], axes: int) -> int:
    """Return the product of the strides of so many spatial axes."""
    given = (stride,) * axes if isinstance(stride, int | np.integer) else tuple(stride)
    if isinstance(stride, int | np.integer) and stride != 1 and axes == 0:
        raise ValueError(f"stride must be 1 where there is no spatial axis, got {stride}")
    if len(given) != axes:
        raise ValueError(f"stride must be one number or one a spatial axis ({axes}), got {stride}")
    return prod(_checks.count("stride", one) for one in given)


def constant(
    shape: Sequence[int],
    rng: np.random.Generator | None = None,
    *,
    value: float,
    dtype: npt.DTypeLike = np.float32,
) -> Array:
    """Every entry equals `value`; `rng` is accepted, so that it passes as an initializer.

    Parameters
    ----------
    shape : sequence of int
        Lengths of the axes.
    rng : numpy.random.Generator, optional
        Not used.
    value : float
        The entry, finite.
    dtype : dtype, default float32
        A real floating type.

    Returns
    -------
    ndarray of `shape`

    Raises
    ------
    ValueError, TypeError
        If `value` is not finite, the shape is empty, or the dtype is not floating.

    Examples
    --------
    >>> constant((2, 2), value=0.5)
    array([[0.5, 0.5],
           [0.5, 0.5]], dtype=float32)
    """
    return np.full(_shape(shape), _checks.real("value", value), dtype=_checks.floating(dtype))


def zeros(
    shape: Sequence[int],
    rng: np.random.Generator | None = None,
    *,
    dtype: npt.DTypeLike = np.float32,
) -> Array:
    """Every entry equals 0: the usual start of biases.  See :func:`constant`.

    Examples
    --------
    >>> zeros((3,))
    array([0., 0., 0.], dtype=float32)
    """
    return constant(shape, rng, value=0.0, dtype=dtype)


def uniform(
    shape: Sequence[int],
    rng: np.random.Generator,
    *,
    low: float = -1.0,
    high: float = 1.0,
    dtype: npt.DTypeLike = np.float32,
) -> Array:
    r"""Entries drawn from :math:`U[a, b)`, of variance :math:`(b - a)^2 / 12`.

    Frameworks choose other default ranges: Keras [−0.05, 0.05), JAX [0, 0.01), PyTorch [0, 1).

    Parameters
    ----------
    shape : sequence of int
        Lengths of the axes.
    rng : numpy.random.Generator
        The source of randomness; it advances.
    low, high : float
        The ends of the interval, finite, ``low < high``.
    dtype : dtype, default float32
        A real floating type.

    Returns
    -------
    ndarray of `shape`

    Raises
    ------
    ValueError, TypeError
        If the ends are not finite and in order or are one and the same number in `dtype`, the shape
        is empty, `rng` is not a generator, or the dtype is not floating.

    Examples
    --------
    >>> W = uniform((1000, 1000), np.random.default_rng(0), low=-3, high=3)
    >>> round(float(W.var()), 2)  # (3 + 3)² / 12
    3.0
    """
    low, high = _checks.real("low", low), _checks.real("high", high)
    if low >= high:
        raise ValueError(f"low must be < high, got low={low} and high={high}")
    dtype = _checks.floating(dtype)
    least, most = _ends(low, high, dtype)
    drawing = _drawing_dtype(dtype)
    if high - low > float(np.finfo(drawing).max):  # too wide for a product in this dtype
        drawing = np.float64
    sample = _checks.generator(rng).random(_shape(shape), dtype=drawing)
    if isfinite(high - low):
        sample *= high - low
        sample += low
    else:
        sample = low * (1 - sample) + high * sample
    # Rounding may carry samples onto `high` or below `low`; keep the interval half open.
    drawn = sample.clip(least, most).astype(dtype, copy=False)
    return np.asarray(drawn)


def _ends(low: float, high: float, dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the smallest and the largest number of a dtype that are in [low, high)."""
    with np.errstate(over="ignore"):
        first, last = dtype.type(low), dtype.type(high)
    if first == last:
        raise ValueError(
            f"low and high must differ in {dtype}, got low={low} and high={high}; ask for "
            "another dtype, such as np.float64"
        )
    # As a Python float: NumPy would round `low` to the dtype before it compares.
    least = first if float(first) >= low else np.nextafter(first, dtype.type(np.inf))
    most = np.nextafter(last, dtype.type(-np.inf))  # below `high`, also as the dtype rounds it
    return float(least), float(most)


def normal(
    shape: Sequence[int],
    rng: np.random.Generator,
    *,
    mean: float = 0.0,
    std: float = 1.0,
    dtype: npt.DTypeLike = np.float32,
) -> Array:
    r"""Entries drawn from the normal distribution :math:`N(\mu, \sigma^2)`.

    Frameworks choose other default widths: Keras 0.05, JAX 0.01, PyTorch 1.

    Parameters
    ----------
    shape : sequence of int
        Lengths of the axes.
    rng : numpy.random.Generator
        The source of randomness; it advances.
    mean, std : float
        Mean and standard deviation of an entry; ``std >= 0``.
    dtype : dtype, default float32
        A real floating type.

    Returns
    -------
    ndarray of `shape`

    Raises
    ------
    ValueError, TypeError
        If `mean` or `std` is not finite or `std` is negative, the shape is empty, `rng` is not a
        generator, or the dtype is not floating.

    Examples
    --------
    >>> W = normal((1000, 100), np.random.default_rng(0), std=0.01)
    >>> round(float(W.std()), 4)
    0.01
    """
    mean, std = _checks.real("mean", mean), _checks.not_negative("std", std)
    dtype = _checks.floating(dtype)
    sample = _checks.generator(rng).standard_normal(_shape(shape), dtype=_drawing_dtype(dtype))
    sample *= std
    sample += mean
    return sample.astype(dtype, copy=False)


def truncated_normal(
    shape: Sequence[int],
    rng: np.random.Generator,
    *,
    mean: float = 0.0,
    std: float = 1.0,
    bound: float = 2.0,
    dtype: npt.DTypeLike = np.float32,
) -> Array:
    r"""Entries drawn from :math:`N(\mu, \sigma^2)` cut to :math:`\mu \pm b\,\sigma`.

    The cut makes the distribution narrower than `std`: its standard deviation is
    ``std * truncated_normal_std(bound)``, 0.8796 `std` at the usual ``bound=2``.  JAX, Keras and
    Haiku cut at two standard deviations; PyTorch cuts at the absolute values −2 and 2.

    Parameters
    ----------
    shape : sequence of int
        Lengths of the axes.
    rng : numpy.random.Generator
        The source of randomness; it advances.
    mean, std : float
        Mean and standard deviation of the normal *before* the cut; ``std >= 0``.
    bound : float, default 2
        The cut, in units of `std`; ``bound > 0``.
    dtype : dtype, default float32
        A real floating type.

    Returns
    -------
    ndarray of `shape`

    Raises
    ------
    ValueError, TypeError
        If `mean`, `std` or `bound` is out of its range, the shape is empty, `rng` is not a
        generator, or the dtype is not floating.

    Examples
    --------
    >>> W = truncated_normal((1000, 100), np.random.default_rng(0))
    >>> bool(abs(W).max() <= 2), round(float(W.std()), 3)
    (True, 0.88)
    """
    from scipy.special import ndtr, ndtri

    mean, std = _checks.real("mean", mean), _checks.not_negative("std", std)
    bound = _checks.positive("bound", bound)
    dtype = _checks.floating(dtype)
    # Inverse of the distribution function: u is uniform between Φ(−b) and ½, and a sign is drawn
    # apart, since Φ(b) rounds to 1 for b beyond 8 while Φ(−b) keeps its digits.
    lowest = ndtr(-bound)
    u = lowest + (0.5 - lowest) * _checks.generator(rng).random(_shape(shape))
    sign = rng.integers(0, 2, size=u.shape) * 2 - 1
    sample = mean + std * sign * np.minimum(-ndtri(u), bound)
    return np.asarray(sample.astype(dtype))


def truncated_normal_std(bound: float = 2.0) -> float:
    r"""Standard deviation of N(0, 1) cut at ±b: :math:`\sqrt{1 - 2 b\,\phi(b) / (2\Phi(b) - 1)}`.

    Parameters
    ----------
    bound : float, default 2
        The cut b > 0, in standard deviations.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If `bound` is not a finite number above 0.

    Examples
    --------
    >>> round(truncated_normal_std(2.0), 12)
    0.879625661034
    """
    from scipy.special import gammainc

    bound = _checks.positive("bound", bound)
    # E[z² | |z| < b] as a ratio of incomplete gamma functions: no digits cancel at a small b.
    half_square = bound * bound / 2
    return sqrt(float(gammainc(1.5, half_square) / gammainc(0.5, half_square)))


def variance_scaling(
    shape: Sequence[int],
    rng: np.random.Generator,
    *,
    scale: float = 1.0,
    mode: Mode = "fan_in",
    distribution: Distribution = "normal",
    **layout: Unpack[Layout],
) -> Array:
    r"""Entries of mean 0 and variance :math:`\text{scale} / n`, where `mode` says which fan n is.

    The three distributions have the same variance: ``"uniform"`` spans
    :math:`\pm\sqrt{3\,\text{scale}/n}`, and ``"truncated_normal"`` is cut at two standard
    deviations of a normal that is widened by 1 / 0.8796 first (as in JAX and Keras).

    Parameters
    ----------
    shape : sequence of int
        Lengths of the kernel's axes, at least two.
    rng : numpy.random.Generator
        The source of randomness; it advances.
    scale : float, default 1
        The wanted product n · Var(W), above 0.
    mode : {"fan_in", "fan_out", "fan_avg", "fan_geo_avg"}
        n = fan_in, fan_out, (fan_in + fan_out) / 2 or √(fan_in · fan_out).
    distribution : {"normal", "truncated_normal", "uniform"}
        The shape of the distribution.
    **layout
        How to read the fans from the shape, as :func:`compute_fans` takes it (``in_axis``,
        ``out_axis``, ``batch_axis``, ``groups``, ``stride``, ``transposed``), and the ``dtype``,
        by default float32.

    Returns
    -------
    ndarray of `shape`

    Raises
    ------
    ValueError, TypeError
        If `scale` is not above 0, `mode` or `distribution` is unknown, the shape has no fans,
        `rng` is not a generator, or the dtype is not floating.

    References
    ----------
    Glorot & Bengio 2010 (mode ``"fan_avg"``); He et al. 2015 (``scale=2``).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> W = variance_scaling((1000, 1000), rng, scale=2.0)
    >>> round(float(1000 * W.var()), 2)
    2.0
    """
    scale = _checks.positive("scale", scale)
    _known("variance_scaling", layout)
    axes = {key: value for key, value in layout.items() if key != "dtype"}
    fans = compute_fans(shape, **axes)  # type: ignore[arg-type]
    n = _checks.choice("mode", mode, _FAN_OF_MODE)(fans)
    draw = _checks.choice("distribution", distribution, _DRAW)
    return draw(shape, rng, sqrt(scale / n), layout.get("dtype", np.float32))


_FOR_A_SLOPE = "for leaky ReLU draw by variance_scaling(..., scale=2 / (1 + slope**2))"


def _known(name: str, layout: Mapping[str, object]) -> None:
    """Refuse a keyword that a scheme does not take, by the scheme's own name."""
    remedies = {
        **dict.fromkeys(("scale", "mode", "distribution"), "choose it in variance_scaling"),
        **dict.fromkeys(("a", "slope", "negative_slope", "nonlinearity"), _FOR_A_SLOPE),
        **dict.fromkeys(("gain", "std"), "variance_scaling(..., scale=gain**2) scales by a gain"),
    }
    for key in layout:
        if key not in Layout.__annotations__:
            remedy = remedies.get(key, f"it takes {', '.join(Layout.__annotations__)}")
            raise TypeError(f"{name}() got an unexpected keyword {key!r}; {remedy}")


def _scheme(
    name: str, shape: Sequence[int], rng: np.random.Generator, layout: Layout, **rule: Any
) -> Array:
    """Draw by a named rule of :func:`variance_scaling`."""
    _known(name, layout)
    return variance_scaling(shape, rng, **rule, **layout)


def lecun_normal(shape: Sequence[int], rng: np.random.Generator, **layout: Unpack[Layout]) -> Array:
    r"""Normal weights of variance :math:`1 / n_\text{in}`: a linear layer keeps the variance.

    Parameters are those of :func:`variance_scaling`, which this calls with ``scale=1,
    mode="fan_in"``.  JAX and Keras draw the truncated form.

    References
    ----------
    LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", section 4.6.

    Examples
    --------
    >>> W = lecun_normal((2048, 128), np.random.default_rng(0))
    >>> round(float(W.std()), 4)  # 1 / √2048
    0.0221
    """
    return _scheme("lecun_normal", shape, rng, layout, scale=1.0, mode="fan_in")


def lecun_uniform(
    shape: Sequence[int], rng: np.random.Generator, **layout: Unpack[Layout]
) -> Array:
    r"""Uniform weights on :math:`\pm\sqrt{3 / n_\text{in}}`, of variance :math:`1 / n_\text{in}`.

    Parameters are those of :func:`variance_scaling`.

    References
    ----------
    LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", section 4.6.

    Examples
    --------
    >>> W = lecun_uniform((300, 100), np.random.default_rng(0))
    >>> bool(abs(W).max() <= 0.1)
    True
    """
    return _scheme(
        "lecun_uniform", shape, rng, layout, scale=1.0, mode="fan_in", distribution="uniform"
    )


def fan_in_uniform(
    shape: Sequence[int], rng: np.random.Generator, **layout: Unpack[Layout]
) -> Array:
    r"""Uniform weights on :math:`\pm 1 / \sqrt{n_\text{in}}`, variance :math:`1/(3n_\text{in})`.

    The old heuristic that Glorot & Bengio call "standard", and PyTorch's default for ``Linear``
    (written there as ``kaiming_uniform_(a=√5)``).  Parameters are those of
    :func:`variance_scaling`.

    References
    ----------
    Glorot & Bengio 2010, equation 1.

    Examples
    --------
    >>> W = fan_in_uniform((100, 1000), np.random.default_rng(0))
    >>> bool(abs(W).max() <= 0.1), round(float(100 * W.var()), 2)
    (True, 0.33)
    """
    return _scheme(
        "fan_in_uniform", shape, rng, layout, scale=1 / 3, mode="fan_in", distribution="uniform"
    )


def glorot_normal(
    shape: Sequence[int], rng: np.random.Generator, **layout: Unpack[Layout]
) -> Array:
    r"""Normal weights of variance :math:`2 / (n_\text{in} + n_\text{out})`.

    A compromise between keeping the variance forward (:math:`1/n_\text{in}`) and backward
    (:math:`1/n_\text{out}`).  Parameters are those of :func:`variance_scaling`.  PyTorch draws
    this plain normal; JAX and Keras draw the truncated form.

    References
    ----------
    Glorot & Bengio 2010, equation 12.

    Examples
    --------
    >>> W = glorot_normal((2048, 128), np.random.default_rng(0))
    >>> round(float(W.std()), 4)  # √(2 / 2176)
    0.0303
    """
    return _scheme("glorot_normal", shape, rng, layout, scale=1.0, mode="fan_avg")


def glorot_uniform(
    shape: Sequence[int], rng: np.random.Generator, **layout: Unpack[Layout]
) -> Array:
    r"""Uniform weights on :math:`\pm\sqrt{6 / (n_\text{in} + n_\text{out})}`.

    Variance :math:`2 / (n_\text{in} + n_\text{out})`: Keras' default for ``Dense``.  Parameters
    are those of :func:`variance_scaling`.

    References
    ----------
    Glorot & Bengio 2010, equation 16.

    Examples
    --------
    >>> W = glorot_uniform((300, 300), np.random.default_rng(0))
    >>> bool(abs(W).max() <= 0.1)
    True
    """
    return _scheme(
        "glorot_uniform", shape, rng, layout, scale=1.0, mode="fan_avg", distribution="uniform"
    )


def glorot_sigmoid_uniform(
    shape: Sequence[int], rng: np.random.Generator, **layout: Unpack[Layout]
) -> Array:
    r"""Uniform weights on :math:`\pm 4\sqrt{6 / (n_\text{in} + n_\text{out})}`, for sigmoid units.

    Four times :func:`glorot_uniform`: the factor makes up for the slope σ′(0) = 1/4.  It is a later
    tutorial's reading of Glorot & Bengio, not a formula of theirs, and no framework ships it.
    Chapter 5 measures what it mends and what it does not.  Parameters are those of
    :func:`variance_scaling`.

    Examples
    --------
    >>> W = glorot_sigmoid_uniform((300, 300), np.random.default_rng(0))
    >>> bool(0.39 < abs(W).max() <= 0.4)
    True
    """
    return _scheme(
        "glorot_sigmoid_uniform",
        shape,
        rng,
        layout,
        scale=16.0,
        mode="fan_avg",
        distribution="uniform",
    )


def he_normal(shape: Sequence[int], rng: np.random.Generator, **layout: Unpack[Layout]) -> Array:
    r"""Normal weights of variance :math:`2 / n_\text{in}`: makes up for ReLU's lost half.

    Parameters are those of :func:`variance_scaling`.  PyTorch (``kaiming_normal_``) draws this
    plain normal; JAX and Keras draw the truncated form.

    References
    ----------
    He, Zhang, Ren & Sun 2015, equation 10.

    Examples
    --------
    >>> W = he_normal((2048, 128), np.random.default_rng(0))
    >>> round(float(W.std()), 4)  # √(2 / 2048)
    0.0312
    """
    return _scheme("he_normal", shape, rng, layout, scale=2.0, mode="fan_in")


def he_uniform(shape: Sequence[int], rng: np.random.Generator, **layout: Unpack[Layout]) -> Array:
    r"""Uniform weights on :math:`\pm\sqrt{6 / n_\text{in}}`, of variance :math:`2 / n_\text{in}`.

    Parameters are those of :func:`variance_scaling`.

    References
    ----------
    He, Zhang, Ren & Sun 2015.

    Examples
    --------
    >>> W = he_uniform((600, 100), np.random.default_rng(0))
    >>> bool(abs(W).max() <= 0.1)
    True
    """
    return _scheme(
        "he_uniform", shape, rng, layout, scale=2.0, mode="fan_in", distribution="uniform"
    )


def identity(
    shape: Sequence[int],
    rng: np.random.Generator | None = None,
    *,
    gain: float = 1.0,
    groups: int = 1,
    dtype: npt.DTypeLike = np.float32,
) -> Array:
    """The identity matrix times `gain`; what is more than a square is 0.

    For a convolution this is the Dirac kernel: the identity at the centre, so that each output
    channel copies an input channel.  The centre of an axis of length k is at (k − 1)//2, as in JAX;
    PyTorch's ``dirac_`` takes k//2, which is the same for odd k.

    Parameters
    ----------
    shape : sequence of at least two int
        ``(in, out)`` of a dense layer, or ``(*spatial, in, out)`` of a convolution.
    rng : numpy.random.Generator, optional
        Not used; accepted so that it passes as an initializer.
    gain : float, default 1
        The entries on the diagonal, above 0.
    groups : int, default 1
        Of a grouped convolution, whose ``in`` counts the inputs of one group.
    dtype : dtype, default float32
        A real floating type.

    Returns
    -------
    ndarray of `shape`

    Raises
    ------
    ValueError, TypeError
        If the shape has fewer than two axes, `groups` does not divide the outputs, `gain` is not
        above 0, or the dtype is not floating.

    References
    ----------
    Le, Jaitly & Hinton 2015 (recurrent nets); Zagoruyko & Komodakis 2017 (the Dirac kernel).

    Examples
    --------
    >>> identity((2, 3))
    array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    >>> identity((3, 1, 1)).ravel()  # a convolution over one axis
    array([0., 1., 0.], dtype=float32)
    """
    compute_fans(shape, groups=groups)  # checks the shape and the groups
    *spatial, inputs, outputs = _shape(shape)
    kernel = np.zeros(shape, dtype=_checks.floating(dtype))
    one_group = np.eye(inputs, outputs // groups)
    kernel[_centre(spatial)] = _checks.positive("gain", gain) * np.tile(one_group, groups)
    return kernel


def _centre(spatial: Sequence[int]) -> tuple[int, ...]:
    return tuple((k - 1) // 2 for k in spatial)


def orthogonal(
    shape: Sequence[int],
    rng: np.random.Generator,
    *,
    gain: float = 1.0,
    in_axis: Axis = -2,
    out_axis: Axis = -1,
    batch_axis: Axis = (),
    groups: int = 1,
    dtype: npt.DTypeLike = np.float32,
) -> Array:
    r"""Random orthogonal matrix :math:`g\,Q\,\operatorname{sign}(\operatorname{diag} R)`, G = QR.

    The kernel is read as a matrix: its outputs are the columns, all else (inputs and spatial axes)
    the rows.  Its columns are orthonormal; where there are more columns than rows, its rows are.
    G is Gaussian.  The signs make R's diagonal positive, and only so is Q uniformly distributed
    (Haar) over all orthogonal matrices: plain QR, or the u of an SVD, is not.

    JAX, Keras, PyTorch and Haiku do the same (PyTorch stores the transpose).  The matrix is
    computed in float64 and rounded to `dtype` at the end.

    Parameters
    ----------
    shape : sequence of int
        Lengths of the kernel's axes, at least two.
    rng : numpy.random.Generator
        The source of randomness; it advances.
    gain : float, default 1
        All singular values, above 0.
    in_axis, out_axis, batch_axis : int or sequence of int
        How to read the shape: see :func:`compute_fans`.  Each index of the batch axes gets a matrix
        of its own.
    groups : int, default 1
        Matrices of their own side by side along the first output axis: the groups of a
        convolution, the gates of an LSTM, the Q, K and V of a fused projection.
    dtype : dtype, default float32
        A real floating type.

    Returns
    -------
    ndarray of `shape`

    Raises
    ------
    ValueError, TypeError
        If `gain` is not above 0, the shape has fewer than two axes, the axes overlap, `rng` is not
        a generator, or the dtype is not floating.

    References
    ----------
    Saxe, McClelland & Ganguli 2014; Mezzadri 2007 (the signs).

    Examples
    --------
    >>> W = orthogonal((3, 2), np.random.default_rng(0), dtype=np.float64)
    >>> bool(np.abs(W.T @ W - np.eye(2)).max() < 1e-14)
    True
    """
    gain, dtype = _checks.positive("gain", gain), _checks.floating(dtype)
    compute_fans(shape, in_axis=in_axis, out_axis=out_axis, batch_axis=batch_axis, groups=groups)
    sizes, ndim = _shape(shape), len(shape)
    outs = sorted(_axes("out_axis", out_axis, ndim))
    batch = sorted(_axes("batch_axis", batch_axis, ndim))
    rest = sorted(set(range(ndim)) - set(outs) - set(batch))
    if sizes[outs[0]] % groups:
        raise ValueError(
            f"groups must divide the first output axis of {sizes[outs[0]]}, got {groups}"
        )
    columns, rows = prod(sizes[i] for i in outs) // groups, prod(sizes[i] for i in rest)
    copies = prod(sizes[i] for i in batch) * groups
    tall = (copies, max(rows, columns), min(rows, columns))
    Q, R = np.linalg.qr(_checks.generator(rng).standard_normal(tall))
    Q = gain * Q * np.where(np.diagonal(R, axis1=1, axis2=2) < 0, -1.0, 1.0)[:, None]
    if rows < columns:
        Q = Q.swapaxes(1, 2)
    # Batch, rest and outputs in order, with the groups moved next to the outputs that they split.
    by_group = Q.reshape(-1, groups, rows, columns).swapaxes(1, 2)
    order = (*batch, *rest, *outs)
    W = by_group.reshape([sizes[i] for i in order]).transpose(np.argsort(order))
    return np.ascontiguousarray(W, dtype=dtype)


def delta_orthogonal(
    shape: Sequence[int],
    rng: np.random.Generator,
    *,
    gain: float = 1.0,
    dtype: npt.DTypeLike = np.float32,
) -> Array:
    r"""Convolution kernel that is 0 but for an orthogonal matrix at its centre.

    The convolution then turns each position's vector of channels and mixes no positions: it keeps
    every length (times `gain`).  The centre of an axis of length k is at (k − 1)//2, as in JAX.

    Parameters
    ----------
    shape : sequence of 3 to 5 int
        ``(*spatial, in, out)`` with ``in <= out``: fewer outputs cannot keep every length.
    rng : numpy.random.Generator
        The source of randomness; it advances.
    gain : float, default 1
        All singular values of the matrix, above 0.
    dtype : dtype, default float32
        A real floating type.

    Returns
    -------
    ndarray of `shape`

    Raises
    ------
    ValueError, TypeError
        If the shape does not have 3 to 5 axes or has more inputs than outputs, `gain` is not above
        0, `rng` is not a generator, or the dtype is not floating.

    References
    ----------
    Xiao et al. 2018, "Dynamical Isometry and a Mean Field Theory of CNNs".

    Examples
    --------
    >>> W = delta_orthogonal((3, 3, 2, 4), np.random.default_rng(0))
    >>> np.abs(W).sum(axis=(2, 3)) > 0
    array([[False, False, False],
           [False,  True, False],
           [False, False, False]])
    """
    sizes = _shape(shape)
    if not 3 <= len(sizes) <= 5:
        raise ValueError(
            f"shape must be (*spatial, in, out) with 3 to 5 axes, got {sizes}; "
            "for a dense layer use orthogonal"
        )
    if sizes[-2] > sizes[-1]:
        raise ValueError(f"in must be <= out to keep every length, got in, out = {sizes[-2:]}")
    matrix = orthogonal(sizes[-2:], rng, gain=gain, dtype=dtype)
    kernel = np.zeros(sizes, dtype=matrix.dtype)
    kernel[_centre(sizes[:-2])] = matrix
    return kernel


xavier_normal = glorot_normal
xavier_uniform = glorot_uniform
kaiming_normal = he_normal
kaiming_uniform = he_uniform


def _drawing_dtype(dtype: np.dtype[Any]) -> type[np.float32] | type[np.float64]:
    """Return the dtype in which NumPy draws: it knows float32 and float64 only."""
    return np.float64 if dtype.itemsize > 4 else np.float32


def _scaled_normal(
    shape: Sequence[int], rng: np.random.Generator, std: float, dtype: npt.DTypeLike
) -> Array:
    return normal(shape, rng, std=std, dtype=dtype)


def _scaled_truncated(
    shape: Sequence[int], rng: np.random.Generator, std: float, dtype: npt.DTypeLike
) -> Array:
    return truncated_normal(shape, rng, std=std / truncated_normal_std(), dtype=dtype)


def _scaled_uniform(
    shape: Sequence[int], rng: np.random.Generator, std: float, dtype: npt.DTypeLike
) -> Array:
    limit = sqrt(3.0) * std
    return uniform(shape, rng, low=-limit, high=limit, dtype=dtype)


_FAN_OF_MODE: dict[str, Callable[[Fans], float]] = {
    "fan_in": lambda fans: fans.fan_in,
    "fan_out": lambda fans: fans.fan_out,
    "fan_avg": lambda fans: (fans.fan_in + fans.fan_out) / 2,
    "fan_geo_avg": lambda fans: sqrt(fans.fan_in * fans.fan_out),
}
_DRAW = {
    "normal": _scaled_normal,
    "truncated_normal": _scaled_truncated,
    "uniform": _scaled_uniform,
}
