"""Release, collect and grade the homework: what ``pip install "initcourse[instructor]"`` adds.

A student needs none of it; see :mod:`initcourse.homework`.
"""

import sys

# jsonschema, below nbformat, would build the whole grammar of web addresses when it is imported:
# two seconds for every command and worker, for a check that notebooks do not use.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
