"""Homework 3, mathematical strategies: a student's constants, and the checks of the tasks."""

from typing import Any

import numpy as np

from initcourse.homework import expect
from initcourse.homework.expect import real_between, whole_between

TITLE = "Mathematical strategies for weights and biases"


def given(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a student's constants."""
    return {
        "counts": [whole_between(rng, 20, 400) for _ in range(5)],
        "width": whole_between(rng, 200, 400),
        "slope": real_between(rng, 0.1, 0.6, 3),
        "level": real_between(rng, 0.004, 0.03, 6),
        "drop": real_between(rng, 0.1, 0.6, 5),
        "cases": [
            [whole_between(rng, low, low + 2), real_between(rng, 0.01, 0.4, 4)]
            for low in (5, 8, 11)
        ],
        "seed": whole_between(rng, 1, 10**6),
    }


def q1(answer: Any) -> str:
    """Look at what an all-zero net learns."""
    found = expect.keyed(answer, "learned", ["loss", "bias"])
    loss = expect.number(found["loss"], 'learned["loss"]', above=0)
    bias = expect.numbers(found["bias"], 'learned["bias"]', 5)
    expect.that(
        abs(sum(bias)) < 1e-6,
        "the entries of the bias must add up to 0. Each step of gradient descent adds a multiple "
        "of t − p, whose entries add up to 0, and the start is 0.",
    )
    expect.that(
        loss <= np.log(5) + 1e-9,
        'learned["loss"] is larger than that of five equal probabilities. Training cannot make '
        "it worse than the start. Use the natural logarithm.",
    )
    return "a bias whose entries add up to 0, and a loss below the start's."


def q2(answer: Any) -> str:
    """Look at the ε for a leaky ReLU, and at the growth in drawn nets."""
    found = expect.keyed(answer, "the answer", ["epsilon", "drawn"])
    expect.number(found["epsilon"], "epsilon", above=0, below=1)
    growth = [
        expect.numbers(nets, "what drawn_growth returned", 3, above=0)
        for nets in expect.items(found["drawn"], "the list of growths", 3)
    ]
    expect.that(
        max(growth[0]) < min(growth[1]) and max(growth[1]) < min(growth[2]),
        "the wider the interval, the faster E[z²] grows. drawn_growth was called with three ε, "
        "the smallest first. Does it use the ε that it is given?",
    )
    expect.that(
        all(len(set(nets)) == 3 for nets in growth),
        "three nets of one ε gave the same number. Make all random numbers from `seed`.",
    )
    return "an ε, and growths that rise with the interval. The hidden tests compare them."


def q3(answer: Any) -> str:
    """Look at the depth at which tanh has shrunk the signal."""
    found = expect.keyed(answer, "depth", ["by_law", "by_theory"])
    law = expect.number(found["by_law"], 'depth["by_law"]', above=1)
    exact = expect.whole(found["by_theory"], 'depth["by_theory"]', least=1)
    expect.that(
        0.5 < exact / law < 2,
        "the two depths differ by more than a factor 2. The law 1/(2ℓ) is the variance of the "
        "*activations* of layer ℓ, and layer 1 is the first one.",
    )
    return "two depths of about one size: the short law is a good guide."


def q4(answer: Any) -> str:
    """Look at He's rule with dropped units."""
    scale, growth = expect.positive(answer, "dropped", ["scale", "growth"]).values()
    expect.that(
        scale > 2,
        "dropping units takes something away. The weights must make up for it: the scale cannot "
        "be below that of He's rule.",
    )
    expect.that(
        0.8 < growth < 1.25,
        'dropped["growth"] is far from 1: with this scale the second moment of z does not keep its '
        "size. Which share of E[z²] is left after the ReLU, and which after the dropping?",
    )
    return "in your draw the second moment keeps its size."


def q5(answer: Any) -> str:
    """Look at the largest depths."""
    depths = [
        expect.whole(one, f"depth of case {case}", least=1)
        for case, one in enumerate(expect.items(answer, "the list of depths", 3))
    ]
    expect.that(
        max(depths) > 5,
        "these depths are very small: with 11 units a layer or more, all units of a layer are off "
        "with a probability below 1/2000.",
    )
    return "three depths. The hidden tests compare them."


TASKS: expect.Tasks = {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": None}
