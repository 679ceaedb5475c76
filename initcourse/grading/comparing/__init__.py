"""Compared: an answer as plain data, beside what is expected."""

MIME = "application/x-initcourse-answer"  # under which an answer leaves the kernel
