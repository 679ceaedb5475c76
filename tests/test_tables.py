"""Rounded numbers and small tables."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcourse.tables import compare, rounded, rows, table


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0177653, 3, "0.0178"),
        (1234.5, 3, "1230"),
        (0.97, 3, "0.97"),
        (1.0, 3, "1"),
        (-22.383, 4, "-22.38"),
        (999_999.7, 3, "1000000"),
        (0.0, 3, "0"),
        (4.5e-6, 3, "4.50e-06"),
        (2.5e7, 2, "2.5e+07"),
        (float("inf"), 3, "inf"),
        (float("nan"), 3, "nan"),
        (np.float32(0.1), 3, "0.1"),
        (np.float64(501.0), 3, "501"),
        (123456, 3, "123456"),
        (np.int64(1000), 2, "1000"),
        (True, 3, "True"),
        ("relu", 3, "relu"),
        (None, 3, "None"),
    ],
)
def test_rounded(value: Any, digits: int, text: str) -> None:
    assert rounded(value, digits) == text


@given(st.floats(-1e300, 1e300), st.integers(1, 8))
def test_rounding_loses_half_a_last_digit_at_most(value: float, digits: int) -> None:
    assert float(rounded(value, digits)) == pytest.approx(value, rel=0.501 * 10.0 ** (1 - digits))


def test_table() -> None:
    made = table({"width": [50, 1000], "chi_1": np.array([0.68864, 3.02168])}, digits=2)
    assert made.headers == ("width", "chi_1")
    assert made.rows == (("50", "0.69"), ("1000", "3"))
    assert [line.split() for line in repr(made).splitlines()][2:] == [["50", "0.69"], ["1000", "3"]]


def test_a_table_in_html_is_escaped() -> None:
    page = table({"<b>": ["x < 3 & y"]})._repr_html_()
    assert "<td>x &lt; 3 &amp; y" in page.replace('<td style="text-align: left;">', "<td>")
    assert "<b>" not in page


def test_text_that_looks_like_a_number_stays() -> None:
    assert "1e-05" in repr(table({"rate": ["1e-05"]}))
    assert "007" in repr(table({"agent": ["007"]}))


def test_rows_and_columns_make_the_same_table() -> None:
    by_column = table({"n": [1, 2], "1/n": [1.0, 0.5]})
    assert rows({"n": n, "1/n": 1 / n} for n in (1, 2)) == by_column


@pytest.mark.parametrize("records", [[], [{"a": 1}, {"b": 1}], [{"a": 1}, {"a": 1, "b": 2}]])
def test_rows_need_the_same_names(records: Any) -> None:
    with pytest.raises(ValueError, match="records must be given and have the same names"):
        rows(records)


def test_compare_puts_the_prediction_beside_the_measurement() -> None:
    found = compare({"std": (1.2345, 1.0), "share": (0.5, 0.25)}, digits=2)
    assert found.headers == ("", "measured", "predicted")
    assert found.rows == (("std", "1.2", "1"), ("share", "0.5", "0.25"))
