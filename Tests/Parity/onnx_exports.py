"""Whole networks as torch exports them, both ways, through zoo's ONNX programs and through ONNX Runtime.

Every difference is given as a part of the largest output; times are medians of a few runs on all cores.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnxruntime
import torch
import torchvision
from onnx_nodes import load, save

RUNNER = os.environ.get("ZOO_BUILD", ".build/release") + "/parity-runner"
BOUND = 1e-4


class Hidden(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, tokens):
        return self.model(input_ids=tokens, use_cache=False)[0]


def vision(name, **settings):
    torch.manual_seed(0)
    model = getattr(torchvision.models, name)(weights=None, **settings).eval()
    if name.startswith("vit"):
        # It begins with a head of zeros, which gives zeros.
        torch.nn.init.normal_(model.heads.head.weight, std=0.02)
    return model, torch.randn(1, 3, 224, 224)


def language(kind, **settings):
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, kind + "Config")(attn_implementation="eager", **settings)
    return Hidden(getattr(transformers, kind + "Model")(config)).eval(), torch.randint(0, 100, (1, 32))


NETWORKS = {
    "mobilenet_v3_small": lambda: vision("mobilenet_v3_small"),
    "shufflenet_v2_x0_5": lambda: vision("shufflenet_v2_x0_5"),
    "densenet121": lambda: vision("densenet121"),
    "efficientnet_b0": lambda: vision("efficientnet_b0"),
    "googlenet": lambda: vision("googlenet", init_weights=False, aux_logits=False),
    "resnet50": lambda: vision("resnet50"),
    "vit_b_16": lambda: vision("vit_b_16"),
    "swin_t": lambda: vision("swin_t"),
    "convnext_tiny": lambda: vision("convnext_tiny"),
    "bert (tiny)": lambda: language("Bert", hidden_size=64, num_hidden_layers=2, num_attention_heads=4,
                                    intermediate_size=128, vocab_size=100),
    "bert (base)": lambda: language("Bert"),
    "gpt2 (tiny)": lambda: language("GPT2", n_embd=64, n_layer=2, n_head=4, vocab_size=100),
}


def export(model, x, path, dynamo):
    with torch.no_grad():
        torch.onnx.export(model, (x,), path, dynamo=dynamo, input_names=["x"], output_names=["y"],
                          opset_version=18 if dynamo else 17, **({"verbose": False} if dynamo else {}))


def median(numbers):
    return sorted(numbers)[len(numbers) // 2]


def check(name, dynamo, runs, folder):
    import time

    model, x = NETWORKS[name]()
    path = f"{folder}/model.onnx"
    try:
        with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing), contextlib.redirect_stderr(nothing):
            export(model, x, path, dynamo)
    except Exception as error:
        print(f"{name:20} dynamo={dynamo!s:5} torch doesn't export it so: {type(error).__name__}", flush=True)
        return True
    options = onnxruntime.SessionOptions()
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: x.numpy()}
    expected = session.run(None, feed)[0]
    save(feed, f"{folder}/in")
    with open(f"{folder}/list", "w") as file:
        file.write(f"{path}\t{folder}/in\t{folder}/out\n")
    if os.path.exists(f"{folder}/out"):
        os.remove(f"{folder}/out")
    done = subprocess.run([RUNNER, "onnx", f"{folder}/list"], capture_output=True, text=True)
    label = f"{name:20} dynamo={dynamo!s:5}"
    if done.stdout.strip() != "ok":
        print(label, "DOES NOT RUN:", done.stdout.strip() or done.stderr[-300:], flush=True)
        return False
    found = load(f"{folder}/out")[session.get_outputs()[0].name]
    ratio = np.abs(found - expected).max() / np.abs(expected).max()
    times = ""
    if runs:
        done = subprocess.run([RUNNER, "onnx-time", path, f"{folder}/in", str(runs)], capture_output=True, text=True)
        ours = median([float(line) for line in done.stdout.split()])
        theirs = []
        for _ in range(runs):
            start = time.perf_counter()
            session.run(None, feed)
            theirs.append(time.perf_counter() - start)
        times = f", {ours * 1e3:.1f} ms, ONNX Runtime {median(theirs) * 1e3:.1f} ms"
    held = ratio <= BOUND
    print(f"{label} {ratio:.1e} of the largest{times}{'' if held else '   DOES NOT HOLD'}", flush=True)
    return held


def main():
    global RUNNER
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", nargs="*", default=list(NETWORKS))
    parser.add_argument("--runner", default=RUNNER)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--exporters", nargs="*", default=["script", "dynamo"])
    arguments = parser.parse_args()
    RUNNER = arguments.runner
    warnings.simplefilter("ignore")
    held = True
    for name in arguments.names:
        for exporter in arguments.exporters:
            with tempfile.TemporaryDirectory() as folder:
                held &= check(name, exporter == "dynamo", arguments.runs, folder)
    print("onnx exports: all hold" if held else "onnx exports: NOT all hold")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
