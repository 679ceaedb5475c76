"""Homework 1, the Gaussian problem: a student's constants, and the checks of the tasks."""

from typing import Any

import numpy as np

from initcourse.homework import expect
from initcourse.homework.expect import real_between, whole_between

TITLE = "The Gaussian problem"


def given(rng: np.random.Generator) -> dict[str, Any]:
    """Draw a student's constants."""
    inputs = whole_between(rng, 700, 1500)
    return {
        "inputs": inputs,
        "ones": whole_between(rng, inputs // 4, 3 * inputs // 4),
        "bias_std": real_between(rng, 0.5, 3.0, 2),
        "thresholds": [0.0, *(real_between(rng, low, low + 3, 2) for low in (1, 5, 9))],
        "start": real_between(rng, 6.0, 8.0, 2),
        "rate": real_between(rng, 0.2, 1.0, 2),
        "width": whole_between(rng, 150, 400),
        "seed": whole_between(rng, 1, 10**6),
        "share": real_between(rng, 0.01, 0.1, 4),
    }


def q1(answer: Any) -> str:
    """Look at the std of z."""
    std = expect.number(answer, "z_std", above=0)
    expect.that(
        std < 60,
        "z_std is too large: if all inputs were 1, z would not spread so far. "
        "The variances add up; the std is the root of their sum.",
    )
    return "one std, of a size that can be. The hidden tests compare its value."


def q2(answer: Any) -> str:
    """Look at the probabilities of |z| > t."""
    shares = expect.numbers(answer, "the list of probabilities", 4, least=0, most=1)
    expect.that(
        abs(shares[0] - 1) < 1e-9,
        "share_beyond(0, std) should be 1: |z| > 0 holds for every neuron. "
        "Count both tails, z > t and z < −t.",
    )
    expect.that(
        sorted(shares, reverse=True) == shares,
        "the probability of |z| > t must fall when t grows. Look at a sign in share_beyond.",
    )
    return "four probabilities, and they fall with the threshold, as they must."


def q3(answer: Any) -> str:
    """Look at the two counts of steps."""
    first, second = expect.items(answer, "steps", 2)
    first = expect.whole(first, "steps[0]", least=1)
    second = expect.whole(second, "steps[1]", least=1)
    expect.that(
        first > second,
        "a saturated neuron is slow at the *beginning*: the first count should be the larger one. "
        "Is steps[1] the number of steps of the second part alone?",
    )
    return "two counts, and the first part of the way is the slow one."


def q4(answer: Any) -> str:
    """Look at the growth of the gradients."""
    keys = ["predicted", "measured", "median_over_rms"]
    predicted, measured, median = expect.positive(answer, "growth", keys).values()
    expect.number(predicted, 'growth["predicted"]', below=10)
    expect.that(
        0.8 < measured / predicted < 1.25,
        "measured and predicted differ by more than chance allows. Both are growth *a layer*, of "
        "the RMS (not of the mean square), from the last layer towards the first. With 8 layers "
        "there are 7 steps between the first and the last.",
    )
    expect.that(
        median < 1,
        'growth["median_over_rms"] should be below 1: an RMS is ruled by the largest gradients. '
        "Did you divide the RMS by the median?",
    )
    return "what you measured and what you predicted are close to each other."


def q5(answer: Any) -> str:
    """Look at the chosen std of the weights, and at the drawn shares."""
    found = expect.keyed(answer, "the answer", ["weight_std", "drawn"])
    std = expect.number(found["weight_std"], "weight_std", above=0)
    expect.that(
        std < 1,
        "weight_std is at least 1, the std that task 1 began with. With hundreds of inputs "
        "at 1 the weights must be much smaller.",
    )
    shares = [
        expect.numbers(pair, "what drawn_share returned", 4, least=0, most=1)
        for pair in expect.items(found["drawn"], "the list of drawn shares", 3)
    ]
    expect.that(
        min(shares[0]) > 0 and max(shares[0]) < min(shares[1]) and max(shares[1]) < min(shares[2]),
        "the wider the weights, the more neurons are saturated, and some always are. drawn_share "
        "was called with the stds 0.1, 0.2 and 0.4. Does it use the std that it is given?",
    )
    return "a std below 1, and shares that rise with the std of the weights, as they must."


TASKS: expect.Tasks = {"q1": q1, "q2": q2, "q3": q3, "q4": q4, "q5": q5, "q6": None}
