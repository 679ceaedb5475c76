"""Run: a submission's kernel behind walls, and the grader's view of it."""
