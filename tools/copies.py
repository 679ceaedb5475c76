"""Make the students' copies of the homework from their sources: ``python tools/copies.py``.

``make refresh`` calls it.  The book shows the copies and offers them for download; the package
knows their versions.
"""

import json
from pathlib import Path

from initcourse.grading.hand_out.release import student_copy
from initcourse.homework import version_of

ROOT = Path(__file__).resolve().parents[1]
HOMEWORK = ROOT / "book" / "homework"
VERSIONS = ROOT / "initcourse" / "homework" / "versions.json"


def main() -> None:
    """Write every copy that differs from what its source gives."""
    sources = sorted((HOMEWORK / "source").glob("*.ipynb"))
    found = {path.stem: version_of(json.loads(path.read_text("utf-8"))) for path in sources}
    VERSIONS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for source in sources:
        copy, made = HOMEWORK / source.name, student_copy(source)
        if not copy.exists() or copy.read_bytes() != made:
            copy.write_bytes(made)
            print(f"{copy.name}: the students' copy is new")


if __name__ == "__main__":
    main()
