"""The site offers the package that its notebooks import.

The wheel lies at the site's root.  A page links to it with ``[any text](wheel:)``, which needs no
version number and reads well in plain Jupyter; ``[](wheel:)`` shows the file's name.
"""

import contextlib
import os
from pathlib import Path

from docutils import nodes
from hatchling.build import build_wheel
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager
from sphinx.application import Sphinx


def wheel_name(project: Path) -> str:
    """Return the file name of the wheel that the project builds now."""
    version = ProjectMetadata(str(project), PluginManager()).version
    return f"initcourse-{version}-py3-none-any.whl"


def link_wheel(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Let ``wheel:`` point to the file, from a page at any depth."""
    for link in doctree.findall(nodes.reference):
        if link.get("refuri", "").startswith("wheel:"):
            name = wheel_name(Path(app.srcdir))
            depth = app.builder.get_target_uri(page).count("/")
            link["refuri"] = "../" * depth + name
            if not link.astext():
                link += nodes.literal(text=name)


def write_wheel(app: Sphinx, exception: Exception | None) -> None:
    """Build the wheel into the site."""
    if exception is None and app.builder.format == "html":
        for older in Path(app.outdir).glob("initcourse-*.whl"):
            older.unlink()
        os.environ.setdefault("SOURCE_DATE_EPOCH", "1577836800")  # same sources, same bytes
        with contextlib.chdir(app.srcdir):
            build_wheel(str(app.outdir))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-resolved", link_wheel)
    app.connect("build-finished", write_wheel)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
