# Two commands on a fresh machine: `make demo` and `make test`. Everything else builds on the same environment.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
STAMP   = $(VENV)/.installed

ASSETS  = server/assets/explore

.PHONY: worst-requests demo assets test check conformance bench bench-publish clean campaign-oracle campaign-writes \
	campaign-publish lock

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Pliant needs Python 3.11 or newer: make PYTHON=python3.13")'
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[postgres,dev]'
	touch $(STAMP)

demo: $(STAMP)  ## a company with generated data on embedded SQLite, served in the foreground
	$(BIN)/pliant demo

assets:  ## the page of /explore, from npm packages (needs Node.js; everything else works without)
	npm --prefix $(ASSETS) ci --no-audit --no-fund --ignore-scripts
	npm --prefix $(ASSETS) run build

test: $(STAMP) check  ## everything that must hold, on SQLite and, where a server answers, PostgreSQL
	$(BIN)/pytest -n 2 --dist worksteal

check: $(STAMP)  ## style, types, floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

conformance: $(STAMP)  ## real GraphQL clients, audits and fuzzers (needs node for the JavaScript ones)
	$(BIN)/python -m tests.conformance.run

bench: $(STAMP)  ## ratios against peers and the limit, written beside the scripts; BENCH_SCALE=0.01 for a try
	$(BIN)/python benchmarks/run.py

bench-publish: $(STAMP)  ## what a change of the model costs and who notices it; BENCH_SCALE=0.01 for a try
	$(BIN)/python benchmarks/publishing.py

campaign-oracle: $(STAMP)  ## compiled SQL = stock executor = naive evaluator, CAMPAIGN_SECONDS long
	$(BIN)/python -m tests.campaigns.oracle

campaign-writes: $(STAMP)  ## kill -9 under load, on both engines, CAMPAIGN_SECONDS long
	$(BIN)/python -m tests.campaigns.writes

campaign-publish: $(STAMP)  ## publishes under load and kill -9, on both engines, CAMPAIGN_SECONDS long
	$(BIN)/python -m tests.campaigns.publish

worst-requests: $(STAMP)  ## measure hostile requests and write docs/worst-requests.md
	PLIANT_WRITE_WORST_REQUESTS=1 $(BIN)/pytest -q tests/contract/test_worst_requests.py

lock:  ## the newest releases that pyproject.toml allows, in an environment of its own: run `make test` afterwards
	rm -rf .venv-lock
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check -e '.[postgres,dev]'
	sed -n '/^#/p' constraints.txt > .venv-lock/constraints.txt
	.venv-lock/bin/python -m pip freeze --disable-pip-version-check --exclude-editable >> .venv-lock/constraints.txt
	mv .venv-lock/constraints.txt constraints.txt
	rm -rf .venv-lock

clean:
	rm -rf $(VENV) .venv-conformance build dist *.egg-info
