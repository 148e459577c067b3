# Every target makes its own .venv; only Python >= 3.11 is needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CODE := $(wildcard imserver plugins tests contrib)

.DEFAULT_GOAL := help
.PHONY: help demo test lint types layers format bench docs chaos fuzz clean

help:
	@echo "make demo     start a server to try out on 127.0.0.1: TLS, a queue, two agents, a customer"
	@echo "make test     run the tests and say which were skipped, and why"
	@echo "make lint     check style (ruff)           make format   apply it"
	@echo "make types    check types (mypy --strict)  make layers   check who imports whom"
	@echo "make bench    measure what a message costs"
	@echo "make chaos    kill the server under load for minutes    make fuzz     feed the parser nonsense"
	@echo "make docs     write again the documents made from the code"

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "imserver needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo missing)." >&2; \
	  echo "Name another one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(STAMP)
	$(BIN)/imserver demo

test: $(STAMP)
	$(BIN)/python -m pytest -ra --numprocesses auto --maxprocesses 4 --dist worksteal

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy $(CODE)

layers: $(STAMP)
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# QUICK=1, WRITE=1 (docs/bench.md and .svg), ONLY=chat,paging, SERVERS=imserver,prosody, INSTALL=no, JSON=file
bench: $(STAMP)
	@$(BIN)/python -c 'import asyncpg' 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,postgresql]'
	$(BIN)/python -m contrib.bench.run $(if $(QUICK),--quick) $(if $(WRITE),--write) $(if $(ONLY),--only $(ONLY)) \
	  $(if $(SERVERS),--servers $(SERVERS)) $(if $(filter no,$(INSTALL)),--no-install) $(if $(JSON),--json $(JSON))
	$(if $(ONLY)$(QUICK),,$(BIN)/python -m contrib.bench.desk)

docs: $(STAMP)
	$(BIN)/python contrib/docs/xeps.py
	$(BIN)/python contrib/docs/hooks.py

chaos: $(STAMP)
	CHAOS_ROUNDS=$${CHAOS_ROUNDS:-60} $(BIN)/python -m pytest -ra tests/chaos
	DESK_MACHINE_EXAMPLES=$${DESK_MACHINE_EXAMPLES:-200} $(BIN)/python -m pytest -ra --timeout 0 tests/scenes/desk/test_machine.py

fuzz: $(STAMP)
	$(BIN)/python contrib/fuzz/codec.py --seconds $${FUZZ_SECONDS:-300}

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
