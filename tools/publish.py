"""Leave in _build/site what a static host needs: the built pages without the build's leftovers.

``make site`` calls this after ``make book``; the same commit gives the same bytes.
"""

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILT = ROOT / "_build" / "html"
SITE = ROOT / "_build" / "site"

# The style sheets, fonts and scripts that book/extensions/light_pages.py has put together or
# replaced, and what only builds read.
LEFTOVERS = [
    ".buildinfo*",
    "_static/*.css",
    "_static/*.map",
    "_static/katex",
    "_static/locales",
    "_static/scripts",
    "_static/styles",
    "_static/vendor",
    "_static/*webpack-macros.html",
]
KEPT = "site.css"


def publish(built: Path, site: Path) -> None:
    """Copy the built site, in place of an older copy."""
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(built, site)
    for pattern in LEFTOVERS:
        for path in site.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != KEPT:
                path.unlink()
    (site / ".nojekyll").touch()  # GitHub Pages would drop the folders that start with _


if __name__ == "__main__":
    built, site = map(Path, sys.argv[1:]) if sys.argv[1:] else (BUILT, SITE)
    publish(built, site)
    files = [path for path in site.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    print(f"{len(files)} files, {size:.1f} MB, for any static host: {site}")
