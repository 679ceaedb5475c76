r"""What theory predicts before any weight is drawn.

A layer computes ``z = x @ W + b`` and ``a = φ(z)``, with independent weights of variance
:math:`\sigma_w^2 / n_\text{in}` and biases of variance :math:`\sigma_b^2`, all of mean 0.  When
the layer is wide, every z is close to normal, and a few integrals over the normal distribution say
how signals and gradients grow or shrink.  Nothing here draws a sample.

Symbols: ``q`` is the second moment E[z²] of a layer's pre-activations; ``sigma_w`` and ``sigma_b``
are σ_w and σ_b; ``chi_1`` is χ₁.
"""

# The integrals that predictions are made of.
from initcourse.quadrature import gaussian_density, gaussian_expectation, gaussian_product
from initcourse.theory.correlation import (
    c_star,
    correlation_map,
    correlation_slope,
    critical_sigma_w,
    product_moment,
    variance_slope,
    xi_c,
    xi_q,
)
from initcourse.theory.finite_width import LogGrowth, born_dead_bound, relu_log_growth
from initcourse.theory.learning_times import sigmoid_learning_steps
from initcourse.theory.mean_field import (
    Moments,
    activation_variance,
    chi_1,
    q_star,
    relu_moments,
    rms_gradient_path,
    variance_map,
    variance_path,
)
from initcourse.theory.spectra import quarter_circle_density
from initcourse.theory.weighted_sums import (
    product_variance,
    saturated_share,
    saturation_probability,
    sigmoid_density,
    uniform_bound,
    uniform_limit,
    uniform_weights_density,
    uniform_weights_tail,
    weighted_sum_variance,
)

__all__ = [
    "LogGrowth",
    "Moments",
    "activation_variance",
    "born_dead_bound",
    "c_star",
    "chi_1",
    "correlation_map",
    "correlation_slope",
    "critical_sigma_w",
    "gaussian_density",
    "gaussian_expectation",
    "gaussian_product",
    "product_moment",
    "product_variance",
    "q_star",
    "quarter_circle_density",
    "relu_log_growth",
    "relu_moments",
    "rms_gradient_path",
    "saturated_share",
    "saturation_probability",
    "sigmoid_density",
    "sigmoid_learning_steps",
    "uniform_bound",
    "uniform_limit",
    "uniform_weights_density",
    "uniform_weights_tail",
    "variance_map",
    "variance_path",
    "variance_slope",
    "weighted_sum_variance",
    "xi_c",
    "xi_q",
]
