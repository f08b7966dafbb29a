# Every target sets up .venv first: from requirements.lock what runs, from requirements-dev.lock what tests and checks need.
# Each is installed when it is first needed, and again only when a dependency changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYPROJECTS := pyproject.toml $(wildcard */pyproject.toml services/*/pyproject.toml)
READY := $(VENV)/.ready
DEV := $(VENV)/.dev-ready

# A demo starts eight processes, a test run hundreds: each would compile its modules again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install wheelhouse demo burst chaos test bench fidelity lab fuzz clients up down check format lint types architecture template generated compiled lock clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

# A .venv that was moved with its clone, or whose Python is gone, as from a container and back, is set up again.
$(shell [ ! -e $(READY) ] || { head -n 3 $(BIN)/orderboard | grep -qF '$(CURDIR)/$(BIN)/python' && $(BIN)/python -c ''; } 2>/dev/null || rm -f $(READY) $(DEV))

$(READY): install.py requirements.lock requirements-build.lock $(PYPROJECTS)
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) install.py run
	@touch $@

$(DEV): $(READY) requirements-dev.lock
	@$(PYTHON) install.py dev
	@touch $@

install: $(READY) ## Set up .venv, and nothing else
	@echo "Order Board is set up: $(BIN)/orderboard"

# The wheelhouse that is there already may be for other versions of the packages.
wheelhouse: export ORDERBOARD_WHEELHOUSE =
wheelhouse: $(READY) ## Download all packages for machines without a network (PYTHONS="3.11 3.12" PLATFORMS="linux-x86_64 macos-arm64" TESTS=1)
	@$(BIN)/python -m offline.make $(if $(PYTHONS),--pythons $(PYTHONS)) $(if $(PLATFORMS),--platforms $(PLATFORMS)) $(if $(TESTS),--dev)

demo: $(READY) ## Play a small morning rush and show where every order ended
	@$(BIN)/orderboard demo

burst: $(READY) ## Send 10,000 orders in a spike, stop the worker for 5 s, and prove that nothing was lost
	@$(BIN)/orderboard burst --orders 10000 --duration 60s --profile spike:factor=3,at=0.3,lasts=0.2 --stop-worker 5s@20s

chaos: $(READY) ## Kill, freeze and confuse everything at random under load, and prove that nothing was lost (ARGS="--runs 20")
	@$(BIN)/orderboard chaos $(ARGS)

# Tests wait for processes, too, so there are two workers more than there are cores.
TEST_WORKERS := $(shell echo $$(( 2 + $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) )))

test: $(DEV) ## Run every test; those that need Docker, npm, Chromium or PostgreSQL are skipped where there is none
	@$(BIN)/python -m pytest --numprocesses $(TEST_WORKERS) --dist loadscope --no-loadscope-reorder --durations 10 --durations-min 5

bench: $(DEV) ## Measure the speed goals; three quarters of an hour (fewer: .venv/bin/python bench/bench.py --rounds 1)
	@$(BIN)/python bench/bench.py
	@$(BIN)/python bench/compare.py

fidelity: $(DEV) ## Compare localbus, LocalStack (needs Docker) and MiniStack with AWS, and write docs/fidelity.md; two minutes
	@PYTHONPATH=tests $(BIN)/python -m fidelity

lab: $(DEV) ## Run every experiment on embedded, MiniStack and LocalStack (needs Docker), and write docs/lab.md; real waiting, so minutes
	@ORDERBOARD_ALL_SCRIPTS=1 $(BIN)/python -m pytest tests/clients/test_lab_scripts.py
	@$(BIN)/python -m orderboard.lab

fuzz: $(DEV) ## Send odd input to localbus and order-api: 100,000 requests and more; about forty minutes
	@PYTHONPATH=tests $(BIN)/python -m fuzz

clients: $(DEV) ## Run real tools on localbus: Celery, the AWS CDK and others; five minutes (some: make clients ONLY="celery cdk")
	@PYTHONPATH=tests $(BIN)/python -m clients $(ONLY)

up: $(READY) ## Start the system and keep it running; it prints the address of the console, a web page
	@$(BIN)/orderboard up --allow-faults

down: $(READY) ## Stop what `make up` started
	@$(BIN)/orderboard down

check: $(DEV) ## Everything that CI runs
	@$(MAKE) --no-print-directory --jobs 2 format types lint architecture template generated compiled
	@$(MAKE) --no-print-directory test

format: $(DEV) ## Check the format (fix it with: .venv/bin/ruff format)
	@$(BIN)/ruff format --check

lint: $(DEV) ## Look for mistakes in the code and in its English
	@$(BIN)/ruff check
	@$(BIN)/python .ci/text.py

types: $(DEV) ## Check the types
	@$(BIN)/mypy

architecture: $(DEV) ## Check who may import whom
	@$(BIN)/lint-imports

template: $(DEV) ## Check the CloudFormation templates
	@$(BIN)/cfn-lint localstack/template.yaml deploy/*.yaml

generated: $(DEV) ## Check that the generated contracts match the code
	@$(BIN)/python contracts/generate.py --check

# Each worker of a test run would do this again, all at the same time.
compiled: $(DEV)
	@$(BIN)/python -m pytest --collect-only -qq >/dev/null || echo "The tests cannot be collected: see make test" >&2

OWN := orderboard orderboard-aws-client orderboard-contracts orderboard-localbus orderboard-notifier orderboard-order-api orderboard-stack orderboard-worker
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet \
	$(OWN:%=--no-emit-package %)
LOCK_PART := $(LOCK) --constraint requirements.lock --no-annotate

lock: ## Resolve the dependencies again into requirements.lock, and what each image needs of them (needs uv)
	$(LOCK) pyproject.toml -o requirements.lock
	printf 'editables\nhatchling\nsetuptools\n' | $(LOCK_PART) - -o requirements-build.lock
	$(LOCK) pyproject.toml --group dev --constraint requirements.lock $$(sed -n 's/^\([a-z0-9._-]*\)==.*/--no-emit-package \1/p' requirements.lock requirements-build.lock) -o requirements-dev.lock
	$(LOCK_PART) services/order-api/pyproject.toml -o services/order-api/requirements.lock
	$(LOCK_PART) --extra otlp services/worker/pyproject.toml -o services/worker/requirements.lock
	$(LOCK_PART) localbus/pyproject.toml -o localbus/requirements.lock
	$(LOCK_PART) localstack/pyproject.toml services/notifier/pyproject.toml -o localstack/requirements.lock
	echo awscli | $(LOCK) --no-annotate - -o tests/clients/awscli.lock
	$(LOCK) --no-annotate tests/clients/tools/python.in -o tests/clients/tools/python.lock

clean: ## Remove everything that was made here, but not the wheelhouse
	@[ ! -x $(BIN)/orderboard ] || $(BIN)/orderboard down
	rm -rf $(VENV) wheelhouse.partial .orderboard .clients tests/clients/javascript/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis
