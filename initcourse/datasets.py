"""Data that needs no download: scikit-learn's handwritten digits, and inputs of zeros and ones."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from initcourse import _checks

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True)
class Split:
    """Inputs with their labels, for training and for testing.

    Attributes
    ----------
    x_train, x_test : ndarray of shape (samples, inputs)
        Inputs.
    labels_train, labels_test : ndarray of int, shape (samples,)
        Classes, counted from 0.
    """

    x_train: Array
    labels_train: Array
    x_test: Array
    labels_test: Array


def digits(
    *, standardize: bool = False, enlarge: int = 1, dtype: npt.DTypeLike = np.float64
) -> Split:
    """Return the 1797 handwritten digits of 8 × 8 pixels, 1437 to train on and 360 to test on.

    Parameters
    ----------
    standardize : bool, default False
        If false, a pixel lies in [0, 1].  If true, each pixel has mean 0 and standard deviation 1
        over the training part (a pixel that never changes stays at 0).
    enlarge : int, default 1
        Each pixel becomes a block of so many by so many: 4 gives 32 × 32 pixels, 1024 inputs.
    dtype : dtype, default float64
        A real floating type.

    Returns
    -------
    Split
        The same split in every call; every fifth sample is for testing.

    Raises
    ------
    ValueError, TypeError
        If `enlarge` is below 1 or the dtype is not floating.

    References
    ----------
    Alpaydin & Kaynak 1998, through scikit-learn's ``load_digits``.

    Examples
    --------
    >>> data = digits()
    >>> data.x_train.shape, data.x_test.shape, float(data.x_train.max())
    ((1437, 64), (360, 64), 1.0)
    """
    from sklearn.datasets import load_digits

    dtype = _checks.floating(dtype)
    pixels, labels = load_digits(return_X_y=True)
    side = _checks.count("enlarge", enlarge)
    x = np.kron(pixels.reshape(-1, 8, 8) / 16.0, np.ones((1, side, side))).reshape(len(labels), -1)
    test = np.arange(len(x)) % 5 == 0
    if standardize:
        mean, std = x[~test].mean(axis=0), x[~test].std(axis=0)
        x = (x - mean) / np.where(std > 0, std, 1.0)
    x = x.astype(dtype)
    return Split(x[~test], labels[~test], x[test], labels[test])


def one_hot(labels: npt.ArrayLike, classes: int) -> Array:
    """Turn labels into rows that hold a single 1.

    Parameters
    ----------
    labels : array_like of int, shape (samples,)
        Classes, counted from 0.
    classes : int
        The number of classes.

    Returns
    -------
    ndarray of shape (samples, classes)

    Raises
    ------
    ValueError
        If a label is not in 0 … classes − 1.

    Examples
    --------
    >>> one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    given = np.asarray(labels)
    classes = _checks.count("classes", classes)
    if given.size and not (given.min() >= 0 and given.max() < classes):
        raise ValueError(
            f"labels must lie in 0 … {classes - 1}, got {given.min()} to {given.max()}"
        )
    return np.asarray(np.eye(classes)[given])


def on_off_inputs(samples: int, inputs: int, rng: np.random.Generator, *, on: int) -> Array:
    """Inputs of which exactly `on` equal 1 in every sample, the others 0.

    Parameters
    ----------
    samples, inputs : int
        Shape of the result.
    rng : numpy.random.Generator
        Chooses which inputs are on, anew for each sample.
    on : int
        How many, from 0 to `inputs`.

    Returns
    -------
    ndarray of shape (samples, inputs)

    Raises
    ------
    ValueError, TypeError
        If a count is out of its range or `rng` is not a generator.

    Examples
    --------
    >>> on_off_inputs(2, 10, np.random.default_rng(0), on=4).sum(axis=1)
    array([4., 4.])
    """
    samples, inputs = _checks.count("samples", samples), _checks.count("inputs", inputs)
    if _checks.count("on", on, least=0) > inputs:
        raise ValueError(f"on must be <= {inputs}, the number of inputs, got {on}")
    first = np.zeros((samples, inputs))
    first[:, :on] = 1.0
    return _checks.generator(rng).permuted(first, axis=1)
