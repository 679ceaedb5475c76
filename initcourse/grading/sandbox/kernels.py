"""A submission's kernel, seen from outside: run a cell, take an answer, and believe nothing.

The kernel calls the grader's sockets, which lie in a private folder.  Whatever it sends is bounded:
the size of a message, the number of messages that wait, the characters that are kept, the time.
"""

import asyncio
import json
import os
import re
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

import zmq
from jupyter_client.session import Session
from nbformat import NotebookNode
from nbformat.v4 import new_output

from initcourse.grading.comparing.answers import MIME
from initcourse.grading.sandbox.bubblewrap import Settings, provisioner
from initcourse.grading.sandbox.launcher import NAME

__all__ = ["Kernel", "KernelGone", "Reply"]

START_SECONDS = 60.0
GRACE_SECONDS = 3.0  # between the interrupt of a cell and the end of its kernel
MESSAGE_BYTES = 8_000_000
WAITING_MESSAGES = 16
CELL_BYTES = 16_000_000  # of a cell's outputs that are looked at
IMAGE_CHARS = 1_000_000
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
    timed_out : bool
        Whether it was interrupted.
    cut : bool
        Whether outputs were left out.
    """

    outputs: list[NotebookNode] = field(default_factory=list)
    answer: str = ""
    error: str = ""
    timed_out: bool = False
    cut: bool = False


class Kernel:
    """The kernel of one submission, in its sandbox.

    Parameters
    ----------
    settings : Settings
        The limits.
    files : iterable of (str, str), optional
        Data files: their path on the host, and relative to where the notebook runs.
    """

    def __init__(self, settings: Settings, files: Iterable[tuple[str, str]] = ()) -> None:
        self.settings = settings
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
        starter = provisioner(self.settings, self._files, f"{folder}/in")
        asyncio.run(_launch(starter, folder))
        self._process = starter.process
        self._deadline = time.monotonic() + START_SECONDS
        while not self._sockets["shell"].poll(100):
            self._watch(f"the kernel did not start within {START_SECONDS:g} s")
        while not self._sockets["iopub"].poll(50):  # until its outputs find their way
            self._request("shell", "kernel_info_request", {})
            self._watch(f"the kernel did not start within {START_SECONDS:g} s")
        self._deadline = time.monotonic() + self.settings.wall_seconds

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
        outputs = _Outputs(request, self.settings.output_chars)
        content, timed_out = self._wait(request, outputs)
        last = time.monotonic() + 1.0
        while not outputs.idle and time.monotonic() < last and self._sockets["iopub"].poll(200):
            self._listen(outputs)
        answer, error = _answer(content) if expression else ("", "")
        return Reply(outputs.nodes, answer, error, timed_out, outputs.cut | self._lost())

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

    def _wait(self, request: str, outputs: "_Outputs") -> tuple[dict[str, Any], bool]:
        """Return the reply's content, and whether the cell had to be interrupted for it."""
        limit = self.settings.cell_seconds
        until, interrupted = time.monotonic() + limit, False
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
            self._watch(f"kernel killed after {self.settings.wall_seconds:g} s")
            if time.monotonic() > until and interrupted:
                self.kill()
                raise KernelGone(
                    f"kernel killed after {limit:g} s in a cell that could not be interrupted"
                )
            if time.monotonic() > until:
                self._request("control", "interrupt_request", {})
                until, interrupted = time.monotonic() + GRACE_SECONDS, True

    def _watch(self, too_late: str) -> None:
        """Look whether the kernel lives, is within its time, and within its memory."""
        if self._process.poll() is not None:
            raise KernelGone("kernel died (exit in a cell, or out of memory)")
        if time.monotonic() > self._deadline:
            self.kill()
            raise KernelGone(too_late)
        if self.settings.sandbox == "bubblewrap" and (
            _memory(self._process.pid) > self.settings.memory_mb * 2**20
        ):
            self.kill()
            raise KernelGone(f"kernel killed: more than {self.settings.memory_mb} MB of memory")

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


class _Outputs:
    """The outputs of one cell, cut to what is kept."""

    def __init__(self, request: str, chars: int) -> None:
        self.nodes: list[NotebookNode] = []
        self.idle = self.cut = False
        self.room = CELL_BYTES
        self._request, self._chars = request, chars

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
                self.nodes.append(
                    _error(
                        self._text(str(content.get("ename"))),
                        self._text(str(content.get("evalue"))),
                        [self._text(str(line)) for line in lines]
                        if isinstance(lines, list)
                        else [],
                    )
                )

    def _stream(self, name: str, text: str) -> None:
        name = "stderr" if name == "stderr" else "stdout"
        last = self.nodes[-1] if self.nodes else None
        if last is None or last.output_type != "stream" or last.name != name:
            last = new_output("stream", name=name, text="")
            if text and self._chars:
                self.nodes.append(last)
        last.text += self._text(text)

    def _display(self, data: Any) -> None:
        kept = {
            kind: self._text(value) if kind.startswith("text/") else value
            for kind, value in (data.items() if isinstance(data, dict) else ())
            if kind in KEPT and isinstance(value, str) and len(value) <= IMAGE_CHARS
        }
        if kept:
            self.nodes.append(new_output("display_data", data=kept))

    def _text(self, text: str) -> str:
        """Return as much of a text as may still be kept."""
        kept = _clean(text[: self._chars])
        if len(text) > self._chars:
            self.cut = True
            kept += "\n… the rest was left out" if self._chars else ""
        self._chars = max(0, self._chars - len(text))
        return kept


def _parent(message: dict[str, Any]) -> Any:
    header = message.get("parent_header")
    return header.get("msg_id") if isinstance(header, dict) else None


def _clean(text: str) -> str:
    """Return a text that every encoding can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _error(name: str, value: str, lines: list[str]) -> NotebookNode:
    return new_output("error", ename=name, evalue=value, traceback=lines)


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


def _memory(pid: int) -> int:
    """Return the private memory of a process and all that descend from it, in bytes."""
    return sum(map(_private, _family(pid))) * os.sysconf("SC_PAGE_SIZE")


def _family(pid: int) -> Iterator[int]:
    """Yield a process and its descendants."""
    yield pid
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in file.read_text().split():
                yield from _family(int(child))


def _private(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
        return int(resident) - int(shared)
    return 0
