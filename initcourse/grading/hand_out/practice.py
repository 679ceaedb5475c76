"""A class to practise with: hand-ins as a platform exports them, the good and the usual rest."""

import copy
import re
import zipfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from initcourse.grading.intake import roster
from initcourse.grading.records.course import Course

__all__ = ["practice"]

IN_TIME = (2026, 11, 19, 12, 0, 0)
LATE = (2026, 11, 21, 12, 0, 0)

ANSWER = """\
A text for a person to mark. Here a student says

- what was varied, and what was measured;
- what came out, with its uncertainty;
- why it is so, and what it does not show.
"""


def practice(course: Course, homework: str) -> Path:
    """Write what a class of eight could hand in, as Moodle exports it.

    One solves all, one hands in twice, one leaves out the first task, one hands in the untouched
    copy, one comes late, one hands in no notebook, one a damaged file, one ends the kernel.  The
    roster gets their ids, if it has none yet.

    Parameters
    ----------
    course : Course
        The course's folder.
    homework : str
        A homework that was released, such as ``"hw1"``.

    Returns
    -------
    Path
        The zip file.

    Raises
    ------
    FileNotFoundError
        If the homework was not released.
    """
    if not course.release(homework).exists():
        raise FileNotFoundError(
            f"{homework} is not released yet; do it with: initcourse homework release {homework}"
        )
    source = nbformat.read(course.source(homework), as_version=4)
    released = nbformat.read(course.release(homework), as_version=4)
    first = next(
        cell.metadata.nbgrader.grade_id
        for cell in source.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    )

    def solved(student: str, without: str = "", begin: str = "") -> str:
        return str(nbformat.writes(_solved(source, released, student, without, begin)))

    files = [
        (1, "hw.ipynb", solved("s1"), IN_TIME),
        (2, "hw.ipynb", solved("s2", without=first), IN_TIME),
        (2, "hw (1).ipynb", solved("s2"), (*IN_TIME[:3], 13, 0, 0)),
        (3, "hw.ipynb", solved("s3", without=first), IN_TIME),
        (4, "hw.ipynb", nbformat.writes(released), IN_TIME),
        (5, "hw.ipynb", solved("s5"), LATE),
        (6, "answers.pdf", "%PDF-1.4", IN_TIME),
        (7, "hw.ipynb", solved("s7")[:-100], IN_TIME),
        (8, "hw.ipynb", solved("s8", begin="import os\n\nos._exit(1)\n"), IN_TIME),
    ]
    path = course.folder / "practice" / f"{homework}.zip"
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, name, text, when in files:
            place = f"Student {number}_{number}_assignsubmission_file_"
            entry = zipfile.ZipInfo(f"{place}/{name.replace('hw', homework)}", when)
            archive.writestr(entry, text, zipfile.ZIP_DEFLATED)
    if not (course.roster.exists() and roster.read_roster(course.roster)):
        people = [roster.Person(student=f"s{n}", name=f"Student {n}") for n in range(1, 9)]
        roster.write_roster(course.roster, people)
    return path


def _solved(
    source: NotebookNode, released: NotebookNode, student: str, without: str, begin: str
) -> NotebookNode:
    """Return the copy with the source's solutions and a student's id."""
    marker = re.compile(r"^ *### .* SOLUTION\n?", re.MULTILINE)
    answers = {cell.id: marker.sub("", cell.source) for cell in source.cells}
    notebook = copy.deepcopy(released)
    for cell in notebook.cells:
        nbgrader = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and cell.source.startswith("student = "):
            cell.source = f'{begin}student = "{student}"'
        elif nbgrader.get("solution") and nbgrader.get("grade"):
            cell.source = ANSWER
        elif nbgrader.get("solution") and nbgrader.grade_id != without:
            cell.source = answers[cell.id]
    return notebook
