"""Networks in float32, batch 1, two threads: zoo beside ONNX Runtime, medians of alternating pairs.

Each pair times RUNS runs of either in a process of its own, after warm-up; the ratio is the median over the pairs."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

ZOO, RUNNER = ".build/release/zoo", ".build/release/parity-runner"
THREADS, RUNS = "2", "25"
BOUNDS = {"resnet50": 0.90, "vgg16": 0.55, "resnet18": 0.75, "inception_v3": 1.00, "convnext_tiny": 1.00}
EXPORT = """
import sys, torch, torchvision
torch.manual_seed(0)
options = {"init_weights": False, "transform_input": True} if sys.argv[1] == "inception_v3" else {}
model = getattr(torchvision.models, sys.argv[1])(**options).eval()
torch.save(model.state_dict(), sys.argv[2])
torch.onnx.export(model, (torch.zeros(1, 3, int(sys.argv[4]), int(sys.argv[4])),), sys.argv[3], dynamo=False, opset_version=17)
"""
ORT = """
import sys, time, numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(sys.argv[2])
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
picture = numpy.random.default_rng(0).standard_normal((1, 3, int(sys.argv[4]), int(sys.argv[4]))).astype("float32")
for run in range(int(sys.argv[3]) + 5):
    start = time.perf_counter()
    session.run(None, {name: picture})
    if run >= 5:
        print(time.perf_counter() - start)
"""


def median(command):
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return statistics.median(map(float, out.split()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--names", nargs="*", default=list(BOUNDS))
    arguments = parser.parse_args()
    missed = False
    for name in arguments.names:
        bound, side = BOUNDS[name], "299" if name == "inception_v3" else "224"
        with tempfile.TemporaryDirectory() as folder:
            weights, graph, checkpoint = (f"{folder}/{name}.{end}" for end in ("pth", "onnx", "safetensors"))
            subprocess.run([sys.executable, "-W", "ignore", "-c", EXPORT, name, weights, graph, side], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            subprocess.run([ZOO, "convert", weights, "-o", checkpoint, "--quiet"], check=True)
            os.unlink(weights)
            pairs = []
            for _ in range(arguments.pairs):
                ours = median([RUNNER, "time", checkpoint, "1", side, THREADS, RUNS])
                theirs = median([sys.executable, "-c", ORT, graph, THREADS, RUNS, side])
                pairs.append((ours, theirs))
        ratio = statistics.median(a / b for a, b in pairs)
        missed |= ratio > bound
        print(f"{name} batch 1: zoo {statistics.median(a for a, _ in pairs) * 1e3:.1f} ms, "
              f"ONNX Runtime {statistics.median(b for _, b in pairs) * 1e3:.1f} ms, ratio {ratio:.2f} (bound {bound})"
              + ("   MISSED" if ratio > bound else ""), flush=True)
    sys.exit(missed)


if __name__ == "__main__":
    main()
