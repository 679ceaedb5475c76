"""Draw the picture of the README and of the first page: ``python tools/cover.py``.

Three nets that differ only in the scale of their starting weights, and what their layers do.
"""

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

from initcourse import initializers, propagation
from initcourse.pages import plots

TARGET = Path(__file__).resolve().parents[1] / "book" / "static" / "cover.png"
WIDTH, DEPTH, SAMPLES = 500, 30, 200
STARTS = {
    "std 0.02: the signal dies": 0.02,
    "std 1/√500: it passes": 500**-0.5,
    "std 1: it saturates": 1.0,
}


def densities(std: float, edges: np.ndarray) -> np.ndarray:
    """Return the density of the activations of every layer, one row a layer."""
    rng = np.random.default_rng(0)

    def draw(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return initializers.normal(shape, rng, std=std)

    net = propagation.make_network((WIDTH,) * (DEPTH + 1), rng, init=draw, activation="tanh")
    trace = propagation.forward(net, rng.standard_normal((SAMPLES, WIDTH), dtype=np.float32))
    return np.array([np.histogram(a, edges, density=True)[0] for a in trace.a])


def main() -> None:
    """Draw the three panels side by side."""
    edges = np.linspace(-1, 1, 81)
    figure, panels = plots.subplots(1, 3, figsize=(9, 3), sharey=True)
    for ax, (title, std) in zip(panels, STARTS.items(), strict=True):
        shade = np.log1p(densities(std, edges))
        ax.pcolormesh(np.arange(1, DEPTH + 2) - 0.5, edges, shade.T, cmap="Blues", rasterized=True)
        ax.set(title=title, xlabel="layer")
        ax.grid(False)
    panels[0].set(ylabel="activation, tanh(z)")
    # Opaque, as the page that shows the README may be dark.
    figure.savefig(TARGET, facecolor="white", metadata={"Software": None})
    plt.close(figure)
    print(f"{TARGET.name} drawn")


if __name__ == "__main__":
    main()
