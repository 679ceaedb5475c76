"""A small trainer: losses, optimizers, the loop that measures on the way, and an RBM."""

from initcourse.training.losses import (
    Loss,
    sigmoid_cross_entropy,
    sigmoid_squared_error,
    softmax_cross_entropy,
    squared_error,
)
from initcourse.training.optimizers import SGD, Adam, Optimizer
from initcourse.training.rbm import (
    RBM,
    RBMHistory,
    make_rbm,
    rbm_log_likelihood,
    reconstruction_error,
    train_rbm,
)
from initcourse.training.trainer import (
    History,
    accuracy,
    ends,
    interpolate,
    train,
    train_classifier,
    train_neurons,
)

__all__ = [
    "RBM",
    "SGD",
    "Adam",
    "History",
    "Loss",
    "Optimizer",
    "RBMHistory",
    "accuracy",
    "ends",
    "interpolate",
    "make_rbm",
    "rbm_log_likelihood",
    "reconstruction_error",
    "sigmoid_cross_entropy",
    "sigmoid_squared_error",
    "softmax_cross_entropy",
    "squared_error",
    "train",
    "train_classifier",
    "train_neurons",
    "train_rbm",
]
