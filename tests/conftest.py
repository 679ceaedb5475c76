"""What holds for all tests, before any of them imports NumPy."""

import os
import tempfile

# Two workers share the machine: more threads slow small matrix products down tenfold.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
# Kernels of the tests follow no personal settings.
_settings = tempfile.TemporaryDirectory(prefix="initcourse-ipython-")  # gone with the process
os.environ["IPYTHONDIR"] = _settings.name

import matplotlib  # noqa: E402

matplotlib.use("agg")  # not by MPLBACKEND: the notebooks' kernels would inherit it

import hypothesis  # noqa: E402

# The same examples at every run, at any speed: a test turns red by a change, not by the day.
# To look for new ones: pytest --hypothesis-profile=default --hypothesis-seed=random
hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.load_profile("fixed")
