# Everything that `make demo` and `make test` need beyond Python, git and make, they fetch
# themselves: .venv/ (Understudy and its tools) and .lab/ (a LiteLLM of its own).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

BIN := .venv/bin
VENV := .venv/.made
# Tests that need a program of the system.
SYSTEM := postgresql or prometheus or docker or browser
# ... and those that have a target of their own.
APART := vllm or box or versions or $(SYSTEM)
LOCK := requirements-dev.txt
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCK_COMMAND := pip-compile --quiet --allow-unsafe --extra=dev --no-emit-find-links \
	--no-emit-index-url --no-emit-trusted-host --strip-extras --output-file=$(LOCK) pyproject.toml

# Installs packages of Debian's, where some are missing.
define INSTALL
if [ -n "$(1)" ]; then
	sudo=$$([ "$$(id -u)" = 0 ] || echo sudo)
	$$sudo apt-get update --quiet=2
	DEBIAN_FRONTEND=noninteractive $$sudo apt-get install --quiet=2 --yes --no-install-recommends $(1)
fi
endef

# What the container image is built on: any with this Python and venv.
BASE := python:3.13-slim
PYTHON_VERSION := 3.13
IMAGE := understudy:dev

export UNDERSTUDY_LAB_DIR := $(CURDIR)/.lab
# Our own settings must not change what the tests and the demo see.
unexport UNDERSTUDY_CONFIG

.PHONY: demo
demo: lab ## Tell the story of a fallback that does not hold, in under two minutes
	@$(BIN)/understudy demo

.PHONY: test
test: lab ## Run every test but those of test-engine; ARGS="-k word" narrows them
	$(BIN)/pytest -m "not $(subst or,and not,$(APART))" $(ARGS)

.PHONY: test-box
test-box: lab ## Run the service on Debian machines, and the container beside others; root only
	@missing=()
	command -v debootstrap >/dev/null || missing+=(debootstrap)
	command -v systemd-nspawn >/dev/null || missing+=(systemd-container)
	command -v dockerd >/dev/null || missing+=(docker.io)
	command -v docker-compose >/dev/null || missing+=(docker-compose)
	command -v prometheus >/dev/null || missing+=(prometheus)
	command -v prometheus-alertmanager >/dev/null || missing+=(prometheus-alertmanager)
	$(call INSTALL,$${missing[*]})
	$(BIN)/pytest tests/box $(ARGS)

.PHONY: test-system
test-system: lab ## Run the tests that need PostgreSQL, Prometheus, Docker or Chromium; installs Debian's
	@missing=()
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing+=(postgresql)
	command -v promtool >/dev/null || missing+=(prometheus)
	command -v amtool >/dev/null || missing+=(prometheus-alertmanager)
	command -v dockerd >/dev/null || missing+=(docker.io)
	command -v npm >/dev/null || missing+=(npm)
	command -v chromium >/dev/null || missing+=(chromium fonts-dejavu-core)
	$(call INSTALL,$${missing[*]})
	$(BIN)/pytest -m "($(SYSTEM)) and not thorough" $(ARGS)

.PHONY: test-rollouts
test-rollouts: lab ## Exchange engines on a real Docker: every gate, killed at every step; root only
	@missing=()
	command -v dockerd >/dev/null || missing+=(docker.io)
	command -v docker-compose >/dev/null || missing+=(docker-compose)
	$(call INSTALL,$${missing[*]})
	$(BIN)/pytest tests/system/test_rollouts.py tests/system/test_rollout_swaps.py $(ARGS)

.PHONY: test-versions
test-versions: lab ## Run the corpus on every version of LiteLLM that was measured, each installed beside the lab's
	$(BIN)/pytest tests/corpus/test_versions.py $(ARGS)

.PHONY: test-faults
test-faults: lab ## Do to Understudy what docs/reliability.md lists, as often as it says: some two hours
	UNDERSTUDY_FAULTS=full $(BIN)/pytest tests/faults -m "not $(subst or,and not,$(SYSTEM))" $(ARGS)

.PHONY: test-engine
test-engine: vllm ## Run the tests with a real vLLM on the CPU, some in Docker: a quarter of an hour
	@missing=()
	command -v dockerd >/dev/null || missing+=(docker.io)
	$(call INSTALL,$${missing[*]})
	$(BIN)/pytest tests/engine $(ARGS)

.PHONY: test-engine-kinds
test-engine-kinds: vllm ## Run one of those tests for each kind of engine state: some five minutes
	@missing=()
	command -v dockerd >/dev/null || missing+=(docker.io)
	$(call INSTALL,$${missing[*]})
	$(BIN)/pytest tests/engine -m one_of_a_kind $(ARGS)

.PHONY: test-all
test-all: lint test test-system test-rollouts test-box test-engine ## Run everything there is, before a version or an issue is closed

.PHONY: vllm
vllm: $(VENV)
	@$(BIN)/understudy lab --prepare --engine-kind vllm --dir .lab

.PHONY: test-unit
test-unit: $(VENV) ## Run the tests that need no LiteLLM
	$(BIN)/pytest -m "not litellm and not $(subst or,and not,$(APART))" $(ARGS)

.PHONY: lint
lint: $(VENV) ## Check style, types and the order of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: image
image: $(VENV) ## Build the container image; BASE and PYTHON_VERSION say on what
	@rm -rf build/image
	$(BIN)/python .ci/wheelhouse.py build/image/wheelhouse --python $(PYTHON_VERSION)
	docker build --quiet --build-arg BASE=$(BASE) --tag $(IMAGE) --file deploy/container/Dockerfile build/image

.PHONY: wheels
wheels: $(VENV) ## Fetch the wheels of every dependency for each Python and machine; keeps nothing
	@$(BIN)/python .ci/wheelhouse.py --all

.PHONY: audit-dependencies
audit-dependencies: $(VENV) ## Ask whether a locked dependency has a known vulnerability
	@$(BIN)/python .ci/audit_dependencies.py

.PHONY: lab
lab: $(VENV) ## Install the LiteLLM of the lab into .lab/ (at once if it is there)
	@$(BIN)/understudy lab --prepare --dir .lab

.PHONY: bench
bench: $(VENV) ## Measure, and print; nothing is judged
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: models
models: $(VENV) ## Train the tiny models of the lab's vLLM anew: some twenty minutes
	@$(BIN)/understudy lab --prepare --engine-kind vllm --dir .lab
	PYTHONPATH=$(CURDIR) .lab/vllm/bin/python chaos/lab/tiny_models/train.py $(ARGS)

.PHONY: docs
docs: $(VENV) ## Write the tables of README.md and docs/ anew, from the registries
	@$(BIN)/python -m docs.tables

.PHONY: pictures
pictures: lab ## Take the documentation's pictures of the page anew; needs Chromium
	@$(BIN)/python -m docs.pictures

.PHONY: lock
lock: $(VENV) ## Choose the newest versions of the tools and write them down
	@$(BIN)/$(LOCK_COMMAND) --upgrade

.PHONY: clean
clean: ## Remove everything that make made
	@rm -rf .venv .lab build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

.PHONY: help
help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The first Python that is new enough and can make environments: Debian's own often cannot.
$(VENV): pyproject.toml $(LOCK)
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do
		if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
			echo "Making .venv with $$("$$python" --version)" >&2
			"$$python" -m venv .venv
			# uv takes a tenth of the time; pip installs where uv cannot be had, or was given an index.
			if [ -z "$${PIP_INDEX_URL:-}$${PIP_NO_INDEX:-}" ] \
				&& $(PIP_INSTALL) "$$(grep '^uv==' $(LOCK))" \
				&& $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --requirement $(LOCK); then
				with=uv
			else
				$(PIP_INSTALL) --requirement $(LOCK)
				with=pip
			fi
			$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
			echo "Made .venv with $$with, after $$SECONDS s" >&2
			touch $@
			exit 0
		fi
	done
	echo "No Python 3.11 or later with venv found. On Debian: apt install python3-venv. Or: make PYTHON=/path/to/python3" >&2
	exit 1
