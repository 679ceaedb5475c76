"""Handed out: the course folder, the students' copies, and a class to practise with."""
