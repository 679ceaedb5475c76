"""A process of the grader's own that answers questions, within limits of memory and time.

What strangers wrote is read, run and compared by such processes: one that dies of it takes nothing
with it, and the next question starts another one.
"""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

__all__ = ["Servant", "ServantGone", "at_most", "serve"]

MOST_BYTES = 64_000_000  # of one answer


class ServantGone(RuntimeError):
    """There is no answer: the process took too long, ran out of memory, or died."""


class Servant:
    """A process that answers, seen from the one that owns it.

    Parameters
    ----------
    module : str
        The module whose ``main()`` it runs, which calls :func:`serve`.

    Examples
    --------
    >>> with Servant("initcourse.grading.comparing.comparer") as servant:
    ...     servant.ask("add", 60.0)
    Traceback (most recent call last):
    ...
    initcourse...ServantGone: KeyError: 'add'
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def ask(self, function: str, seconds: float, **arguments: Any) -> Any:
        """Return what a function of the process returns.

        Raises
        ------
        ServantGone
            If there is no answer within that many seconds, or ever; then the process is no more.
        """
        try:
            return self._ask(function, seconds, arguments)
        except (OSError, ValueError) as error:
            self.close()
            raise ServantGone(str(error)) from None
        except BaseException:  # interrupted in the middle of an answer
            self.close()
            raise

    def _ask(self, function: str, seconds: float, arguments: dict[str, Any]) -> Any:
        deadline = time.monotonic() + seconds
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([function, arguments]).encode("ascii") + b"\n")
        process.stdin.flush()
        parts, size = [b""], 0
        while not parts[-1].endswith(b"\n"):
            left = max(0.0, deadline - time.monotonic())
            if not select.select([process.stdout], [], [], left)[0]:
                raise TimeoutError(f"no answer within {seconds:g} s")
            parts.append(os.read(process.stdout.fileno(), 2**20))
            size += len(parts[-1])
            if not parts[-1] or size > MOST_BYTES:
                raise OSError("it died" if not parts[-1] else "its answer is too long")
        answer = json.loads(b"".join(parts))
        if "failed" in answer:
            raise OSError(answer["failed"])
        return answer["value"]

    def _running(self) -> subprocess.Popen[bytes]:
        """Return the process, started if it is not there."""
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        setpriv = shutil.which("setpriv")
        with_us = [setpriv, "--pdeathsig", "KILL"] if setpriv else []  # it dies when we do
        self._process = subprocess.Popen(
            [*with_us, sys.executable, "-c", f"from {self._module} import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self._process

    def close(self) -> None:
        """End the process; the next question starts another one."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


@contextmanager
def at_most(memory_mb: int) -> Iterator[None]:
    """Let this process take so much memory beside what it has; then there is a MemoryError.

    A process that it starts can have another limit.
    """
    import resource

    pages = Path("/proc/self/statm").read_text().split()[0]
    before, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = int(pages) * resource.getpagesize() + memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, hard))


def serve(functions: Mapping[str, Callable[..., Any]]) -> None:
    """Answer questions until nobody asks any more; each function returns what JSON can hold."""
    replies = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what a function prints is no answer
    for line in sys.stdin:
        try:
            function, arguments = json.loads(line)
            answer = json.dumps({"value": functions[function](**arguments)})
        except Exception as error:  # out of memory, too
            answer = json.dumps({"failed": f"{type(error).__name__}: {error}"[:300]})
        print(answer, file=replies, flush=True)
