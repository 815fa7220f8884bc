# Everything a machine with Python 3.11+, git and make needs; `make help` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CX := $(BIN)/cxcausal
WORKERS ?= 2
# One thread per process: two libraries that spin on the same cores are slower than either alone.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: help install demo engines team test check fuzz chaos bench scoreboard pehe targeting growth validate reports lock clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(READY) ## install the locked versions into .venv

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "cxcausal needs Python 3.11 or newer; install it, or say make PYTHON=/path/to/python3"; exit 1; }
	@echo "installing the locked versions into $(VENV) (one to three minutes, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## register, simulate and analyse five experiments; ends with the path of a report
	@$(CX) register experiments/proactive_outreach.yaml
	@$(CX) register experiments/human_handoff.yaml
	@$(CX) register experiments/human_handoff_hidden.yaml
	@$(CX) register experiments/moments_of_truth.yaml
	@$(CX) simulate outreach --out data/outreach.parquet
	@$(CX) simulate handoff --out data/handoff.parquet
	@$(CX) simulate handoff-hidden --out data/handoff_hidden.parquet
	@$(CX) simulate moments --n 20000 --out data/moments.parquet
	@$(CX) run experiments/incentive_results.yaml
	@$(CX) run experiments/human_handoff.yaml
	@$(CX) run experiments/human_handoff_hidden.yaml || test $$? -eq 5 # no decision, as it must be
	@$(CX) run experiments/moments_of_truth.yaml
	@$(CX) run experiments/proactive_outreach.yaml

ENGINES := $(VENV)/.engines
engines: $(ENGINES) ## install the drivers of Spark and PostgreSQL, so that make test needs their servers, too

$(ENGINES): $(READY) tests/engines/requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/engines/requirements.lock
	@touch $@

team: $(ENGINES) ## serve a team's runs from PostgreSQL; TEAM_STORE and TEAM_ARTIFACTS say where (docs/team.md)
	@TEAM_MLFLOW=$(BIN)/mlflow docs/team/serve.sh

test: $(READY) ## run the tests (about a quarter of an hour on two cores)
	@$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile -m "not slow"

check: $(READY) ## lint, types, architecture, dependencies
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/deptry cxcausal
	@$(BIN)/mypy

fuzz: $(READY) ## break 10,000 plans, 2,000 CSV files and 500 others; FUZZ="--seed 2 --plans 500" for other ones
	@$(BIN)/python -m tests.fuzz --jobs $(WORKERS) $(FUZZ)

chaos: $(READY) ## kill 200 runs at random, check what is left, go on with them; CHAOS="--kills 50 --seed 2" for others
	@$(BIN)/python -m tests.chaos $(CHAOS)

BENCH := $(VENV)/.bench
PEERS := $(VENV)/peers
bench: $(BENCH) $(PEERS)/.ready ## time everything against its peers in the same run, and compare their numbers (half an hour)
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.scores
	@$(BIN)/python -m benchmarks.refutation
	@$(BIN)/python -m benchmarks.uplift --peers $(PEERS)/bin/python

$(BENCH): $(READY) benchmarks/requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/requirements.lock
	@touch $@

scoreboard: $(BENCH) ## effects in worlds of known truth beside EconML's and DoubleML's (resumable, an hour or two)
	@$(BIN)/python -m benchmarks.scoreboard

$(PEERS)/.ready: $(READY) benchmarks/uplift-peers.lock
	@$(BIN)/python -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/uplift-peers.lock
	@touch $@

pehe: $(PEERS)/.ready ## every customer's predicted effect beside EconML's and causalml's (resumable, some hours)
	@$(BIN)/python -m benchmarks.pehe --causalml $(PEERS)/bin/python

targeting: $(READY) ## what targeting finds of what the best policy gains, over seeds, sizes and budgets (resumable)
	@$(BIN)/python -m benchmarks.targeting

growth: $(ENGINES) ## measure time and memory against rows, metrics, segments, arms and covariates, and Spark's (half an hour)
	@$(BIN)/python -m benchmarks.growth
	@$(BIN)/python -m benchmarks.spark

validate: $(READY) ## run the ladder of proof, bar by bar (resumable), and write docs/validation.md
	@$(BIN)/python -m tests.validation

SAMPLES := .cxcausal/samples
reports: export CXCAUSAL_ACTOR = retention-experiments@example.com
reports: $(READY) ## render the sample reports into reports/samples/
	@rm -rf $(SAMPLES) && mkdir -p $(SAMPLES) reports/samples && cp -r configs experiments $(SAMPLES)/
	@cd $(SAMPLES) && for verb in "register experiments/proactive_outreach.yaml" \
		"simulate outreach --out data/outreach.parquet" "run experiments/proactive_outreach.yaml --quiet" \
		"register experiments/human_handoff.yaml" "simulate handoff --out data/handoff.parquet" \
		"register experiments/human_handoff_hidden.yaml" "simulate handoff-hidden --out data/handoff_hidden.parquet" \
		"register experiments/moments_of_truth.yaml" "simulate moments --out data/moments.parquet" \
		"run experiments/moments_of_truth.yaml --quiet" \
		"run experiments/human_handoff.yaml --quiet" "run experiments/human_handoff_hidden.yaml --quiet" \
		"run experiments/incentive_results.yaml --quiet"; do \
		$(CURDIR)/$(CX) $$verb >/dev/null || test $$? -eq 5 || exit 1; done
	@for page in $(SAMPLES)/reports/*/*/index.html; do \
		cp $$page reports/samples/$$(basename $$(dirname $$(dirname $$page))).html; done
	@ls reports/samples/*.html

lock: $(READY) ## resolve the dependencies anew into requirements.lock
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --group dev --extra examples pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --constraint requirements.lock --group bench -o benchmarks/requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --constraint requirements.lock --group engines -o tests/engines/requirements.lock
	@$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-header --no-annotate --group uplift -o benchmarks/uplift-peers.lock

clean: ## remove the environment and all caches, but no results
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
