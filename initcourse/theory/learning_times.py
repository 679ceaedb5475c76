"""How long gradient descent takes."""

from math import exp

from initcourse import _checks


def sigmoid_learning_steps(start: float, end: float, rate: float) -> float:
    r"""Steps of gradient descent that bring one sigmoid neuron from z = start down to z = end.

    The neuron has one input of 1, a weight and a bias, the target 0 and the loss
    :math:`\tfrac12\sigma(z)^2`.  Both parameters move, so z obeys
    :math:`dz/dt = -2\eta\,\sigma(z)\,\sigma'(z)`, which integrates to

    .. math::

        \begin{aligned}
        t &= \frac{F(z_0) - F(z_1)}{2\eta}, \\
        F(z) &= e^{z} + 3z - 3e^{-z} - \tfrac12 e^{-2z}.
        \end{aligned}

    Parameters
    ----------
    start, end : float
        z before and after, ``end <= start``.
    rate : float
        The learning rate η, above 0; the law is that of small steps.

    Returns
    -------
    float
        A number of steps.

    Raises
    ------
    ValueError, TypeError
        If `end` lies above `start`, `rate` is not above 0, or a parameter is not finite.

    Examples
    --------
    >>> round(sigmoid_learning_steps(2.0, 0.0, rate=0.1))
    77
    """
    start, end = _checks.real("start", start), _checks.real("end", end)
    rate = _checks.positive("rate", rate)
    if end > start:
        raise ValueError(f"end must be <= start, as the target is 0; got {start} to {end}")

    def antiderivative(z: float) -> float:
        return exp(z) + 3 * z - 3 * exp(-z) - exp(-2 * z) / 2

    return (antiderivative(start) - antiderivative(end)) / (2 * rate)
