"""Code on the site is light, and looks as the theme's styles want it."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from pygments.styles import get_style_by_name
from pygments.token import Text

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "book" / "extensions"))
from light_pages import PLAIN, LightCode

CODE = "import numpy as np\n\n\ndef f(x):\n    return np.sqrt(x) < 2  # small\n"


@pytest.mark.parametrize("name", ["a11y-high-contrast-light", "a11y-high-contrast-dark"])
@pytest.mark.parametrize("kind", sorted(PLAIN), ids=str)
def test_what_is_no_element_has_the_style_of_text(name: str, kind: Any) -> None:
    style = get_style_by_name(name)
    assert style.style_for_token(kind) == style.style_for_token(Text)


def test_the_text_is_the_same_and_the_elements_are_fewer() -> None:
    light, usual = (highlight(CODE, PythonLexer(), kind()) for kind in (LightCode, HtmlFormatter))
    assert re.sub("<[^>]*>", "", light) == re.sub("<[^>]*>", "", usual)
    assert not re.findall('class="(?:n|nn|p|w)"', light)
    assert re.findall('class="(?:k|kn|nf|o|mi|c1)"', light) == re.findall(
        'class="(?:k|kn|nf|o|mi|c1)"', usual
    )
