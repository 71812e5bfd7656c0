# make run        a market of five dealers, with its tables and figures
# make reproduce  the experiments of both papers, and a report
# make quick      the inner loop: lint, types, and the tests that are neither slow nor train anybody; under a minute
# make test       lint, types, all tests; what trains makers is skipped where make learning has not been
# make coverage   lines and branches that tests reach, with the engine uncompiled
# make matrix     all tests on each supported Python that is installed
# make wheel      sdist and wheel, and whether the wheel works in a new environment of each supported Python
# make learning   installs what trained makers need, torch above all: large
# make cluster    installs Dask, Ray and Optuna, whose tests are skipped until then: large
# make docs       the documentation as a site, docs/_build/html/index.html; a warning or a broken link fails it
# make bench      the speed tables of docs/performance.md; with OLD=REVISION that one beside this one, too

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LEARNING := $(VENV)/.installed-learning
CLUSTER := $(VENV)/.installed-cluster
DOCS := $(VENV)/.installed-docs
PYTEST := $(BIN)/python -m pytest -q -n auto
TORCH := 2.13.0

.PHONY: run learning cluster reproduce docs quick test lint types coverage matrix wheel architecture bench constraints clean

run: $(INSTALLED)
	$(BIN)/dealermarket run dealers --plot

learning: $(LEARNING)

cluster: $(CLUSTER)

reproduce: $(LEARNING)
	$(BIN)/dealermarket reproduce

docs: $(DOCS)
	$(BIN)/python -m sphinx -q -W --keep-going -E -a -b html docs docs/_build/html

quick: lint types
	$(PYTEST) -m "not slow and not training"

test: lint types
	$(PYTEST)

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

# Passes with and without the learning libraries: those are untyped to the checker where they are not installed.
types: $(INSTALLED)
	$(BIN)/mypy

# Compiled functions run as plain Python here, so that their lines and branches are seen.
coverage: $(INSTALLED)
	rm -f .coverage*
	NUMBA_DISABLE_JIT=1 $(BIN)/coverage run -m pytest -q -n auto -m "not slow and not compiled"
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --skip-covered

matrix:
	$(PYTHON) scripts/matrix.py

wheel: $(INSTALLED)
	$(BIN)/python scripts/try_wheel.py $(VERSIONS)

architecture: $(INSTALLED)
	$(BIN)/python scripts/architecture.py

bench: $(LEARNING)
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/learning.py
	$(if $(OLD),$(BIN)/python benchmarks/compare.py $(OLD))

# Versions and hashes for every supported Python; needs uv on the path. What is pinned stays so, except with UPGRADE=--upgrade.
# What only learning, or clusters and searches, need goes to a file of its own, without torch, which is installed by itself: its builds differ
# from machine to machine.
UPGRADE :=
COMPILE := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --group dev
OWN := NR == FNR { if (/^[a-z]/) there[$$1] = 1; next } /^[a-z]/ { skip = ($$1 in there) || /^(torch|triton|nvidia-.*|cuda-.*)==/ } !skip
constraints:
	printf 'torch==$(TORCH)\nmpmath<1.4\n' > .pins.txt  # torch's sympy takes no newer mpmath
	$(COMPILE) -c .pins.txt $(UPGRADE) -o constraints.txt
	cat constraints.txt $(if $(UPGRADE),,constraints-learning.txt) > .all.txt  # what it holds already is kept
	$(COMPILE) -c .pins.txt --extra learn --group learn -o .all.txt
	awk '$(OWN)' constraints.txt .all.txt > constraints-learning.txt
	cat constraints.txt constraints-learning.txt $(if $(UPGRADE),,constraints-cluster.txt) > .all.txt
	$(COMPILE) -c .pins.txt --extra dask --extra ray --extra search -o .all.txt
	awk '$(OWN)' constraints.txt .all.txt > constraints-cluster.txt
	cat constraints.txt $(if $(UPGRADE),,$(wildcard constraints-docs.txt)) > .all.txt
	$(COMPILE) -c .pins.txt --group docs -o .all.txt
	awk '$(OWN)' constraints.txt .all.txt > constraints-docs.txt
	rm .pins.txt .all.txt

$(INSTALLED): constraints.txt pyproject.toml src/dealermarket/version.py
	@echo "Installing into $(VENV): a minute or two"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(LEARNING): $(INSTALLED) constraints-learning.txt
	@echo "Installing what learning needs: torch is large"
	$(BIN)/python -m pip install -q --disable-pip-version-check torch==$(TORCH)
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r constraints-learning.txt
	@touch $@

$(CLUSTER): $(INSTALLED) constraints-cluster.txt
	@echo "Installing Dask, Ray and Optuna"
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r constraints-cluster.txt
	@touch $@

$(DOCS): $(INSTALLED) constraints-docs.txt
	@echo "Installing what the documentation is built with"
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r constraints-docs.txt
	@touch $@

clean:
	rm -rf .venv .venv-3.* dist docs/_build docs/project docs/reference docs/sources .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
