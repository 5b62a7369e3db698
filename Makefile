# The front door. `make help` lists what there is.
.DEFAULT_GOAL := help
.PHONY: help install demo dev test check bench crash flood

# Many processes are started here: what one has compiled, the next reads.
export PYTHONDONTWRITEBYTECODE :=

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Use: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Installing into .venv ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

install: $(STAMP)  ## make the environment from the hash-locked requirements

demo: $(STAMP)  ## start everything, research a sample meeting, print its brief (ONCE=1: and end)
	@$(BIN)/greenroom demo $(if $(ONCE),--once)

dev: $(STAMP)  ## start everything and stay up until Ctrl-C
	@$(BIN)/greenroom dev

test: $(STAMP)  ## all tests, on servers of their own
	@$(BIN)/python -m pytest -m "not alone" -n 4 --dist loadfile --no-loadscope-reorder
	@$(BIN)/python -m pytest -m alone

crash: $(STAMP)  ## kill the worker at every call and transaction of a brief, a renewal, a reading, a delivery (SEEDS=5)
	@$(BIN)/python -m tests.crash --seeds $(or $(SEEDS),5)

flood: $(STAMP)  ## ten thousand notifications at once (N=10000)
	@$(BIN)/python -m tests.flood $(if $(N),--notifications $(N))

bench: $(STAMP)  ## what durability costs, beside plain asyncio (N=40 FULL=1 QUICK=1 ONLY=abc)
	@$(BIN)/python -m bench $(if $(N),--briefs $(N)) $(if $(FULL),--full) $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

check: $(STAMP)  ## types and style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
