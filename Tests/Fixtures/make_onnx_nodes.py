"""Small node tests of the onnx package's backend suite, in one model: Tests/Fixtures/onnx_nodes/nodes.onnx.

Each test is a function of the model, named as the test, with its own operator sets; its inputs and expected outputs are
the initializers `TEST/VALUE`. At most four tests of each operator, the smallest first.

    python Tests/Fixtures/make_onnx_nodes.py
"""

import collections
import os
import sys
import warnings

import onnx
from onnx import helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "Parity"))
from onnx_nodes import array, operators, reason_to_skip  # noqa: E402

MOST_BYTES = 3000
MOST_TESTS = 4
UNKNOWN = {"LinearAttention", "TfIdfVectorizer"}


def size(case):
    inputs, outputs = case.data_sets[0]
    return case.model.ByteSize() + sum(array(value).nbytes for value in list(inputs) + list(outputs))


def main():
    warnings.simplefilter("ignore")
    functions, tensors = [], []
    taken = collections.Counter()
    cases = [case for case in collect_testcases(None) if not reason_to_skip(case)]
    for case in sorted(cases, key=lambda case: (size(case), case.name)):
        nodes = list(case.model.graph.node)
        names = {node.op_type for node in operators(case.model.graph)}
        if names & UNKNOWN or case.model.graph.initializer:
            continue
        # A test that is made of other operators counts for those that have none of their own.
        wanted = any(taken[name] == 0 for name in names) if "_expanded" in case.name else any(
            taken[name] < MOST_TESTS for name in names)
        if not wanted or (size(case) > MOST_BYTES and all(taken[name] > 0 for name in names)):
            continue
        for name in names:
            taken[name] += 1
        graph = case.model.graph
        functions.append(helper.make_function(
            "test", case.name, [value.name for value in graph.input], [value.name for value in graph.output], nodes,
            case.model.opset_import))
        for values, data in ((graph.input, case.data_sets[0][0]), (graph.output, case.data_sets[0][1])):
            for value, item in zip(values, data):
                tensors.append(numpy_helper.from_array(array(item), f"{case.name}/{value.name}"))
    model = helper.make_model(
        helper.make_graph([], "nodes", [], [], tensors), functions=functions, producer_name="onnx node tests",
        opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("test", 1)])
    folder = os.path.join(here, "onnx_nodes")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "nodes.onnx"), "wb") as file:
        file.write(model.SerializeToString(deterministic=True))
    print(f"{len(functions)} tests of {len(taken)} operators, {model.ByteSize()} bytes")


if __name__ == "__main__":
    main()
