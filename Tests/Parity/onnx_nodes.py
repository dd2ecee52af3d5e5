"""Every node test of the onnx package's own backend suite, through zoo's ONNX programs: operator, passed, total.

The list of inputs goes in as safetensors, outputs come back the same way, and the package's own tolerances apply. Tests
that need what zoo doesn't have are named with the reason; every other one must pass.
"""

import argparse
import collections
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases

RUNNER = ".build/release/parity-runner"
HELD = {
    TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.INT8,
    TensorProto.INT16, TensorProto.INT32, TensorProto.INT64, TensorProto.UINT8, TensorProto.UINT16,
    TensorProto.UINT32, TensorProto.UINT64, TensorProto.BOOL,
}
NAMES = {
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
    "int16": "I16", "int8": "I8", "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
}


def save(tensors, path):
    import json

    header, data = {}, b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": NAMES[array.dtype.name], "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def load(path):
    import json
    import ml_dtypes

    with open(path, "rb") as file:
        content = file.read()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8:8 + size])
    kinds = {value: np.dtype(getattr(ml_dtypes, key) if key == "bfloat16" else key) for key, value in NAMES.items()}
    result = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        flat = np.frombuffer(content[8 + size + start:8 + size + end], kinds[entry["dtype"]])
        result[name] = flat.reshape(entry["shape"])
    return result


def operators(graph):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from operators(attribute.g)


def element_types(case):
    for value in list(case.model.graph.input) + list(case.model.graph.output):
        yield value.type.tensor_type.elem_type if value.type.HasField("tensor_type") else None
    for node in operators(case.model.graph):
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                yield attribute.t.data_type
            if attribute.name in ("to", "dtype", "output_dtype") and attribute.type == onnx.AttributeProto.INT:
                yield attribute.i


# Where the expected numbers themselves are further from the exact ones than the tolerance.
COARSE = {
    "test_attention_4d_causal_fp16": "every step of the softmax rounded to float16",
    "test_attention_4d_causal_fp16_expanded": "every step of the softmax rounded to float16",
    "test_dft_inverse": "zeros that are 2e-6, by a transform in float32",
    "test_dft_inverse_opset19": "zeros that are 2e-6, by a transform in float32",
}


def reason_to_skip(case):
    """None where zoo must pass."""
    if case.name in COARSE:
        return "expected numbers of " + COARSE[case.name]
    types = set(element_types(case))
    domains = {node.domain for node in operators(case.model.graph)} - {"", "ai.onnx"}
    if domains:
        return "domain " + sorted(domains)[0]
    if None in types:
        return "sequences and optionals as inputs or outputs of the model"
    if TensorProto.STRING in types:
        return "text"
    if types - HELD:
        return "elements of " + ", ".join(sorted(TensorProto.DataType.Name(t).lower() for t in types - HELD))
    if any(node.op_type == "Bernoulli" for node in operators(case.model.graph)) or (
            case.name.startswith("test_bernoulli") or "training_dropout" in case.name):
        return "random numbers"
    if any(node.op_type in ("ImageDecoder",) for node in operators(case.model.graph)):
        return "pictures inside the network"
    return None


def array(value):
    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else np.asarray(value)


def compare(case, found):
    """What differs; None where all is as it should be."""
    _, outputs = case.data_sets[0]
    for info, expected in zip(case.model.graph.output, outputs):
        expected = array(expected)
        if info.name not in found:
            return f"{info.name} is missing"
        value = found[info.name]
        if value.dtype != expected.dtype:
            return f"{info.name} has {value.dtype}, expected {expected.dtype}"
        if value.shape != expected.shape:
            return f"{info.name} has shape {value.shape}, expected {expected.shape}"
        rtol = case.rtol
        if expected.dtype.name == "bfloat16":
            # Two of its last digits, as the package's own runner allows.
            rtol = max(rtol, 2**-6)
            value, expected = value.astype(np.float32), expected.astype(np.float32)
        if np.issubdtype(expected.dtype, np.floating):
            if not np.allclose(value, expected, rtol=rtol, atol=case.atol, equal_nan=True):
                return f"{info.name} differs by {np.nanmax(np.abs(value.astype(float) - expected.astype(float)))}"
        elif not np.array_equal(value, expected):
            return f"{info.name} differs: {value.ravel()[:6]} instead of {expected.ravel()[:6]}"
    return None


def run(cases, folder):
    lines = []
    for index, case in enumerate(cases):
        base = f"{folder}/{index}"
        onnx.save(case.model, f"{base}.onnx")
        inputs, _ = case.data_sets[0]
        save({info.name: array(value) for info, value in zip(case.model.graph.input, inputs)}, f"{base}.in")
        lines.append(f"{base}.onnx\t{base}.in\t{base}.out\n")
    with open(f"{folder}/list", "w") as file:
        file.writelines(lines)
    done = subprocess.run([RUNNER, "onnx", f"{folder}/list"], capture_output=True, text=True)
    replies = done.stdout.splitlines()
    for index, case in enumerate(cases):
        reply = replies[index] if index < len(replies) else f"the program ended: {done.returncode} {done.stderr[-300:]}"
        yield case, compare(case, load(f"{folder}/{index}.out")) if reply == "ok" else reply


def main():
    global RUNNER
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="names of tests that contain this")
    parser.add_argument("--runner", default=RUNNER)
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    RUNNER = arguments.runner
    warnings.simplefilter("ignore")
    cases = [case for case in collect_testcases(None) if arguments.only in case.name]
    reasons = {case.name: reason_to_skip(case) for case in cases}
    skipped = collections.Counter(reason for reason in reasons.values() if reason)
    wanted = [case for case in cases if reasons[case.name] is None]
    passed, total = collections.Counter(), collections.Counter()
    failures, unsupported = [], collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for case, problem in run(wanted, folder):
            names = {node.op_type for node in operators(case.model.graph)}
            if problem and "has no kernel for" in problem:
                unsupported[problem.split("has no kernel for ")[1].split(";")[0]] += 1
                continue
            for name in names:
                total[name] += 1
                passed[name] += problem is None
            if problem:
                failures.append(f"{case.name}: {problem}")
    for name in sorted(total):
        print(f"{name:28} {passed[name]:4} / {total[name]:4}{'' if passed[name] == total[name] else '   NOT ALL'}")
    print(f"\n{len(total)} operators, {len(wanted) - sum(unsupported.values()) - len(failures)} of "
          f"{len(wanted) - sum(unsupported.values())} tests pass")
    for reason, count in sorted(skipped.items()):
        print(f"not run: {count:4} tests with {reason}")
    for reason, count in sorted(unsupported.items()):
        print(f"not run: {count:4} tests with {reason}")
    for failure in failures:
        print("FAILS", failure)
    print("onnx nodes: all hold" if not failures else "onnx nodes: NOT all hold")
    return 0 if not failures else 1


if __name__ == "__main__":
    sys.exit(main())
