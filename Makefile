# make demo: set up, build, run the main job end to end. make test: set up, build, all tests.
.PHONY: all setup build demo test lint parity bench clean

all: build

setup:
	@.ci/setup

build: setup
	swift build -c release --product zoo

demo: build
	@Tests/EndToEnd/demo

test: setup lint
	swift test

lint:
	swift format lint --strict --recursive Package.swift Sources Tests

parity: setup
	swift build -c release
	Tests/Parity/run

bench: setup
	swift build -c release
	Benchmarks/run

clean:
	rm -rf .build demo
