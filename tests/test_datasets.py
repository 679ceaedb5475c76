"""The data sets: complete, scaled, split the same way each time."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits

from initcourse.datasets import digits, on_off_inputs, one_hot


def test_digits_are_scikit_learns() -> None:
    data = digits()
    pixels, labels = load_digits(return_X_y=True)
    test = np.arange(1797) % 5 == 0
    np.testing.assert_array_equal(data.x_test * 16, pixels[test])
    np.testing.assert_array_equal(data.x_train * 16, pixels[~test])
    np.testing.assert_array_equal(data.labels_test, labels[test])
    np.testing.assert_array_equal(data.labels_train, labels[~test])
    assert data.x_train.min() == 0
    assert data.x_train.max() == 1


def test_every_digit_is_in_both_parts() -> None:
    data = digits()
    for labels in (data.labels_train, data.labels_test):
        shares = np.bincount(labels, minlength=10) / len(labels)
        assert (shares > 0.07).all()
        assert (shares < 0.14).all()


def test_standardized_digits() -> None:
    data, raw = digits(standardize=True), digits()
    changing = raw.x_train.std(axis=0) > 0
    assert data.x_train.mean(axis=0) == pytest.approx(np.zeros(64), abs=1e-12)
    assert data.x_train.std(axis=0)[changing] == pytest.approx(1)
    assert (data.x_train[:, ~changing] == 0).all()
    # The test part is moved by the training part's figures, not by its own.
    mean, std = raw.x_train.mean(axis=0), raw.x_train.std(axis=0)
    moved = (raw.x_test - mean)[:, changing] / std[changing]
    np.testing.assert_allclose(data.x_test[:, changing], moved)


def test_enlarged_digits() -> None:
    small, large = digits(), digits(enlarge=4)
    assert large.x_train.shape == (1437, 1024)
    blocks = large.x_train.reshape(-1, 8, 4, 8, 4)
    expected = np.broadcast_to(small.x_train.reshape(-1, 8, 1, 8, 1), blocks.shape)
    np.testing.assert_array_equal(blocks, expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtype_of_digits(dtype: Any) -> None:
    data = digits(dtype=dtype)
    assert data.x_train.dtype == data.x_test.dtype == dtype


def test_each_call_returns_data_of_its_own() -> None:
    first = digits()
    first.x_train[:] = -1
    assert digits().x_train.min() == 0


@given(st.lists(st.integers(0, 6), max_size=20))
def test_one_hot(labels: list[int]) -> None:
    rows = one_hot(np.array(labels, dtype=int), 7)
    assert rows.shape == (len(labels), 7)
    assert (rows.sum(axis=1) == 1).all()
    assert rows.argmax(axis=1).tolist() == labels


@given(st.integers(1, 8), st.integers(1, 30), st.data())
def test_on_off_inputs(samples: int, inputs: int, data: Any) -> None:
    on = data.draw(st.integers(0, inputs))
    x = on_off_inputs(samples, inputs, np.random.default_rng(0), on=on)
    assert x.shape == (samples, inputs)
    assert set(np.unique(x)) <= {0.0, 1.0}
    assert (x.sum(axis=1) == on).all()
    np.testing.assert_array_equal(
        x, on_off_inputs(samples, inputs, np.random.default_rng(0), on=on)
    )


def test_which_inputs_are_on_is_a_fair_draw() -> None:
    x = on_off_inputs(20_000, 10, np.random.default_rng(1), on=3)
    # 5 standard errors of a share of 0.3
    assert abs(x.mean(axis=0) - 0.3).max() < 5 * np.sqrt(0.21 / 20_000)
    assert not np.array_equal(x[0], x[1]) or not np.array_equal(x[1], x[2])
