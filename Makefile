# make run        a market run, with its table and figures
# make learning   installs what trained makers need: torch, Stable-Baselines3, Gymnasium, PettingZoo
# make reproduce  the experiments of both papers, and a report
# make test       lint, types, the whole test suite, branch coverage
# make bench      the speed table of docs/performance.md

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
LEARNING := .venv/.installed-learning
TORCH := 2.13.0

.PHONY: run learning reproduce test lint types unit coverage bench constraints clean

run: $(INSTALLED)
	$(BIN)/dealermarket run paper --record trades --plot

learning: $(LEARNING)

reproduce: $(LEARNING)
	$(BIN)/dealermarket reproduce

test: lint types unit coverage

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: $(LEARNING)
	$(BIN)/mypy

unit: $(LEARNING)
	$(BIN)/python -m pytest -q -n auto

# Compiled functions run as plain Python here, so that their lines and branches are seen; tests marked slow need machine code.
coverage: $(LEARNING)
	rm -f .coverage*
	NUMBA_DISABLE_JIT=1 $(BIN)/coverage run -m pytest -q -n auto -m "not slow"
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --skip-covered

bench: $(LEARNING)
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/learning.py

# Versions and hashes for every supported Python; needs uv on the path. What is pinned stays so, except with UPGRADE=--upgrade.
# What only learning needs goes to a file of its own, without torch, which is installed by itself: its builds differ from
# machine to machine.
UPGRADE :=
COMPILE := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate pyproject.toml --group dev
OWN := NR == FNR { if (/^[a-z]/) there[$$1] = 1; next } /^[a-z]/ { skip = ($$1 in there) || /^(torch|triton|nvidia-.*|cuda-.*)==/ } !skip
constraints:
	printf 'torch==$(TORCH)\nmpmath<1.4\n' > .pins.txt  # torch's sympy takes no newer mpmath
	$(COMPILE) -c .pins.txt $(UPGRADE) -o constraints.txt
	cat constraints.txt $(if $(UPGRADE),,constraints-learning.txt) > .all.txt  # what it holds already is kept
	$(COMPILE) -c .pins.txt --extra learn --group learn -o .all.txt
	awk '$(OWN)' constraints.txt .all.txt > constraints-learning.txt
	rm .pins.txt .all.txt

$(INSTALLED): constraints.txt pyproject.toml src/dealermarket/version.py
	@echo "Installing into .venv: a minute or two"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(LEARNING): $(INSTALLED) constraints-learning.txt
	@echo "Installing what learning needs: torch is large"
	$(BIN)/python -m pip install -q --disable-pip-version-check torch==$(TORCH)
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r constraints-learning.txt
	@touch $@

clean:
	rm -rf .venv dist .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
