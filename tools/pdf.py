"""Print the book to a PDF: all of it on one page, set by the browser with the site's print style.

Call it as ``make pdf``.  It needs Chromium or Chrome.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "_build" / "singlehtml" / "index.html"
PDF = ROOT / "_build" / "initcourse.pdf"
BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
FOOT = '<p style="width: 100%; font-size: 8px; text-align: center" class="pageNumber"></p>'


def main() -> None:
    """Build the single page, then print it."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(
            "make pdf needs Chromium or Chrome, and found none.\n"
            "On Debian and Ubuntu: apt-get install chromium"
        )
    program = Path(sys.executable).with_name("jupyter-book")
    options = ["--builder", "singlehtml", "-W", "-n", "--keep-going"]
    subprocess.run([program, "build", ".", *options], cwd=ROOT, check=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(color_scheme="light")
        page.goto(PAGE.as_uri())
        page.pdf(
            path=PDF,
            format="A4",
            scale=0.72,  # a line of code fits the width
            margin={"top": "18mm", "bottom": "18mm", "left": "18mm", "right": "18mm"},
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOT,
            print_background=True,
            outline=True,
            tagged=True,
        )
        chromium.close()
    print(f"The book as a PDF:  {PDF}")


if __name__ == "__main__":
    main()
