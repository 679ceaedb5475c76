"""What the search page looks through: every section, claim and function, each with its own address.

Sphinx' own index knows pages, and neither claims nor numbers.  Here each written page is cut into
its sections, and their texts become one classic script, which works from a folder of files too.
MiniSearch, from npm, ranks them; book/static/search.js shows what it finds.
"""

import json
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from node_packages import node_package
from sphinx.application import Sphinx
from sphinx.util import logging

log = logging.getLogger(__name__)

WORDS = Path(__file__).with_name("search_words.toml")

VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
INLINE = {"a", "b", "code", "em", "i", "span", "strong", "sub", "sup", "mi", "mo", "mn"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
# Nothing to read, or read elsewhere: a formula is read from its LaTeX, code from what it shows.
SKIPPED = {"script", "style", "form", "button", "svg"}
SKIPPED_CLASSES = {"katex-html", "headerlink", "section-number", "cell_input"}
SKIPPED_CLASSES |= {"look-up", "claim-head"}

SIGNS = """
alpha α beta β gamma γ delta δ epsilon ε varepsilon ε eta η theta θ lambda λ mu μ pi π rho ρ sigma σ
tau τ phi φ varphi φ chi χ psi ψ omega ω Delta Δ Phi Φ Sigma Σ ell ℓ infty ∞ approx ≈ le ≤ leq ≤
ge ≥ geq ≥ ne ≠ neq ≠ times × cdot · sum ∑ prod ∏ int ∫ partial ∂ pm ± to → propto ∝ in ∈ sim ~
dots … ldots … cdots …
"""
GREEK = dict(re.findall(r"(\w+) (\S)", SIGNS))
GROUP = r"(?:\{([^{}]*)\}|(\w))"
SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def readable(latex: str) -> str:
    r"""Write a formula as a line of text: ``\tfrac{5}{3}`` as 5/3, ``\chi_1`` as χ₁."""
    text = re.sub(
        r"\\(?:left|right|[Bb]igg?[lr]?|quad|qquad|displaystyle|limits)(?![a-z])", "", latex
    )
    text = re.sub(
        r"\\(?:text|mathrm|operatorname|mathbf|mathcal|mathbb)\*?\{([^{}]*)\}", r"\1", text
    )

    def quotient(found: re.Match[str]) -> str:
        parts = [found[1] or found[2], found[3] or found[4]]
        return "/".join(p if re.fullmatch(r"[\w√.\\]+", p) else f"({p})" for p in parts)

    def root(found: re.Match[str]) -> str:
        inside = found[1] or found[2]
        return f"√{inside}" if re.fullmatch(r"\w+", inside) else f"√({inside})"

    for _ in range(4):  # as deep as fractions and roots stand in each other
        text = re.sub(r"\\sqrt\s*" + GROUP, root, text)
        text = re.sub(r"\\[td]?frac\s*" + GROUP + r"\s*" + GROUP, quotient, text)
    text = re.sub(r"\\([A-Za-z]+) ?", lambda found: GREEK.get(found[1], found[1] + " "), text)
    text = re.sub(r"_\{?(\d+)\}?", lambda found: found[1].translate(SUBSCRIPT), text)
    text = re.sub(r"\^\{?(-?\d+)\}?", lambda found: found[1].translate(SUPERSCRIPT), text)
    return re.sub(r"\s+", " ", re.sub(r"\\.|[{}&]", " ", text)).strip()


class Sections(HTMLParser):
    """Cuts a page's body into entries: sections, claims, rows of the ledger, functions."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.entries: list[dict[str, str]] = []
        self.open: list[tuple[int, dict[str, str]]] = []  # the depth at which each one began
        self.stack: list[str] = []
        self.skipping = 0  # the depth at which something skipped began
        self.heading = False
        self.latex: str | None = None
        self.feed(body)
        for entry in self.entries:
            for key, value in entry.items():
                entry[key] = re.sub(r"\s+", " ", value).strip()

    def begin(self, depth: int, **entry: str) -> None:
        """Open an entry that ends with the element at this depth."""
        self.entries.append({"title": "", "keys": "", "text": "", **entry})
        self.open.append((depth, self.entries[-1]))

    def add(self, text: str) -> None:
        """Add text to the entry that is open."""
        if self.open:
            self.open[-1][1]["title" if self.heading else "text"] += text

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Open an entry, or begin to skip."""
        if tag in VOID:
            self.add(" ")
            return
        self.stack.append(tag)
        values = {name: value or "" for name, value in attributes}
        classes, id, depth = (
            set(values.get("class", "").split()),
            values.get("id", ""),
            len(self.stack),
        )
        if self.skipping:
            return
        if tag in SKIPPED or classes & SKIPPED_CLASSES:
            self.skipping = depth
        elif tag == "annotation":
            self.latex = ""
        elif tag == "section":
            self.begin(depth, id=id)
        elif "claim" in classes and id.startswith("claim-"):
            claim = id.removeprefix("claim-").upper()
            verdict = next(name for name in classes if name.startswith("verdict-"))
            title = f"Claim {claim}: {verdict.removeprefix('verdict-')}"
            self.begin(depth, id=id, title=title, keys=claim, kind="claim")
        elif tag == "tr" and id.startswith("row-"):
            claim = id.removeprefix("row-").upper()
            self.begin(depth, id=id, title=f"{claim} in the ledger", keys=claim, kind="row")
        elif tag == "dt" and "py" in classes and id:
            if self.open and self.open[-1][0] == depth - 1:  # the one before, in the same list
                self.open.pop()
            self.begin(depth - 1, id=id, title=id.removeprefix("initcourse."), kind="function")
        elif tag == "dt" and id.startswith("term-"):
            if self.open and self.open[-1][0] == depth - 1:
                self.open.pop()
            title = id.removeprefix("term-").replace("-", " ")
            self.begin(depth - 1, id=id, title=title, kind="term")
        if tag in HEADINGS:
            self.heading = True
        elif tag not in INLINE:
            self.add(" ")

    def handle_data(self, data: str) -> None:
        """Take text and LaTeX."""
        if self.latex is not None:
            self.latex += data
        elif not self.skipping and "math" not in self.stack:
            self.add(data)

    def handle_endtag(self, tag: str) -> None:
        """Close what the element opened."""
        if tag not in self.stack:
            return
        while self.stack[-1] != tag:
            self.stack.pop()
        depth = len(self.stack)
        self.stack.pop()
        if self.skipping:
            if depth <= self.skipping:
                self.skipping = 0
            return
        if tag == "annotation" and self.latex is not None:
            self.add(readable(self.latex))
            self.latex = None
        if tag in HEADINGS:
            self.heading = False
        elif tag not in INLINE:
            self.add(" ")
        if self.open and self.open[-1][0] == depth:
            self.open.pop()


def kept(app: Sphinx, page: str) -> Path:
    """Return where a page's sections are kept until it is written again."""
    return Path(app.doctreedir) / "sections" / f"{page.replace('/', '-')}.json"


def cut_page(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Keep the sections of a page that is about to be written."""
    if doctree is None or app.builder.name != "html":
        return
    entries = [entry for entry in Sections(context["body"]).entries if entry["title"]]
    name = entries[0]["title"] if entries else page
    for entry in entries:
        entry["page"] = name
        entry["address"] = f"{app.builder.get_target_uri(page)}#{entry.pop('id')}"
    path = kept(app, page)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")


def write_index(app: Sphinx, exception: Exception | None) -> None:
    """Write all sections as one script, and the engine beside it."""
    if exception is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    paths = [kept(app, page) for page in sorted(app.env.found_docs)]
    entries = [entry for path in paths for entry in json.loads(path.read_text("utf-8"))]
    by_address = {entry["address"]: entry for entry in entries}
    for page, keys in tomllib.loads(WORDS.read_text("utf-8")).items():
        for anchor, words in keys.items():
            if entry := by_address.get(f"{page}#{anchor}"):
                entry["keys"] += f" {words}"
            else:
                log.warning("no section %s#%s: mend its name in %s", page, anchor, WORDS.name)
    script = f"const sections = {json.dumps(entries, ensure_ascii=False)};\n"
    (site / "searchindex.js").write_text(script, encoding="utf-8")
    engine = (node_package(Path(app.srcdir), "minisearch") / "dist/umd/index.js").read_text("utf-8")
    (site / "minisearch.js").write_text(re.sub(r"//# sourceMappingURL.*", "", engine), "utf-8")


def replace_search(app: Sphinx) -> None:
    """Leave out Sphinx' index and scripts; its page is one of our templates."""
    if app.builder.name == "html":
        app.builder.search = False  # type: ignore[attr-defined]
        app.config.html_additional_pages = {
            **app.config.html_additional_pages,
            "search": "search.html",
        }


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", replace_search)
    app.connect("html-page-context", cut_page, priority=950)
    app.connect("build-finished", write_index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
