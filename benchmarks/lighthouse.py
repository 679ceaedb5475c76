"""Lighthouse's scores and the weight of every page, beside the same pages on the stock theme.

``make lighthouse`` calls this after ``make site`` and writes ``benchmarks/lighthouse.md``.  It
takes most of an hour and wants a quiet machine.  ``--pages`` and ``--runs`` make it shorter.

Only the score of performance depends on chance, so it alone is measured several times: once in each
round over all pages, so that a busy minute of the machine does not hit all runs of a page.
"""

import argparse
import gzip
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "book" / "extensions"))
from node_packages import fetch, is_installed, node_program  # noqa: E402

VERSION = "12.8.2"
TOOLS = ROOT / "_build" / "lighthouse"
TABLE = Path(__file__).with_suffix(".md")
BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
CATEGORIES = ["performance", "accessibility", "best-practices", "seo"]
TEXT = {".html", ".css", ".js", ".svg", ".xml", ".ipynb"}
# Of the book's own settings, those that say how to read the content, not how to show it.
CONTENT = ["autodoc_", "bibtex_", "napoleon_", "nb_mime_", "nb_render_", "suppress_"]
EXTENSIONS = ["sphinx_exercise", "sphinx_proof", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
SOURCES = ["index.md", "_toc.yml", "book", "initcourse", "pyproject.toml", "README.md", "LICENSE"]

Scores = dict[str, float]


class Gzipped(SimpleHTTPRequestHandler):
    """Serves files as static hosts do: text compressed."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with the file."""
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        if path.suffix in TEXT:
            content = gzip.compress(content, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder, and give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Gzipped, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def build_stock(folder: Path) -> Path:
    """Build the same content, already executed, with Jupyter Book's own settings for HTML."""
    for name in SOURCES:
        source = ROOT / name
        shutil.copytree(source, folder / name) if source.is_dir() else shutil.copy(source, folder)
    executed = ROOT / "_build" / "jupyter_execute"
    for notebook in executed.rglob("*.ipynb"):
        shutil.copy(notebook, folder / notebook.relative_to(executed))
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    settings = config["sphinx"]["config"]
    stock = {key: config[key] for key in ("title", "author", "only_build_toc_files", "parse")}
    stock["execute"] = {"execute_notebooks": "off"}
    stock["sphinx"] = {
        "extra_extensions": EXTENSIONS,
        "local_extensions": {
            "explorer_pictures": "book/extensions",
            "package_wheel": "book/extensions",
        },
        "config": {k: v for k, v in settings.items() if k.startswith(tuple(CONTENT))},
    }
    (folder / "_config.yml").write_text(yaml.safe_dump(stock), encoding="utf-8")
    program = Path(sys.executable).with_name("jupyter-book")
    done = subprocess.run([program, "build", folder], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"the stock site does not build:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return folder / "_build" / "html"


def run_lighthouse(
    address: str, profile: str, categories: list[str] = CATEGORIES
) -> dict[str, Any]:
    """Return Lighthouse's report on one page."""
    program = TOOLS / "node_modules" / "lighthouse" / "cli" / "index.js"
    flags = "--headless=new --no-sandbox --disable-gpu --disable-background-networking"
    command = [node_program("node"), program, address, "--quiet", "--output=json"]
    command += [f"--chrome-flags={flags}", f"--only-categories={','.join(categories)}"]
    if profile == "desktop":
        command.append("--preset=desktop")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"Lighthouse failed on {address}:\n{done.stderr[-3000:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def weight(report: dict[str, Any]) -> float:
    """Return what the first load transferred, pictures apart, in kB."""
    requests = report["audits"]["network-requests"]["details"]["items"]
    return sum(r["transferSize"] for r in requests if r.get("resourceType") != "Image") / 1000


def score(report: dict[str, Any], category: str) -> float:
    """Return one of a report's scores, of 100."""
    return float(100 * report["categories"][category]["score"])


def measure(address: str) -> Scores:
    """Return a page's weight and its scores on both profiles, one run each."""
    result: Scores = {}
    for profile in ("desktop", "mobile"):
        report = run_lighthouse(address, profile)
        result |= {f"{profile} {category}": score(report, category) for category in CATEGORIES}
    result["weight"] = weight(report)
    result["speed"] = report["environment"]["benchmarkIndex"]
    return result


def row(page: str, ours: Scores, stock: Scores | None) -> str:
    """Return a page's line of the table."""

    def scores(result: Scores | None, profile: str) -> str:
        if result is None:
            return ""
        return " ".join(f"{result[f'{profile} {category}']:.0f}" for category in CATEGORIES)

    cells = [page, f"{ours['weight']:.0f}", f"{stock['weight']:.0f}" if stock else ""]
    for profile in ("mobile", "desktop"):
        cells += [scores(ours, profile), scores(stock, profile)]
    return "| " + " | ".join(cells) + " |"


def table(rows: list[str], speed: float, runs: int) -> str:
    """Return the whole table, with the words that it needs."""
    command = [os.environ["CHROME_PATH"], "--version"]
    browser = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return "\n".join([
        "# Lighthouse scores and weights",
        "",
        "Written by `make lighthouse`. Each cell of scores: performance, accessibility, best",
        "practices, search engines. One run a profile; our performance on the mobile one, which",
        f"depends on chance: the median of {runs}. kB: what the first load transfers, gzipped,",
        "fonts counted, pictures not.",
        "",
        "*Stock* is the same content with Jupyter Book's own settings, in the same hour. Its",
        "requests to other hosts weigh what the network answered, maybe nothing.",
        "",
        f"Lighthouse {VERSION}, {browser}, {os.cpu_count()} cores, "
        f"{platform.system()}; Lighthouse's index of the machine's speed: {speed:.0f}.",
        "",
        "| page | kB | stock | mobile | stock | desktop | stock |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
    ])


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", nargs="*", help="addresses below the site; all if left out")
    parser.add_argument("--runs", type=int, default=3, help="runs a page on the mobile profile")
    options = parser.parse_args()

    site = ROOT / "_build" / "site"
    pages = options.pages or sorted(str(path.relative_to(site)) for path in site.rglob("*.html"))
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        sys.exit("no Chromium or Chrome was found; on Debian and Ubuntu: apt-get install chromium")
    os.environ.setdefault("CHROME_PATH", program)
    if not is_installed(TOOLS / "node_modules", "lighthouse", VERSION):
        TOOLS.mkdir(parents=True, exist_ok=True)
        fetch(TOOLS, {"lighthouse": VERSION})

    ours: dict[str, Scores] = {}
    theirs: dict[str, Scores | None] = {}

    def write(runs: int) -> None:
        rows = [row(page, ours[page], theirs[page]) for page in pages]
        speed = statistics.median(scores["speed"] for scores in ours.values())
        TABLE.write_text(table(rows, speed, runs), "utf-8")

    with tempfile.TemporaryDirectory() as folder:
        stock = build_stock(Path(folder))
        with served(site) as ours_at, served(stock) as stock_at:
            for page in pages:
                ours[page] = measure(f"{ours_at}/{page}")
                there = (stock / page).exists()
                theirs[page] = measure(f"{stock_at}/{page}") if there else None
                print(row(page, ours[page], theirs[page]), flush=True)
            write(1)
            seen = {page: [ours[page]["mobile performance"]] for page in pages}
            for runs in range(2, options.runs + 1):
                for page in pages:
                    report = run_lighthouse(f"{ours_at}/{page}", "mobile", ["performance"])
                    seen[page].append(score(report, "performance"))
                    ours[page]["mobile performance"] = statistics.median(seen[page])
                    print(f"{page}: {seen[page]}", flush=True)
                write(runs)


if __name__ == "__main__":
    main()
