#!/usr/bin/env bash
# What `make test-compose` runs: a Docker Engine and images of our own, the tests on them, and the engine stopped again.
# Words after it go to pytest. Debian 12 as root; what is installed and built already is left as it is.
set -euo pipefail
cd "$(dirname "$0")/../.."
begun=$SECONDS
bed=tests/compose/engine.sh
eval "$($bed env)"
$bed install
if ! docker version &>/dev/null; then
  trap '$bed stop' EXIT
  $bed start
fi
echo "engine: $((SECONDS - begun)) s"
.venv/bin/python tests/compose/images.py
echo "images: $((SECONDS - begun)) s since the beginning"
# As in the Makefile: what fails beside others is tried once more by itself.
.venv/bin/python -m pytest -v -m compose --durations=20 "$@" tests/compose ||
  .venv/bin/python -m pytest -v -m compose --last-failed --last-failed-no-failures none tests/compose
echo "all: $((SECONDS - begun)) s"
