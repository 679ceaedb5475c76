# Everything runs in its own environment, .venv, which the first command makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
SITE := _build/html
PUBLISHED := _build/site
PORT ?= 8000

# Options for jupyter lab, such as --allow-root or --no-browser.
OPTIONS ?=

export OPENBLAS_NUM_THREADS ?= 1
export OMP_NUM_THREADS ?= 1
# A user's settings change no result: book/extensions/own_settings.py does the same for kernels.
unexport MPLBACKEND MATPLOTLIBRC PYTHONPATH PYTHONHOME PYTHONINSPECT PYTHONOPTIMIZE PYTHONSTARTUP
unexport PYTHONWARNINGS SPHINXOPTS NO_COLOR FORCE_COLOR PY_COLORS COLUMNS

.DEFAULT_GOAL := help
.PHONY: help book serve site lighthouse pdf check test portable robust lab refresh lock clean

help:
	@echo 'make book      build the site in $(SITE), with executed notebooks'
	@echo 'make serve     build it and serve it at http://localhost:$(PORT)'
	@echo 'make site      leave it in $(PUBLISHED), for any static host'
	@echo 'make lighthouse  measure every page beside the stock theme (needs Chromium, an hour)'
	@echo 'make pdf       print the whole book to a PDF (needs Chromium)'
	@echo 'make check     the quick loop: lint, types, unit tests of the package'
	@echo 'make test      check everything: lint, types, tests, notebooks, site'
	@echo 'make portable  compare the stored outputs under other arithmetics (ten minutes)'
	@echo 'make robust    run the chapters under 20 shifts of all seeds (twenty minutes)'
	@echo 'make lab       open the notebooks in JupyterLab (OPTIONS=… for its options)'
	@echo 'make refresh   run the notebooks and store their outputs'
	@echo 'make lock      compile requirements.txt from pyproject.toml'
	@echo 'make clean     remove what was built, the environment too'
	@echo 'Another Python than python3:  make clean, then make book PYTHON=python3.12'

book: $(READY)
	@echo '== Building the site (some minutes at first; seconds when little has changed)'
	@$(BIN)/jupyter-book build . -W -n --keep-going
	@echo 'Open this file in a browser:  $(CURDIR)/$(SITE)/index.html'
	@echo 'or serve the site with:       make serve'

serve: book
	@$(BIN)/python tools/serve.py $(SITE) $(PORT)

# From an empty folder, so that nothing of an older build is published.
site: $(READY)
	@rm -rf $(SITE)
	@$(MAKE) --no-print-directory book
	@$(BIN)/python tools/publish.py

lighthouse: site
	@$(BIN)/python benchmarks/lighthouse.py

pdf: $(READY)
	@echo '== Building one page and printing it (minutes at first)'
	@$(BIN)/python tools/pdf.py

check: $(READY)
	@echo '== Lint, format, types, unit tests of the package (a minute)'
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python tools/quick.py

test: $(READY)
	@echo '== Lint and format (seconds)'
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo '== Types (half a minute at first)'
	@$(BIN)/mypy
	@echo '== The notebooks under another arithmetic than this machine'"'"'s own (minutes)'
	@$(BIN)/python tools/portable.py oldest
	@echo '== Tests, notebooks, site (minutes)'
	@$(BIN)/pytest

portable: $(READY)
	@$(BIN)/python tools/portable.py

robust: $(READY)
	@$(BIN)/python tools/robust.py

lab: $(READY)
	@$(BIN)/python tools/lab.py $(OPTIONS)

refresh: $(READY)
	@$(BIN)/python tools/refresh.py
	@$(BIN)/python tools/copies.py

lock: $(READY)
	@$(BIN)/python tools/lock.py

clean:
	rm -rf $(VENV) _build node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Made again when other packages are wanted, or when it is stale: half made, moved, without Python.
STALE := $(if $(wildcard $(READY)),$(if $(shell $(BIN)/python tools/set_up.py --is-ready && echo yes),,stale))
$(READY): requirements.txt $(STALE)
	@command -v $(PYTHON) >/dev/null || { \
	  echo '$(PYTHON) was not found. Install Python 3.11 or newer,'; \
	  echo 'or name another one, as in:  make book PYTHON=/path/to/python3.12'; exit 1; }
	@$(PYTHON) tools/set_up.py

.PHONY: stale
stale:
