"""Pages are never older than what they were made from.

Stock builds keep a page as long as its own file is unchanged.  But a notebook's results also depend
on the package, the ledger page on all other notebooks, and every page on the static files.
Works with a plain ``jupyter-book build .`` too.
"""

import gc
import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
import own_settings
from docutils import nodes
from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError


def digest_of(folders: Iterable[Path]) -> str:
    """Return a short digest of the names and bytes of all source files below the folders."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
                digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def follow_sources(app: Sphinx, config: Config) -> None:
    """Put the digests into the configuration: Sphinx remakes what a changed value touches."""
    source = Path(app.srcdir)
    config["package_digest"] = digest_of([source / "initcourse"])
    parts = ["static", "templates", "extensions"]
    config["site_digest"] = digest_of([source / "book" / part for part in parts])

    # The cache recognises a notebook by its cells alone, so each state of the package has its own.
    caches = Path(app.outdir).parent / ".jupyter_cache"
    cache = caches / config["package_digest"]
    for older in caches.glob("*"):
        if older != cache:
            shutil.rmtree(older) if older.is_dir() else older.unlink()
    config["nb_execution_cache_path"] = str(cache)

    own_settings.apply()
    os.environ["INITCOURSE_EXPLORER"] = "static"


def reread_after_notebooks(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> list[str]:
    """Name the pages that read other notebooks' outputs, if any of those changed."""
    readers = set(app.config["pages_that_read_notebooks"]) & env.found_docs
    others = (added | changed | removed) - readers
    if not removed and not any(env.doc2path(name).endswith(".ipynb") for name in others):
        return []
    # Their own cells are the same as before, so the cache would give their old results.
    cache = get_cache(app.config["nb_execution_cache_path"])
    paths = {str(env.doc2path(name)) for name in readers}
    for record in cache.list_cache_records():
        if record.uri in paths:
            cache.remove_cache(record.pk)
    return sorted(readers)


def pictures_of(notebook: Any) -> int:
    """Count the pictures among a notebook's outputs."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return sum("image/png" in o.get("data", {}) for cell in cells for o in cell.outputs)


def want_all_pictures(app: Sphinx, doctree: nodes.document) -> None:
    """Fail if a page shows fewer pictures than its notebook stores: some setting kept them away."""
    path = Path(app.env.doc2path(app.env.docname))
    if path.suffix != ".ipynb" or app.config["nb_execution_mode"] == "off":
        return
    stored = pictures_of(nbformat.read(path, as_version=4))
    shown = sum("jupyter_execute" in image["uri"] for image in doctree.findall(nodes.image))
    if shown < stored:
        forget(app, path)
        raise ExtensionError(
            f"{path.name} stores {stored} pictures, and the page got {shown}: its kernel did not "
            "draw them. Look for a setting of Matplotlib or IPython, then build again"
        )


def is_clean(notebook: Any) -> bool:
    """Tell whether no cell of an executed notebook wrote to stderr."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return all(output.get("name") != "stderr" for cell in cells for output in cell.outputs)


def forget(app: Sphinx, path: Path | None = None) -> None:
    """Drop the executions of one notebook from the cache, or all that wrote to stderr."""
    cache = get_cache(app.config["nb_execution_cache_path"])
    for record in cache.list_cache_records():
        of_path = path is not None and Path(record.uri) == path
        if of_path or not is_clean(cache.get_cache_bundle(record.pk).nb):
            cache.remove_cache(record.pk)


def forget_failed_build(app: Sphinx, exception: Exception | None) -> None:
    """Leave nothing of a failed build that the next one would take for a success, or fail by."""
    if exception is not None or app._warncount > 0:
        (Path(app.doctreedir) / "environment.pickle").unlink(missing_ok=True)
        forget(app)


def setup(app: Sphinx) -> dict[str, bool]:
    # The trees of the pages are many small objects that stay.  To search them for garbage at the
    # stock rate takes a fifth of a build that changes nothing.
    gc.set_threshold(100_000)
    app.add_config_value("package_digest", "", "env")
    app.add_config_value("site_digest", "", "html")
    app.add_config_value("pages_that_read_notebooks", [], "env")
    app.connect("config-inited", follow_sources)
    app.connect("env-get-outdated", reread_after_notebooks)
    app.connect("doctree-read", want_all_pictures)
    app.connect("build-finished", forget_failed_build)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
