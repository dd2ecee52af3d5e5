"""ONNX both ways, full size.

In: torchvision's and timm's networks by torch's two exporters, converted by zoo. Holds when the network is recognised and
its logits differ from ONNX Runtime's of the same file by at most 1e-4 of the largest.
Out: `zoo export --to onnx` of a checkpoint. Holds when onnx.checker accepts it, ONNX Runtime gives torchvision's logits
for one picture and for three within the same bound, and converting it back gives the same checkpoint byte for byte."""

import argparse
import filecmp
import json
import logging
import os
import sys
import tempfile
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors.torch import load_file, save_file

from networks import RUNNER, ZOO, make, run

BOUND = 1e-4
NETWORKS = ["resnet18", "resnet50", "vgg11_bn", "alexnet", "convnext_tiny", "inception_v3", "tf_efficientnet_lite0"]
MODE = torch.onnx.TrainingMode
BATCH = {"input_names": ["input"], "output_names": ["logits"],
         "dynamic_axes": {"input": {0: "batch"}, "logits": {0: "batch"}}}
EXPORTS = {
    "script, opset 11": {"dynamo": False, "opset_version": 11},
    "script, batch": {"dynamo": False, "opset_version": 17} | BATCH,
    "script, BatchNorm kept": {"dynamo": False, "opset_version": 17, "training": MODE.PRESERVE,
                               "do_constant_folding": False, "keep_initializers_as_inputs": True},
    "dynamo": {"dynamo": True, "verbose": False},
    "dynamo, plain": {"dynamo": True, "verbose": False, "optimize": False},
}


def network(name):
    if not name.startswith("tf_"):
        model = make(name)
        if name == "inception_v3":  # as its pretrained weights need it
            model.transform_input = True
        return model
    import timm

    torch.manual_seed(0)
    model = timm.create_model(name, pretrained=False)
    model.train()
    with torch.no_grad():
        for _ in range(2):
            model(torch.randn(2, 3, 224, 224))
    return model.eval()


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def runtime(path, x):
    network = session(path)
    return network.run(None, {network.get_inputs()[0].name: x.numpy()})[0]


def ratio(found, expected):
    return float(np.abs(np.asarray(found) - np.asarray(expected)).max() / np.abs(np.asarray(expected)).max())


def judge(label, value, more=True):
    held = value <= BOUND and more
    print(f"{label:48} {value:.1e} of max |logit|{'' if held else '   DOES NOT HOLD'}", flush=True)
    return held


def imports(name, model, size, folder):
    held = True
    x = torch.randn(1, 3, size, size)
    for label, options in EXPORTS.items():
        path = f"{folder}/model.onnx"
        try:
            torch.onnx.export(model, (x,), path, **options)
        except Exception as error:  # some networks don't go through some exporter
            print(f"{name}, {label}: torch doesn't export it: {str(error).splitlines()[0][:80]}", flush=True)
            continue
        report = json.loads(run(ZOO, "convert", "--force", "--json", path, "-o", f"{folder}/model.safetensors")[0])
        if report.get("model") is None:
            print(f"{name + ', ' + label:48} is not recognised   DOES NOT HOLD", flush=True)
            held = False
            continue
        save_file({"input": x}, f"{folder}/x.safetensors")
        run(RUNNER, "logits", f"{folder}/model.safetensors", f"{folder}/x.safetensors", f"{folder}/y.safetensors")
        found = load_file(f"{folder}/y.safetensors")["logits"].numpy()
        held &= judge(f"in   {name} as {report['model']}, {label}", ratio(found, runtime(path, x)))
        for file in os.listdir(folder):
            if file.startswith("model.onnx"):
                os.remove(f"{folder}/{file}")
    return held


def exports(name, model, size, folder):
    torch.save(model.state_dict(), f"{folder}/source.pth")
    run(ZOO, "convert", f"{folder}/source.pth", "-o", f"{folder}/first.safetensors")
    # The header of a first conversion has room for more than turned out to be needed.
    run(ZOO, "convert", f"{folder}/first.safetensors", "-o", f"{folder}/source.safetensors")
    path = f"{folder}/out.onnx"
    run(ZOO, "export", f"{folder}/source.safetensors", "--to", "onnx", "-o", path)
    onnx.checker.check_model(path, full_check=True)
    held = True
    for batch in (1, 3):
        x = torch.randn(batch, 3, size, size)
        with torch.no_grad():
            expected = model(x)
        held &= judge(f"out  {name}, batch {batch}", ratio(runtime(path, x), expected))
    run(ZOO, "convert", path, "-o", f"{folder}/back.safetensors")
    same = filecmp.cmp(f"{folder}/source.safetensors", f"{folder}/back.safetensors", shallow=False)
    print(f"out  {name}: the checkpoint again, byte for byte: {same}", flush=True)
    return held and same


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", nargs="*", default=NETWORKS)
    parser.add_argument("--only", choices=["in", "out"])
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    held = True
    for name in arguments.names:
        with tempfile.TemporaryDirectory() as folder:
            model, size = network(name), 299 if name == "inception_v3" else 224
            torch.manual_seed(1)
            if arguments.only != "out":
                held &= imports(name, model, size, folder)
            if arguments.only != "in":
                held &= exports(name, model, size, folder)
    print("onnx: all hold" if held else "onnx: NOT all hold")
    sys.exit(0 if held else 1)
