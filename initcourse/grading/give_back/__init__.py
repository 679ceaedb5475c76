"""Given back: pages for students, marks for the platform, a report on the class."""
