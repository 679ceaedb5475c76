"""A thread that never pauses: what a submission and the grader's own processes hold in memory."""

import os
import signal
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Self

from initcourse.grading.sandbox.processes import (
    apart,
    family,
    memory,
    memory_above,
    scratch,
    sockets,
)

__all__ = ["Watch"]

SECONDS = 0.02  # between two looks; two processors fill some 100 MB in this time


class Watch:
    """Kill a submission when it holds too much memory, with all that serves it.

    What counts is what has come since the watch began, in this process and in any that descends
    from it: the submission's own memory, memory that its processes share, files in memory, what its
    sockets may hold, and what its messages take in the process that reads them.

    Parameters
    ----------
    kernel : int
        The first process of the submission.
    memory_mb : int
        The most that it may hold.
    places : iterable of str
        Folders in memory, as the submission sees them.

    Attributes
    ----------
    told : str
        Why the submission was killed; empty if it was not.
    """

    def __init__(self, kernel: int, memory_mb: int, places: Iterable[str]) -> None:
        self.told = ""
        self._kernel, self._memory_mb, self._places = kernel, memory_mb, list(places)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        # A handle on this process, and on no later one of the same number.
        self._handle = os.pidfd_open(self._kernel)
        served = set(family(os.getpid())) - set(family(self._kernel))
        self._most = memory(served) + self._memory_mb * 2**20
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()
        os.close(self._handle)

    def _look(self) -> None:
        """Look until the watch is over, or has killed."""
        while not self._over.wait(SECONDS):
            own = list(family(self._kernel))
            # All see the same folders and the same network, but for those that have ended.
            within = filter(apart, reversed(own))
            beside = next((scratch(one, self._places) + sockets(one) for one in within), 0)
            if memory_above(family(os.getpid()), self._most - beside):
                self.told = f"kernel killed: more than {self._memory_mb} MB of memory"
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._handle, signal.SIGKILL)
                return
