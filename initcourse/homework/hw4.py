"""Homework 4, derivations: a student's constants, and the checks of the tasks."""

from typing import Any

import numpy as np

from initcourse.homework import expect
from initcourse.homework.expect import real_between, whole_between

TITLE = "Derivations"


def given(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a student's constants."""
    return {
        "inputs": whole_between(rng, 100, 900),
        "weight_mean": real_between(rng, 0.02, 0.3, 4),
        "weight_std": real_between(rng, 0.05, 0.5, 4),
        "input_mean": real_between(rng, 0.5, 3.0, 3),
        "input_std": real_between(rng, 0.5, 2.0, 3),
        "scale": real_between(rng, 1.2, 2.8, 4),
        "depth": whole_between(rng, 5, 15),
        "wide": whole_between(rng, 300, 600),
        "narrow": whole_between(rng, 40, 150),
        "spread": real_between(rng, 0.25, 0.5, 5),
        "layers": whole_between(rng, 10, 30),
        "seed": whole_between(rng, 1, 10**6),
    }


def q1(answer: Any) -> str:
    """Look at the variance of a weighted sum without centred weights."""
    centred, general = expect.positive(answer, "variance", ["centred", "general"]).values()
    expect.that(
        general > centred,
        "a mean of the weights adds something to the variance of each product. Compare the lemma "
        "on the variance of a product, with and without a mean of the weights.",
    )
    return "two variances, and the general one is the larger."


def q2(answer: Any) -> str:
    """Look at the last layer of a ReLU net."""
    keys = ["second_moment_z", "mean_a", "variance_a"]
    q, mean, variance = expect.positive(answer, "last", keys).values()
    expect.that(
        variance < q / 2,
        "ReLU keeps half of the second moment. Its variance is that *minus the squared mean*.",
    )
    expect.that(
        abs(mean**2 + variance - q / 2) < 1e-6 * q,
        "the mean squared and the variance of a must add up to E[a²], which is half of E[z²].",
    )
    return "the three numbers fit to each other. The hidden tests compare their size."


def q3(answer: Any) -> str:
    """Look at a gradient that went one layer back."""
    expect.matrix(answer, "the gradient", 3, 5)
    return "a matrix with one row a sample and one column a unit *before* the weights."


def q4(answer: Any) -> str:
    """Look at layers that take turns."""
    factor, repair, drawn = expect.positive(answer, "pair", ["glorot", "repair", "drawn"]).values()
    expect.that(
        factor < 1,
        "Glorot's rule *loses* signal where wide and narrow layers take turns: the factor of a "
        "pair is a product of two factors, one above 1 and one below.",
    )
    expect.that(
        repair > 1, "the repair must make the weights larger: a factor below 1 is to be mended."
    )
    expect.that(
        0.75 < drawn < 1.33,
        'pair["drawn"] should be near 1: after the repair a pair keeps its second moment. '
        "How many layers of a pair does the factor c act on?",
    )
    return "after the repair your drawn pair keeps its second moment."


def q5(answer: Any) -> str:
    """Look at the widths that keep the scatter small."""
    found = expect.keyed(answer, "width", ["by_law", "exact"])
    law = expect.number(found["by_law"], 'width["by_law"]', above=1)
    exact = expect.whole(found["exact"], 'width["exact"]', least=2)
    expect.that(
        0.9 < exact / law < 1.2,
        "the two widths differ by more than a few units. The variances of all layers add up, and "
        "`spread` is a *std*.",
    )
    return "the exact width is close to that of the short law."


TASKS: expect.Tasks = {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": None}
