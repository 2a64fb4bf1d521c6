# `make` lists what there is. Needed on the machine: Python 3.11 or newer, and make.

PYTHON ?= python3
STAGE ?= dev
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(CURDIR)/$(BIN):$(PATH)

LOCK := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --no-header

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast prove bench load check up down status deploy synth openapi reference lock clean

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## install everything into .venv and node_modules (the others do it when needed)

$(READY): requirements/dev.txt package-lock.json pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Python 3.11 or newer is needed. $(PYTHON) is: $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.13"; exit 1; }
	@echo "Installing the Python packages ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@echo "Installing the command-line tools from npm ..."
	@$(BIN)/npm ci --no-progress --loglevel=error
	@touch $@

demo: $(READY) ## watch a charging profile reach a charge point, and its result come back
	@$(BIN)/python -m tools.demo $(ARGS)

test: $(READY) ## all tests, those on the deployed stack last
	@$(BIN)/pytest -q -n 2 -m "not e2e and not prove" $(ARGS)
	@$(BIN)/pytest -q -n 2 --dist loadfile -m "e2e and not prove" $(ARGS)

test-fast: $(READY) ## the tests that need neither network nor processes
	@$(BIN)/pytest -q -n 2 -m "not integration and not e2e and not prove" $(ARGS)

prove: $(READY) ## the long proofs: a life-cycle model, then thousands of requests while everything fails (20 minutes)
	@$(BIN)/pytest -q -n 2 -m "prove and not e2e" --hypothesis-profile=prove || [ $$? -eq 5 ] # 5: there is none
	@$(BIN)/python -m tools.prove $(ARGS)

bench: $(READY) ## how fast functions start and answer, beside a bare AWS client and a peer (3 minutes)
	@$(BIN)/python -m tools.benchmarks $(ARGS)

load: $(READY) ## how much the deployed stack bears on this machine, and what it is that bears no more (2 minutes)
	@$(BIN)/python -m tools.benchmarks.load $(ARGS)

check: $(READY) ## lint, format, types, import contracts
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

up: $(READY) ## deploy the bridge to an embedded AWS on this machine and leave it running
	@$(BIN)/python -m tools.local_stack up $(ARGS)

down: $(READY) ## end it and remove what it left
	@$(BIN)/python -m tools.local_stack down $(ARGS)

status: $(READY) ## say whether it runs, and where
	@$(BIN)/python -m tools.local_stack status $(ARGS)

deploy: $(READY) ## deploy to your AWS account: make deploy STAGE=production ARGS="-c country_code=NL -c party_id=ABC"
	@STAGE=$(STAGE) $(BIN)/npx cdk deploy --all $(ARGS)

synth: $(READY) ## write the CloudFormation templates of STAGE to build/cdk.out; needs no account
	@STAGE=$(STAGE) $(BIN)/npx cdk synth --quiet $(ARGS)

openapi: $(READY) ## write docs/openapi.json from the models
	@$(BIN)/python -m tools.openapi

reference: $(READY) ## write docs/command-line.md from the commands
	@$(BIN)/python -m tools.bridge.reference

lock: $(READY) ## lock the newest allowed versions of all packages
	@$(LOCK) --upgrade --python-version 3.11 --extra dev pyproject.toml -o requirements/dev.txt
	@$(LOCK) --upgrade --python-version 3.13 --constraint requirements/dev.txt \
	    layers/dependencies/requirements.in -o layers/dependencies/requirements.txt
	@$(BIN)/npm install --package-lock-only --loglevel=error

clean: ## end the local stack and remove what can be made again, but for .venv and node_modules
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m tools.local_stack down; fi
	@rm -rf build cdk.out .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find functions infra layers tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
