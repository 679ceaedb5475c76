"""Recorded: the course folder, what is written down about a hand-in, and nbgrader's database."""
