"""Hand out, collect and grade the course's homework: ``initcourse homework …``."""

import argparse
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from initcourse.command.frame import (
    CODES,
    LOOK,
    WELL,
    WRONG,
    Adder,
    Commands,
    Refused,
    count,
    show_list,
)

if TYPE_CHECKING:
    from initcourse.grading.records.course import Course, Record

OVERVIEW = """\
Hand out homework, collect it from a learning platform, grade it in a sandbox,
give feedback and export the marks.

For students:
  initcourse homework validate hw1.ipynb   look it over before handing it in

For instructors, in this order, in the course's folder:
  initcourse homework new autumn           make the folder, with all homework
  cd autumn
  initcourse homework release hw1          make the students' copy
  initcourse homework practice hw1         a class to practise with, as an export
  initcourse homework roster export.zip    list the platform's names in roster.csv;
                                           fill in the students' ids there
  initcourse homework collect export.zip --homework hw1
  initcourse homework grade hw1 --workers 2
  initcourse homework report hw1           the class, and whom to look at
  initcourse homework feedback hw1         a page for each student
  initcourse homework export hw1 --format canvas

Every command can be repeated: what is done stays done.
`initcourse homework COMMAND --help` tells more, with an example.
"""


def add_group(groups: Commands) -> None:
    """Add ``homework`` and its commands."""
    parser = groups.add_parser(
        "homework",
        help="hand out, collect and grade homework",
        description=OVERVIEW,
        epilog=CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add = Adder(commands)
    _add_new(add)
    _add_release(add)
    _add_practice(add)
    _add_roster(add)
    _add_collect(add)
    _add_grade(add)
    _add_feedback(add)
    _add_export(add)
    _add_report(add)
    _add_validate(add)


# What can be typed.


def _homework_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no homework; name it like this: hw1")
    return text


def _deadline(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write it like this: 2026-11-20T18:00, or 2026-11-20 for the "
            "end of that day"
        ) from None
    if re.fullmatch(r"[0-9-]+", text):
        return datetime.combine(moment, time.max)
    return moment.astimezone().replace(tzinfo=None) if moment.tzinfo else moment


# Each command: its words, then what it does.


def _course(options: argparse.Namespace) -> "Course":
    from initcourse.grading.records.course import Course

    course = Course(options.course)
    if not (course.folder / "source").is_dir():
        raise Refused(
            f"there is no course in the folder {str(course.folder)!r}; name it with --course, or "
            "make one with: initcourse homework new FOLDER"
        )
    return course


def _course_with(options: argparse.Namespace) -> "Course":
    """Return the course if it has the homework that was named."""
    course = _course(options)
    if not course.source(options.homework).exists():
        known = sorted(path.parent.name for path in (course.folder / "source").glob("*/*.ipynb"))
        raise Refused(f"the course has no homework {options.homework!r}; it has {', '.join(known)}")
    return course


def _add_new(add: Adder) -> None:
    parser = add(
        "new",
        _new,
        "make a course folder",
        """\
Make a course folder with the sources of all homework: source/hw1/hw1.ipynb, …
What is in the folder already stays as it is.

  initcourse homework new autumn
  initcourse homework new autumn --sources clone/book/homework/source

The sources hold the solutions. A wheel has none: installed from one, name the
folder of a clone. Your own homework goes into source/NAME/NAME.ipynb.
""",
        course=False,
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    parser.add_argument("--sources", metavar="FOLDER", type=Path, help="folder of source notebooks")


def _new(options: argparse.Namespace) -> int:
    from initcourse.grading.hand_out import release
    from initcourse.grading.records.course import Course

    added = release.new(Course(options.folder), options.sources or release.sources())
    print(f"{options.folder}: added {', '.join(added) or 'nothing; all homework is there'}")
    print(f"Next:  cd {options.folder} && initcourse homework release hw1")
    return WELL


def _add_release(add: Adder) -> None:
    parser = add(
        "release",
        _release,
        "make the students' copy",
        """\
Make the students' copy of a homework, release/hw1/hw1.ipynb: without solutions
and hidden tests, stamped with the version of its source. Grading takes copies of
that version only. Made twice from the same source, it is the same file.

  initcourse homework release hw1
""",
    )
    parser.add_argument("homework", metavar="HW", type=_homework_name, nargs="+")


def _release(options: argparse.Namespace) -> int:
    from initcourse.grading.hand_out import release

    course = _course(options)
    for homework in options.homework:
        print(f"Hand out this file:  {release.release(course, homework)}")
    return WELL


def _add_practice(add: Adder) -> None:
    parser = add(
        "practice",
        _practice,
        "make a class to practise with",
        """\
Write what a class of eight could hand in, as Moodle exports it: practice/hw1.zip.
Among them are a late hand-in, one that is no notebook and one that breaks off. Use
it to try all that follows. An empty roster.csv gets their ids.

  initcourse homework practice hw1
""",
    )
    parser.add_argument("homework", metavar="HW", type=_homework_name)


def _practice(options: argparse.Namespace) -> int:
    from initcourse.grading.hand_out.practice import practice

    print(practice(_course_with(options), options.homework))
    return WELL


def _add_roster(add: Adder) -> None:
    parser = add(
        "roster",
        _roster,
        "list the platform's names",
        """\
Add the names in a platform's export to roster.csv. Each row is one person: the
name under which the platform exports files, and the student's id, which you fill
in. Rows that are there stay, with all that is filled in. Optional columns go into
the exports: name, email, canvas_id, section (and sis_login_id).

  initcourse homework roster export.zip

A list of the class can be there first: fill in student and name, leave platform
empty, and the names that agree are put in their rows. An id has letters, digits
and . _ @ -. It decides a student's numbers, so it must be the id that students
write into their notebooks.
""",
    )
    parser.add_argument("export", metavar="EXPORT", type=Path, help="zip file or folder")


def _roster(options: argparse.Namespace) -> int:
    from initcourse.grading.intake import roster

    course = _course(options)
    people, added = roster.extend_roster(course, options.export)
    print(f"{course.roster}: {len(people)} rows, {len(added)} of them new")
    lacking = [person.platform for person in people if not person.student]
    if lacking:
        show_list("Fill in the column student of", lacking)
        show_list(
            "Several students have this name. Move the platform's name into the column platform of "
            "the right student's row, and delete the row that it came from",
            [f"{name}: {' or '.join(ids)}" for name, ids in roster.namesakes(people).items()],
        )
        return LOOK
    return WELL


def _add_collect(add: Adder) -> None:
    parser = add(
        "collect",
        _collect,
        "take in what was handed in",
        """\
Take in a platform's export: a zip file, or a folder of zip files and folders.
Moodle's and Canvas's names are understood, with renamed notebooks and zip files in
zip files; otherwise the first folder or file name that roster.csv knows decides.

  initcourse homework collect export.zip --homework hw1
  initcourse homework collect export.zip --homework hw1 --deadline 2026-11-20T18:00

The rule for late and repeated hand-ins: of several hand-ins the last one before
the deadline counts; if there is none, the first one after it, marked late. Without
a deadline the last one counts. Late work is graded like any other; the exports say
that it is late. The times are those in the export, so give the zip file itself:
unpacking it may change them. Canvas writes no times into it, but LATE into its
names, and that decides.

Names without an id in the roster are listed and kept for the export; `roster`
helps to add them, then collect again. Collected again, what is there stays unless
another hand-in counts now. Links are not followed, and zip files have limits.
""",
    )
    parser.add_argument("export", metavar="EXPORT", type=Path, help="zip file or folder")
    parser.add_argument("--homework", metavar="HW", type=_homework_name, required=True)
    parser.add_argument(
        "--deadline",
        metavar="TIME",
        type=_deadline,
        help="in ISO 8601, in local time if it names no other; a date means the end of that day",
    )


def _collect(options: argparse.Namespace) -> int:

    from initcourse.grading.intake import collecting

    course = _course_with(options)
    done = collecting.collect(course, options.homework, options.export, options.deadline)
    told = [
        f"{len(students)} {what}"
        for what, students in [
            ("new", done.new),
            ("replaced", done.replaced),
            ("unchanged", done.unchanged),
        ]
    ]
    print(f"{options.homework}: {', '.join(told)}; {len(done.late)} of them late")
    show_list("New", done.new)
    show_list("Replaced", done.replaced)
    show_list("Late", done.late)
    show_list(
        "Moved to the id that the roster holds now",
        [f"{before} → {now}" for before, now in done.corrected.items()],
    )
    show_list(
        "Not in the roster any more: put the row back, or delete their folder in submitted",
        done.gone,
    )
    show_list("Nothing to grade", [f"{name}: {why}" for name, why in done.empty.items()])
    show_list("Not read", [f"{path}: {why}" for path, why in done.refused.items()])
    show_list("Left alone, beside the hand-ins", done.ignored)
    show_list(
        f"Without a student id in {course.roster} (see initcourse homework roster --help)",
        [f"{name}: {', '.join(files)}" for name, files in done.unmapped.items()],
    )
    return LOOK if done.unmapped or done.refused or done.gone else WELL


def _add_grade(add: Adder) -> None:
    parser = add(
        "grade",
        _grade,
        "grade what was collected",
        """\
Grade what was collected, each submission in a sandbox (bubblewrap, on Linux). Only
what is not graded yet, or was handed in again, is graded; interrupted and started
again, it goes on, with --again too. Marks and comments given by hand are kept.

  initcourse homework grade hw1 --workers 2
  initcourse homework grade hw1 --scheduler tcp://10.0.0.5:8786

With --scheduler the work goes to a Dask cluster. If its workers run on several
machines, they need the course folder under the same path, and a PostgreSQL server:
set INITCOURSE_DATABASE=postgresql+psycopg2://user:password@host/name everywhere.
""",
    )
    parser.add_argument("homework", metavar="HW", type=_homework_name)
    parser.add_argument(
        "--workers", metavar="N", type=count, default=1, help="processes on this machine"
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", help="address of a Dask scheduler")
    parser.add_argument("--again", action="store_true", help="grade all, not only what is new")
    parser.add_argument(
        "--cell-seconds",
        metavar="S",
        type=count,
        help="processor time of a cell; one that takes longer is interrupted",
    )
    parser.add_argument(
        "--notebook-seconds",
        metavar="S",
        type=count,
        help="processor time of a notebook; one that takes longer is not graded",
    )
    parser.add_argument("--memory-mb", metavar="MB", type=count, help="of one notebook")
    parser.add_argument(
        "--without-sandbox",
        action="store_true",
        help="let the students' code read and change everything that you can",
    )
    parser.add_argument(
        "--as-root",
        action="store_true",
        help="grade as root, where the limit on processes does not hold",
    )


def _grade(options: argparse.Namespace) -> int:
    from initcourse.grading.batch import grade
    from initcourse.grading.sandbox.bubblewrap import SandboxError, Settings

    limits = {
        name: value
        for name in ("cell_seconds", "notebook_seconds", "memory_mb")
        if (value := getattr(options, name)) is not None
    }
    settings = Settings(
        **limits,
        sandbox="none" if options.without_sandbox else "bubblewrap",
        as_root=options.as_root,
    )
    course = _course_with(options)
    try:
        records = grade(
            course,
            options.homework,
            workers=options.workers,
            scheduler=options.scheduler,
            again=options.again,
            settings=settings,
            progress=lambda line: print(line, flush=True),
        )
    except SandboxError as error:
        said = str(error).replace("Settings(as_root=True)", "--as-root")
        said = said.replace("Settings(sandbox='none')", "--without-sandbox")
        raise Refused(said) from error
    counts = Counter(record.status for record in records)
    print(f"{options.homework}: {counts['graded']} graded, {counts['not graded']} not graded")
    refused = [f"{each.student}: {each.reason}" for each in records if each.status != "graded"]
    others = [f"{each.student}: {each.other_id}" for each in records if each.other_id]
    raised = _raised(records)
    show_list("Not graded", refused)
    show_list("Answers made with another id's numbers earn nothing", others)
    show_list("HIDDEN TESTS THAT DID NOT JUDGE: the test, not the answer, may be at fault", raised)
    return LOOK if refused or others or raised else WELL


def _raised(records: "Sequence[Record]") -> list[str]:
    """Return a line for each hidden test that raised an error of its own."""
    found: dict[str, list[str]] = {}
    for record in records:
        for test, error in record.raised.items():
            found.setdefault(f"{test} ({error})", []).append(record.student)
    graded = sum(record.status == "graded" for record in records)
    return [
        f"{what} for {len(students)} of {graded}: {', '.join(students[:5])}"
        + (", …" if len(students) > 5 else "")
        for what, students in sorted(found.items())
    ]


def _add_feedback(add: Adder) -> None:
    parser = add(
        "feedback",
        _feedback,
        "write a page for each student",
        """\
Write feedback/STUDENT/hw1/hw1.html for everyone who handed something in: what each
task earned, what to look at, comments, and the notebook as it ran. The pages hold
no hidden tests and no scripts. Write them again after marking by hand.

  initcourse homework feedback hw1
  initcourse homework feedback hw1 --zip

--zip: also feedback/hw1-moodle.zip and feedback/hw1-canvas.zip, with the pages under
       the names of the platform's export, as its bulk upload wants them. Moodle, in
       the assignment: Upload multiple feedback files in a zip. Canvas, in the
       gradebook: Upload Submissions.
""",
    )
    parser.add_argument("homework", metavar="HW", type=_homework_name)
    parser.add_argument("--zip", action="store_true", help="also in a zip file for the platform")


def _feedback(options: argparse.Namespace) -> int:
    from initcourse.grading.give_back.feedback import feedback
    from initcourse.grading.give_back.returning import returned

    course = _course_with(options)
    pages = feedback(course, options.homework)
    print(f"{len(pages)} pages in {course.folder / 'feedback'}")
    if not options.zip:
        return WELL
    archives, left = returned(course, options.homework)
    for path in archives.values():
        print(f"Upload this file:  {path}")
    show_list("Without a name of a platform, so in no zip file", left)
    return LOOK if left else WELL


def _add_export(add: Adder) -> None:
    from_where = "the assignment's name on the platform; for Canvas best with its number"
    parser = add(
        "export",
        _export,
        "write the marks for a platform",
        """\
Write the marks of a homework into the folder exports. Everyone of the roster and
everyone who handed something in has a row, with a mark or a reason why not.

  initcourse homework export hw1 --format canvas --column "Homework 1 (4711)"
  initcourse homework export hw1 --format moodle
  initcourse homework export hw1 --format json

canvas: import it in the gradebook. Canvas finds students by canvas_id, which
        `roster` takes from its exports, or else by SIS User ID, for which the
        student's id stands. Who has no mark, and why, and who was late, is in a
        second table.
moodle: Grades, Import, CSV file: map "ID number" to what your ids are in Moodle, ID
        number or username, the mark's column to the grade item, and the last column,
        which also says who was late, to its feedback. Without a mark there is a dash.
json:   everything, each task and each notice too.

A task that a person marks is pending until it is marked, and so is the homework.
""",
    )
    parser.add_argument("homework", metavar="HW", type=_homework_name)
    parser.add_argument("--format", choices=["canvas", "moodle", "json"], required=True)
    parser.add_argument("--column", metavar="NAME", default="", help=from_where)


def _export(options: argparse.Namespace) -> int:
    from initcourse.grading.give_back.export import WAITS, export
    from initcourse.grading.intake import collecting

    course = _course_with(options)
    paths, rows = export(course, options.homework, options.format, options.column)
    counts = Counter(row.status for row in rows)
    print(", ".join(f"{number} {status}" for status, number in counts.items()) or "no students")
    for path in paths:
        print(path)
    show_list(
        "Not graded",
        [f"{row.student}: {row.reason}" for row in rows if row.status == "not graded"],
    )
    names = collecting.unmapped(course, options.homework)
    show_list("Handed in without a student id, only in the JSON", names)
    waits = any(row.reason.endswith(WAITS) for row in rows)
    return LOOK if names or waits or counts["not graded"] else WELL


def _add_report(add: Adder) -> None:
    parser = add(
        "report",
        _report,
        "write a report on the class",
        """\
Write reports/hw1.html: how the marks spread, how hard each task was, and which
submissions a person should look at, and why.

  initcourse homework report hw1
""",
    )
    parser.add_argument("homework", metavar="HW", type=_homework_name)


def _report(options: argparse.Namespace) -> int:
    from initcourse.grading.give_back.report import report

    print(report(_course_with(options), options.homework))
    return WELL


def _add_validate(add: Adder) -> None:
    parser = add(
        "validate",
        _validate,
        "look over a notebook before handing it in",
        """\
Look over a homework notebook before handing it in: run it from top to bottom and
list what is missing. It needs no internet and no grader.

  initcourse homework validate hw1.ipynb
""",
        course=False,
    )
    parser.add_argument("notebook", metavar="NOTEBOOK", type=Path)


def _validate(options: argparse.Namespace) -> int:
    from initcourse.homework.validation import validate

    report = validate(options.notebook)
    print(report)
    return WELL if report.ready else LOOK if report.tasks else WRONG
