"""Small faults that accessibility checks find in the HTML of the tools below us."""

import re
from typing import Any

from sphinx.application import Sphinx

EMPTY_HEADER = re.compile(r"<th\b[^>]*>\s*(?:<p>\s*</p>)?\s*</th>")


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Mend a page before it is written."""
    if "body" in context:
        # docutils gives a bibliography's entries a role that no list may contain.
        body = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')
        # An empty corner of a table is no header of anything.
        context["body"] = EMPTY_HEADER.sub("<td></td>", body)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
