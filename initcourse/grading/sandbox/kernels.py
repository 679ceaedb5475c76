"""A submission's kernel, seen from outside: run a cell, take an answer, and believe nothing.

The kernel calls the grader's sockets, which lie in a private folder.  Whatever it sends is bounded:
the size of a message's part, the number of messages that wait, what is kept of a cell and of all
cells, the time.  What is not bounded by ZeroMQ, such as the number of a message's parts, costs the
process that reads it: the keeper (:mod:`.keeper`), whose memory counts as the submission's.
"""

import asyncio
import json
import os
import re
import signal
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

import zmq
from jupyter_client.session import Session
from nbformat import NotebookNode
from nbformat.v4 import new_output

from initcourse.grading.comparing import MIME
from initcourse.grading.sandbox import NAME
from initcourse.grading.sandbox.bubblewrap import Settings, provisioner
from initcourse.grading.sandbox.processes import family, processor_seconds

__all__ = ["Kernel", "KernelGone", "Reply"]

START_SECONDS = 60.0
GRACE_SECONDS = 3.0  # between the interrupt of a cell and the end of its kernel
MESSAGE_BYTES = 8_000_000
WAITING_MESSAGES = 16
CELL_BYTES = 16_000_000  # of a cell's outputs that are looked at
IMAGE_CHARS = 1_000_000  # of one picture
KEPT_BYTES = 16_000_000  # of all cells' outputs together
LINES = 200  # of one error message
KEPT_ITEMS = 2_000  # outputs, and lines of error messages, of all cells together
KEPT = ("text/plain", "text/latex", "image/png", "image/jpeg")  # what no browser executes
ENCODE = "__import__('initcourse.grading.comparing.answers', fromlist=['encode']).encode"


class KernelGone(RuntimeError):
    """The kernel of a submission is no more; the message is the reason."""


@dataclass(frozen=True)
class Reply:
    """What came of running a cell.

    Attributes
    ----------
    outputs : list of NotebookNode
        Its outputs, cut to what is kept.
    answer : str
        The encoded answer; empty if there is none.
    error : str
        Why there is no answer.
    late : str
        After what it was interrupted, such as "30 s of processor time"; empty if it was not.
    cut : bool
        Whether outputs were left out.
    """

    outputs: list[NotebookNode] = field(default_factory=list)
    answer: str = ""
    error: str = ""
    late: str = ""
    cut: bool = False


class Kernel:
    """The kernel of one submission, in its sandbox.

    Parameters
    ----------
    settings : Settings
        The limits.
    files : iterable of (str, str), optional
        Data files: their path on the host, and relative to where the notebook runs.
    processor : int, optional
        The one processor that it may use.
    """

    def __init__(
        self,
        settings: Settings,
        files: Iterable[tuple[str, str]] = (),
        processor: int | None = None,
    ) -> None:
        self.settings = settings
        self._processor = processor
        self._kept = _Kept()
        self._files = list(files)
        self._sockets: dict[str, Any] = {}
        self._process: Any = None

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="ic-", dir=_short_folder())
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()
        if "iopub" in self._sockets:
            self._sockets["iopub"].disable_monitor()
        for socket in self._sockets.values():
            socket.close(linger=0)
        self._folder.cleanup()

    def _start(self) -> None:
        """Bind the sockets, start the kernel, and wait until it calls."""
        folder = self._folder.name
        os.mkdir(f"{folder}/in")
        self._session = Session(key=os.urandom(16).hex().encode())
        for number, channel in enumerate(("shell", "control", "iopub"), 1):
            socket = _context().socket(zmq.SUB if channel == "iopub" else zmq.ROUTER)
            self._sockets[channel] = socket
            socket.rcvhwm = WAITING_MESSAGES
            socket.maxmsgsize = MESSAGE_BYTES
            socket.bind(f"ipc://{folder}/in/socket-{number}")
        self._sockets["iopub"].subscribe(b"")
        self._sockets["monitor"] = self._sockets["iopub"].get_monitor_socket(zmq.EVENT_DISCONNECTED)
        connection = {
            "transport": "ipc",
            "ip": f"{folder}/in/socket",
            "key": self._session.key.decode(),
            "signature_scheme": self._session.signature_scheme,
            **{"shell_port": 1, "control_port": 2, "iopub_port": 3, "stdin_port": 4, "hb_port": 5},
        }
        Path(folder, "in", "kernel.json").write_text(json.dumps(connection), encoding="utf-8")
        starter = provisioner(self.settings, self._files, f"{folder}/in", self._processor)
        asyncio.run(_launch(starter, folder))
        self._process = starter.process
        clock = _Clock(self._process.pid, START_SECONDS, self.settings.patience)
        while not self._sockets["shell"].poll(100):
            self._watch(clock, "the kernel did not start within")
        while not self._sockets["iopub"].poll(50):  # until its outputs find their way
            self._request("shell", "kernel_info_request", {})
            self._watch(clock, "the kernel did not start within")
        limit = self.settings.notebook_seconds
        self._clock = _Clock(self._process.pid, limit, self.settings.patience)

    @property
    def pid(self) -> int:
        """The first process of the submission."""
        return int(self._process.pid)

    def kill(self) -> None:
        """End the kernel and everything that it started."""
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def run(self, code: str, expression: str = "") -> Reply:
        """Run a cell, or evaluate an expression and take its value as an answer.

        Raises
        ------
        KernelGone
            If the kernel died, or had to be killed.
        """
        wanted = {"answer": f"{ENCODE}({expression})"} if expression else {}
        request = self._request(
            "shell",
            "execute_request",
            {
                "code": code,
                "silent": False,
                "store_history": False,
                "user_expressions": wanted,
                "allow_stdin": False,
                "stop_on_error": False,
            },
        )
        outputs = _Outputs(request, self.settings.output_chars, self._kept)
        content, late = self._wait(request, outputs)
        last = time.monotonic() + 1.0
        while not outputs.idle and time.monotonic() < last and self._sockets["iopub"].poll(200):
            self._listen(outputs)
        answer, error = _answer(content) if expression else ("", "")
        return Reply(outputs.nodes, answer, error, late, outputs.cut | self._lost())

    def _lost(self) -> bool:
        """Return whether outputs were lost: ZeroMQ drops who sends a message that is too long."""
        lost = False
        while self._sockets["monitor"].poll(0):
            lost = bool(self._sockets["monitor"].recv_multipart())
        return lost

    def _request(self, channel: str, kind: str, content: dict[str, Any]) -> str:
        """Send a message and return its id."""
        message = self._session.msg(kind, content)
        self._session.send(self._sockets[channel], message, ident=NAME)
        return str(message["header"]["msg_id"])

    def _wait(self, request: str, outputs: "_Outputs") -> tuple[dict[str, Any], str]:
        """Return the reply's content, and after what the cell had to be interrupted for it."""
        clock = _Clock(self.pid, self.settings.cell_seconds, self.settings.patience)
        interrupted, grace = "", clock
        poller = zmq.Poller()
        for channel in ("shell", "iopub"):
            poller.register(self._sockets[channel], zmq.POLLIN)
        while True:
            ready = dict(poller.poll(100))
            if self._sockets["iopub"] in ready:
                self._listen(outputs)
            if self._sockets["shell"] in ready:
                reply = self._read("shell")
                if _parent(reply) == request:
                    content = reply.get("content")
                    return (content if isinstance(content, dict) else {}), interrupted
            self._watch(self._clock, "kernel killed after")
            if interrupted and grace.over():
                self.kill()
                raise KernelGone(
                    f"kernel killed after {interrupted} in a cell that could not be interrupted"
                )
            if not interrupted and (interrupted := clock.over()):
                self._request("control", "interrupt_request", {})
                grace = _Clock(self.pid, GRACE_SECONDS, self.settings.patience)

    def _watch(self, clock: "_Clock", too_late: str) -> None:
        """Look whether the kernel lives, and is within its time."""
        if self._process.poll() is not None:
            raise KernelGone("kernel died (exit in a cell, or out of memory)")
        if over := clock.over():
            self.kill()
            raise KernelGone(f"{too_late} {over}")

    def _listen(self, outputs: "_Outputs") -> None:
        """Read the outputs that wait, but not for long."""
        for _ in range(WAITING_MESSAGES):
            if not self._sockets["iopub"].poll(0):
                return
            outputs.add(self._read("iopub", outputs.room))

    def _read(self, channel: str, room: int = MESSAGE_BYTES) -> dict[str, Any]:
        """Return a message; an empty one if it is too long, or none of this kernel's session."""
        parts = self._sockets[channel].recv_multipart()
        size = sum(map(len, parts))
        if size > room:
            return {"size": size}
        try:
            _, message = self._session.feed_identities(parts)
            return {**self._session.deserialize(message), "size": size}
        except Exception:  # whatever the kernel may send
            return {"size": size}


class _Clock:
    """Time that a submission may still take: on the processor, and with patience on the wall."""

    def __init__(self, pid: int, seconds: float, patience: float) -> None:
        self._pid, self._seconds, self._patience = pid, seconds, patience
        self._wall, self._used = time.monotonic(), processor_seconds(family(pid))

    def over(self) -> str:
        """Return which limit is passed; an empty text if none is."""
        if processor_seconds(family(self._pid)) - self._used > self._seconds:
            return f"{self._seconds:g} s of processor time"
        most = self._patience * self._seconds
        return f"{most:g} s" if time.monotonic() - self._wall > most else ""


class _Kept:
    """What may still be kept of a notebook's outputs."""

    def __init__(self) -> None:
        self.bytes, self.items = KEPT_BYTES, KEPT_ITEMS

    def take(self, *, bytes: int = 0, items: int = 0) -> bool:
        """Take room; return whether there is so much."""
        if bytes > self.bytes or items > self.items:
            return False
        self.bytes -= bytes
        self.items -= items
        return True


class _Outputs:
    """The outputs of one cell, cut to what is kept."""

    def __init__(self, request: str, chars: int, kept: _Kept) -> None:
        self.nodes: list[NotebookNode] = []
        self.idle = self.cut = False
        self.room = CELL_BYTES
        self._request, self._chars, self._kept = request, chars, kept

    def add(self, message: dict[str, Any]) -> None:
        """Take in a message from the kernel."""
        self.room = max(0, self.room - message["size"])
        self.cut |= self.room == 0
        content = message.get("content")
        if _parent(message) != self._request or not isinstance(content, dict):
            return
        match message.get("msg_type"):
            case "status":
                self.idle = content.get("execution_state") == "idle"
            case "stream":
                self._stream(str(content.get("name")), str(content.get("text")))
            case "execute_result" | "display_data":
                self._display(content.get("data"))
            case "error":
                lines = content.get("traceback")
                self._error(content, lines if isinstance(lines, list) else [])

    def _stream(self, name: str, text: str) -> None:
        name = "stderr" if name == "stderr" else "stdout"
        last = self.nodes[-1] if self.nodes else None
        if last is None or last.output_type != "stream" or last.name != name:
            last = new_output("stream", name=name, text="")
            if text and self._chars and self._room(items=1):
                self.nodes.append(last)
        last.text += self._text(text)

    def _display(self, data: Any) -> None:
        kept = {}
        for kind in KEPT:
            value = data.get(kind) if isinstance(data, dict) else None
            if isinstance(value, str) and kind.startswith("text/"):
                kept[kind] = self._text(value)
            elif (
                isinstance(value, str)
                and len(value) <= IMAGE_CHARS
                and self._room(bytes=len(value))
            ):
                kept[kind] = value
        if kept and self._room(items=1):
            self.nodes.append(new_output("display_data", data=kept))

    def _error(self, content: dict[str, Any], lines: list[Any]) -> None:
        name, value = (self._text(str(content.get(part))) for part in ("ename", "evalue"))
        told = [self._text(str(line)) for line in lines[:LINES]]
        self.cut |= len(told) < len(lines)
        if self._room(items=1 + len(told)):
            error = new_output("error", ename=name, evalue=value, traceback=told)
            self.nodes.append(error)

    def _room(self, **size: int) -> bool:
        """Take room in what is kept of the notebook; remember if there was none."""
        found = self._kept.take(**size)
        self.cut |= not found
        return found

    def _text(self, text: str) -> str:
        """Return as much of a text as may still be kept."""
        room = min(self._chars, self._kept.bytes)
        kept = _clean(text[:room])
        self._kept.take(bytes=len(kept))
        if len(text) > room:
            self.cut = True
            kept += "\n… the rest was left out" if room else ""
        self._chars = max(0, self._chars - len(text))
        return kept


def _parent(message: dict[str, Any]) -> Any:
    header = message.get("parent_header")
    return header.get("msg_id") if isinstance(header, dict) else None


def _clean(text: str) -> str:
    """Return a text that every encoding can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _answer(content: dict[str, Any]) -> tuple[str, str]:
    """Return the encoded answer of a reply, or why there is none."""
    match content:
        case {"user_expressions": {"answer": {"status": "ok", "data": {**data}}}}:
            encoded = data.get(MIME)
            return (encoded, "") if isinstance(encoded, str) else ("", "there is no answer")
        case {"user_expressions": {"answer": {"ename": str(name), "evalue": str(value)}}}:
            text = re.sub(r"\x1b\[[0-9;]*m", "", _clean(f"{name}: {value}"))
            return "", text if len(text) <= 300 else text[:300] + " …"
    return "", "there is no answer"


async def _launch(starter: Any, folder: str) -> None:
    """Start the kernel's process as Jupyter does."""
    options = await starter.pre_launch(env=dict(os.environ), cwd=folder)
    await starter.launch_kernel(options.pop("cmd"), **options)


@cache
def _context() -> Any:
    """Return the one context of this process."""
    return zmq.Context()


def _short_folder() -> str:
    """Return a folder for sockets, whose paths have at most 107 characters."""
    folder = tempfile.gettempdir()
    return folder if len(folder) < 70 else "/tmp"
