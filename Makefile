# make app     open facevis in the browser
# make test    run all tests
# make check   format, lint, types, tests
# make bench   measure the figures that the README claims, and compare them with the last
# make docs    build the API reference into docs/_build

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Two processes, each with whole files: browsers draw in software and keep more cores busy.
PYTEST = $(BIN)/python -m pytest --numprocesses=2 --dist=loadfile

TYPESCRIPT := 5.9.3

.PHONY: help app test check bench docs

help:
	@sed -n 's/^# make/make/p' Makefile

# torch comes first and alone, so that a build chosen for this machine (CPU or CUDA) is kept.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "facevis needs Python 3.11 or newer, and '$(PYTHON)' is not; name one that is:" \
	       "make app PYTHON=python3.12" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
	  rm -rf $(VENV); \
	  echo "'$(PYTHON)' cannot make a virtual environment; install its venv module" \
	       "(Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@echo "Installing facevis into $(VENV), once; torch is large, this can take minutes."
	$(PIP) "$$(grep '^torch==' constraints.txt)"
	$(PIP) --constraint constraints.txt --editable ".[dev]"
	@touch $(STAMP)

app: $(STAMP)
	@$(BIN)/python -m facevis app

test: $(STAMP)
	$(PYTEST)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@if command -v npm >/dev/null; then npm exec --yes --package=typescript@$(TYPESCRIPT) -- \
	  tsc --project tests/web/jsconfig.json; else \
	  echo "The types of the browser modules were not checked: npm is not installed."; fi
	$(PYTEST)

bench: $(STAMP)
	$(BIN)/python benchmarks/run.py

docs: $(STAMP)
	$(BIN)/python -m sphinx -W --keep-going -q docs docs/_build
	@echo "The reference: docs/_build/index.html"
