# Nightshift: make serve, make test. Each target installs what it needs first; `make help` lists them.
# Every step is a line that can be run by hand.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Two builds at once only wait for each other's lock.
.NOTPARALLEL:

export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(CURDIR)/tools/node_modules/.bin:$(PATH)
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1

PORT ?= 8080
SPEED ?=
SCREENSHOTS ?= $(CURDIR)/docs/screenshots

ifeq ($(CI),true)
export CARGO_INCREMENTAL := 0
# Fifty test programs are half as large without line numbers of their libraries; a panic names its line all the same.
export CARGO_PROFILE_DEV_DEBUG := none
export CARGO_TERM_COLOR := never
LOCKED := --locked
LEPTOS_LOCKED := --cargo-locked
endif

# The front end is a crate of its own for wasm32. Built natively beside the server, Cargo would join the
# features of both, and the pages would be rendered by code that believes it is in a browser.
NATIVE := $(LOCKED) --workspace --exclude frontend
WASM := $(LOCKED) --package frontend --target wasm32-unknown-unknown

# What the front end is made of.
FRONT_SOURCES := $(shell find app frontend style public -type f -not -path '*/tests/*' -not -name '*.md' 2>/dev/null) \
	$(wildcard Cargo.toml Cargo.lock rust-toolchain.toml)
FRONT := target/front-end-is-built

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

## Setting up

.PHONY: setup setup-serve
setup: ## Install everything that building and testing need
	@tools/setup test

setup-serve:
	@tools/setup serve

## Running

.PHONY: serve
serve: setup-serve $(FRONT) ## Build for release and run the demo (PORT=8080, SPEED=how many times faster than real time)
	cargo build $(LOCKED) --release --package server --features embed
	exec target/release/nightshift demo --data target/demo --listen 127.0.0.1:$(PORT) $(if $(SPEED),--speed $(SPEED))

.PHONY: clean-demo
clean-demo: ## Forget the demo's data; the next `make serve` starts from the beginning
	rm -rf target/demo

# cargo-leptos empties target/site first, so nothing old is left beside what it writes.
$(FRONT): $(FRONT_SOURCES)
	@mkdir -p target
	cargo leptos build --release --frontend-only --precompress --split $(LEPTOS_LOCKED)
	@touch $@

## Testing

.PHONY: test
test: setup check test-rust test-browser ## Everything that must pass: format, lints, Rust tests on SQLite and Postgres, browser tests

.PHONY: check
check: setup ## Formatting, lints, circles between files, missing docs
	cargo fmt --all --check
	node tools/circles.mjs
	node tools/docs.mjs
	node --test tools/circles.test.mjs tools/docs.test.mjs
	cargo clippy $(NATIVE) --all-targets -- -D warnings
	@# Tests may be as long as what they tell.
	cargo clippy $(NATIVE) -- -D warnings -D clippy::too_many_lines
	cargo clippy $(WASM) -- -D warnings
	cd end2end && npx --no-install tsc --noEmit

.PHONY: test-rust
test-rust: setup ## Rust tests on SQLite and a private Postgres (ARGS=… goes to nextest)
	tools/postgres cargo nextest run $(NATIVE) $(ARGS)

.PHONY: test-browser
test-browser: setup $(FRONT) server-for-tests ## Browser tests of the built program (ARGS=… goes to Playwright)
	cd end2end && npx --no-install playwright test --project=pages $(ARGS)

# With --tests the crates keep the features that the Rust tests have just built them with.
.PHONY: server-for-tests
server-for-tests:
	cargo build $(NATIVE) --bins --tests
	@# Names with hashes in them are looked up beside the program.
	@if [ -f target/release/hash.txt ]; then cp target/release/hash.txt target/debug/; fi

.PHONY: screenshots
screenshots: setup $(FRONT) server-for-tests ## Take the pictures in docs/screenshots
	mkdir -p $(SCREENSHOTS)
	cd end2end && SCREENSHOTS=$(SCREENSHOTS) npx --no-install playwright test --project=screenshots

## Measuring and long looks

.PHONY: bench
bench: setup $(FRONT) ## What polls, reports and ticks cost beside bare handlers: one table, about 15 minutes (ARGS=load, tick, enter, checks, process, month, lists, pages)
	@tools/setup bench
	tools/postgres cargo bench $(LOCKED) --package server --bench table -- $(ARGS)

.PHONY: lighthouse
lighthouse: setup $(FRONT) server-for-tests ## What Lighthouse says of the Updates page, on a desk and on a slow phone: 95 or more
	@tools/setup lighthouse
	cd end2end && npx --no-install playwright test --project=lighthouse --workers=1

FUZZ ?= 10000000

.PHONY: fuzz
fuzz: setup ## FUZZ=10000000 bodies of each kind at the readers and at the device API; about half an hour
	NIGHTSHIFT_FUZZ=$(FUZZ) tools/postgres cargo nextest run $(LOCKED) --cargo-profile bench --package server --test fuzz --no-capture

.PHONY: fmt
fmt: ## Format the Rust code
	cargo fmt --all

.PHONY: deny
deny: ## Licences and unwanted crates of all dependencies (installs cargo-deny, 8 minutes, once)
	@tools/setup deny
	cargo deny --offline check bans licenses sources
