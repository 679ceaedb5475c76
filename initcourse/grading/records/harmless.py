"""Make a notebook that nobody has read safe to look at.

nbgrader's grading page shows a graded notebook as it is, in the browser of the instructor, where a
script could do whatever the instructor can.
"""

import re
from typing import Any

__all__ = ["harmless"]

PICTURES = ("image/png", "image/jpeg", "image/gif")

_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
# Where HTML begins, and links that lead neither to the web nor to a picture, such as javascript:.
_HTML = re.compile(r"<(?=[A-Za-z/!?])|\](?=[(:]\s*<?(?!https?://|attachment:|data:image/(?!svg)))")


def harmless(notebook: Any) -> Any:
    r"""Return a notebook, changed in place, of which no viewer makes more than text and pictures.

    Outputs keep their text and their pixel pictures.  In text cells a space of no width breaks up
    what would begin HTML or a link to a script, so that it is shown as it was written.

    Parameters
    ----------
    notebook : NotebookNode
        A notebook in format 4.

    Returns
    -------
    NotebookNode
        The same notebook.

    Examples
    --------
    >>> from nbformat.v4 import new_markdown_cell, new_notebook
    >>> cell = new_markdown_cell("1 < 2 <script>steal()</script>")
    >>> ascii(harmless(new_notebook(cells=[cell])).cells[0].source)
    "'1 < 2 <\\u200bscript>steal()<\\u200b/script>'"
    """
    for cell in notebook.cells:
        if cell.cell_type != "code":
            cell.source = _HTML.sub("\\g<0>\u200b", cell.source)
        if "attachments" in cell:
            cell.attachments = {
                re.sub(r"[^\w. -]", "_", name): _shown(data)
                for name, data in cell.attachments.items()
            }
        for output in cell.get("outputs", []):
            if "data" in output:
                output.data, output.metadata = _shown(output.data), {}
    return notebook


def _shown(data: Any) -> Any:
    """Return what may be shown of the forms in which an output or a picture comes."""
    kept = {form: data[form] for form in PICTURES if _BASE64.fullmatch(str(data.get(form, "-")))}
    if isinstance(data.get("text/plain"), str):
        kept["text/plain"] = data["text/plain"]
    return kept or {"text/plain": "(an output that is not shown here)"}
