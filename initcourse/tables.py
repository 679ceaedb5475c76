"""Small tables of rounded numbers, shown beside a figure and compared by the regression tests."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tabulate import tabulate

from initcourse import _checks


def rounded(value: Any, digits: int = 3) -> str:
    """Write a number with so many significant digits; leave anything else as it is.

    Parameters
    ----------
    value : object
        A number, or text.
    digits : int, default 3
        Significant digits of a float; integers are written in full.

    Returns
    -------
    str

    Examples
    --------
    >>> [rounded(v) for v in (0.0177653, 1234.5, 4.5e-6, 12, "relu")]
    ['0.0178', '1230', '4.50e-06', '12', 'relu']
    """
    if isinstance(value, float | np.floating):
        value = float(value)
        if not np.isfinite(value) or value == 0:
            return f"{value:g}"
        if 1e-4 <= abs(value) < 1e6:
            return np.format_float_positional(
                float(f"{value:.{digits}g}"), precision=digits, fractional=False, trim="-"
            )
        return f"{value:.{digits - 1}e}"
    return str(value)


def _breakable(text: str) -> str:
    """Escape a cell's text for HTML, and let a long name break after its underscores."""
    return html.escape(text).replace("_", "_<wbr>")


@dataclass(frozen=True)
class Table:
    """Columns of equal length; shows as an HTML table, or as text."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def __repr__(self) -> str:
        """Return the table as text."""
        return str(tabulate(self.rows, self.headers, tablefmt="simple", disable_numparse=True))

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{_breakable(name)}</th>' for name in self.headers)
        lines = ("".join(f"<td>{_breakable(cell)}</td>" for cell in row) for row in self.rows)
        body = "\n".join(f"<tr>{line}</tr>" for line in lines)
        return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def table(columns: Mapping[str, Sequence[Any]], *, digits: int = 3) -> Table:
    """Make a table of named columns, numbers rounded.

    Parameters
    ----------
    columns : mapping of str to sequence
        Header and values of each column; all of one length.
    digits : int, default 3
        Significant digits.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If the columns differ in length or there are none.

    Examples
    --------
    >>> table({"width": [50, 1000], "chi_1": [0.68864, 3.02168]})
    width    chi_1
    -------  -------
    50       0.689
    1000     3.02
    """
    _checks.count("digits", digits)
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"columns must be given and be of one length, got {lengths}")
    rows = zip(*columns.values(), strict=True)
    return Table(
        headers=tuple(columns),
        rows=tuple(tuple(rounded(value, digits) for value in row) for row in rows),
    )


def rows(records: Iterable[Mapping[str, Any]], *, digits: int = 3) -> Table:
    """Make a table of records, one a row, with the same names in each.

    Parameters
    ----------
    records : iterable of mapping
        Header and value of each cell, row by row.
    digits : int, default 3
        Significant digits.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If there are no records, or their names differ.

    Examples
    --------
    >>> rows({"width": n, "1/√n": n**-0.5} for n in (10, 1000))
    width    1/√n
    -------  ------
    10       0.316
    1000     0.0316
    """
    given = [dict(record) for record in records]
    names = {tuple(record) for record in given}
    if len(names) != 1:
        raise ValueError(f"records must be given and have the same names, got {sorted(names)}")
    return table({name: [record[name] for record in given] for name in given[0]}, digits=digits)


def compare(pairs: Mapping[str, tuple[Any, Any]], *, digits: int = 3) -> Table:
    """Make a table of measured values beside predicted ones.

    Parameters
    ----------
    pairs : mapping of str to (measured, predicted)
        By the quantity's name.
    digits : int, default 3
        Significant digits.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If there are no pairs.

    Examples
    --------
    >>> compare({"variance of z": (500.9, 501)})
                     measured    predicted
    -------------  ----------  -----------
    variance of z         501          501
    """
    return rows(
        ({"": name, "measured": seen, "predicted": law} for name, (seen, law) in pairs.items()),
        digits=digits,
    )
