# make lab        JupyterLab with the course; works without a display too (it prints the URL)
# make test       everything, in the phases below: all of them run, and it fails if any does
# make test-fast  under a minute on all cores: no cluster, no browser, no kernels
# make test-compose  the cluster of docker-compose.yml in real containers; brings its own Docker (Debian 12, as root)
# make test-compose-current  what the course says of Milvus 3.0, asked of it in containers: needs your Docker and the network

SHELL := bash
.SHELLFLAGS := -o pipefail -c
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
# Formats and lints the widgets' JavaScript and CSS. Node.js and npm are those of the dev extra, in .venv.
BIOME := node_modules/@biomejs/biome/bin/biome
# A file's tests stay together, since they share a cluster, a browser or what was graded.
TWO := -v -n 2 --dist loadfile --durations=12
# What measures a real cluster or waits for a browser may fail for what ran beside it, as a grade's time-out may: it is
# tried once more by itself, in plain sight, and only what fails there too is a failure.
ONCE_MORE := $(PYTEST) -v --last-failed --last-failed-no-failures none

# Every test belongs to one phase, or to `make test-compose`; tests/test_phases.py holds the lines to that.
ALONE := alone and not compose
CLUSTER := (cluster or notebook or install) and not (alone or compose)
BROWSER := browser and not (alone or compose or cluster or notebook or install)
GRADING := (grading or slow) and not (alone or compose or cluster or notebook or install or browser)
FAST := not (alone or compose or cluster or notebook or install or browser or grading or slow)
PHASES := fast grading browser cluster alone

# Compiled tests are kept, whatever the user's habit: to compile them takes each worker as long as 500 tests.
unexport PYTHONDONTWRITEBYTECODE

.NOTPARALLEL:
.PHONY: lab test test-fast test-compose test-compose-current check $(PHASES:%=phase-%)

lab: .venv/ready
	$(BIN)/halab lab

test: check
	@$(MAKE) --no-print-directory --keep-going $(PHASES:%=phase-%)

test-fast: check phase-fast

phase-fast:
	$(PYTEST) -n auto -m "$(FAST)"

phase-grading:
	$(PYTEST) $(TWO) -m "$(GRADING)"

phase-browser:
	$(PYTEST) $(TWO) -m "$(BROWSER)" || $(ONCE_MORE) -m "$(BROWSER)"

# A failover is mostly waiting, so three clusters have room on two cores. In tests/conftest.py's order.
phase-cluster:
	$(PYTEST) -v -n 3 --dist loadfile --no-loadscope-reorder --durations=20 -m "$(CLUSTER)" || $(ONCE_MORE) -m "$(CLUSTER)"

# What measures how fast the machine is has it to itself.
phase-alone:
	$(PYTEST) -v --durations=5 -m "$(ALONE)" || $(ONCE_MORE) -m "$(ALONE)"

test-compose: .venv/ready-dev
	tests/compose/run.sh

test-compose-current: .venv/ready-dev
	$(BIN)/python tests/compose/contract.py

check: .venv/ready-dev node_modules/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/node $(BIOME) check --error-on-warnings

INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --editable
# What pip is at, written over itself, so that one sees that it goes on; errors stay, they come on stderr.
ON_ONE_LINE := | awk '/^(Collecting|Building|Installing|Successfully)/ \
  { printf "\r%-78.78s", $$0; fflush() } END { print "" }'

.venv/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the course's packages, about 1.5 GB on disk: two to five minutes the first time."
	@$(INSTALL) . $(ON_ONE_LINE)
	@touch $@

.venv/ready-dev: .venv/ready
	@echo "Installing what the tests need."
	@$(INSTALL) '.[dev]' $(ON_ONE_LINE)
	@touch $@

node_modules/ready: package.json package-lock.json | .venv/ready-dev
	$(BIN)/npm ci --silent
	@touch $@
