# Pilothouse's own commands. `make` alone prints this help.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Most tests wait for processes: two more than cores, but not where every test must be steady.
WORKERS ?= $(if $(CI),auto,$(shell $(PYTHON) -c 'import os; print(2 + (os.cpu_count() or 1))'))
SCALE ?= 1
LONG ?= $(CI)

unexport PYTHONDONTWRITEBYTECODE  # the tests start Python hundreds of times

.DEFAULT_GOAL := help
.PHONY: help setup ml dev demo test test-python test-ui e2e chaos check checklist ui docs bench screenshots clean

help: ## Print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Pilothouse needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml hatch_build.py | $(BIN)/python
	@echo "Installing Pilothouse into $(VENV) (about half a minute, once)…"
	@$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml hatch_build.py | $(BIN)/python
	@echo "Installing Pilothouse and its test tools into $(VENV) (about a minute, once)…"
	@$(PIP) install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.core

ui/node_modules/.package-lock.json: ui/package-lock.json
	@cd ui && npm ci --ignore-scripts --no-audit --no-fund --silent

$(VENV)/.ml: $(VENV)/.dev
	@echo "Installing torch and what synthesis, autotune and training need into $(VENV) (once)…"
	@$(PIP) install --quiet 'torch==2.13.0' || true
	@$(PIP) install --quiet --editable '.[synth,tune,train]'
	@touch $@

setup: $(VENV)/.dev ui/node_modules/.package-lock.json ## Install everything for development

demo: $(VENV)/.core ## Open the page, then install, train, serve and measure a small model, all as runs to watch
	@$(BIN)/pilothouse demo --install $(ARGS)

dev: setup ## Server and UI with hot reload, on a data folder of its own
	@$(BIN)/python -m scripts.dev

ml: $(VENV)/.ml ## Install the machine-learning extras, so that their tests run too

test: test-python test-ui ## Run the tests (about five minutes on two cores; LONG=1 for every test, as in CI)

test-python: $(VENV)/.dev $(if $(CI),$(VENV)/.ml) ui
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(if $(LONG),--long) $(ARGS) $(if $(CI),|| { [ $$? = 1 ] && $(BIN)/python -m tests.house.again; })

test-ui: ## Run the UI's tests
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory ui/node_modules/.package-lock.json && cd ui && npm test --silent; \
	elif [ -n "$$CI" ]; then echo "Node is missing in CI"; exit 1; \
	else echo "SKIPPED: the UI's tests need Node 20.19 or newer"; fi

e2e: $(VENV)/.dev ui ## Run the browser tests alone
	@$(BIN)/python -m pytest tests/e2e --long $(ARGS)

chaos: $(VENV)/.dev ## Prove that nothing is lost: kills, stops, cuts (about 40 minutes; SCALE=0.1 for a tenth)
	@PILOTHOUSE_CHAOS=long PILOTHOUSE_CHAOS_SCALE=$(SCALE) $(BIN)/python -m pytest tests/chaos -n 2 --long --chaos-json=chaos.json $(ARGS)

check: setup $(VENV)/.ml ## Linters, types, import contracts, formats
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache > .venv/imports.log || { cat .venv/imports.log 2>/dev/null; exit 1; }
	@cd ui && npm run --silent check

ui: $(VENV)/.core ## Build the web UI into the package, if it is stale
	@$(BIN)/python -m scripts.ui

docs: $(VENV)/.dev ## Check the documentation: links, snippets, completeness
	@$(BIN)/python -m pytest tests/test_docs.py $(ARGS)

checklist: $(VENV)/.dev ## Print what the reference documents ask for and no test proves
	@$(BIN)/python -m tests.house.rows

bench: $(VENV)/.dev ## Measure speed; raw figures go to docs/benchmarks/
	@$(BIN)/python -m benchmarks $(ARGS)

screenshots: $(VENV)/.ml ui ## Draw the pictures of README and docs anew
	@$(BIN)/python -m scripts.screenshots

clean: ## Remove what was built and installed here
	@rm -rf $(VENV) ui/node_modules pilothouse/web/static dist .mypy_cache .ruff_cache .pytest_cache
