"""The pictures of an explorer leave the page and become files.

A kernel hands all pictures over inside the explorer's HTML, as data addresses: what it wrote beside
the page would be lost when the page next comes from the cache.  On the site each picture is a file
named after its content, and the browser fetches it when it is first needed.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

EXPLORER = re.compile(r'<figure class="explorer".*?</figure>', re.DOTALL)
PICTURE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")


def move_pictures(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Write the page's explorer pictures below ``_images`` and refer to them there."""

    def to_file(found: re.Match[str]) -> str:
        content = base64.b64decode(found[1])
        name = f"_images/explorer-{hashlib.sha256(content).hexdigest()[:16]}.png"
        path = Path(app.outdir) / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        address: str = context["pathto"](name, 1)
        return address

    if "body" in context:
        context["body"] = EXPLORER.sub(
            lambda explorer: PICTURE.sub(to_file, explorer[0]), context["body"]
        )


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", move_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
