"""Compared: an answer as plain data, beside what is expected."""
