"""Read what a learning platform exports: zip files, folders, and the notebooks in them.

An export is read, never trusted: links are not followed, nothing is unpacked to a path that it
names, and what is read has limits.
"""

import io
import os
import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

from initcourse.grading import cells

__all__ = ["Found", "read_export"]

MAX_NOTEBOOK = 20_000_000  # bytes
MAX_ZIP = 20_000_000  # bytes of a zip file within a zip file
MAX_UNPACKED = 200_000_000  # bytes; more from a large export, see _Unpacked
MAX_RATIO = 100
MAX_FILES = 50_000
MAX_DEPTH = 3

TOO_LARGE = f"notebook of more than {MAX_NOTEBOOK // 1_000_000} MB"
ZIP_TOO_LARGE = f"zip file of more than {MAX_ZIP // 1_000_000} MB"
ZIP_TOO_MANY = f"zip file of more than {MAX_FILES} files"
ZIP_BOMB = f"zip file unpacks to more than {MAX_UNPACKED // 1_000_000} MB"
ZIP_TOO_DEEP = f"zip files nested more than {MAX_DEPTH} deep"
ZIP_BROKEN = "zip file cannot be read"
ZIP_ENCRYPTED = "zip file is encrypted"
LINK = "symbolic link, not followed"
UNSAFE_PATH = "path that leads out of its folder"
UNUSUAL = "not an ordinary file"

_NOTEBOOK = re.compile(r"\.ipynb(\.(txt|json))?$", re.IGNORECASE)
_JUNK = {"__MACOSX", ".ipynb_checkpoints", ".DS_Store", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Found:
    """Something that lies in an export.

    Attributes
    ----------
    parts : tuple of str
        Its path: folders and zip files from the outside in, then the file's name.
    received : str
        When it was handed in, in ISO 8601, as its time stamp says; empty if it has none.
    content : Path or None
        A private copy of the notebook's bytes; None if it is no notebook.
    problem : str
        Why the notebook or zip file could not be read; empty if it could.
    """

    parts: tuple[str, ...]
    received: str = ""
    content: Path | None = None
    problem: str = ""

    @property
    def path(self) -> str:
        """The path within the export, as one text."""
        return "/".join(self.parts)


class _Bomb(Exception):
    """A zip file unpacks to more than it may."""


class _Unpacked:
    """Count what comes out of one zip file; an honest one shrinks notebooks less than 100 times."""

    def __init__(self, size: int) -> None:
        self.left = max(MAX_UNPACKED, MAX_RATIO * size)

    def read(self, stream: IO[bytes], limit: int) -> bytes | None:
        """Read a file; None if it is larger than the limit."""
        content = stream.read(limit + 1)
        self.left -= len(content)
        if self.left < 0:
            raise _Bomb
        return content if len(content) <= limit else None


def read_export(export: Path, scratch: Path) -> list[Found]:
    """Find what lies in a platform's export.

    Parameters
    ----------
    export : Path
        A zip file, a notebook, or a folder of folders, zip files and notebooks.
    scratch : Path
        An empty folder for copies of the notebooks.

    Returns
    -------
    list of Found
        Files and empty folders, without what operating systems and Jupyter leave behind.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder.
    """
    if not export.exists():
        raise FileNotFoundError(f"there is no file or folder {str(export)!r}")
    found = _walk(export, scratch) if export.is_dir() else _file(export, (export.name,), scratch)
    return [replace(each, parts=tuple(map(cells.printable, each.parts))) for each in found]


def _walk(folder: Path, scratch: Path) -> Iterator[Found]:
    for place, folders, files in os.walk(folder):
        parts = Path(place).relative_to(folder).parts
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in {*links, *_JUNK})
        for name in sorted([*links, *files]):
            if not _is_junk(name):
                yield from _file(Path(place) / name, (*parts, name), scratch)
        if parts and not folders and not files:
            yield Found(parts)


def _file(path: Path, parts: tuple[str, ...], scratch: Path) -> Iterator[Found]:
    status = path.lstat()
    received = datetime.fromtimestamp(status.st_mtime).isoformat(timespec="seconds")
    if stat.S_ISLNK(status.st_mode):
        yield Found(parts, received, problem=LINK)
    elif not stat.S_ISREG(status.st_mode):
        yield Found(parts, received, problem=UNUSUAL)
    elif _is_zip(path.name):
        with path.open("rb") as stream:
            yield from _unzip(stream, _Unpacked(status.st_size), parts, received, scratch)
    elif _NOTEBOOK.search(path.name):
        with path.open("rb") as stream:
            content = stream.read(MAX_NOTEBOOK + 1)
        yield _notebook(content if len(content) <= MAX_NOTEBOOK else None, parts, received, scratch)
    else:
        yield Found(parts, received)


def _unzip(
    stream: IO[bytes],
    unpacked: _Unpacked,
    parts: tuple[str, ...],
    received: str,
    scratch: Path,
    depth: int = 1,
) -> Iterator[Found]:
    try:
        with zipfile.ZipFile(stream) as archive:
            if len(archive.infolist()) > MAX_FILES:
                yield Found(parts, received, problem=ZIP_TOO_MANY)
                return
            for entry in archive.infolist():
                yield from _entry(archive, entry, unpacked, parts, scratch, depth)
    except _Bomb:
        yield Found(parts, received, problem=ZIP_BOMB)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError):
        yield Found(parts, received, problem=ZIP_BROKEN)


def _entry(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    unpacked: _Unpacked,
    outer: tuple[str, ...],
    scratch: Path,
    depth: int,
) -> Iterator[Found]:
    name = entry.filename.replace("\\", "/")
    inner = PurePosixPath(name).parts
    parts, received = (*outer, *inner), _zip_time(entry)
    if any(_is_junk(part) for part in inner):
        return
    if name.startswith("/") or ".." in inner or re.match("[A-Za-z]:", name):
        yield Found(parts, received, problem=UNSAFE_PATH)
    elif stat.S_ISLNK(entry.external_attr >> 16):
        yield Found(parts, received, problem=LINK)
    elif entry.is_dir() or not (_is_zip(name) or _NOTEBOOK.search(name)):
        yield Found(parts, received)
    elif entry.flag_bits & 1:
        yield Found(parts, received, problem=ZIP_ENCRYPTED)
    elif _is_zip(name) and depth == MAX_DEPTH:
        yield Found(parts, received, problem=ZIP_TOO_DEEP)
    else:
        try:
            with archive.open(entry) as stream:
                content = unpacked.read(stream, MAX_ZIP if _is_zip(name) else MAX_NOTEBOOK)
        except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError):
            yield Found(parts, received, problem=ZIP_BROKEN)
            return
        if not _is_zip(name):
            yield _notebook(content, parts, received, scratch)
        elif content is None:
            yield Found(parts, received, problem=ZIP_TOO_LARGE)
        else:
            within = io.BytesIO(content)
            yield from _unzip(within, _Unpacked(0), parts, received, scratch, depth + 1)


def _notebook(content: bytes | None, parts: tuple[str, ...], received: str, scratch: Path) -> Found:
    if content is None:
        return Found(parts, received, problem=TOO_LARGE)
    handle, name = tempfile.mkstemp(dir=scratch)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return Found(parts, received, Path(name))


def _is_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


def _is_junk(name: str) -> bool:
    return name in _JUNK or name.startswith("._")


def _zip_time(entry: zipfile.ZipInfo) -> str:
    try:
        time = datetime(*entry.date_time)
    except ValueError:
        return ""
    return "" if time.year == 1980 else time.isoformat()  # 1980: the format's "no time"
