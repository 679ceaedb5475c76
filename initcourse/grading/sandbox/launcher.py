"""Start the kernel that runs a submission; this is executed inside the sandbox.

It is ipykernel with two differences.  It *connects* to the grader's sockets instead of binding its
own, so it needs no folder of the host that it can write to.  And it leaves out what nobody needs
here: the debugger, completion, the history, the heartbeat.
"""

import sys
from typing import Any

for unneeded in ("debugpy", "jedi"):
    sys.modules.setdefault(unneeded, None)  # type: ignore[arg-type]

from ipykernel.kernelapp import IPKernelApp  # noqa: E402

__all__ = ["NAME", "SandboxedKernel", "main"]

NAME = b"kernel"  # under which the grader's sockets know it


class SandboxedKernel(IPKernelApp):  # type: ignore[misc]
    """A kernel application whose sockets call the grader."""

    def _bind_socket(self, socket: Any, port: int) -> int:
        """Connect a socket to the grader's; the name of this method is ipykernel's."""
        if socket is not self.stdin_socket:  # nobody is there to answer input()
            socket.routing_id = NAME
            if socket is self.shell_socket:
                socket.probe_router = 1  # says that somebody has come
            socket.connect(f"{self.transport}://{self.ip}-{port}")
        return port

    def init_heartbeat(self) -> None:
        """Leave out the heartbeat: the grader watches the process."""

    def write_connection_file(self, **kwargs: Any) -> None:
        """Leave the connection file as the grader wrote it."""

    def cleanup_connection_file(self) -> None:
        """Leave the connection file to the grader."""


def _go_on() -> None:
    """Take the place of what ``exit()`` in a cell does: the other cells count all the same."""


def main() -> None:
    """Run the kernel until it is killed."""
    app = SandboxedKernel.instance()
    app.initialize(["-f", sys.argv[1], "--HistoryManager.enabled=False", "--log-level=CRITICAL"])
    app.shell.ask_exit = _go_on
    app.start()


if __name__ == "__main__":
    main()
