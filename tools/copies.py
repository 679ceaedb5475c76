"""Make the students' copies of the homework from their sources: ``python tools/copies.py``.

``make refresh`` calls it.  The book shows the copies and offers them for download.
"""

from pathlib import Path

from initcourse.grading.hand_out.release import student_copy

HOMEWORK = Path(__file__).resolve().parents[1] / "book" / "homework"


def main() -> None:
    """Write every copy that differs from what its source gives."""
    for source in sorted((HOMEWORK / "source").glob("*.ipynb")):
        copy, made = HOMEWORK / source.name, student_copy(source)
        if not copy.exists() or copy.read_bytes() != made:
            copy.write_bytes(made)
            print(f"{copy.name}: the students' copy is new")


if __name__ == "__main__":
    main()
