"""Small faults in the HTML of the tools below us: some break accessibility, some slow a page."""

import re
from pathlib import Path
from typing import Any

import imagesize
from sphinx.application import Sphinx

EMPTY_HEADER = re.compile(r"<th\b[^>]*>\s*(?:<p>\s*</p>)?\s*</th>")
# A figure that a cell drew.  Those of the text stand in a <figure>, maybe on the first screen.
OUTPUT_PICTURE = re.compile(r'^<img (?![^>]*\bwidth=)(?=[^>]*src="[^"]*_images/([^"]+)")', re.M)

EXPLORER_PICTURE = re.compile(r'(<figure class="explorer".*?<img )', re.DOTALL)


def place_pictures(app: Sphinx, body: str) -> str:
    """Let figures of cells and explorers load when they come near, in places kept free for them."""
    paths = {name: Path(app.srcdir) / path for path, name in app.builder.images.items()}
    body = EXPLORER_PICTURE.sub(r'\1loading="lazy" ', body)

    def placed(found: re.Match[str]) -> str:
        width, height = imagesize.get(paths[found[1]])
        return f'{found[0]}loading="lazy" width="{width}" height="{height}" '

    return OUTPUT_PICTURE.sub(placed, body)


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Mend a page before it is written."""
    if "body" in context:
        # docutils gives a bibliography's entries a role that no list may contain.
        body = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')
        # An empty corner of a table is no header of anything.
        body = EMPTY_HEADER.sub("<td></td>", body)
        # The one page that becomes the PDF shows all its pictures at once.
        context["body"] = body if app.builder.name == "singlehtml" else place_pictures(app, body)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
