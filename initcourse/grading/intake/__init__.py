"""Taken in: whose each hand-in is, and whether it can be graded."""
