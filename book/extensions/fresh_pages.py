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

from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

# One thread a kernel: the nets are small, and threads that wait for each other cost more than they
# bring on a shared machine.
KERNEL_ENVIRONMENT = {
    "INITCOURSE_EXPLORER": "static",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


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

    for name, value in KERNEL_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # Kernels of the build follow no personal settings, and keep their notes about sockets to
    # themselves.
    profile = caches.parent / ".ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    settings = "c = get_config()\nc.IPKernelApp.log_level = 40\n"
    (profile / "ipython_kernel_config.py").write_text(settings)
    os.environ["IPYTHONDIR"] = str(profile.parent)


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


def forget_failed_build(app: Sphinx, exception: Exception | None) -> None:
    """Read every page anew after a failed build: else the next one would call itself a success."""
    if exception is not None or app._warncount > 0:
        (Path(app.doctreedir) / "environment.pickle").unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, bool]:
    # The trees of the pages are many small objects that stay.  To search them for garbage at the
    # stock rate takes a fifth of a build that changes nothing.
    gc.set_threshold(100_000)
    app.add_config_value("package_digest", "", "env")
    app.add_config_value("site_digest", "", "html")
    app.add_config_value("pages_that_read_notebooks", [], "env")
    app.connect("config-inited", follow_sources)
    app.connect("env-get-outdated", reread_after_notebooks)
    app.connect("build-finished", forget_failed_build)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
