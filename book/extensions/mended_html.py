"""Small faults in the HTML of the tools below us: some break accessibility, some slow a page.

And what a reader's screen wants: wide tables that a phone can show, set-up code that is folded.
"""

import ast
import html
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


TABLE = re.compile(r"<table\b([^>]*)>(.*?)</table>", re.DOTALL)
ROW = re.compile(r"<tr\b[^>]*>.*?</tr>", re.DOTALL)
CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</\1>", re.DOTALL)
BREAK = re.compile(r"\s+|_|(?<=[a-z])\.(?=[a-z])")  # long names too (book/static/course.css)
# A phone of 390 points shows 358 of them: so many a letter, and so many around a cell's text.
PHONE, LETTER, PADDING = 340, 8, 12


def text_of(cell: str) -> str:
    """Return what a cell shows; of a formula the letters that readers' software reads."""
    cell = re.sub(r"<annotation.*?</annotation>", "", cell, flags=re.DOTALL)
    cell = re.sub(r"<wbr>|<br ?/?>", " ", cell)
    return html.unescape(re.sub(r"<[^>]+>", "", visible_once(cell))).strip()


def visible_once(cell: str) -> str:
    """Leave out the second face of each formula, which sets it in small boxes."""
    found = re.search(r'<span class="katex-html"', cell)
    while found:
        depth, end = 0, found.start()
        for tag in re.finditer(r"<(/?)span\b[^>]*>", cell[found.start() :]):
            depth += -1 if tag[1] else 1
            if depth == 0:
                end = found.start() + tag.end()
                break
        else:
            break
        cell = cell[: found.start()] + cell[end:]
        found = re.search(r'<span class="katex-html"', cell)
    return cell


def stack(found: re.Match[str]) -> str:
    """Let a table that a phone cannot hold stand there row by row, values beside their names."""
    attributes, inside = found[1], found[2]
    head, _, _ = inside.partition("</thead>")
    rows = [CELL.findall(row) for row in ROW.findall(inside)]
    plain = "<thead" in head and not re.search(r"rowspan|colspan|<table", inside)
    if not plain or "ledger" in attributes or len({len(row) for row in rows}) != 1:
        return found[0]
    texts = [[text_of(cell) for _, _, cell in row] for row in rows]
    columns = list(zip(*texts, strict=True))
    words = (
        max(len(word) for text in column for word in [*text.split(), ""]) for column in columns
    )
    if sum(LETTER * word + PADDING for word in words) <= PHONE:
        return found[0]
    names = [html.escape(text, quote=True) for text in texts[0]]
    long = max(len(text) for row in texts[1:] for text in row[1:]) > 24

    def labelled(row: re.Match[str]) -> str:
        labels = iter(names)
        return CELL.sub(
            lambda cell: (
                f'<{cell[1]}{cell[2]} data-label="{next(labels)}"><div>{cell[3]}</div></{cell[1]}>'
            ),
            row[0],
        )

    start = inside.index("</thead>")
    body = inside[:start] + ROW.sub(labelled, inside[start:])
    kind = "stacks long" if long else "stacks"
    if 'class="' in attributes:
        attributes = attributes.replace('class="', f'class="{kind} ', 1)
    else:
        attributes += f' class="{kind}"'
    return f"<table{attributes}>{body}</table>"


CODE = re.compile(
    r'(<div class="cell docutils container">\s*)'
    r'(<div class="cell_input docutils container">.*?<pre>(.*?)</pre></div>\s*</div>\s*</div>)',
    re.DOTALL,
)
LONG_SETUP = 8  # lines
PREPARES = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


def is_setup(code: str) -> bool:
    """Tell whether a cell only prepares: it imports, defines or names plain values."""
    try:
        lines = ast.parse(code).body
    except SyntaxError:  # a magic command
        return False
    return all(
        isinstance(line, PREPARES)
        or (
            isinstance(line, ast.Assign)
            and not any(isinstance(n, ast.Call) for n in ast.walk(line))
        )
        for line in lines
    )


def fold(found: re.Match[str]) -> str:
    """Fold a long set-up, and say what it defines.  A cell with any tag stays as it is."""
    code = html.unescape(re.sub(r"<[^>]+>", "", found[3])).strip()
    count = code.count("\n") + 1
    if count <= LONG_SETUP or not is_setup(code):
        return found[0]
    names = ", ".join(re.findall(r"^(?:def |class )?(\w+)(?=\(| = )", code, re.M))
    summary = f"<summary>Set-up, {count} lines: <code>{names}</code></summary>"
    return f'{found[1]}<details class="setup">{summary}\n{found[2]}</details>'


# What a reader of a chapter looks up.
LOOK_UP = {
    "book/ledger": "ledger of claims",
    "book/notation": "notation and glossary",
    "book/cheat_sheet": "cheat sheet",
}


def with_links(app: Sphinx, page: str, body: str) -> str:
    """Put links to the pages of reference below a chapter's title."""
    known = {name: text for name, text in LOOK_UP.items() if name in app.env.found_docs}
    if not re.match(r"book/\d", page) or not known:
        return body
    links = " · ".join(
        f'<a href="{app.builder.get_relative_uri(page, name)}">{text}</a>'
        for name, text in known.items()
    )
    return body.replace("</h1>", f'</h1>\n<p class="look-up">Look up: {links}</p>', 1)


def mend(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Mend a page before it is written."""
    if "body" in context:
        # docutils gives a bibliography's entries a role that no list may contain.
        body = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')
        # An empty corner of a table is no header of anything.
        body = EMPTY_HEADER.sub("<td></td>", body)
        # The label says less than the words on the button.
        body = body.replace('<summary aria-label="Toggle hidden content">', "<summary>")
        # What a formatter reads is not for readers.
        body = re.sub(r'\s*<span class="c1"># fmt: skip</span>', "", body)
        body = re.sub(r'(<span class="c1">#[^<]*?)\s*# fmt: skip</span>', r"\1</span>", body)
        body = CODE.sub(fold, TABLE.sub(stack, with_links(app, page, body)))
        # The one page that becomes the PDF shows all its pictures at once.
        context["body"] = body if app.builder.name == "singlehtml" else place_pictures(app, body)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
