"""The face on the static site: native inputs over pictures that were drawn before."""

import html
import json
import re
from collections.abc import Mapping, Sequence

from initcourse.pages.widgets.pictures import STATIC_DPI, Picture, alternative
from initcourse.pages.widgets.values import Choice, Value, position


def static_face(
    title: str, alt: str, choices: Mapping[str, Choice], pictures: Sequence[Picture]
) -> str:
    """Return the HTML that ``book/static/explorer.js`` brings to life.

    Without a script the default picture and its sentence are shown, and no controls.
    """
    key = "explorer-" + re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    place = position(choices)
    controls = "\n".join(
        _native_control(f"{key}-{name}", name, choice) for name, choice in choices.items()
    )
    frames = [{"src": picture.address, "sentence": picture.sentence} for picture in pictures]
    data = json.dumps({"alt": alt, "frames": frames}, ensure_ascii=False).replace("<", r"\u003c")
    shown = pictures[place]
    return (
        f'<figure class="explorer" id="{key}" aria-labelledby="{key}-title">\n'
        f'<p class="explorer-title" id="{key}-title">{html.escape(title)}</p>\n'
        f'<div class="explorer-controls" hidden>\n{controls}\n</div>\n'
        f'<img src="{shown.address}" alt="{html.escape(alternative(alt, shown.sentence))}"'
        f"{_size(shown.png)}>\n"
        f'<figcaption><output aria-live="polite">{html.escape(shown.sentence)}</output>'
        f"</figcaption>\n"
        f'<script type="application/json">{data}</script>\n'
        f"</figure>"
    )


def _native_control(key: str, name: str, choice: Choice) -> str:
    """Return a labelled input: a slider over the places of numbers, a list of words."""
    label = html.escape(choice.label or name)
    texts = [html.escape(choice.text(value)) for value in choice.values]
    codes = [html.escape(_code(value)) for value in choice.values]
    assert choice.default is not None
    place = list(choice.values).index(choice.default)
    if isinstance(choice.values[0], str):
        options = "".join(
            f'<option value="{code}"{" selected" if i == place else ""}>{text}</option>'
            for i, (code, text) in enumerate(zip(codes, texts, strict=True))
        )
        control = f'<select id="{key}" name="{name}">{options}</select>'
    else:
        control = (
            f'<input type="range" id="{key}" name="{name}" min="0" max="{len(texts) - 1}" step="1"'
            f' value="{place}" aria-valuetext="{texts[place]}"'
            f" data-codes='{html.escape(json.dumps([_code(v) for v in choice.values]))}'"
            f" data-texts='{html.escape(json.dumps([choice.text(v) for v in choice.values]))}'>"
            f'<span class="explorer-value" aria-hidden="true">{texts[place]}</span>'
        )
    if choice.play:
        control += f'<button type="button" aria-label="Play {label}">Play</button>'
    return f'<div class="explorer-control"><label for="{key}">{label}</label>{control}</div>'


def _code(value: Value) -> str:
    """Return the value as it stands in the page's address."""
    return value if isinstance(value, str) else f"{value:.6g}"


def _size(png: bytes) -> str:
    """Return the attributes that keep room for a picture drawn at `STATIC_DPI`."""
    width, height = (int.from_bytes(png[at : at + 4], "big") * 96 // STATIC_DPI for at in (16, 20))
    return f' width="{width}" height="{height}"'
