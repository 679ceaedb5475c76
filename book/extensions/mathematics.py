"""Formulas become HTML while the site is built, so that no script draws them in the browser.

sphinxcontrib-katex knows where formulas stand and how they are numbered.  This extension gives it
KaTeX's style sheet and fonts from the npm package of its own version, and a renderer that reports
bad LaTeX (the stock one shows it in red) and cannot outlive the build (its stock server can).
"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import sphinxcontrib.katex as katex
from node_packages import node_package, node_program
from sphinx.application import Sphinx
from sphinx.util import logging

log = logging.getLogger(__name__)


class Renderer:
    """KaTeX in one Node process that lives as long as its standard input is open."""

    def __init__(self, app: Sphinx) -> None:
        self.app = app
        self.process: subprocess.Popen[str] | None = None

    def __call__(self, latex: str, options: dict[str, Any] | None = None) -> str:
        """Return the formula as HTML, or report what is wrong with it."""
        if self.process is None:
            script = Path(__file__).with_name("katex_lines.js")
            library = node_package(Path(self.app.srcdir), "katex") / "dist/katex.min.js"
            self.process = subprocess.Popen(
                [node_program("node"), str(script), str(library)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"latex": latex, "options": options or {}}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, str] = json.loads(self.process.stdout.readline())
        if "error" in answer:
            page = getattr(self.app.builder, "current_docname", None)
            log.warning("bad LaTeX in %r: %s", latex, answer["error"], location=page)
        return answer.get("html", "")

    def close(self, *_: object) -> None:
        """End the process."""
        if self.process is not None:
            self.process.communicate(timeout=10)
            self.process = None


def copy_styles(app: Sphinx) -> None:
    """Put KaTeX's style sheet on the site, and its fonts in the format that light_pages cuts."""
    if app.builder.format != "html":
        return
    distribution = node_package(Path(app.srcdir), "katex") / "dist"
    target = Path(app.outdir) / "_static" / "katex"
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    for font in (distribution / "fonts").glob("*.ttf"):
        shutil.copyfile(font, target / "fonts" / font.name)
    style = (distribution / "katex.min.css").read_text()
    style = re.sub(r'url\([^)]*\) format\("woff2?"\),', "", style)
    (target / "katex.min.css").write_text(style)


def setup(app: Sphinx) -> dict[str, bool]:
    app.setup_extension("sphinxcontrib.katex")
    app.config["katex_prerender"] = True
    app.config["katex_css_path"] = "katex/katex.min.css"
    renderer = Renderer(app)
    katex.render_latex = renderer
    app.connect("builder-inited", copy_styles)
    app.connect("build-finished", renderer.close)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
