"""Where nbgrader finds the course, and the database that holds the marks."""

import os
import shutil
import sys
from pathlib import Path

from traitlets.config import Config

from initcourse.grading.records.course import Course

__all__ = ["DATABASE", "configuration", "database", "rename_in_database"]

DATABASE = "INITCOURSE_DATABASE"
"""Name of the environment variable that chooses another database than the course's own file."""


def database(course: Course) -> str:
    """Return the database's URL: that of the environment, or a SQLite file in the course folder.

    SQLite serves one machine; a writer that finds it locked waits up to 60 s.

    Examples
    --------
    >>> database(Course(Path("/autumn")))
    'sqlite:////autumn/gradebook.db?timeout=60'
    """
    _let_nbgrader_find_alembic()
    own = f"sqlite:///{course.folder.absolute() / 'gradebook.db'}?timeout=60"
    return os.environ.get(DATABASE) or own


def configuration(course: Course) -> Config:
    """Return nbgrader's settings for a course; each part of the pipeline adds its own."""
    config = Config()
    config.CourseDirectory.root = str(course.folder.absolute())
    config.CourseDirectory.db_url = database(course)
    config.CourseDirectory.course_id = "default_course"  # PostgreSQL minds that it exists
    config.NbGraderAPI.log_level = "ERROR"
    return config


def rename_in_database(course: Course, homework: str, before: str, student: str) -> None:
    """Let another id have the marks of a homework, unless it has marks of its own."""
    url = database(course)
    if url.startswith("sqlite") and not (course.folder / "gradebook.db").exists():
        return
    from nbgrader.api import Gradebook, MissingEntry

    with Gradebook(url) as gradebook:
        try:
            found = gradebook.find_submission(homework, before)
        except MissingEntry:
            return
        gradebook.update_or_create_student(student)
        try:
            gradebook.find_submission(homework, student)
        except MissingEntry:
            found.student_id = student
            gradebook.db.commit()
        else:
            gradebook.remove_submission(homework, before)
        if not gradebook.student_submissions(before):
            gradebook.remove_student(before)


def _let_nbgrader_find_alembic() -> None:
    """Put this Python's commands first: nbgrader makes its database with one of them."""
    commands = str(Path(sys.executable).parent)
    found = shutil.which("alembic")
    if found is None or str(Path(found).parent) != commands:
        os.environ["PATH"] = os.pathsep.join(filter(None, [commands, os.environ.get("PATH")]))
