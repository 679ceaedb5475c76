"""The keeper: the one process of the grader that meets what strangers wrote and what they run.

It reads hand-ins and drives their kernels, within limits of its own.  To the worker that owns it
comes what has been cut to size: a clean notebook, outputs, an encoded answer.
"""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import nbformat
from nbformat import NotebookNode

from initcourse.grading.intake.inspection import NotGraded, Source, read, repair, suspicious
from initcourse.grading.sandbox.bubblewrap import PLACES, SandboxError, Settings
from initcourse.grading.sandbox.kernels import START_SECONDS, Kernel, KernelGone, Reply
from initcourse.grading.sandbox.watch import Watch
from initcourse.grading.servant import Servant, ServantGone, at_most, serve

__all__ = ["Keeper", "KeptKernel", "main"]

MEMORY_MB = 1024  # to read a hand-in; while one runs, the watch counts the keeper's memory, too
READ_SECONDS = 30.0
TOO_MUCH = "too long, or too deeply nested"


class Keeper:
    """The keeper, seen from the worker that owns it."""

    def __init__(self) -> None:
        self._servant = Servant(__name__)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._servant.close()

    def read(
        self, path: Path, homework: str, source: Path, release: Path
    ) -> tuple[NotebookNode, list[str]]:
        """Return a clean copy of a hand-in, and what had to be mended.

        Raises
        ------
        NotGraded
            If it is no notebook of this homework.
        """
        asked = {"path": str(path), "source": str(source), "release": str(release)}
        try:
            found = self._servant.ask("read", READ_SECONDS, homework=homework, **asked)
        except ServantGone:
            raise NotGraded(f"notebook that cannot be read: {TOO_MUCH}") from None
        if "reason" in found:
            raise NotGraded(found["reason"])
        return nbformat.from_dict(found["notebook"]), found["notices"]

    def suspicious(self, notebook: NotebookNode, student: str) -> list[str]:
        """Return what a person should look at in the code of a hand-in."""
        try:
            found: list[str] = self._servant.ask(
                "suspicious", READ_SECONDS, notebook=notebook, student=student
            )
        except ServantGone:
            return [f"its code could not be looked through: {TOO_MUCH}"]
        return found

    def kernel(
        self,
        settings: Settings,
        files: Iterable[tuple[str, str]] = (),
        processor: int | None = None,
    ) -> "KeptKernel":
        """Return the kernel of a submission, to be entered; see :class:`.kernels.Kernel`."""
        return KeptKernel(self._servant, settings, list(files), processor)


class KeptKernel:
    """A kernel that the keeper drives, and the worker watches."""

    def __init__(
        self,
        servant: Servant,
        settings: Settings,
        files: list[tuple[str, str]],
        processor: int | None,
    ) -> None:
        self._servant, self._settings = servant, settings
        self._files, self._processor = files, processor
        self._watch: Watch | None = None

    def __enter__(self) -> Self:
        found = self._ask(
            "start",
            settings=asdict(self._settings),
            files=self._files,
            processor=self._processor,
        )
        if self._settings.sandbox == "bubblewrap":
            self._watch = Watch(found["pid"], self._settings.memory_mb, PLACES)
            self._watch.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self._ask("stop")
        except KernelGone:
            self._servant.close()
        if self._watch is not None:
            self._watch.__exit__()

    def run(self, code: str, expression: str = "") -> Reply:
        """Run a cell, or evaluate an expression; see :meth:`.kernels.Kernel.run`."""
        found = self._ask("run", code=code, expression=expression)
        outputs = [nbformat.from_dict(output) for output in found.pop("outputs")]
        return Reply(outputs=outputs, **found)

    def _ask(self, function: str, **arguments: Any) -> dict[str, Any]:
        most = self._settings.patience * (self._settings.notebook_seconds + START_SECONDS) + 30
        try:
            found: dict[str, Any] = self._servant.ask(function, most, **arguments)
        except ServantGone:
            found = {"gone": "kernel killed: it sent more than the grader takes in"}
        if "gone" in found:
            told = self._watch.told if self._watch is not None else ""
            raise KernelGone(told or found["gone"])
        if "refused" in found:
            raise SandboxError(found["refused"])
        return found


# What follows runs in the keeper's own process.

_running: list[Kernel] = []


def _read(path: str, homework: str, source: str, release: str) -> dict[str, Any]:
    known = Source.load(homework, Path(source), Path(release))
    try:
        with at_most(MEMORY_MB):
            notebook, notices = read(Path(path), known)
            clean, mended = repair(notebook, known)
    except NotGraded as reason:
        return {"reason": str(reason)}
    return {"notebook": clean, "notices": [*notices, *mended]}


def _suspicious(notebook: dict[str, Any], student: str) -> list[str]:
    with at_most(MEMORY_MB):
        return suspicious(nbformat.from_dict(notebook), student)


def _start(
    settings: dict[str, Any], files: list[list[str]], processor: int | None
) -> dict[str, Any]:
    _stop()
    kernel = Kernel(Settings(**settings), [(path, inside) for path, inside in files], processor)
    try:
        _running.append(kernel.__enter__())
    except KernelGone as gone:
        return {"gone": str(gone)}
    except SandboxError as error:
        return {"refused": str(error)}
    return {"pid": kernel.pid}


def _run(code: str, expression: str) -> dict[str, Any]:
    try:
        return asdict(_running[0].run(code, expression))
    except KernelGone as gone:
        return {"gone": str(gone)}


def _stop() -> dict[str, Any]:
    while _running:
        _running.pop().__exit__()
    return {}


def main() -> None:
    """Be the keeper."""
    serve({"read": _read, "suspicious": _suspicious, "start": _start, "run": _run, "stop": _stop})
