"""The whole book as one page, from which the PDF is printed (`make pdf`).

Sphinx takes the HTML translations of a node for its one-page builder too, but only as long as no
extension registers any for that builder.  One of ours does, so the others are added here.
"""

from sphinx.application import Sphinx


def translate_as_html(app: Sphinx) -> None:
    handlers = app.registry.translation_handlers
    handlers["singlehtml"] = {**handlers.get("html", {}), **handlers.get("singlehtml", {})}


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", translate_as_html)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
