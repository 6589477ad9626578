# Every target but `help` and `clean` first makes sure that .venv is as pyproject.toml says.
# PYTHON=python3.12 chooses the interpreter of .venv; without it the newest that fits is taken.
PYTHON3 ?= python3
PYTHON ?=
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo peers test lint format bench clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 18

setup: ## system packages, .venv and .venv/bin/moonline; instant when nothing has changed
	@$(PYTHON3) -I -S packaging/setup_venv.py $(if $(PYTHON),--python $(PYTHON))

demo: setup ## play a caller against scripts/menu.lua and write what both sides said to demo.wav
	@$(BIN)/moonline call scripts/menu.lua --caller scripts/menu.caller.yaml --record-stereo demo.wav

test: lint peers ## lint, types and all tests
	@$(BIN)/python -m pytest -q

peers: setup ## servers and SIP peers that the tests talk to
	@$(PYTHON3) -I -S packaging/setup_venv.py --peers

lint: setup ## ruff and mypy alone
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo 'make format puts the files above into shape'; exit 1; }
	@$(BIN)/mypy --no-error-summary

format: setup ## rewrite the sources in the project's format
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

bench: setup ## measure: call seconds per wall second, time of a runtime, time of a getVariable
	@$(BIN)/python -m tests.bench

clean: ## remove .venv and everything else that was made
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info demo.wav
	@find host lua_bindings media packaging tests -name __pycache__ -type d -prune -exec rm -rf {} +
