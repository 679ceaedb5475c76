"""Make a course folder, and the students' copies of its homework."""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import SaveCells
from traitlets.config import Config

import initcourse
from initcourse.grading.intake.roster import COLUMNS
from initcourse.grading.records.course import Course, data_files
from initcourse.grading.records.database import configuration
from initcourse.homework import version_of, versions

__all__ = ["new", "release", "sources", "student_copy"]

# The grading page of nbgrader reads this file where it is started.
NBGRADER_CONFIG = '''\
"""Settings of nbgrader for this course: `jupyter lab` started here opens its grading page."""

from pathlib import Path

from initcourse.grading.records.course import Course
from initcourse.grading.records.database import configuration

c = get_config()  # noqa: F821
c.merge(configuration(Course(Path(__file__).parent)))
'''


def sources() -> Path:
    """Return the folder of the course's own homework, in a clone of the repository.

    Raises
    ------
    FileNotFoundError
        If initcourse was not installed from a clone: its wheel holds no solutions.
    """
    folder = Path(initcourse.__file__).parents[1] / "book" / "homework" / "source"
    if not folder.is_dir():
        raise FileNotFoundError(
            "this installation of initcourse holds no homework sources; name a folder of them, as "
            "in: initcourse homework new my-course --sources clone/book/homework/source"
        )
    return folder


def new(course: Course, notebooks: Path) -> list[str]:
    """Make a course folder, or add to it the homework that it lacks.

    Parameters
    ----------
    course : Course
        The folder to make; what lies there is kept.
    notebooks : Path
        Folder of source notebooks, such as ``hw1.ipynb``; its ``template/template.ipynb``, a source
        to start from, is laid into the course's folder.

    Returns
    -------
    list of str
        The homework that was added.

    Raises
    ------
    FileNotFoundError
        If there is no notebook in `notebooks`.
    """
    found = sorted(notebooks.glob("*.ipynb"))
    if not found:
        raise FileNotFoundError(f"there is no notebook (*.ipynb) in {notebooks}")
    added = []
    for source in found:
        target = course.source(source.stem)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            added.append(source.stem)
    template, own = notebooks / "template" / "template.ipynb", course.folder / "template.ipynb"
    if template.exists() and not own.exists():
        shutil.copyfile(template, own)
    config = course.folder / "nbgrader_config.py"
    if not config.exists():
        config.write_text(NBGRADER_CONFIG, encoding="utf-8")
    if not course.roster.exists():
        course.roster.write_text(",".join(COLUMNS) + "\n", encoding="utf-8")
    return added


def release(course: Course, homework: str) -> Path:
    """Make the student's copy of a homework, stamped with the version of its source.

    The copy is the same, byte by byte, each time it is made from the same source.

    Parameters
    ----------
    course : Course
        The course's folder.
    homework : str
        The homework, such as ``"hw1"``.

    Returns
    -------
    Path
        The student's copy.

    Raises
    ------
    FileNotFoundError
        If the course has no such homework.
    ValueError
        If nbgrader refuses the source, with its reason.
    """
    source = course.source(homework)
    if not source.exists():
        known = ", ".join(sorted(path.parent.name for path in source.parents[1].glob("*/*.ipynb")))
        raise FileNotFoundError(
            f"the course {str(course.folder)!r} has no homework {homework!r}; "
            + (f"it has {known}" if known else "make one with: initcourse homework new")
        )
    return _generate(course, homework, configuration(course))


def student_copy(source: Path) -> bytes:
    """Return the student's copy of one source notebook, without a course.

    Parameters
    ----------
    source : Path
        The notebook with solutions and hidden tests; its name is the homework's.

    Returns
    -------
    bytes
        The file that :func:`release` writes.
    """
    with tempfile.TemporaryDirectory() as folder:
        course = Course(Path(folder))
        target = course.source(source.stem)
        target.parent.mkdir(parents=True)
        shutil.copyfile(source, target)
        config = configuration(course)
        config.GenerateAssignment.no_database = True
        steps = GenerateAssignment.preprocessors.default_args[0]
        config.GenerateAssignment.preprocessors = [step for step in steps if step != SaveCells]
        return _generate(course, source.stem, config).read_bytes()


def _generate(course: Course, homework: str, config: Config) -> Path:
    """Let nbgrader make the student's copy, and stamp it."""
    source = nbformat.read(course.source(homework), as_version=4)
    # A task that nobody touched fails by its check's message, not by an error of its own.
    config.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE"}
    made = NbGraderAPI(config=config).generate_assignment(homework)
    if not made["success"]:
        raise ValueError(f"nbgrader cannot release {homework!r}: {_reason(made)}")
    path = course.release(homework)
    copy = nbformat.read(path, as_version=4)
    stamp: dict[str, Any] = {"homework": homework, "version": version_of(source)}
    if stamp["version"] != versions().get(homework, stamp["version"]):
        stamp["own"] = True  # changed by the instructor: the package knows another version
    if files := data_files(path):
        stamp["files"] = [inside for _, inside in files]
    copy.metadata = nbformat.from_dict({
        "initcourse": {**source.metadata.get("initcourse", {}), **stamp},
        "kernelspec": copy.metadata.get("kernelspec", {}),
    })
    path.write_text(nbformat.writes(copy) + "\n", encoding="utf-8")
    return path


def _reason(result: dict[str, str]) -> str:
    """Return the last line that names an error; nbgrader's own one only sends to the others."""
    lines = [line.strip() for key in ("error", "log") for line in result.get(key, "").splitlines()]
    named = [line for line in lines if re.match(r"[\w.]+(Error|Exception): ", line)]
    telling = [line for line in named if "NbGraderException" not in line]
    return (telling or named or [line for line in lines if line])[-1]
