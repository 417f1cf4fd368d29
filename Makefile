# Tasks of development. `make` lists them.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup hooks test test-fast coverage format lint types docs sbom serve bench clean

help:  ## List the targets
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "  %-10s %s\n", $$1, $$2}'

setup: $(VENV)/.installed  ## Create .venv with the package and all tools

$(VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

hooks: setup  ## Install the pre-commit hooks
	$(BIN)/pre-commit install

test: setup  ## Run all tests
	$(BIN)/python -m pytest

test-fast: setup  ## Run the tests that need no server, browser or PostgreSQL
	$(BIN)/python -m pytest -m 'not slow and not system and not postgresql and not browser' $(OPTIONS)

coverage: setup  ## Run all tests and report the coverage of lines and branches
	$(BIN)/python -m pytest --cov

format: setup  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: setup  ## Check format, lint, import rules and spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/codespell

types: setup  ## Check the types
	$(BIN)/mypy

docs: setup  ## Build the documentation into build/docs
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -b html docs build/docs

sbom: setup  ## Write the software bill of materials (CycloneDX) to build/sbom.json
	rm -rf build/sbom && $(PYTHON) -m venv build/sbom
	build/sbom/bin/python -m pip install --quiet '.[postgresql]'
	build/sbom/bin/python -m pip uninstall --quiet --yes setuptools pip
	$(BIN)/cyclonedx-py environment --output-reproducible --output-file build/sbom.json build/sbom/bin/python

serve: setup  ## Create a database with a first enterprise and serve it
	$(BIN)/scimsvc quickstart

bench: setup  ## Measure the cost of requests (Linux, a quiet machine)
	$(BIN)/python -m tests.benchmark

clean:  ## Remove what the targets create
	rm -rf .venv build scimsvc.egg-info .mypy_cache .pytest_cache .ruff_cache .coverage .coverage.*
