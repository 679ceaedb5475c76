"""The published site in a browser: it asks nobody for anything, moves without a kernel, reads well.

All tests that need the site stand in this file, so that it is built once.  A site that `make site`
has left is taken as it is with  INITCOURSE_SITE=_build/site pytest tests/test_site.py
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import cache, partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    sync_playwright,
)

from initcourse.pages import claims

ROOT = Path(__file__).resolve().parents[1]
BUILD = ["build", ".", "-W", "-n", "--keep-going"]  # as in `make book`
BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
WIDTHS = {"phone": 390, "laptop": 1280}
WEIGHT = 250_000  # bytes of a page's first load, gzipped, fonts counted, pictures not
PATIENCE = 120_000  # milliseconds: a page that takes long on a busy machine is not wrong


def pages_of_the_book() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [f"{name}.html" for name in [toc["root"], *chapters]]


PAGES = pages_of_the_book()
CHAPTERS = [page for page in PAGES if re.match(r"book/\d", page)]
# What Sphinx adds: a test says if there are others.
ADDED = ["404.html", "genindex.html", "search.html"]
EVERY_PAGE = [*PAGES, *ADDED]


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "INITCOURSE_EXPLORER": "static"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        pytest.fail(f"{command[:2]} failed:\n{done.stdout[-6000:]}", pytrace=False)


JUPYTER_BOOK = Path(sys.executable).with_name("jupyter-book")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if "INITCOURSE_SITE" in os.environ:
        return (ROOT / os.environ["INITCOURSE_SITE"]).resolve()
    output = tmp_path_factory.mktemp("site")
    run(JUPYTER_BOOK, *BUILD, "--path-output", output)
    run(sys.executable, "tools/publish.py", output / "_build" / "html", output / "site")
    return output / "site"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Serve the site, not at its host's root: its paths must be relative."""
    handler = partial(Quiet, directory=str(site.parent))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{site.name}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        message = "no Chromium or Chrome was found; on Debian and Ubuntu: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": WIDTHS["laptop"], "height": 900})
    yield context
    context.close()


@pytest.fixture
def tab(context: BrowserContext) -> Page:
    return context.new_page()


def visit(tab: Page, site: Path, page: str) -> None:
    tab.goto((site / page).as_uri(), timeout=PATIENCE)


# The files


class Links(HTMLParser):
    """Collects what a page refers to, and the anchors that it has."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("href", "src") and value:
                self.targets.append(value)
            if name == "id" and value:
                self.anchors.add(value)


@cache
def links_of(page: Path) -> Links:
    """Parse a page once: the reference of the package is long and refers to itself a lot."""
    return Links(page)


def test_every_page_is_there_and_tested(site: Path) -> None:
    built = [path.relative_to(site).as_posix() for path in site.rglob("*.html")]
    assert sorted(built) == sorted(EVERY_PAGE)


def test_what_the_style_sheet_names_is_there(site: Path) -> None:
    css = (site / "_static/site.css").read_text(encoding="utf-8")
    targets = set(re.findall(r"url\([\"']?(?!data:)([^)\"']+)", css))
    assert [target for target in targets if not (site / "_static" / target).is_file()] == []


def test_nothing_of_the_build_is_left(site: Path) -> None:
    hidden = {path.name for path in site.iterdir() if path.name.startswith(".")}
    assert hidden == {".nojekyll"}
    assert not list(site.rglob("*.map"))
    assert [path.name for path in site.rglob("*.css")] == ["site.css"]


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_search_engines_find_a_description(site: Path, page: str) -> None:
    html = (site / page).read_text(encoding="utf-8")
    assert len(re.findall(r'<meta name="description" content="[^"]+"', html)) == 1
    assert "<title>" in html


NEEDS_AN_ADDRESS = ["mybinder", "colab.research", 'rel="canonical"', "og:url", "og:image", "/edit/"]


def test_without_addresses_nothing_invents_one(site: Path) -> None:
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    if config["html"]["baseurl"] or config["repository"]["url"]:
        pytest.skip("the addresses are set")
    assert not (site / "sitemap.xml").exists()
    for page in EVERY_PAGE:
        html = (site / page).read_text(encoding="utf-8")
        assert [word for word in NEEDS_AN_ADDRESS if word in html] == [], page


def test_addresses_in_the_configuration_are_followed(tmp_path: Path) -> None:
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    addresses = {
        "baseurl:": "https://name.example/course",
        "url: &repository": "https://github.com/name/course",
    }
    for name, address in addresses.items():
        config, count = re.subn(rf'^  {name} "[^"]*"', f'  {name} "{address}"', config, flags=re.M)
        assert count == 1
    config = re.sub(r"^.*package_wheel.*\n", "", config, flags=re.M)
    config = config.replace("language: en", "language: de")  # the site's own labels follow
    (tmp_path / "_config.yml").write_text(config, encoding="utf-8")
    toc = {"format": "jb-book", "root": "index", "chapters": [{"file": "book/one"}]}
    (tmp_path / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    (tmp_path / "index.md").write_text("# Small\n\nWhat it is.\n", encoding="utf-8")
    for part in "extensions", "static", "templates":
        shutil.copytree(ROOT / "book" / part, tmp_path / "book" / part)
    shutil.copy(ROOT / "book/references.bib", tmp_path / "book")
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# One\n\nText.")])
    nbformat.write(notebook, tmp_path / "book/one.ipynb")
    run(JUPYTER_BOOK, "build", ".", cwd=tmp_path)

    built = tmp_path / "_build" / "html"
    html = (built / "book/one.html").read_text(encoding="utf-8")
    page = "https://name.example/course/book/one.html"
    assert f'<link rel="canonical" href="{page}"' in html
    assert f'<meta property="og:url" content="{page}"' in html
    image = re.search(r'og:image" content="https://name.example/course/([^"]+)"', html)
    assert image
    assert (built / image[1]).is_file()
    assert f"<loc>{page}</loc>" in (built / "sitemap.xml").read_text(encoding="utf-8")
    source = "name/course/{}/main/book/one.ipynb".format
    for target in (
        "https://mybinder.org/v2/gh/name/course/main?urlpath=lab/tree/book/one.ipynb",
        f"https://colab.research.google.com/github/{source('blob')}",
        f"https://github.com/{source('edit')}",
    ):
        assert f'href="{target}"' in html, target
    labels = set(re.findall(r'(?:aria-label|placeholder)="([^"]+)"', html))
    assert "Suche" in labels
    assert not labels & {"Search", "Search the course", "Search the docs ...", "Start page"}
    lost = (built / "404.html").read_text(encoding="utf-8")
    assert 'href="https://name.example/course/"' in lost


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_no_link_is_dead(site: Path, page: str) -> None:
    for target in links_of((site / page).resolve()).targets:
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            continue
        file = (site / page).parent / unquote(parts.path) if parts.path else site / page
        assert file.exists(), f"{page} refers to {target}, which is not there"
        if parts.fragment and file.suffix == ".html":
            assert unquote(parts.fragment) in links_of(file.resolve()).anchors, (
                f"{page}: no anchor {target}"
            )


def test_the_wheel_is_offered(site: Path) -> None:
    (wheel,) = site.glob("*.whl")
    assert wheel.name in {Path(target).name for target in links_of(site / "index.html").targets}


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_pictures_are_files(site: Path, page: str) -> None:
    assert "data:image/png" not in (site / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_pictures_have_alternative_text(site: Path, page: str) -> None:
    for picture in re.findall(r"<img\b[^>]*>", (site / page).read_text(encoding="utf-8")):
        alt = re.search(r'\balt="([^"]*)"', picture)
        assert alt, f"without alt: {picture}"
        assert alt[1].strip(), f"alt is empty: {picture}"
        assert not alt[1].startswith(("../_images", "_images")), f"alt is a file name: {picture}"


# In the browser


class Load:
    """What a page asks for and complains about while it loads."""

    def __init__(self, tab: Page, address: str) -> None:
        self.requests: list[str] = []
        self.pictures: list[str] = []
        self.complaints: list[str] = []
        tab.on("request", self.add)
        tab.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on("console", self.listen)
        tab.goto(address, timeout=PATIENCE)
        tab.evaluate("document.fonts.ready")

    def add(self, request: Request) -> None:
        if urlsplit(request.url).scheme not in ("data", "blob"):
            is_picture = request.resource_type == "image"
            (self.pictures if is_picture else self.requests).append(request.url)

    def listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


def transferred(file: Path) -> int:
    content = file.read_bytes()
    return len(content if file.suffix.startswith(".woff") else gzip.compress(content))


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_nobody_else_is_asked_and_nothing_complains(
    site: Path, address: str, tab: Page, page: str
) -> None:
    for start in (address, site.as_uri()):
        load = Load(tab, f"{start}/{page}")
        first = [unquote(url.removeprefix(start)) for url in load.requests]
        tab.mouse.wheel(0, 20_000)  # what is loaded late is loaded now
        tab.wait_for_timeout(200)
        everything = [*load.requests, *load.pictures]
        assert [url for url in everything if not url.startswith(start)] == []
        assert load.complaints == []
        weight = sum(transferred(site / name.partition("?")[0].lstrip("/")) for name in first)
        assert weight < WEIGHT, f"{weight / 1000:.0f} kB: {first}"
        tab = tab.context.new_page()


# The kinds of elements that are laid out when they come near the screen.
LAID_OUT_LATE = """() => [...new Set(
    [...document.querySelectorAll("article section > *")]
        .filter((element) => getComputedStyle(element).contentVisibility === "auto")
        .flatMap((element) => [element.localName, ...element.classList])
)]"""


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_only_long_pages_are_laid_out_piece_by_piece(site: Path, tab: Page, page: str) -> None:
    """A short page would jump when a guessed height gives way to the real one."""
    visit(tab, site, page)
    kinds = set(tab.evaluate(LAID_OUT_LATE))
    if page in CHAPTERS:
        assert kinds >= {"p", "cell", "admonition"}
    elif page == "book/api.html":
        assert kinds >= {"p", "py"}
    else:
        assert kinds == set()


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_formulas_are_rendered(site: Path, tab: Page, page: str) -> None:
    visit(tab, site, page)
    prose = tab.evaluate(
        """() => {
            const article = document.querySelector("main").cloneNode(true);
            article.querySelectorAll("pre, code, script, .katex").forEach((e) => e.remove());
            return article.textContent;
        }"""
    )
    assert not re.search(r"\$[^$]+\$|\\[(\[]|\\[a-z]{3,}|\{[a-z:]+\}`", prose), "raw markup"
    assert tab.locator(".katex-error").count() == 0
    assert tab.locator("script[src*=mathjax i]").count() == 0


# axe visits every element, which takes minutes where thousands of them set formulas and code.  What
# goes is seen elsewhere: code has the few colours of every cell, and the package's reference 200
# entries alike: of both the first stay.  Formulas stay whole for one of the four looks at a page;
# for the others their MathML does, which readers' software reads.
SLIM = """() => {
    const code = [...document.querySelectorAll("pre")].slice(3);
    code.forEach((e) => { e.textContent = e.textContent; });
    [...document.querySelectorAll("dl.py")].slice(40).forEach((e) => e.remove());
}"""
WITHOUT_BOXES = "document.querySelectorAll('.katex-html').forEach((e) => e.remove())"
# Experimental in axe: a button is called by the words on it.
AXE = {
    "resultTypes": ["violations"],
    "rules": {"label-content-name-mismatch": {"enabled": True}},
}

TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
# Wide things scroll by themselves, and the keyboard reaches them.
UNREACHED = """() => [...document.querySelectorAll("main *")].filter((box) => {
    const scrolls = /auto|scroll/.test(getComputedStyle(box).overflowX);
    return scrolls && box.scrollWidth > box.clientWidth && box.tabIndex !== 0
        && !box.querySelector("a, button, input, select, summary");
}).map((box) => box.outerHTML.slice(0, 200))"""
# A cell of a table that ends beyond the screen, or beyond the box that its table scrolls in: the
# last ones hold what theory predicts, or the verdict.
CELLS_CUT = """() => [...document.querySelectorAll("article :is(td, th)")].filter((cell) => {
    const { right, width } = cell.getBoundingClientRect();
    const box = cell.closest(".output, .pst-scrollable-table-container, article");
    return width > 1 && right > Math.min(innerWidth, box.getBoundingClientRect().right) + 1;
}).map((cell) => cell.textContent.slice(0, 80))"""
FORMULAS_CUT = """() => [...document.querySelectorAll(".katex-display")]
    .filter((box) => box.scrollWidth > box.clientWidth + 1)
    .map((box) => [
        box.querySelector("annotation").textContent,
        getComputedStyle(box).backgroundImage.includes("gradient"),
    ])"""
# The elements of one kind that a reader's software would call by one name.
SAME_NAMES = """() => {
    const names = [...document.querySelectorAll("button.toggle-button")].map((button) =>
        document.getElementById(button.getAttribute("aria-labelledby"))?.textContent.trim());
    return names.filter((name, i) => !name || names.indexOf(name) !== i);
}"""
UNNAMED = """() => [...document.querySelectorAll("main [tabindex='0']")]
    .filter((box) => !box.getAttribute("aria-label") || !box.getAttribute("role"))
    .map((box) => box.outerHTML.slice(0, 100))"""


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_axe_finds_nothing(site: Path, browser: Browser, page: str) -> None:
    for width in WIDTHS.values():
        context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion="reduce"
        )
        tab = context.new_page()
        visit(tab, site, page)
        # As if the reader had been everywhere: the browser lays out all, and tells course.js.
        tab.add_style_tag(content="* { content-visibility: visible !important }")
        tab.evaluate('document.querySelectorAll("details").forEach((box) => { box.open = true; })')
        tab.evaluate(TWO_FRAMES)
        overflow = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0, f"the page is {overflow} points wider than a screen of {width}"
        assert tab.evaluate(CELLS_CUT) == []
        cut = tab.evaluate(FORMULAS_CUT)
        assert [formula for formula, has_cue in cut if not has_cue or width > 1000] == []
        assert tab.evaluate(UNREACHED) == []
        assert tab.evaluate(UNNAMED) == []
        assert tab.evaluate(SAME_NAMES) == []
        tab.evaluate(SLIM)
        if width != WIDTHS["phone"]:
            tab.evaluate(WITHOUT_BOXES)
        for theme in ("light", "dark"):
            tab.emulate_media(color_scheme=theme)
            if page != "404.html":
                tab.locator(f"html[data-theme={theme}]").wait_for(timeout=PATIENCE)
            results = Axe().run(tab, options=AXE)
            tab.evaluate(WITHOUT_BOXES)
            report = results.generate_report() if results.violations_count else ""
            assert results.violations_count == 0, f"{theme}, {width}: {report}"
        context.close()


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_focus_is_visible_and_nothing_moves(site: Path, browser: Browser, page: str) -> None:
    context = browser.new_context(reduced_motion="reduce")
    tab = context.new_page()
    visit(tab, site, page)
    if page != "404.html":
        for _ in range(25):
            tab.keyboard.press("Tab")
            outline = tab.evaluate(
                "() => { const e = document.activeElement, style = getComputedStyle(e);"
                " return e === document.body ? 'solid' : style.outlineStyle; }"
            )
            assert outline != "none", tab.evaluate("document.activeElement.outerHTML")
    assert tab.evaluate("document.getAnimations().length") == 0
    context.close()


# What the theme's scripts did, book/static/course.js does.


def test_colours_are_switched_and_kept(address: str, context: BrowserContext) -> None:
    tab = context.new_page()
    tab.emulate_media(color_scheme="light")
    tab.goto(f"{address}/{CHAPTERS[0]}", timeout=PATIENCE)
    themes = []
    for _ in range(3):
        themes.append(tab.evaluate("document.documentElement.dataset.theme"))
        tab.locator(".theme-switch-button").first.click()
    assert themes == ["light", "dark", "light"]
    tab.locator(".theme-switch-button").first.click()
    tab.goto(f"{address}/index.html", timeout=PATIENCE)
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"


# What students ask, and the section that answers.
QUESTIONS = {
    "kaiming": "03_mathematical_strategies.html#he-s-factor-2-",
    "xavier": "04_derivations.html#the-compromise-",
    "dead relu": "03_mathematical_strategies.html#biases-",
    "why not zero": "02_techniques_survey.html#recipe-1-zero",
    "pytorch default": "01_gaussian_problem.html#what-the-frameworks-draw",
    "gain tanh": "04_derivations.html#tanh-beyond-its-linear-part",
    "he vs lecun": "cheat_sheet.html#cheat-sheet-of-initializers",
    "5/3": "04_derivations.html#tanh-beyond-its-linear-part",
    "G8": "01_gaussian_problem.html#claim-g8",
    "gelu": "notation.html#term-GELU",
    "symmetry": "02_techniques_survey.html#any-other-constant",
    "orthogonal": "05_sigmoid_ranges.html#orthogonal-is-not-yet-uniformly-random",
    "MSRA": "03_mathematical_strategies.html#he-s-factor-2-",
    "dying ReLU": "03_mathematical_strategies.html#biases-",
    "lsuv": "notation.html#term-LSUV",
    "χ₁": "01_gaussian_problem.html#the-domino",
    "R12": "05_sigmoid_ranges.html#claim-r12",
    "he_normal": "cheat_sheet.html#cheat-sheet-of-initializers",
}


def results_of(tab: Page, question: str) -> list[str]:
    """Ask on the open search page."""
    tab.locator("article input[type=search]").fill(question)
    tab.keyboard.press("Enter")
    links = tab.locator("#search-results > li > a")
    return links.evaluate_all("links => links.map((link) => link.getAttribute('href'))")


def test_search_leads_to_the_section_that_answers(site: Path, tab: Page) -> None:
    visit(tab, site, "search.html")
    for question, section in QUESTIONS.items():
        first = results_of(tab, question)[0]
        assert first.startswith(f"book/{section}"), f"{question}: {first}"
        assert f"“{question}”" in tab.locator("#search-summary").inner_text()


def test_search_finds_every_claim(site: Path, tab: Page) -> None:
    visit(tab, site, "search.html")
    for row in claims.claims().values():
        card, in_ledger = results_of(tab, row.id)[:2]
        assert card == f"book/{row.chapter}.html#claim-{row.id.lower()}"
        assert in_ledger == f"book/ledger.html#row-{row.id.lower()}"


def test_search_shows_the_words_around_the_hit(site: Path, tab: Page) -> None:
    visit(tab, site, "search.html")
    results_of(tab, "dominoes")
    assert "dominoes" in tab.locator("#search-results mark").first.inner_text().lower()
    assert results_of(tab, "zzzz") == []
    assert "Nothing was found" in tab.locator("#search-summary").inner_text()


def test_search_opens_by_keyboard(address: str, tab: Page) -> None:
    tab.goto(f"{address}/{CHAPTERS[0]}", timeout=PATIENCE)
    tab.keyboard.press("Control+k")
    tab.keyboard.type("glorot")
    icon = tab.locator("dialog form.bd-search i, dialog form.bd-search svg").first.bounding_box()
    field = tab.locator("dialog form.bd-search input")
    padding = float(field.evaluate("f => parseFloat(getComputedStyle(f).paddingLeft)"))
    assert icon["x"] + icon["width"] <= field.bounding_box()["x"] + padding, "it hides a letter"
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/search.html?q=glorot", timeout=PATIENCE)
    link = tab.locator("#search-results li a").first
    link.wait_for(timeout=PATIENCE)
    target = link.get_attribute("href")
    link.click()
    tab.wait_for_url(f"**/{target}", timeout=PATIENCE)


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_the_ledger_is_chosen_and_ordered(site: Path, tab: Page, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 900})
    visit(tab, site, "book/ledger.html")
    shown = tab.locator("table.ledger tbody tr:visible")
    assert shown.count() == len(claims.claims())
    for verdict in tab.locator("table.ledger .verdict").all():
        box = verdict.bounding_box()
        assert box["x"] + box["width"] <= width
    tools = tab.locator(".ledger-tools")
    tools.locator("[name=verdict]").select_option("false")
    assert set(shown.locator(".verdict").all_inner_texts()) == {"false"}
    assert "More exactly" in shown.first.inner_text()
    tools.locator("[name=words]").fill("keras pytorch")
    assert shown.evaluate_all("rows => rows.map((row) => row.id)") == ["row-g1"]
    assert tools.locator("output").inner_text() == "1 of 52 claims"
    tools.locator("[name=words]").fill("")
    tools.locator("[name=verdict]").select_option("")
    tools.locator("[name=order]").select_option("verdict")
    verdicts = shown.locator(".verdict").all_inner_texts()
    assert verdicts == sorted(verdicts, key=["false", "imprecise", "holds", "setting"].index)


READING = """() => {
    const pieces = [...document.querySelectorAll("article section > :not(section)")];
    const index = pieces.findIndex((piece) => piece.getBoundingClientRect().bottom > 100);
    return [index, pieces[index].getBoundingClientRect().top];
}"""


@pytest.mark.parametrize("page", [*CHAPTERS, "book/api.html"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_a_reader_keeps_the_place_on_reload(site: Path, tab: Page, page: str, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 900})
    visit(tab, site, page)
    tab.evaluate("scrollTo({ top: document.body.scrollHeight * 0.6, behavior: 'instant' })")
    tab.wait_for_timeout(500)
    index, top = tab.evaluate(READING)
    tab.reload(timeout=PATIENCE)
    tab.wait_for_timeout(800)
    now, there = tab.evaluate(READING)
    assert (now, there) == (index, pytest.approx(top, abs=20))


@pytest.mark.parametrize("page", [*CHAPTERS, "book/ledger.html"])
def test_paper_is_light(site: Path, tab: Page, page: str) -> None:
    tab.emulate_media(color_scheme="dark")
    visit(tab, site, page)
    ink = "getComputedStyle(document.querySelector('article p')).color"
    ground = "getComputedStyle(document.body).backgroundColor"
    on_screen = tab.evaluate(f"[{ink}, {ground}]")
    tab.emulate_media(media="print", color_scheme="dark")
    tab.wait_for_function("document.documentElement.dataset.theme === 'light'", timeout=PATIENCE)
    printed = tab.evaluate(f"[{ink}, {ground}]")
    assert brightness(printed[0]) < 90
    assert brightness(on_screen[0]) > 160, "the screen was not dark"
    tab.emulate_media(media="screen", color_scheme="dark")
    tab.wait_for_function("document.documentElement.dataset.theme === 'dark'", timeout=PATIENCE)
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert tab.evaluate("document.documentElement.dataset.theme") == "light"


def brightness(color: str) -> float:
    return sum(map(float, re.findall(r"[0-9.]+", color)[:3])) / 3


def test_a_long_setup_is_folded_and_an_experiment_is_not(site: Path) -> None:
    for page in CHAPTERS:
        html = (site / page).read_text(encoding="utf-8")
        assert "fmt: skip" not in html
        for folded in re.findall(r'<details class="setup">.*?</details>', html, re.DOTALL):
            assert '<div class="cell_output' not in folded


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_leads_to_what_readers_look_up(site: Path, page: str) -> None:
    targets = links_of((site / page).resolve()).targets
    assert {"ledger.html", "notation.html", "cheat_sheet.html"} <= set(targets)
    cards = [id for id in links_of((site / page).resolve()).anchors if id.startswith("claim-")]
    assert cards
    for card in cards:
        assert f"#{card}" in targets
        assert f"ledger.html#{card.replace('claim', 'row')}" in targets


@pytest.mark.parametrize("lost", ["nowhere.html", "book/nowhere.html", "book/homework/a/b.html"])
def test_a_lost_reader_finds_the_start(site: Path, tab: Page, lost: str) -> None:
    page = (site / "404.html").read_text(encoding="utf-8")
    tab.route("**/*", lambda route: route.fulfill(body=page, content_type="text/html"))
    tab.goto(f"http://host.invalid/course/{lost}", timeout=PATIENCE)
    links = tab.locator("main a").evaluate_all("all => all.map((link) => link.href)")
    assert links == [f"http://host.invalid/course/{name}.html" for name in ("index", "search")]


def test_side_bars_open_on_a_phone(site: Path, tab: Page) -> None:
    tab.set_viewport_size({"width": WIDTHS["phone"], "height": 900})
    visit(tab, site, CHAPTERS[0])
    for toggle, link in (".primary-toggle", ".bd-docs-nav a"), (".secondary-toggle", ".page-toc a"):
        assert not tab.locator(link).last.is_visible()
        tab.locator(toggle).click()
        assert tab.locator(link).last.is_visible()
        tab.keyboard.press("Escape")
        tab.locator(link).last.wait_for(state="hidden", timeout=PATIENCE)
    tab.locator(".secondary-toggle").click()
    tab.locator(".page-toc a").last.click()
    assert "#" in tab.url
    tab.locator(".page-toc a").last.wait_for(state="hidden", timeout=PATIENCE)


def test_contents_show_where_the_reader_is(site: Path, tab: Page) -> None:
    visit(tab, site, CHAPTERS[0])
    link = tab.locator("#pst-page-toc-nav a").last
    link.click()
    tab.locator("#pst-page-toc-nav a.active").wait_for(timeout=PATIENCE)
    assert tab.locator("#pst-page-toc-nav a[aria-current]").count() == 1


@pytest.mark.parametrize("page", CHAPTERS)
def test_a_chapter_offers_what_readers_expect(site: Path, tab: Page, page: str) -> None:
    visit(tab, site, page)
    assert tab.locator(".article-header-buttons a[download][href$='.ipynb']").count() == 1
    assert tab.locator("a.left-prev").count() == 1
    assert tab.locator("a.right-next").count() == 1
    assert tab.locator("#pst-page-toc-nav a").count() > 3
    tab.locator("button.copybtn").first.wait_for(state="attached", timeout=PATIENCE)
    assert tab.get_by_text("make lab").count() >= 1  # run it yourself
    tab.emulate_media(media="print")
    for left_out in (".bd-header-article", ".bd-sidebar-primary", ".prev-next-footer"):
        assert not tab.locator(left_out).is_visible(), f"{left_out} is printed"


def test_each_chapter_has_an_explorer(site: Path) -> None:
    for page in CHAPTERS:
        assert '<figure class="explorer"' in (site / page).read_text(encoding="utf-8"), page


def wait_for_picture(tab: Page, explorer: str) -> str:
    """Return the address of the explorer's picture once it is loaded and decoded."""
    tab.locator(f"#{explorer} img").scroll_into_view_if_needed(timeout=PATIENCE)
    tab.wait_for_function(
        "id => { const i = document.querySelector(`#${id} img`);"
        " return i.complete && i.naturalWidth > 0; }",
        arg=explorer,
        timeout=PATIENCE,
    )
    source: str = tab.evaluate("id => document.querySelector(`#${id} img`).src", explorer)
    return source


def state(tab: Page, explorer: str) -> tuple[str, str, list[str]]:
    """Return the picture, its sentence, and the settings."""
    sentence = tab.locator(f"#{explorer} output").text_content()
    assert sentence is not None
    assert tab.locator(f"#{explorer} img").get_attribute("alt", timeout=1000)
    values = tab.locator(f"#{explorer} :is(input, select)").evaluate_all(
        "controls => controls.map((control) => control.value)"
    )
    return wait_for_picture(tab, explorer), sentence, values


def key_that_moves(control: Locator) -> str:
    """Return an arrow key that leads to another value: not beyond the last one."""
    slider, at_end = control.evaluate(
        "c => c.localName === 'input' ? [true, c.value === c.max]"
        " : [false, c.selectedIndex === c.length - 1]"
    )
    forward, back = ("ArrowRight", "ArrowLeft") if slider else ("ArrowDown", "ArrowUp")
    return back if at_end else forward


@pytest.fixture(params=CHAPTERS)
def explorers(request: pytest.FixtureRequest, site: Path, tab: Page) -> tuple[Page, list[str]]:
    visit(tab, site, request.param)
    names = tab.locator("figure.explorer").evaluate_all("all => all.map((figure) => figure.id)")
    return tab, names


def test_explorers_move_by_keyboard(explorers: tuple[Page, list[str]]) -> None:
    tab, names = explorers
    for name in names:
        for control in tab.locator(f"#{name} :is(input, select)").all():
            before = state(tab, name)
            key = key_that_moves(control)
            control.focus()
            tab.keyboard.press(key)
            after = state(tab, name)
            assert after[2] != before[2], "the control did not move"
            assert after[0] != before[0], "the picture is the same"
            assert after[1] != before[1], "the sentence is the same"
            assert after[1] in tab.locator(f"#{name} img").get_attribute("alt")


def test_explorers_move_by_mouse(explorers: tuple[Page, list[str]]) -> None:
    tab, names = explorers
    for name in names:
        for control in tab.locator(f"#{name} input").all():
            box = control.bounding_box()
            assert box is not None
            pictures = set()
            for edge, place in ((2, "min"), (box["width"] - 2, "max")):
                control.click(position={"x": edge, "y": box["height"] / 2})
                assert control.input_value() == control.get_attribute(place)
                shown = control.locator("xpath=../span").inner_text()
                assert shown == control.get_attribute("aria-valuetext")
                pictures.add(wait_for_picture(tab, name))
            assert len(pictures) == 2, "the picture is the same at both ends"


def test_an_explorers_setting_is_in_the_address(explorers: tuple[Page, list[str]]) -> None:
    tab, names = explorers
    assert "#" not in tab.url
    for name in names:
        tab.locator(f"#{name} input").first.focus()
        tab.keyboard.press("End")
        tab.keyboard.press("Home")
        moved = state(tab, name)
        assert f"#{name}:" in tab.url
        link = tab.url
        tab.goto("about:blank")
        tab.goto(link, timeout=PATIENCE)
        assert state(tab, name) == moved
        assert tab.locator(f"#{name}").evaluate("f => f.getBoundingClientRect().top") < 900


def test_anchors_of_headings_still_work(explorers: tuple[Page, list[str]]) -> None:
    tab, names = explorers
    before = [state(tab, name) for name in names]
    section = tab.locator("article section:has(> h2)").last.get_attribute("id")
    tab.goto(f"{tab.url}#{section}", timeout=PATIENCE)
    assert tab.url.endswith(f"#{section}")
    assert tab.locator(f"[id='{section}']").evaluate("s => s.getBoundingClientRect().top") < 900
    assert [state(tab, name) for name in names] == before


@pytest.mark.parametrize("page", EVERY_PAGE)
def test_pages_read_without_scripts(site: Path, browser: Browser, page: str) -> None:
    phone = {"width": WIDTHS["phone"], "height": 900}
    context = browser.new_context(java_script_enabled=False, viewport=phone)
    tab = context.new_page()
    visit(tab, site, page)
    assert tab.locator("h1").last.is_visible()
    if page != "404.html":
        assert tab.locator(".bd-docs-nav a").last.is_visible()
        assert tab.locator("a.to-contents").is_visible()
        assert tab.locator(".sidebar-toggle:visible").count() == 0
    for title in tab.locator("article .admonition-title").all()[:3]:
        ground = title.evaluate("t => getComputedStyle(t, '::before').backgroundColor")
        assert (
            ground != "rgba(0, 0, 0, 0)"
            or title.evaluate("t => getComputedStyle(t).backgroundColor") != "rgba(0, 0, 0, 0)"
        )
    for formula in tab.locator("article p .katex-html").all()[:3]:
        assert formula.is_visible()
    for explorer in tab.locator("figure.explorer").all():
        assert explorer.locator("img").is_visible()
        assert explorer.locator("output").text_content()
        assert not explorer.locator(".explorer-controls").is_visible()
    context.close()


def test_a_time_axis_is_played_and_paused(site: Path, tab: Page) -> None:
    """Press Play: the slider runs.  Press it again, or move something: the slider stays."""
    page = next(
        page for page in CHAPTERS if 'aria-label="Play ' in (site / page).read_text("utf-8")
    )
    visit(tab, site, page)
    button = tab.locator("figure.explorer button").first
    slider = button.locator("xpath=../input")
    figure = button.locator("xpath=ancestor::figure")
    start = slider.input_value()
    button.click()
    assert button.inner_text() == "Pause"
    tab.wait_for_function(
        "([slider, start]) => slider.value !== start",
        arg=[slider.element_handle(), start],
        timeout=PATIENCE,
    )
    button.click()
    assert button.get_attribute("aria-label").startswith("Play ")
    paused = slider.input_value()
    tab.wait_for_timeout(1500)
    assert slider.input_value() == paused
    assert (
        slider.get_attribute("aria-valuetext").split()[0] in figure.locator("output").inner_text()
    )
