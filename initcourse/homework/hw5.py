"""Homework 5, sigmoid derivative ranges: a student's constants, and the checks of the tasks."""

from typing import Any

import numpy as np

from initcourse.homework import expect
from initcourse.homework.expect import real_between, whole_between

TITLE = "Sigmoid derivative ranges"


def given(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a student's constants."""
    return {
        "shares": [real_between(rng, low, 2 * low, 4) for low in (0.02, 0.1, 0.3)],
        "pixels": whole_between(rng, 300, 1200),
        "pixel_mean": real_between(rng, 0.15, 0.5, 3),
        "pixel_std": real_between(rng, 0.2, 0.4, 3),
        "others": whole_between(rng, 20, 200),
        "outside": real_between(rng, 0.005, 0.05, 4),
        "chances": [real_between(rng, low, 2 * low, 4) for low in (0.005, 0.02, 0.08)],
        "threshold": real_between(rng, 2.0, 5.0, 2),
        "factor": real_between(rng, 2.0, 7.0, 2),
        "seed": whole_between(rng, 1, 10**6),
    }


def q1(answer: Any) -> str:
    """Look at the borders of the steep part."""
    borders = expect.numbers(answer, "the list of borders", 3, above=0, below=20)
    expect.that(
        borders[0] > borders[1] > borders[2],
        "the smaller the share of the slope that you ask for, the further out is the border.",
    )
    return "three borders, and they move inward as the share grows."


def q2(answer: Any) -> str:
    """Look at the bound for inputs of two kinds, and at the drawn shares."""
    found = expect.keyed(answer, "the answer", ["bound", "drawn"])
    bound = expect.number(found["bound"], "bound", above=0)
    expect.that(bound < 1, "bound is at least 1. With hundreds of inputs it must be much smaller.")
    narrow, wide = (
        expect.numbers(pair, "what drawn_share returned", 4, least=0, most=1)
        for pair in expect.items(found["drawn"], "the list of drawn shares", 2)
    )
    expect.that(
        min(narrow) > 0 and max(narrow) < min(wide),
        "the wider the interval of the weights, the more often |z| > 4. drawn_share was called "
        "with the bounds 0.4 and 0.6. Does it use the bound that it is given?",
    )
    return "a small bound, and shares that rise with the bound, as they must."


def q3(answer: Any) -> str:
    """Look at the tails of rare inputs."""
    tails = expect.numbers(answer, "the list of probabilities", 4, least=0, most=1)
    expect.that(
        tails[-1] == 0,
        "the last case has an input that is always on, of size 1. Then |z| ≤ 1 for every weight: "
        "the probability of a larger |z| is exactly 0.",
    )
    return "four probabilities, and the impossible case has probability 0."


def q4(answer: Any) -> str:
    """Look at the gradient factors of the two sigmoids."""
    keys = ["sigmoid", "centred", "drawn_sigmoid", "drawn_centred"]
    size = expect.positive(answer, "kept", keys)
    expect.that(
        size["centred"] > size["sigmoid"],
        "without the offset ½ the units sit nearer to z = 0, where the slope is larger: the "
        "centred sigmoid should keep more of the gradient.",
    )
    for name in ("sigmoid", "centred"):
        expect.that(
            0.85 < size[f"drawn_{name}"] / size[name] < 1.18,
            f'kept["drawn_{name}"] is far from your prediction. Both are factors *a layer* of the '
            "RMS gradient: 8 layers have 7 steps between the first and the last.",
        )
    return "prediction and draw agree."


def q5(answer: Any) -> str:
    """Look at the orthogonal matrix."""
    q = expect.matrix(answer, "the matrix", 5, 5)
    expect.that(
        float(np.abs(q.T @ q - np.eye(5)).max()) < 1e-6,
        "the matrix is not orthogonal: Qᵀ Q should be the identity. A sign may change, a length "
        "may not.",
    )
    return "an orthogonal matrix. The hidden tests look at its signs."


TASKS: expect.Tasks = {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": None}
