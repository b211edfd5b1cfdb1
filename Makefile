# The commands of Warren. `make` lists them; each does its own set-up.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BUILT := $(abspath $(or $(CARGO_TARGET_DIR),target))
VENV := $(CURDIR)/check/e2e/.venv
LIBSESSION := check/e2e/libsession/Cargo.toml
CASES ?= 20000
ROUNDS ?= 6
CUTS ?= 1000
CORRUPTIONS ?= 100000
CONTROL_CUTS ?= 20
SEEDS ?= 100000
FROM ?= 0
TRAFFIC ?= 60
# A memory file system makes copies of the disk cheap.
POWER_SCRATCH := $(if $(wildcard /dev/shm),--scratch /dev/shm)

.PHONY: help setup build package release-manifest run demo lint test test-cluster bench simulate faults power-cuts wipe-cuts backup-corruptions deny fuzz-mutations clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## check for the C compiler, make, perl, git and python3 that the build needs; as root, install them
	@scripts/setup

package: setup ## build the Debian packages of warren-node and warren, and check them
	@scripts/package

release-manifest: ## write and sign a release's manifest: ARGS='--key PATH --version V --number N --out DIR PLATFORM=FILE...'
	@scripts/release-manifest $(ARGS)

build: setup ## build the programs, optimised
	cargo build --release --locked -p warren -p warren-noded

run: build ## start a local network and keep it up until Ctrl-C
	@exec "$(BUILT)/release/warren" up

demo: build ## watch a whole conversation over a local network
	@exec "$(BUILT)/release/warren" demo

lint: setup ## formatting and clippy, warnings are errors
	@cargo fmt --version >/dev/null 2>&1 || { echo "rustfmt is missing: rustup component add rustfmt" >&2; exit 1; }
	@cargo clippy --version >/dev/null 2>&1 || { echo "clippy is missing: rustup component add clippy" >&2; exit 1; }
	cargo fmt --all --check
	cargo fmt --manifest-path $(LIBSESSION) --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

# The other client that the journeys talk to, at exact versions.
$(VENV)/installed: check/e2e/requirements.txt
	python3 -m venv --clear "$(VENV)"
	"$(VENV)/bin/python" -m pip install --quiet --disable-pip-version-check --requirement check/e2e/requirements.txt
	@touch "$@"

test: setup ## every test: units, properties, vectors, tidy, and journeys with clients that others wrote
	@scripts/setup tests
	@$(MAKE) "$(VENV)/installed"
	cargo build --locked --manifest-path $(LIBSESSION) --target-dir "$(BUILT)/libsession"
	WARREN_E2E_PYTHON="$(VENV)/bin/python" cargo test --workspace --locked

test-cluster: setup ## the PostgreSQL engine on a cluster of three members, whose primary is lost ROUNDS=6 times
	@scripts/setup tests
	WARREN_POSTGRES=cluster cargo test --locked -p warren-store --test postgres
	WARREN_FAILOVERS=$(ROUNDS) cargo test --locked -p warren-store --test failover -- --nocapture

bench: setup ## measure, and print a table
	cargo run --release --locked -p warren-bench

simulate: setup ## a swarm of seven in one thread, under faults that follow from a seed (SEEDS=100000 FROM=0)
	cargo run --release --locked -p warren-sim -- --from $(FROM) --seeds $(SEEDS)

faults: setup ## seven nodes on hosts of their own, killed, cut off, wiped and slowed; as root (TRAFFIC=60 seconds each)
	@scripts/setup tests
	FAULT_SECONDS=$(TRAFFIC) cargo test --locked -p warren-e2e --test faults -- --nocapture --test-threads=1

power-cuts: setup ## cut the power of a node's and a person's store again and again and count what is lost; as root (CUTS=1000)
	@command -v redis-server >/dev/null || apt-get install -y --no-install-recommends redis-server
	cargo build --release --locked -p warren-power
	"$(BUILT)/release/warren-power" cut log unsynced redis --cuts $(CONTROL_CUTS) $(POWER_SCRATCH)
	"$(BUILT)/release/warren-power" cut warren client --cuts $(CUTS) $(POWER_SCRATCH)

wipe-cuts: setup ## kill the program at every system call of a wipe, and search the raw disk; as root (CUTS=1000)
	@scripts/setup tests
	WIPE_CUTS=$(CUTS) cargo test --locked -p warren-e2e --test wipe_cuts -- --nocapture

backup-corruptions: setup ## damage a backup again and again, and count what is not noticed (CORRUPTIONS=100000)
	BACKUP_CORRUPTIONS=$(CORRUPTIONS) cargo test --release --locked -p warren-backup --test places corruption -- --nocapture

deny: setup ## licences, bans and sources of the dependencies
	@cargo deny --version >/dev/null 2>&1 || cargo install cargo-deny --locked --version '^0.20'
	cargo fetch --locked
	cargo deny --offline check bans licenses sources

fuzz-mutations: setup ## the decoders' property and mutation tests with many more cases (CASES=20000)
	PROPTEST_CASES=$(CASES) cargo test --release --locked -p warren-crypto -p warren-lock -p warren-wire -p warren-message -p warren-config -p warren-archive -p warren-onion

clean: ## remove what the other commands built
	cargo clean
	rm -rf "$(VENV)"
