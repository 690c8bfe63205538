# The two commands are `make run` and `make test`; everything else serves them.
# They need Python 3.11 or newer and make, and nothing else: the virtual environment, the libraries, and (for the
# tests) the servers are brought by the targets themselves.
VENV    ?= .venv
WORKERS ?= 2
BIN     := $(VENV)/bin
PIP     := $(BIN)/python -m pip --disable-pip-version-check install --progress-bar off
NEWEST  := 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'
ifndef PYTHON
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$python -c $(NEWEST) 2>/dev/null; then echo $$python; break; fi; done)
endif

.PHONY: help run demo test lint static bench peers clean
.DEFAULT_GOAL := help

help:
	@echo "make run     Touchline on http://127.0.0.1:8080 with a small sample set-up; everything it keeps is in var/"
	@echo "make demo    a sample company's working day, in a home of its own: no exchange and no mailbox needed"
	@echo "make test    lint, get the servers, run every test"
	@echo "make lint    ruff, mypy, import contracts, the rules of the house"
	@echo "make bench   leads and mails per second against a bare skeleton"
	@echo "make peers   get and list the real servers that the tests talk to"
	@echo "make clean   remove what the other targets made (not var/)"

run: $(VENV)/.run
	$(BIN)/touchline run --sample

demo: $(VENV)/.run
	$(BIN)/touchline demo

test: static peers
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadgroup

lint: static
	$(BIN)/python -m pytest -q tests/house

static: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.test
	$(BIN)/python -m tests.bench

peers: $(VENV)/.test
	@echo "Servers for the tests:"
	@$(BIN)/python -m tests.peers

$(VENV)/.run: pyproject.toml
	@test -n "$(PYTHON)" || { \
		echo "Touchline needs Python 3.11 or newer that can make virtual environments, and found none."; \
		echo "On Debian or Ubuntu:  apt-get install python3 python3-venv"; \
		echo "Or name one:          make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; \
		exit 1; }
	@echo "Making a virtual environment in $(VENV) and installing Touchline (half a minute or so)"
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade "pip>=25.1,<27"
	$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run
	@echo "Installing what the tests need (a minute or so)"
	$(PIP) --group test
	@touch $@

clean:
	rm -rf $(VENV) .peers .mypy_cache .ruff_cache .hypothesis .import_linter_cache
