"""The built site, in a browser: it asks nobody for anything, moves without a kernel, reads well.

All tests that need the site stand in this file, so that it is built once.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
BUILD = ["build", ".", "-W", "-n", "--keep-going"]  # as in `make book`
BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
WIDTHS = {"phone": 390, "laptop": 1280}
PATIENCE = 120_000  # milliseconds: a page that takes long on a busy machine is not wrong


def pages_of_the_book() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [f"{name}.html" for name in [toc["root"], *chapters]]


PAGES = pages_of_the_book()
CHAPTERS = [page for page in PAGES if re.match(r"book/\d", page)]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("site")
    program = Path(sys.executable).with_name("jupyter-book")
    done = subprocess.run(
        [program, *BUILD, "--path-output", output],
        cwd=ROOT,
        env={**os.environ, "INITCOURSE_EXPLORER": "static"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        pytest.fail(f"the site does not build:\n{done.stdout[-6000:]}", pytrace=False)
    return output / "_build" / "html"


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


def test_every_page_is_there(site: Path) -> None:
    assert [page for page in PAGES if not (site / page).is_file()] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_link_is_dead(site: Path, page: str) -> None:
    for target in links_of((site / page).resolve()).targets:
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            continue
        file = (site / page).parent / unquote(parts.path) if parts.path else site / page
        assert file.exists(), f"{page} refers to {target}, which is not there"
        if parts.fragment and file.suffix == ".html" and parts.fragment != "search-documents":
            assert unquote(parts.fragment) in links_of(file.resolve()).anchors, (
                f"{page}: no anchor {target}"
            )


def test_the_wheel_is_offered(site: Path) -> None:
    (wheel,) = site.glob("*.whl")
    assert wheel.name in {Path(target).name for target in links_of(site / "index.html").targets}


@pytest.mark.parametrize("page", PAGES)
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


@pytest.mark.parametrize("page", [*PAGES, "search.html", "genindex.html"])
def test_nobody_else_is_asked_and_nothing_complains(site: Path, tab: Page, page: str) -> None:
    elsewhere: list[str] = []
    complaints: list[str] = []
    tab.on(
        "request",
        lambda request: (
            None
            if urlsplit(request.url).scheme in ("file", "data", "blob")
            else elsewhere.append(request.url)
        ),
    )
    tab.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on(
        "console",
        lambda message: (
            complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    visit(tab, site, page)
    tab.mouse.wheel(0, 20_000)  # what is loaded late is loaded now
    tab.wait_for_timeout(300)
    assert elsewhere == []
    assert complaints == []


@pytest.mark.parametrize("page", PAGES)
def test_formulas_are_rendered(site: Path, tab: Page, page: str) -> None:
    visit(tab, site, page)
    prose = tab.evaluate(
        """() => {
            const article = document.querySelector("article").cloneNode(true);
            article.querySelectorAll("pre, code, script, .katex").forEach((e) => e.remove());
            return article.textContent;
        }"""
    )
    assert not re.search(r"\$[^$]+\$|\\[(\[]|\\[a-z]{3,}|\{[a-z:]+\}`", prose), "raw markup"
    assert tab.locator(".katex-error").count() == 0
    assert tab.locator("script[src*=mathjax i]").count() == 0


# axe visits every element, which takes minutes where thousands of them set formulas and code.  What
# goes is seen elsewhere: a formula's MathML, which readers' software reads, stays; and code has the
# same few colours in every cell, of which the first ones stay.
SLIM = """() => {
    document.querySelectorAll(".katex-html").forEach((e) => e.remove());
    const code = [...document.querySelectorAll("pre")].slice(3);
    code.forEach((e) => { e.textContent = e.textContent; });
}"""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing(site: Path, browser: Browser, page: str, theme: str, width: str) -> None:
    context = browser.new_context(
        viewport={"width": WIDTHS[width], "height": 900},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    tab = context.new_page()
    visit(tab, site, page)
    overflow = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    tab.evaluate(SLIM)
    results = Axe().run(tab)
    report = results.generate_report() if results.violations_count else ""
    context.close()
    assert results.violations_count == 0, report
    assert overflow <= 0, f"the page is {overflow} points wider than the screen"


def test_each_chapter_has_an_explorer(site: Path) -> None:
    for page in CHAPTERS:
        assert '<figure class="explorer"' in (site / page).read_text(encoding="utf-8"), page


def wait_for_picture(tab: Page, explorer: str) -> str:
    """Return the address of the explorer's picture once it is loaded and decoded."""
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
    sentence = tab.locator(f"#{explorer} output").inner_text()
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


@pytest.mark.parametrize("page", CHAPTERS)
def test_without_scripts_the_default_is_shown(site: Path, browser: Browser, page: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    visit(tab, site, page)
    for explorer in tab.locator("figure.explorer").all():
        assert explorer.locator("img").is_visible()
        assert explorer.locator("output").inner_text()
        assert not explorer.locator(".explorer-controls").is_visible()
    context.close()
