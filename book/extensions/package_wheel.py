"""The site offers the package that its notebooks import.

The wheel lies at the site's root.  A page links to it with ``[any text](wheel:)``, which needs no
version number and reads well in plain Jupyter; ``[](wheel:)`` shows the file's name.
"""

import contextlib
import os
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

# What the wheel is made of.
SOURCES = ["initcourse", "pyproject.toml", "README.md", "LICENSE"]

# hatchling is imported where it is used: a build without changes saves that time.


def wheel_name(project: Path) -> str:
    """Return the file name of the wheel that the project builds now."""
    from hatchling.metadata.core import ProjectMetadata
    from hatchling.plugin.manager import PluginManager

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


def colab_line(address: str, project: Path) -> str:
    """Return the cell that a notebook needs first on Colab: its own packages stay as they are."""
    return f"!pip install --no-deps {address}{wheel_name(project)}"


def say_colab_line(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Tell below a notebook's first tip how to run it on Colab, where there is a button for it."""
    address = app.config.html_baseurl
    if not address or "colab_url" not in app.config.html_theme_options.get("launch_buttons", {}):
        return
    if Path(app.env.doc2path(page)).suffix != ".ipynb":
        return
    for tip in doctree.findall(nodes.admonition):
        if "tip" in tip["classes"]:
            line = colab_line(address, Path(app.srcdir))
            tip += nodes.paragraph(text="On Colab, run this in a cell of its own first:")
            tip += nodes.literal_block(line, line, language="none")
            return


def is_fresh(wheel: Path, project: Path) -> bool:
    """Tell whether nothing in the project is newer than the wheel, folders (removals) included."""
    sources = [project / name for name in SOURCES]
    sources += [path for path in sources[0].rglob("*") if "__pycache__" not in path.parts]
    return all(path.stat().st_mtime < wheel.stat().st_mtime for path in sources)


def write_wheel(app: Sphinx, exception: Exception | None) -> None:
    """Build the wheel into the site."""
    if exception is not None or app.builder.format != "html":
        return
    project, wheels = Path(app.srcdir), list(Path(app.outdir).glob("initcourse-*.whl"))
    if len(wheels) == 1 and is_fresh(wheels[0], project):
        return
    from hatchling.build import build_wheel

    for older in wheels:
        older.unlink()
    os.environ.setdefault("SOURCE_DATE_EPOCH", "1577836800")  # same sources, same bytes
    with contextlib.chdir(project):
        build_wheel(str(app.outdir))


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-resolved", link_wheel)
    app.connect("doctree-resolved", say_colab_line)
    app.connect("build-finished", write_wheel)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
