# make run        a market run, with its table and figures
# make reproduce  the paper's experiments, and a report
# make test       lint, types, the whole test suite, branch coverage
# make bench      the speed table of docs/performance.md

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: run reproduce test lint types unit coverage bench constraints clean

run: $(INSTALLED)
	$(BIN)/dealermarket run paper --record trades --plot

reproduce: $(INSTALLED)
	$(BIN)/dealermarket reproduce

test: lint types unit coverage

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

unit: $(INSTALLED)
	$(BIN)/python -m pytest -q -n auto

# Compiled functions run as plain Python here, so that their lines and branches are seen; tests marked slow need machine code.
coverage: $(INSTALLED)
	rm -f .coverage*
	NUMBA_DISABLE_JIT=1 $(BIN)/coverage run -m pytest -q -n auto -m "not slow"
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --skip-covered

bench: $(INSTALLED)
	$(BIN)/python benchmarks/speed.py

# Versions and hashes for every supported Python; needs uv on the path
constraints:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade \
		pyproject.toml --group dev -o constraints.txt

$(INSTALLED): constraints.txt pyproject.toml src/dealermarket/version.py
	@echo "Installing into .venv: a minute or two"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

clean:
	rm -rf .venv dist .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
