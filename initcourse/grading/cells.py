"""Tables that a spreadsheet opens, without surprises."""

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["neutral", "printable", "read", "text", "write"]


def neutral(cell: object) -> str:
    """Return a cell's text; what a spreadsheet would take for a formula gets a quote in front.

    Examples
    --------
    >>> neutral("=1+1"), neutral("ada"), neutral(7.5)
    ("'=1+1", 'ada', '7.5')
    """
    shown = f"{cell:g}" if isinstance(cell, float) else str(cell)
    return "'" + shown if shown.startswith(("=", "+", "-", "@", "\t", "\r")) else shown


def printable(name: str) -> str:
    """Return a name from elsewhere without what is no text: broken bytes, control characters.

    Examples
    --------
    >>> printable("Zoé" + chr(27) + "[31m")
    'Zoé?[31m'
    """
    whole = name.encode("utf-8", "replace").decode("utf-8")
    return "".join(letter if letter.isprintable() else "?" for letter in whole)


def text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV, each cell neutral."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(
        [neutral(cell) for cell in row] for row in rows
    )
    return stream.getvalue()


def write(path: Path, content: str, *, encoding: str = "utf-8") -> None:
    """Write a text file; a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    with os.fdopen(handle, "w", encoding=encoding, newline="") as file:
        file.write(content)
    os.chmod(name, 0o644)
    os.replace(name, path)


def read(path: Path) -> list[dict[str, str]]:
    """Read a table as a spreadsheet saves it: commas, semicolons or tabs, with a header.

    Raises
    ------
    ValueError
        If it is no text in UTF-8.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is no UTF-8 text; save it from the spreadsheet as 'CSV UTF-8'"
        ) from error
    header = content.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    rows = csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter)
    return [
        {(key or "").strip(): (value or "").strip() for key, value in row.items() if key}
        for row in rows
    ]
