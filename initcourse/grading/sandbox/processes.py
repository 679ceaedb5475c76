"""Processes of Linux, seen from outside: who descends from whom, and what they use together."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["apart", "family", "memory", "memory_above", "processor_seconds", "scratch", "sockets"]

PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")
FILE = 4_000  # what Linux keeps of a file, beside what is in it; of a link its target
BUFFER, TCP_BUFFER = 250_000, 5_000_000  # Linux's defaults for a socket, and what TCP grows to


def family(pid: int) -> Iterator[int]:
    """Yield a process and all that descend from it."""
    yield pid
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in file.read_text().split():
                yield from family(int(child))


def memory(pids: Iterable[int]) -> int:
    """Return what processes hold in memory together, in bytes; a page that they share counts once.

    Examples
    --------
    >>> memory([os.getpid()]) > 10_000_000
    True
    """
    return sum(_proportional(pid) for pid in pids)


def memory_above(pids: Iterable[int], most: int) -> bool:
    """Return whether processes hold more bytes together than that.

    To look at every page takes long, so it is done only where the sum of what each process holds
    for itself could be too much.

    Examples
    --------
    >>> memory_above([os.getpid()], 10_000), memory_above([os.getpid()], 10**12)
    (True, False)
    """
    listed = list(pids)
    return sum(map(_resident, listed)) > most and memory(listed) > most


def _resident(pid: int) -> int:
    """Return what a process holds in memory, whoever else holds it too."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    return 0


def _proportional(pid: int) -> int:
    """Return a process's part of what it holds: of a page that n processes share, one n-th."""
    with suppress(OSError, ValueError, IndexError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
    return _resident(pid)


def apart(pid: int) -> bool:
    """Return whether a process lives in a network of its own, and is not about to end.

    Examples
    --------
    >>> apart(os.getpid())
    False
    """
    with suppress(OSError):
        return os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net")
    return False


def scratch(pid: int, places: Iterable[str]) -> int:
    """Return what lies in the folders in memory that a process sees, in bytes."""
    used = 0
    for place in places:
        with suppress(OSError):
            found = os.statvfs(f"/proc/{pid}/root{place}")
            used += (found.f_blocks - found.f_bfree) * found.f_frsize
            used += (found.f_files - found.f_ffree) * FILE
    return used


def sockets(pid: int) -> int:
    """Return what the sockets around a process can hold at most, in bytes.

    Linux tells how many there are in its network, and not how full they are.
    """
    with suppress(OSError, ValueError, IndexError):
        told = Path(f"/proc/{pid}/net/sockstat").read_text()
        used, tcp, *_ = (int(line.split()[2]) for line in told.splitlines())
        return used * BUFFER + tcp * TCP_BUFFER
    return 0


def processor_seconds(pids: Iterable[int]) -> float:
    """Return the processor time of processes, and of their children that have ended.

    Examples
    --------
    >>> processor_seconds([os.getpid()]) > 0.0
    True
    """
    ticks = 0
    for pid in pids:
        with suppress(OSError, ValueError, IndexError):
            after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, after_name[11:15]))
    return ticks / TICK
