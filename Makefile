SHELL := /bin/bash
.DEFAULT_GOAL := help

SWIFT ?= swift
SWIFT_FLAGS ?=
SCRATCH ?= .build
# Debug is what gets a newcomer going: a fresh clone builds in little more than half the time of a release build, and
# `make test` uses the same products. For a large inbox: make run CONFIGURATION=release.
CONFIGURATION ?= debug
INBOX ?=
DATA ?= .data
PORT ?= 8123
QUEUES ?=
ARGS ?=
PYTHON ?= python3
VENV ?= .venv

BUILD_FLAGS = --scratch-path "$(SCRATCH)" $(SWIFT_FLAGS)
REQUIREMENTS := Tests/Conformance/requirements.txt
SOURCES := Sources Tests Emulator Benchmarks Package.swift
# The tests that keep all processors busy; those that wait for real clocks and sockets run after them.
PURE_TESTS := CloudJobsCoreTests|CloudJobsTests|CloudJobsEmulatorTests|TidyTests|ReadmeTests

.PHONY: help run test build-tests lint format emulator conformance packages test-packages clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | \
	  while IFS='|' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

run: packages ## Process a folder of files with the service and the emulator (INBOX=folder DATA=.data ARGS=--stay)
	$(SWIFT) run -c $(CONFIGURATION) $(BUILD_FLAGS) inbox-demo \
	  $(if $(INBOX),--inbox "$(INBOX)") --data "$(DATA)" $(ARGS)

test: test-packages ## Build, lint, and run all tests, those against the official clients included
	@$(MAKE) --no-print-directory build-tests
	@$(MAKE) --no-print-directory lint
	$(SWIFT) test --skip-build $(BUILD_FLAGS) --filter '$(PURE_TESTS)'
	$(SWIFT) test --skip-build $(BUILD_FLAGS) --skip '$(PURE_TESTS)'
	@$(MAKE) --no-print-directory conformance

build-tests:
	$(SWIFT) build --build-tests $(BUILD_FLAGS)

lint: ## Check the format and the documentation of all Swift files
	$(SWIFT) format lint --strict --parallel -r $(SOURCES)

format: ## Format all Swift files
	$(SWIFT) format --in-place --parallel -r $(SOURCES)

emulator: packages ## Serve Cloud Tasks, Cloud Scheduler and Firestore here (PORT=8123 DATA=folder, or in memory)
	@$(SWIFT) run -c $(CONFIGURATION) $(BUILD_FLAGS) cloud-jobs emulator --port $(PORT) \
	  $(if $(filter command line environment,$(origin DATA)),--data "$(DATA)") \
	  $(if $(QUEUES),--queues "$(QUEUES)") $(ARGS)

conformance: test-packages $(VENV)/.installed ## Run the tests against other implementations and the official clients
	$(SWIFT) build $(BUILD_FLAGS)
	CLOUD_JOBS_BIN_DIR="$$($(SWIFT) build --show-bin-path $(BUILD_FLAGS))" \
	  $(VENV)/bin/python -m pytest Tests/Conformance

$(VENV)/.installed: $(REQUIREMENTS)
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $(REQUIREMENTS)
	touch $@

packages:
	@infra/install-system-packages

test-packages:
	@infra/install-system-packages tests

clean: ## Remove what was built; data folders stay
	rm -rf "$(SCRATCH)" $(VENV)
