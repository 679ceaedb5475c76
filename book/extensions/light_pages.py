"""Light pages: one style sheet with the rules in use, fonts with the characters in use.

The theme loads a dozen style sheets of 580 kB, scripts that hold the page up or measure all of it,
and a script of 1.5 MB for some twenty icons.  Here all style sheets become one, without the rules
that no page uses; icons and formulas keep the glyphs that the site shows; code has no element
around what has the colour of text; every script waits until the page is read; and
book/static/course.js does what the theme's scripts did.
"""

import base64
import html
import io
import logging
import posixpath
import re
import subprocess
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from node_packages import node_package, node_program
from pygments.formatters import HtmlFormatter
from pygments.token import Name, Punctuation, Text, Whitespace
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.highlighting import PygmentsBridge

SHEET = "_static/site.css"
# These stand in the theme's templates, not in Sphinx's lists: book/templates/static drops them.
THEME_STYLES = ["_static/styles/theme.css", "_static/styles/pydata-sphinx-theme.css"]
REPLACED_SCRIPT = "_static/scripts/sphinx-book-theme.js"
OPTIONS = "_static/documentation_options.js"  # 300 bytes, which lines in the pages need at once

IMPORT = re.compile(r'@import (?:url\()?["\']([^"\']+)["\']\)?;')
ADDRESS = re.compile(r"""url\(["']?(?!data:|https?:|#)([^)"']+)["']?\)""")
FACE = re.compile(r"@font-face\s*\{[^}]*?font-family:\s*([^;}]+)[^}]*?url\(([^)]+\.ttf)\)[^}]*\}")
SOURCES = re.compile(r"src:[^;}]*")
ESCAPE = re.compile(r"\\([ef][0-9a-f]{3})\b")

# From so many characters of HTML on, a page is laid out piece by piece (book/static/course.css).
# A short page would gain nothing, and its footer would jump when the pieces get their heights.
LONG = 100_000

# Two of three tokens; both of the theme's styles give them the colour of text.
PLAIN = {Name, Name.Namespace, Punctuation, Whitespace}


class LightCode(HtmlFormatter):  # type: ignore[misc]
    """Writes code without elements around what has the colour of text."""

    def format_unencoded(self, tokensource: Iterable[tuple[Any, str]], outfile: Any) -> None:
        """Write the tokens."""
        tokens = ((Text if kind in PLAIN else kind, text) for kind, text in tokensource)
        super().format_unencoded(tokens, outfile)


def lighten(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Let a page ask for the one style sheet, and for scripts that wait until the page is read."""
    if len(context.get("body", "")) > LONG:
        context["body"] = context["body"].replace("<section ", "<section data-long ", 1)
    sheets = sorted(context["css_files"], key=lambda sheet: sheet.priority)
    names = [sheet.filename for sheet in sheets if sheet.filename not in (SHEET, *THEME_STYLES)]
    app.config["site_sheets"] = [*THEME_STYLES, *dict.fromkeys(names)]
    context["css_files"] = [sheet for sheet in sheets if sheet.filename == SHEET]
    scripts = [script for script in context["script_files"] if script.filename != REPLACED_SCRIPT]
    for script in scripts:
        if script.filename and script.filename != OPTIONS:
            script.attributes["defer"] = "defer"
    context["script_files"] = scripts


def read_sheet(site: Path, name: str) -> str:
    """Return a style sheet with those that it imports, its addresses seen from the one sheet."""
    folder = posixpath.dirname(name)

    def imported(found: re.Match[str]) -> str:
        return read_sheet(site, posixpath.normpath(posixpath.join(folder, found[1])))

    def moved(found: re.Match[str]) -> str:
        target = posixpath.join(folder, found[1])
        return f"url({posixpath.relpath(target, posixpath.dirname(SHEET))})"

    css = (site / name).read_text(encoding="utf-8").replace('@charset "UTF-8";', "")
    return IMPORT.sub(imported, ADDRESS.sub(moved, css))


def purge(source: Path, site: Path, css: str) -> str:
    """Return the style sheet without the rules that no page and no script uses."""
    script = Path(__file__).with_name("purge_styles.js")
    library = node_package(source, "purgecss")
    command = [node_program("node"), str(script), str(library), str(site)]
    done = subprocess.run(command, input=css, capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        raise ExtensionError(f"the style sheet cannot be purged:\n{done.stderr}")
    return done.stdout


def cut_font(path: Path, characters: set[int]) -> bytes:
    """Return the font with these characters only, in the format WOFF."""
    # Loaded here: it takes a fifth of a second, which a build without changes need not wait.
    from fontTools import subset
    from fontTools.ttLib import TTFont

    font = TTFont(path, recalcTimestamp=False)
    cutter = subset.Subsetter(subset.Options(layout_features=[]))
    cutter.populate(unicodes=characters)
    cutter.subset(font)
    font.flavor = "woff"
    content = io.BytesIO()
    font.save(content)
    return content.getvalue()


def cut_fonts(site: Path, css: str, text: str) -> str:
    """Let the style sheet use fonts that have the glyphs in use, and no font that no rule names."""
    rules = FACE.sub("", css)
    letters = set(map(ord, text))
    icons = {int(code, 16) for code in ESCAPE.findall(css)}
    icons |= {ord(letter) for letter in css if letter >= "\ue000"}

    def cut(found: re.Match[str]) -> str:
        face, family, address = found[0], found[1].strip("\"'").replace("\\", ""), found[2]
        # Of the icons, the outlined twins of the solid ones are not in use.
        if family not in rules.replace("\\", "") or "fa-regular" in address:
            return ""
        path = site / "_static" / address
        if "fontawesome" in address:  # few glyphs, at once: they travel inside the style sheet
            font = cut_font(path, icons)
            target = "data:font/woff;base64," + base64.b64encode(font).decode()
        else:
            font = cut_font(path, letters)
            target = f"fonts/{path.stem}-{zlib.crc32(font):08x}.woff"
            (site / "_static/fonts").mkdir(exist_ok=True)
            (site / "_static" / target).write_bytes(font)
        return SOURCES.sub(f"src:url({target}) format('woff')", face)

    return FACE.sub(cut, css)


def write_sheet(app: Sphinx, exception: Exception | None) -> None:
    """Write the one style sheet, and let the pages ask for this state of it."""
    sheets = app.config["site_sheets"]
    if exception is not None or not sheets:  # no page was written
        return
    site = Path(app.outdir)
    pages = {page: page.read_text(encoding="utf-8") for page in site.rglob("*.html")}
    css = "\n".join(read_sheet(site, name) for name in sheets)
    css = purge(Path(app.srcdir), site, css)
    css = cut_fonts(site, css, html.unescape("".join(pages.values())))
    (site / SHEET).write_text(css, encoding="utf-8")
    state = f"{SHEET}?v={zlib.crc32(css.encode()):08x}"
    for page, content in pages.items():
        # Without a script nobody turns "auto" into a theme, and boxes would have no colours.
        content = content.replace('data-theme="auto"', 'data-theme="light"', 1)
        page.write_text(re.sub(rf"{SHEET}(\?v=\w+)?", state, content), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it doubts the dates of KaTeX's fonts
    PygmentsBridge.html_formatter = LightCode
    app.add_config_value("site_sheets", [], "")
    app.add_css_file(posixpath.basename(SHEET), priority=999)
    app.connect("html-page-context", lighten, priority=900)
    # Later than the theme, which writes its colours of code at the very end.
    app.connect("build-finished", write_sheet, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
