# SPDX-License-Identifier: Apache-2.0
# Everyday commands. Everything is built under build/<preset>/; build/deps/ holds what tools/setup fetched.
#   make demo             a simulated factory line, decided on by `alara run`
#   make test             set-up, release build, fast tests, then slow and system tests
#   make bench BENCH=name one benchmark (without BENCH they are listed); make lab-bench those of alara-lab
#   make lint asan tsan fuzz   the other checks of CI
JOBS ?= $(shell nproc)
BENCH ?=
FUZZ_SECONDS ?= 10

.PHONY: all setup build test fast-test demo bench lab-bench fuzz lint format tidy asan tsan clean
all: build

setup:
	@tools/setup

build: setup
	@cmake --preset release >/dev/null
	@cmake --build build/release -j $(JOBS)

fast-test: build
	@ctest --test-dir build/release -L fast -j $(JOBS) --output-on-failure

test: fast-test
	@ctest --test-dir build/release -LE fast --output-on-failure --no-tests=ignore

demo: setup
	@cmake --preset release >/dev/null
	@cmake --build build/release -j $(JOBS) --target alara
	@build/release/alara demo

bench: build
	@build/release/alara bench $(BENCH)

lab-bench: build
	@build/release/alara-lab bench $(BENCH)

lint: setup
	@tools/check_sources
	@tools/format --check

format:
	@tools/format

# Slow: minutes for the whole tree. TIDY=src/infer keeps to one folder.
TIDY ?= src bench
tidy: build
	@find $(TIDY) -name '*.cpp' | xargs -P $(JOBS) -n 4 clang-tidy-14 --quiet -p build/release

# The fast tests under AddressSanitizer and UndefinedBehaviorSanitizer, and under ThreadSanitizer.
asan tsan: setup
	@cmake --preset $@ >/dev/null
	@cmake --build build/$@ -j $(JOBS) --target fast_tests
	@ctest --test-dir build/$@ -L fast -j $(JOBS) --output-on-failure

fuzz: setup
	@tools/fuzz $(FUZZ_SECONDS)

# Keeps build/deps: fetched, not built.
clean:
	@find build -mindepth 1 -maxdepth 1 ! -name deps -exec rm -rf {} +
