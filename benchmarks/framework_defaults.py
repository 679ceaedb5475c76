"""Measure what the frameworks draw by default, and write it down with their versions.

Run by hand where they are installed (``pip install torch jax flax keras dm-haiku``)::

    python benchmarks/framework_defaults.py

The result, ``initcourse/pages/data/framework_defaults.json``, is what chapter 1 shows; the course
itself runs without any framework.
"""

import json
import os
from importlib.metadata import version
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "jax")
SIZE = 1000
TARGET = Path(__file__).parents[1] / "initcourse" / "pages" / "data" / "framework_defaults.json"


def row(framework, package, layer, rule, weight, bias):
    """Return one line of the table: the std of the weights and of the bias, as drawn."""
    return {
        "framework": framework,
        "version": version(package),
        "layer": layer,
        "rule": rule,
        "weight_std": float(f"{np.std(np.asarray(weight)):.4g}"),
        "bias_std": "none" if bias is None else float(f"{np.std(np.asarray(bias)):.4g}"),
    }


def keras_rows():
    """Build a Keras Dense layer and an Embedding."""
    import keras

    keras.utils.set_random_seed(0)
    dense, embedding = keras.layers.Dense(SIZE), keras.layers.Embedding(SIZE, SIZE)
    dense.build((None, SIZE))
    embedding.build((None,))
    yield row("Keras", "keras", "Dense", "glorot_uniform, bias 0", dense.kernel, dense.bias)
    yield row("Keras", "keras", "Embedding", "U(-0.05, 0.05)", embedding.embeddings, None)


def torch_rows():
    """Build PyTorch's Linear and Embedding."""
    import torch

    torch.manual_seed(0)
    linear, embedding = torch.nn.Linear(SIZE, SIZE), torch.nn.Embedding(SIZE, SIZE)
    rule = "U(±1/√fan_in), bias alike"
    yield row("PyTorch", "torch", "Linear", rule, linear.weight.detach(), linear.bias.detach())
    yield row("PyTorch", "torch", "Embedding", "N(0, 1)", embedding.weight.detach(), None)


def flax_rows():
    """Initialize Flax's Dense and Embed."""
    import jax
    from flax import linen

    key, x = jax.random.key(0), np.zeros((1, SIZE), np.float32)
    dense = linen.Dense(SIZE).init(key, x)["params"]
    embedding = linen.Embed(SIZE, SIZE).init(key, np.zeros((1,), int))["params"]
    rule = "lecun_normal (truncated), bias 0"
    yield row("Flax", "flax", "Dense", rule, dense["kernel"], dense["bias"])
    yield row("Flax", "flax", "Embedding", "variance scaling", embedding["embedding"], None)


def haiku_rows():
    """Initialize Haiku's Linear."""
    import haiku
    import jax

    net = haiku.transform(lambda x: haiku.Linear(SIZE)(x))
    params = net.init(jax.random.key(0), np.zeros((1, SIZE), np.float32))["linear"]
    rule = "truncated normal, 1/√fan_in before the cut, bias 0"
    yield row("Haiku", "dm-haiku", "Linear", rule, params["w"], params["b"])


if __name__ == "__main__":
    rows = [*keras_rows(), *torch_rows(), *flax_rows(), *haiku_rows()]
    TARGET.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(rows)} rows written to {TARGET.name}")
