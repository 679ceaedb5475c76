"""What the site does to the HTML of the tools below it: wide tables stack, long set-ups fold."""

import re
import sys
from pathlib import Path

import pytest

from initcourse.tables import table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "book" / "extensions"))
from mended_html import CODE, TABLE, fold, is_setup, stack
from section_search import Sections, readable


def stacked(html: str) -> str:
    return TABLE.sub(stack, html)


def test_a_table_that_a_phone_holds_stays() -> None:
    html = table({"width": [50, 100], "chi_1": [0.5, 1.5]})._repr_html_()
    assert stacked(html) == html


def test_each_value_of_a_wide_table_stands_beside_its_name() -> None:
    names = [f"measurement number {i} of many" for i in range(8)]
    html = stacked(table({name: [1.5, i] for i, name in enumerate(names)})._repr_html_())
    assert '<table class="stacks">' in html
    for name in names:
        assert html.count(f'<td data-label="{name}">') == 2
    text = re.sub(r"\s+", "", re.sub("<[^>]+>", "", html))
    assert text == "".join(names).replace(" ", "") + "1.5" * 8 + "01234567"


def test_long_names_break_and_need_no_stack() -> None:
    cells = {"name": ["glorot_uniform_of_a_very_long_kind"], "std": [0.1], "limit": [0.2]}
    assert "stacks" not in stacked(table(cells)._repr_html_())


def test_a_table_with_joined_cells_stays() -> None:
    html = "<table><thead><tr><th colspan='9'>" + "w" * 99 + "</th></tr></thead></table>"
    assert stacked(html) == html


@pytest.mark.parametrize(
    ("code", "prepares"),
    [
        ("import numpy as np\nfrom math import pi", True),
        ("def f(x):\n    return g(x)", True),
        ("WIDTHS = [50, 100]", True),
        ("net = make_network([1, 2], rng)", False),
        ("for width in widths:\n    run(width)", False),
        ("claims.show('G3', share=0.9)", False),
        ("%matplotlib inline", False),
    ],
)
def test_a_setup_prepares_and_runs_nothing(code: str, prepares: bool) -> None:
    assert is_setup(code) == prepares


def cell(code: str, output: str = "") -> str:
    return (
        '<div class="cell docutils container">\n<div class="cell_input docutils container">'
        '<div class="highlight-ipython3 notranslate"><div class="highlight">'
        f"<pre>{code}</pre></div>\n</div>\n</div>\n{output}</div>"
    )


def test_a_long_setup_is_folded_and_an_experiment_is_not() -> None:
    setup = "def <span>f</span>(x):\n" + "    x += 1\n" * 12
    assert "<summary>Set-up, 13 lines: <code>f</code></summary>" in CODE.sub(fold, cell(setup))
    for shown in ("def f(x):\n    return x", setup + "f(1)\n"):
        assert CODE.sub(fold, cell(shown)) == cell(shown)


# What search looks through


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\tfrac{5}{3}", "5/3"),
        (r"\frac53", "5/3"),
        (r"\sqrt2", "√2"),
        (r"\chi_1", "χ₁"),
        (r"\sqrt{\frac{6}{n_\text{in} + n_\text{out}}}", "√(6/(n_in + n_out))"),
        (r"\sigma^2", "σ²"),
    ],
)
def test_a_formula_is_found_as_it_is_written(latex: str, text: str) -> None:
    assert readable(latex) == text


def test_a_page_is_cut_into_what_has_an_address() -> None:
    page = """<section id="one"><h1>One<a class="headerlink" href="#one">#</a></h1>
    <p>First text.</p>
    <div class="cell_input"><pre>code()</pre></div>
    <div class="claim verdict-false" id="claim-g8"><p class="claim-head">G8</p><p>A claim.</p></div>
    <section id="two"><h2><span class="section-number">1. </span>Two</h2>
    <p>Here <span class="katex"><math><mi>x</mi><annotation>\\tfrac53</annotation></math>
    <span class="katex-html">boxes</span></span> stands.</p></section><p>Last text.</p></section>"""
    one, claim, two = Sections(page).entries
    assert (one["id"], one["title"], one["text"]) == ("one", "One", "First text. Last text.")
    assert (claim["id"], claim["title"], claim["keys"]) == ("claim-g8", "Claim G8: false", "G8")
    assert claim["text"] == "A claim."
    assert (two["title"], two["text"]) == ("Two", "Here 5/3 stands.")
