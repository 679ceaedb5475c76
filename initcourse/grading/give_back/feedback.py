"""The page that a student reads after grading: what each task earned, and what to look at.

The pages hold no hidden tests and no scripts.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bleach
from nbconvert.exporters import HTMLExporter
from nbconvert.preprocessors import Preprocessor
from nbformat.v4 import new_notebook
from nbgrader.apps import NbGraderAPI
from nbgrader.preprocessors import ClearHiddenTests, GetGrades
from traitlets import Dict
from traitlets.config import Config

from initcourse.grading import cells
from initcourse.grading.give_back.export import Marks, marks
from initcourse.grading.records.course import Course
from initcourse.grading.records.database import configuration
from initcourse.homework import title

__all__ = ["Summary", "clean", "feedback"]

# What notebooks' Markdown is made of; the rest is dropped.
TAGS = frozenset(
    re.findall(
        r"\w+",
        """
a abbr b blockquote br code dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i img li ol p pre s span
strong sub sup table tbody td th thead tr ul
""",
    )
)
UNREADABLE = "Your notebook cannot be shown here."


class Summary(Preprocessor):
    """Hand a student's marks to the page's template."""

    row = Dict(help="the marks, as plain values").tag(config=True)

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Return the notebook unchanged, the resources with the marks."""
        resources["initcourse"] = dict(self.row)
        return nb, resources


def _is_safe(tag: str, name: str, value: str) -> bool:
    """Tell whether an attribute may stay: nothing that runs, nothing from elsewhere."""
    if tag == "a" and name == "href":
        return value.startswith(("http://", "https://", "mailto:", "#"))
    if tag == "img" and name == "src":
        return value.startswith("data:image/")
    return name in ("alt", "title") if tag in ("img", "a") else name in ("colspan", "rowspan")


def clean(html: str) -> str:
    """Return HTML without scripts, styles, forms, frames and pictures from elsewhere.

    Examples
    --------
    >>> clean('<p onclick="steal()">One<script>steal()</script> <b>two</b></p>')
    '<p>Onesteal() <b>two</b></p>'
    """
    protocols = {*bleach.ALLOWED_PROTOCOLS, "data"}
    return str(bleach.clean(html, TAGS, _is_safe, protocols, strip=True, strip_comments=True))


def _configuration(course: Course, row: Mapping[str, Any]) -> Config:
    config = configuration(course)
    config.GenerateFeedback.preprocessors = [ClearHiddenTests, GetGrades, Summary]
    config.ClearHiddenTests.enforce_metadata = False  # a student may write the words anywhere
    config.Summary.enabled = True
    config.Summary.row = dict(row)
    config.HTMLExporter.sanitize_html = True
    config.HTMLExporter.exclude_anchor_links = True
    config.HTMLExporter.extra_template_basedirs = [str(Path(__file__).with_name("templates"))]
    config.HTMLExporter.filters = {"clean": clean}
    return config


def feedback(
    course: Course, homework: str, progress: Callable[[str], None] = lambda line: None
) -> list[Path]:
    """Write a page for everyone who handed something in.

    Parameters
    ----------
    course : Course
        The course's folder.
    homework : str
        The homework, such as ``"hw1"``.
    progress : callable, optional
        Called with a line of text for each page.

    Returns
    -------
    list of Path
        The pages, in the order of the students' ids.
    """
    with course.alone(homework, "given feedback"):
        rows = [row for row in marks(course, homework) if row.status != "nothing handed in"]
        pages = []
        for number, row in enumerate(rows, start=1):
            pages.append(_write(course, row))
            progress(f"{number}/{len(rows)} {row.student}")
    return pages


def _write(course: Course, row: Marks) -> Path:
    path = course.feedback(row.homework, row.student)
    values: dict[str, Any] = {**asdict(row), "title": title(row.homework), "note": ""}
    if row.status in ("graded", "pending"):
        made = NbGraderAPI(config=_configuration(course, values)).generate_feedback(
            row.homework, row.student, force=True
        )
        if made["success"] and path.exists():
            return path
        values["note"] = UNREADABLE
    config = _configuration(course, values)
    exporter = HTMLExporter(config=config, template_name="feedback")  # type: ignore[no-untyped-call]
    exporter.register_preprocessor(Summary)  # type: ignore[no-untyped-call]
    page, _ = exporter.from_notebook_node(new_notebook())
    if path.exists():
        os.remove(path)
    cells.write(path, page)
    return path
