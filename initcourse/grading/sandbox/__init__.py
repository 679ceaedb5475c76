"""Run: a submission's kernel behind walls, and the grader's view of it."""

NAME = b"kernel"  # under which the grader's sockets know a kernel
DENIED = "denied"  # tells the launcher to deny the calls that a submission does not need
