# make lab        JupyterLab with the course; works without a display too (it prints the URL)
# make test       everything: lint, types, unit, real cluster, notebooks, grading, browser
# make test-fast  under a minute on all cores: no cluster, no browser, no kernels
# make test-compose  the cluster of docker-compose.yml in real containers; brings its own Docker (Debian 12, as root)

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
FAST := not compose and not cluster and not browser and not grading and not notebook and not install

.PHONY: lab test test-fast test-compose check

lab: .venv/ready
	$(BIN)/halab lab

test: check
	$(BIN)/python -m pytest -m "not compose"

test-fast: check
	$(BIN)/python -m pytest -n auto -m "$(FAST)"

test-compose: .venv/ready-dev
	tests/compose/run.sh

check: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the course's packages; the first time takes a minute or two."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/ready-dev: .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
