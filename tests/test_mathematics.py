"""Formulas are rendered while the site is built, and bad LaTeX does not pass."""

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def renderer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(ROOT / "book" / "extensions"))
    import mathematics

    page = SimpleNamespace(current_docname="book/page")
    renderer = mathematics.Renderer(SimpleNamespace(srcdir=ROOT, builder=page))
    yield renderer
    renderer.close()


@pytest.fixture
def warnings_of_sphinx() -> Iterator[list[str]]:
    found: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("sphinx")
    logger.addHandler(handler)
    yield found
    logger.removeHandler(handler)


def test_formulas_become_html(renderer: Any, warnings_of_sphinx: list[str]) -> None:
    inline = renderer(r"\sigma'(z) \le \tfrac{1}{4}")
    display = renderer(r"\begin{aligned} a &= b \\ &= c \end{aligned}", {"displayMode": True})
    assert inline.startswith('<span class="katex">')
    assert display.startswith('<span class="katex-display">')
    assert "<math" in inline  # for screen readers
    assert warnings_of_sphinx == []


@pytest.mark.parametrize("latex", [r"\frac{1}", r"\undefined", "a & b", "x^"])
def test_bad_latex_is_reported(renderer: Any, warnings_of_sphinx: list[str], latex: str) -> None:
    renderer(latex)
    (message,) = warnings_of_sphinx
    assert repr(latex) in message
    assert renderer("x") != "", "one bad formula ends the renderer"


def test_the_renderer_ends_with_the_build(renderer: Any) -> None:
    renderer("x")
    process = renderer.process
    renderer.close()
    assert process.poll() == 0
