"""A processor for each worker: what one submission burns does not slow down the others'."""

import fcntl
import os
import tempfile
from functools import cache
from pathlib import Path

__all__ = ["own_processor"]

_held: list[int] = []  # for as long as this process lives


@cache
def own_processor() -> int | None:
    """Return the number of a processor that no other worker here has; None if there is none left.

    The first worker that asks for one holds it until it ends.
    """
    if not hasattr(os, "sched_getaffinity"):
        return None
    for number in sorted(os.sched_getaffinity(0)):
        place = Path(tempfile.gettempdir(), f"initcourse-{os.geteuid()}-processor-{number}")
        try:
            handle = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError:  # somebody else's file
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            continue
        _held.append(handle)
        return number
    return None
