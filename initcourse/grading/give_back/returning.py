"""Feedback pages as a platform takes them: in one zip file, under the names of its export."""

import os
import tempfile
import zipfile
from pathlib import Path

from initcourse.grading.intake.archive import Found
from initcourse.grading.intake.roster import named_by_platform
from initcourse.grading.records.course import Course

__all__ = ["returned"]


def returned(course: Course, homework: str) -> tuple[dict[str, Path], list[str]]:
    """Put all feedback pages into a zip file for each platform that hand-ins came from.

    Moodle reads the participant's number from the name of a file (in the assignment: *Upload
    multiple feedback files in a zip*), Canvas the numbers of student and file (in its gradebook:
    *Upload Submissions*).  So a page gets the beginning of the name under which the platform
    exported the hand-in.

    Parameters
    ----------
    course : Course
        The course's folder.
    homework : str
        The homework, such as ``"hw1"``; its feedback was written.

    Returns
    -------
    archives : dict of str to Path
        Platform, ``"moodle"`` or ``"canvas"``, and its file.
    left : list of str
        Ids of students with a page whose hand-in has no platform's name.
    """
    pages: dict[str, list[tuple[str, Path]]] = {"moodle": [], "canvas": []}
    left = []
    for student in course.students(homework):
        page, receipt = course.feedback(homework, student), course.receipt(homework, student)
        if not page.exists():
            continue
        owner = named_by_platform(Found(tuple(receipt.file.split("/")))) if receipt else None
        if owner and owner.canvas_id and owner.number:
            name = f"{owner.names[0]}_{owner.number}_{homework}.html"
            pages["canvas"].append((name, page))
        elif owner and not owner.canvas_id and len(owner.names) > 1:
            name = f"{owner.names[0]}_assignsubmission_file_{homework}.html"
            pages["moodle"].append((name, page))
        else:
            left.append(student)
    archives = {
        platform: _zipped(course.folder / "feedback" / f"{homework}-{platform}.zip", named)
        for platform, named in pages.items()
        if named
    }
    return archives, left


def _zipped(path: Path, pages: list[tuple[str, Path]]) -> Path:
    """Write a zip file; a reader never sees half of it."""
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with (
            os.fdopen(handle, "wb") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as to,
        ):
            for name, page in pages:
                to.write(page, name)
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
    return path
