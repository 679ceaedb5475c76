"""What others read of a page: search engines, social networks, hosts.

The site's and the repository's addresses stand in ``_config.yml`` and nowhere else.  While one is
not set, what needs it is absent.
"""

import textwrap
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.locale import _

BINDER = "https://mybinder.org"
COLAB = "https://colab.research.google.com"


def follow_addresses(app: Sphinx, config: Config) -> None:
    """Let buttons follow from the repository's address."""
    if config.html_baseurl:
        config.html_baseurl = config.html_baseurl.rstrip("/") + "/"
    options = config.html_theme_options
    repository = options.get("repository_url", "")
    if repository:
        options.update(use_repository_button=True, use_edit_page_button=True)
    if "github.com" in repository:
        options["launch_buttons"] = {
            "notebook_interface": "jupyterlab",
            "binderhub_url": BINDER,
            "colab_url": COLAB,
        }


def speak_the_language(app: Sphinx) -> None:
    """Name the search field in the book's language: the theme takes its option as it stands."""
    if app.builder.format == "html":
        app.builder.theme_options["search_bar_text"] = _("Search")  # type: ignore[attr-defined]


def description_of(doctree: nodes.document | None, title: str) -> str:
    """Return the first plain paragraph of a page, cut where a search engine would cut it."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree else []:
        text = paragraph.astext()
        if isinstance(paragraph.parent, nodes.section) and not list(paragraph.findall(nodes.math)):
            return textwrap.shorten(text, 160, placeholder=" …")
    return title


def describe(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give the page's template what its head says."""
    name = app.config.html_title
    title = f"{context['title']}: {name}" if "title" in context else name
    if 'name="description"' not in context.get("metatags", ""):  # no author wrote a better one
        context["description"] = description_of(doctree, title)
    context["site_address"] = app.config.html_baseurl


def write_sitemap(app: Sphinx, exception: Exception | None) -> None:
    """List the pages' addresses for search engines."""
    address = app.config.html_baseurl
    if exception is not None or app.builder.format != "html" or not address:
        return
    pages = [address + app.builder.get_target_uri(page) for page in sorted(app.env.found_docs)]
    lines = [f"  <url><loc>{escape(page)}</loc></url>" for page in pages]
    head = '<?xml version="1.0" encoding="utf-8"?>'
    urlset = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    sitemap = "\n".join([head, urlset, *lines, "</urlset>", ""])
    (Path(app.outdir) / "sitemap.xml").write_text(sitemap, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("config-inited", follow_addresses)
    app.connect("builder-inited", speak_the_language)
    app.connect("html-page-context", describe)
    app.connect("build-finished", write_sitemap)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
