"""Homework 2, a survey of techniques: a student's constants, and the checks of the tasks."""

from typing import Any

import numpy as np

from initcourse.homework import expect
from initcourse.homework.expect import real_between, whole_between

TITLE = "A survey of techniques"
RECIPES = ["he_normal", "glorot_normal", "lecun_normal", "he_uniform_limit"]


def given(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a student's constants."""
    fan_in = whole_between(rng, 400, 3000)
    return {
        "kernel": [3, 3, whole_between(rng, 8, 120), whole_between(rng, 130, 400)],
        "std": real_between(rng, 0.02, 0.3, 4),
        "bound": real_between(rng, 0.8, 2.2, 3),
        "incoming": [whole_between(rng, 1, 4) for _ in range(16)],
        "outgoing": [whole_between(rng, 1, 4) for _ in range(16)],
        "fan_in": fan_in,
        "fan_out": whole_between(rng, 100, fan_in // 2),
        "hidden": whole_between(rng, 6, 14),
        "limit": real_between(rng, 3.0, 30.0, 2),
        "seed": whole_between(rng, 1, 10**6),
    }


def q1(answer: Any) -> str:
    """Look at what the recipes promise."""
    size = expect.positive(answer, "promised", RECIPES)
    expect.that(
        size["he_uniform_limit"] > size["he_normal"],
        'promised["he_uniform_limit"] is the end of an interval. The end lies further out than the '
        "std of the same rule.",
    )
    expect.that(
        abs(size["he_normal"] / size["lecun_normal"] - 2**0.5) < 1e-3,
        "he_normal and lecun_normal read the same fan, and their *variances* differ by a factor 2. "
        "Compare the two stds, and the fans that you used.",
    )
    return "four numbers that fit to each other. The hidden tests compare their values."


def q2(answer: Any) -> str:
    """Look at the draws of the cut normal."""
    for place, drawn in enumerate(expect.items(answer, "the list of draws", 2)):
        weights = expect.matrix(drawn, f"draw {place}", 400, 300)
        expect.that(
            0 < np.abs(weights).max() < 3 * weights.std(),
            "the largest weight lies more than 3 stds out, or all are equal. Is it a normal, and "
            "is it cut at all?",
        )
    return "two draws of a cut normal. The hidden tests compare their stds and their ends."


def q3(answer: Any) -> str:
    """Look at the groups of tied units."""
    tied = [
        expect.whole(one, f"tied_to[{unit}]")
        for unit, one in enumerate(expect.items(answer, "tied_to", 16))
    ]
    expect.that(
        all(first <= unit for unit, first in enumerate(tied)),
        "tied_to[i] names the *first* unit that is tied with unit i, counted from 0. It cannot "
        "come after i, and a unit that is tied with no earlier one names itself.",
    )
    expect.that(
        all(tied[first] == first for first in tied),
        "if unit 7 is tied with unit 3, and unit 3 with unit 1, then unit 7 is tied with unit 1: "
        "name the first of them all.",
    )
    return "a list of groups. The hidden tests compare them."


def q4(answer: Any) -> str:
    """Look at the factors of a layer that is not square."""
    found = expect.keyed(answer, "the answer", ["factor", "drawn"])
    forward, backward = expect.positive(found["factor"], "factor", ["forward", "backward"]).values()
    expect.that(
        abs(forward + backward - 2) < 1e-6,
        "with Glorot's rule the two factors add up to 2, whatever the fans are: what the layer "
        "wins in one direction it loses in the other. Factors of the *variance* are meant.",
    )
    drawn = [
        expect.numbers(pair, "what drawn returned", 2, above=0)
        for pair in expect.items(found["drawn"], "the list of drawn factors", 3)
    ]
    for way, size, predicted in [
        ("forward", drawn[0][0], forward),
        ("backward", drawn[0][1], backward),
    ]:
        expect.that(
            0.7 < size / predicted < 1.4,
            f"the drawn factor {way} is far from your prediction. Forward is x @ W, backward is "
            "g @ W.T; divide the variance after by the variance before.",
        )
    return "prediction and draw agree."


def q5(answer: Any) -> str:
    """Look at the interval of valid scales."""
    low, high = expect.numbers(answer, "scales", 2, above=0)
    expect.that(low < high, "scales holds the smallest and the largest valid scale, in this order.")
    expect.that(
        low < 2 < high,
        "the scale of He's rule lies outside your interval. It keeps the gradients level, so its "
        "ratio is 1, and it must pass.",
    )
    return "an interval with He's rule inside. The hidden tests compare its ends."


TASKS: expect.Tasks = {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": None}
