"""What holds for all tests, before any of them imports NumPy."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "book" / "extensions"))

import own_settings

own_settings.apply()  # the notebooks' kernels inherit it

import matplotlib  # noqa: E402

matplotlib.use("agg")  # not by MPLBACKEND: the notebooks' kernels would inherit it

import hypothesis  # noqa: E402

# The same examples at every run, at any speed: a test turns red by a change, not by the day.
# To look for new ones: pytest --hypothesis-profile=default --hypothesis-seed=random
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.load_profile("fixed")
