"""The report on a class: how the marks spread, which task is hard, whom a person should look at."""

import base64
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from statistics import mean, median

from initcourse.grading import cells
from initcourse.grading.give_back.export import Marks, heading, marks
from initcourse.grading.intake import collecting
from initcourse.grading.records.course import Course

__all__ = ["difficulty", "look_at", "report"]

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; \
margin: 0 auto; max-width: 60rem; padding: 1rem; }}
table {{ border-collapse: collapse; }}
th, td {{ border-bottom: 1px solid #c8c8c8; padding: .3rem .8rem .3rem 0; text-align: left; \
vertical-align: top; }}
img {{ max-width: 100%; }}
</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def difficulty(rows: Sequence[Marks]) -> list[tuple[str, int, float, float, float]]:
    """Return for each task how hard it was.

    Parameters
    ----------
    rows : sequence of Marks
        The marks.

    Returns
    -------
    list of tuple
        Task, number of hand-ins with points, share with full points, mean points, points that it
        can earn; in the order of the homework.
    """
    names = list(dict.fromkeys(task.task for row in rows for task in row.tasks))
    result = []
    for name in names:
        tasks = [task for row in rows for task in row.tasks if task.task == name]
        points = [task.points for task in tasks if task.points is not None]
        most = tasks[0].max_points
        share = mean(each >= most for each in points) if points else 0.0
        result.append((name, len(points), share, mean(points) if points else 0.0, most))
    return result


def look_at(course: Course, rows: Sequence[Marks]) -> list[tuple[str, str]]:
    """Return the submissions that a person should look at, each with one reason.

    Parameters
    ----------
    course : Course
        The course's folder.
    rows : sequence of Marks
        The marks.

    Returns
    -------
    list of tuple
        Student id and reason: not graded, a notice of intake or grading, the same file as another
        student's.
    """
    found: list[tuple[str, str]] = []
    receipts = (
        {each.student: each.sha256 for each in course.receipts(rows[0].homework)} if rows else {}
    )
    copies = Counter(filter(None, receipts.values()))
    for row in rows:
        if row.status == "not graded":
            found.append((row.student, f"not graded: {row.reason}"))
        found.extend((row.student, notice) for notice in row.notices)
        if copies[receipts.get(row.student, "")] > 1:
            twins = [s for s, digest in receipts.items() if digest == receipts[row.student]]
            others = ", ".join(name for name in twins if name != row.student)
            found.append((row.student, f"the same file, byte by byte, as {others}"))
    return found


def report(course: Course, homework: str) -> Path:
    """Write the report on a class, one page without scripts, into the folder ``reports``.

    Parameters
    ----------
    course : Course
        The course's folder.
    homework : str
        The homework, such as ``"hw1"``.

    Returns
    -------
    Path
        The page.
    """
    rows = marks(course, homework)
    name = heading(homework)
    parts = [f"<h1>{escape(name)}</h1>", _counts(rows), _spread(rows), _tasks(rows)]
    parts += [_list(look_at(course, rows)), _unmapped(collecting.unmapped(course, homework))]
    path = course.folder / "reports" / f"{homework}.html"
    cells.write(path, PAGE.format(title=escape(name), body="\n".join(parts)))
    return path


def _counts(rows: Sequence[Marks]) -> str:
    counts = Counter(row.status for row in rows)
    told = [f"{counts[status]} {status}" for status in dict.fromkeys(row.status for row in rows)]
    late = sum(row.late for row in rows)
    return f"<p>{len(rows)} students: {', '.join(told)}. {late} handed in late.</p>"


def _spread(rows: Sequence[Marks]) -> str:
    """Show the marks; as long as a person has to mark some, the points of the tests."""
    tested = [row for row in rows if row.tasks]
    if not tested:
        return "<h2>Marks</h2>\n<p>There is no mark yet.</p>"
    waiting = any(row.status == "pending" for row in tested)
    counted = [
        [task for task in row.tasks if not waiting or task.kind == "automatic"] for row in tested
    ]
    points = [sum(task.points or 0.0 for task in tasks) for tasks in counted]
    most = max(sum(task.max_points for task in tasks) for tasks in counted)
    said = (
        f"{len(points)} students have from {min(points):g} to {max(points):g} of {most:g} points, "
        f"mean {mean(points):.1f}, median {median(points):g}."
    )
    note = " These are the points of the tests; the rest waits for a person." if waiting else ""
    picture = base64.b64encode(_histogram(points, most)).decode()
    return (
        f"<h2>Marks</h2>\n<p>{said}{note}</p>\n"
        f'<img alt="Histogram of the points: {said}" src="data:image/png;base64,{picture}">'
    )


def _histogram(points: Sequence[float], most: float) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6, 2.4), layout="constrained")
    FigureCanvasAgg(figure)
    ax = figure.add_subplot()
    top = max(most, *points)
    ax.hist(points, bins=min(20, max(1, round(top))), range=(0, top or 1), rwidth=0.9)
    ax.set(xlabel="points", ylabel="students")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=100)
    return stream.getvalue()


def _tasks(rows: Sequence[Marks]) -> str:
    table = [
        [
            name,
            str(count),
            f"{share:.0%}" if count else "",
            f"{earned:.1f}" if count else "",
            f"{most:g}",
        ]
        for name, count, share, earned, most in difficulty(rows)
    ]
    head = ["Task", "Marked", "All points", "Mean points", "Of"]
    return "<h2>Tasks</h2>\n" + (_table(head, table) if table else "<p>None is graded yet.</p>")


def _list(found: Sequence[tuple[str, str]]) -> str:
    table = _table(["Student", "Why"], found) if found else "<p>There is nothing to look at.</p>"
    return f"<h2>To look at</h2>\n{table}"


def _unmapped(names: dict[str, list[str]]) -> str:
    if not names:
        return ""
    table = _table(["Name on the platform", "Files"], [(n, ", ".join(f)) for n, f in names.items()])
    return f"<h2>Hand-ins without a student id in the roster</h2>\n{table}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
