"""Tables that a spreadsheet opens, without surprises."""

import csv
import io
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["delimiter", "neutral", "printable", "raw", "read", "text", "write"]


# Where a spreadsheet sees the beginning of a cell, if it splits by the one or the other delimiter.
_BEGINNING = r"(^|[;,\t\r\n])"


def neutral(cell: object) -> str:
    """Return a cell's text; what a spreadsheet would take for a formula gets a quote in front.

    Examples
    --------
    >>> neutral("=1+1"), neutral("Semi;=1+1"), neutral("ada"), neutral(7.5), neutral("-")
    ("'=1+1", "Semi;'=1+1", 'ada', '7.5', '-')
    """
    shown = f"{cell:g}" if isinstance(cell, float) else str(cell)
    return shown if shown == "-" else re.sub(_BEGINNING + r"(?=[=+@\t\r-])", r"\1'", shown)


def raw(cell: str) -> str:
    """Return a text as it was before :func:`neutral`.

    Examples
    --------
    >>> raw(neutral("=1+1")), raw("O'Neill")
    ('=1+1', "O'Neill")
    """
    return re.sub(_BEGINNING + r"'(?=[=+@\t\r-])", r"\1", cell)


def printable(name: str) -> str:
    """Return a name from elsewhere without what is no text: broken bytes, control characters.

    Examples
    --------
    >>> printable("Zoé" + chr(27) + "[31m")
    'Zoé?[31m'
    """
    whole = name.encode("utf-8", "replace").decode("utf-8")
    return "".join(letter if letter.isprintable() else "?" for letter in whole)


def text(rows: Iterable[Sequence[object]], *, delimiter: str = ",") -> str:
    """Return rows as CSV, each cell neutral."""
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows(
        [neutral(cell) for cell in row] for row in rows
    )
    return stream.getvalue()


def write(path: Path, content: str, *, encoding: str = "utf-8", mode: int = 0o644) -> None:
    """Write a text file; a reader never sees half of it, and a full disk keeps the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding=encoding, newline="") as file:
            file.write(content)
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def delimiter(path: Path) -> str:
    """Return what separates the columns of a table: a comma, a semicolon or a tab."""
    header = _content(path).partition("\n")[0]
    return max(",;\t", key=header.count)


def read(path: Path) -> list[dict[str, str]]:
    """Read a table as a spreadsheet saves it: commas, semicolons or tabs, with a header.

    Raises
    ------
    ValueError
        If it is no text in UTF-8.
    """
    content = io.StringIO(_content(path), newline="")
    return [
        {(key or "").strip(): (value or "").strip() for key, value in row.items() if key}
        for row in csv.DictReader(content, delimiter=delimiter(path))
    ]


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is no UTF-8 text; save it from the spreadsheet as 'CSV UTF-8'"
        ) from error
