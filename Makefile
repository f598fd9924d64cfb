SHELL := /bin/bash
.DEFAULT_GOAL := help

SWIFT ?= swift
SWIFT_FLAGS ?=
SCRATCH ?= .build
# A debug build of a fresh clone takes little more than half the time of a release build, and `make test` uses the same
# products. For a large inbox: make run CONFIGURATION=release.
CONFIGURATION ?= debug
INBOX ?=
DATA ?= .data
PORT ?= 8123
QUEUES ?=
ARGS ?=
PYTHON ?= python3
VENV ?= .venv
BENCH_VENV ?= .venv-bench

BUILD_FLAGS = --scratch-path "$(SCRATCH)" $(SWIFT_FLAGS)
REQUIREMENTS := Tests/Conformance/requirements.txt
SOURCES := Sources Tests Emulator Benchmarks Package.swift
PYTHON_SOURCES := Tests Benchmarks infra
# Tests that use all processors. Those that wait for real clocks and sockets run afterwards.
VIRTUAL_TESTS := ConformanceTests|EffectTests|EffectStressTests|CloudJobsEncryptionTests
PURE_TESTS := CloudJobsCoreTests|CloudJobsTests|CloudJobsEmulatorTests|TidyTests|ReadmeTests|$(VIRTUAL_TESTS)
COVERED_TESTS := ^(CloudJobsCoreTests|CloudJobsTests|CloudJobsEmulatorTests|CloudJobsEmulatorWireTests)
# Tests of real time, and those whose server and clients share the processors with no others: they run alone.
ALONE_TESTS := CloudJobsPostgresTests|LeadershipTests

# Runs a part of the Swift tests. Their output is long, so that what failed is repeated at its end.
define run-tests
@set -o pipefail; $(SWIFT) test --skip-build $(BUILD_FLAGS) $(1) 2>&1 | tee "$(SCRATCH)/tests.log" \
  || { status=$$?; echo "What failed:"; grep -aE '^(✘|↳|.*error:)' "$(SCRATCH)/tests.log"; exit $$status; }
endef

.PHONY: help run worker enqueue workers test release-test build-tests coverage lint format emulator conformance \
  screenshots schema bench docs packages test-packages clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | \
	  while IFS='|' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

run: packages ## Process a folder of files with the service and the emulator (INBOX=folder DATA=.data ARGS=--stay)
	$(SWIFT) run -c $(CONFIGURATION) $(BUILD_FLAGS) inbox-demo \
	  $(if $(INBOX),--inbox "$(INBOX)") --data "$(DATA)" $(ARGS)

worker: packages ## Run a worker of several on one store (ARGS="--store postgres://… --name A")
	$(SWIFT) run -c $(CONFIGURATION) $(BUILD_FLAGS) worker-demo work $(ARGS)

enqueue: packages ## Enqueue runs for the workers (ARGS="--store postgres://… --count 1000")
	$(SWIFT) run -c $(CONFIGURATION) $(BUILD_FLAGS) worker-demo enqueue $(ARGS)

workers: packages ## Show the workers of a store and what waits (ARGS="--store postgres://…")
	$(SWIFT) run -c $(CONFIGURATION) $(BUILD_FLAGS) worker-demo status $(ARGS)

test: test-packages ## Build, lint, and run all tests, those against the official clients included
	@$(MAKE) --no-print-directory build-tests
	@$(MAKE) --no-print-directory lint
	$(call run-tests,--filter '$(PURE_TESTS)' --skip '$(ALONE_TESTS)')
	$(call run-tests,--skip '$(PURE_TESTS)|$(ALONE_TESTS)')
	$(call run-tests,--filter '$(ALONE_TESTS)')
	@$(MAKE) --no-print-directory conformance

# The optimizer has faults of its own, which a debug build does not have: before a release, and after a new compiler.
release-test: ## Run all tests over a release build, as programs are deployed
	@$(MAKE) --no-print-directory test SWIFT_FLAGS="$(SWIFT_FLAGS) -c release -Xswiftc -enable-testing"

build-tests:
	$(SWIFT) build --build-tests $(BUILD_FLAGS)

# A build of its own, as the counters slow the code down. The tests of the pure targets need no C libraries.
coverage: packages ## Report the part of the pure targets' lines that their tests execute (ARGS="--files --least 80")
	$(SWIFT) test --scratch-path "$(SCRATCH)-coverage" $(SWIFT_FLAGS) --disable-default-traits --enable-code-coverage \
	  --filter '$(COVERED_TESTS)'
	@infra/coverage-report $(ARGS) "$$($(SWIFT) test --scratch-path "$(SCRATCH)-coverage" $(SWIFT_FLAGS) \
	  --disable-default-traits --show-codecov-path)"

lint: $(VENV)/.installed ## Check the format and the documentation comments of all Swift files, and the Python files
	$(SWIFT) format lint --strict --parallel -r $(SOURCES)
	$(VENV)/bin/python -m ruff check $(PYTHON_SOURCES)
	$(VENV)/bin/python -m ruff format --check $(PYTHON_SOURCES)

format: $(VENV)/.installed ## Format all Swift and Python files
	$(SWIFT) format --in-place --parallel -r $(SOURCES)
	$(VENV)/bin/python -m ruff check --select I --fix $(PYTHON_SOURCES)
	$(VENV)/bin/python -m ruff format $(PYTHON_SOURCES)

emulator: packages ## Serve Cloud Tasks, Cloud Scheduler and Firestore here (PORT=8123 DATA=folder, or in memory)
	@$(SWIFT) run -c $(CONFIGURATION) $(BUILD_FLAGS) cloud-jobs emulator --port $(PORT) \
	  $(if $(filter command line environment,$(origin DATA)),--data "$(DATA)") \
	  $(if $(QUEUES),--queues "$(QUEUES)") $(ARGS)

conformance: test-packages $(VENV)/.installed ## Run the tests against other implementations and the official clients
	$(SWIFT) build $(BUILD_FLAGS)
	CLOUD_JOBS_BIN_DIR="$$($(SWIFT) build --show-bin-path $(BUILD_FLAGS))" \
	  $(VENV)/bin/python -m pytest -rs --durations=25 Tests/Conformance

screenshots: test-packages $(VENV)/.installed ## Make the pictures of the dashboard for the documentation
	$(SWIFT) build --product dashboard-service $(BUILD_FLAGS)
	CLOUD_JOBS_BIN_DIR="$$($(SWIFT) build --show-bin-path $(BUILD_FLAGS))" \
	  $(VENV)/bin/python Tests/Conformance/dashboard_pictures.py Documentation/images

schema: $(VENV)/.installed ## Write the schema of the emulated services, from the official packages
	$(VENV)/bin/python Tests/Conformance/google_schema.py

$(VENV)/.installed: $(REQUIREMENTS) | packages
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $(REQUIREMENTS)
	$(VENV)/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  --no-binary google-cloud-firestore --dest $(VENV)/sources "$$(grep google-cloud-firestore $(REQUIREMENTS))"
	touch $@

packages:
	@infra/install-system-packages

test-packages:
	@infra/install-system-packages tests

bench: packages $(BENCH_VENV)/.installed ## Measure a worker beside other systems (ARGS="--json results.json")
	$(SWIFT) build -c release --product worker-benchmark $(BUILD_FLAGS)
	@$(BENCH_VENV)/bin/python Benchmarks/bench.py \
	  --bin-dir "$$($(SWIFT) build -c release --show-bin-path $(BUILD_FLAGS))" $(ARGS)

docs: packages ## Write the documentation as a site: guides, tutorials, every library (ARGS="--hosting-base-path /name")
	$(SWIFT) build $(BUILD_FLAGS)
	@$(PYTHON) infra/documentation/site_builder.py \
	  --bin-dir "$$($(SWIFT) build --show-bin-path $(BUILD_FLAGS))" --output "$(SCRATCH)/documentation" $(ARGS)

# A peer that can't be installed is left out.
$(BENCH_VENV)/.installed: Benchmarks/requirements.txt
	rm -rf $(BENCH_VENV)
	$(PYTHON) -m venv $(BENCH_VENV)
	@while read -r peer; do $(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check "$$peer" \
	  || echo "$$peer can't be installed here: it is left out."; done < $<
	touch $@

clean: ## Remove the build products and the virtual environment, not the data folders
	rm -rf "$(SCRATCH)" "$(SCRATCH)-coverage" $(VENV) $(BENCH_VENV)
