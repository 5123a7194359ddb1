# Every verb of this project. A fresh machine needs Python 3.11 or later and make, nothing else.

SHELL := bash
.DEFAULT_GOAL := help

PORT ?= 8080
DATA ?= ./.dripline/sandbox
CONFIG ?= dripline.toml
SEEDS ?= 25
PROCESSES ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
BIN := .venv/bin
# What kills and restarts has the machine to itself; properties share it.
PROVE = $(BIN)/pytest --seeds "$(SEEDS)" $(if $(SEED),--seed "$(SEED)" --hypothesis-seed "$(SEED)")
export PYTHON

.PHONY: help
help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Make .venv from requirements.lock, where that changed [PYTHON=]
	@.ci/setup

.PHONY: sandbox
sandbox: setup ## Run all of it against a pretend WhatsApp and Slack [PORT=8080 DATA=./.dripline/sandbox]
	@exec $(BIN)/dripline sandbox --port "$(PORT)" --data "$(DATA)"

.PHONY: run
run: setup ## Run servers, bot and worker on this machine for real use [CONFIG=dripline.toml]
	@exec $(BIN)/dripline up --config "$(CONFIG)"

.PHONY: test
test: setup ## Run every test but the long proofs; the last line says what was left out [ARGS=tests/unit COVERAGE=yes]
	@$(BIN)/pytest -m "not prove" -n $(PROCESSES) --dist loadgroup $(ARGS) $(if $(COVERAGE),--cov)

.PHONY: check
check: lint types arch ## Lint, format, types and architecture

.PHONY: lint
lint: setup ## ruff: rules and format
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

.PHONY: types
types: setup ## mypy --strict
	@$(BIN)/mypy --strict

.PHONY: arch
arch: setup ## Import Linter: who may import whom
	@$(BIN)/lint-imports --no-logo

.PHONY: fmt
fmt: setup ## Format, and mend what ruff can mend
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

.PHONY: prove
prove: setup ## Run the long proofs: faults, load, fuzz [SEEDS=25 | SEED=<n>]
	@$(if $(ARGS),$(PROVE) -m "prove or property" $(ARGS), \
	  $(PROVE) -m prove && $(PROVE) -m "property and not prove" -n $(PROCESSES) --dist loadgroup)

.PHONY: bench
bench: setup ## Measure; every benchmark, or one [NAME=sending]
	@$(BIN)/python -m benchmarks $(NAME)

.PHONY: lock
lock: setup ## Write requirements.lock anew from pyproject.toml [ARGS=--upgrade]
	@.ci/lock $(ARGS)
