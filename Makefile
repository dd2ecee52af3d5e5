# make demo: set up, build, run the main job end to end. make test: set up, build, all tests.
.PHONY: all setup build demo test lint parity bench fuzz sandbox clean

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

# Executions of each target: make fuzz RUNS=10000000 TARGETS="hdf5 onnx".
RUNS ?= 1000000
TARGETS ?=

fuzz: setup
	ZOO_FUZZ=1 swift build -c release --product zoo-fuzz --scratch-path .build/fuzz
	Tests/Fuzz/run $(RUNS) $(TARGETS)

# What the process that parses HDF5 and ONNX may do, shown by strace.
sandbox: build
	@Tests/EndToEnd/sandbox

clean:
	rm -rf .build demo
