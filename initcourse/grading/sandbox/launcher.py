"""Start the kernel that runs a submission; this is executed inside the sandbox.

It is ipykernel with three differences.  It *connects* to the grader's sockets instead of binding
its own, so it needs no folder of the host that it can write to.  It leaves out what nobody needs
here: the debugger, completion, the history, the heartbeat.  And it gives up some calls to Linux
before it runs anything: those that keep memory where nobody could count it.
"""

import ctypes
import errno
import mmap
import socket
import sys
from typing import Any

for unneeded in ("debugpy", "jedi"):
    sys.modules.setdefault(unneeded, None)  # type: ignore[arg-type]

from ipykernel.kernelapp import IPKernelApp  # noqa: E402

from initcourse.grading.sandbox import DENIED, NAME  # noqa: E402

__all__ = ["SandboxedKernel", "deny", "main"]


# Memory without a process: files of no folder, segments, queues, keys, rings of requests, and pages
# that a pipe or a socket holds on to.
UNCOUNTED = (
    *("memfd_create", "memfd_secret", "shmget", "msgget", "semget", "mq_open"),
    *("add_key", "keyctl", "bpf", "io_uring_setup", "perf_event_open", "userfaultfd"),
    *("vmsplice", "splice", "tee", "sendfile"),
)
BUFFERS = (7, 8, 32, 33, 60)  # SO_SNDBUF, SO_RCVBUF, both with FORCE, SO_ZEROCOPY
FAMILIES = {1, 2, 10, 16}  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK; one of 40 reaches the host
ALLOW, REFUSE = 0x7FFF0000, 0x00050000  # libseccomp's SCMP_ACT_ALLOW and SCMP_ACT_ERRNO
EQUAL, GREATER, MASKED = 4, 6, 7  # its SCMP_CMP_EQ, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ
NOBODYS = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS  # a map whose pages stay when no process holds them


class _Comparison(ctypes.Structure):
    """libseccomp's ``scmp_arg_cmp``: which argument of a call, how it compares, with what."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("how", ctypes.c_int),
        ("value", ctypes.c_uint64),  # or the mask
        ("masked", ctypes.c_uint64),
    )


def deny() -> None:
    """Give up calls to Linux, for this process and for all that it will start.

    Raises
    ------
    OSError
        If libseccomp is not there, or does not load the rules.
    """
    lib = ctypes.CDLL("libseccomp.so.2")
    lib.seccomp_init.restype = ctypes.c_void_p
    rules = ctypes.c_void_p(lib.seccomp_init(ctypes.c_uint32(ALLOW)))

    def refuse(call: str, error: int, *conditions: tuple[int, ...]) -> None:
        number = lib.seccomp_syscall_resolve_name(call.encode())
        compared = (_Comparison * len(conditions))(*(_Comparison(*one) for one in conditions))
        lib.seccomp_rule_add_array(
            rules, ctypes.c_uint32(REFUSE | error), number, len(conditions), compared
        )

    for call in UNCOUNTED:
        refuse(call, errno.ENOSYS)
    for option in BUFFERS:
        refuse("setsockopt", errno.EPERM, (1, EQUAL, socket.SOL_SOCKET), (2, EQUAL, option))
    for call in ("socket", "socketpair"):
        refuse(call, errno.EAFNOSUPPORT, (0, GREATER, max(FAMILIES)))
        for other in set(range(max(FAMILIES))) - FAMILIES:
            refuse(call, errno.EAFNOSUPPORT, (0, EQUAL, other))
    refuse("mmap", errno.EPERM, (3, MASKED, NOBODYS, NOBODYS))
    if lib.seccomp_load(rules) != 0:
        raise OSError("libseccomp did not load the rules")


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
    if DENIED in sys.argv:
        deny()
    app = SandboxedKernel.instance()
    app.initialize(["-f", sys.argv[1], "--HistoryManager.enabled=False", "--log-level=CRITICAL"])
    app.shell.ask_exit = _go_on
    app.start()


if __name__ == "__main__":
    main()
