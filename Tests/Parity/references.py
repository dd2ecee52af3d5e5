"""`zoo verify --reference` on full-size networks, recorded in their own frameworks by the lines that `zoo verify --how`
prints.

Torchvision's and Keras's networks with seeded weights are converted and held against the recording, layer by layer: every
layer must hold. Then one layer of the original is changed as wrong conversions differ, and recorded again: that layer, and
no other, must be named, with the cause."""

import json
import os
import subprocess
import sys
import tempfile

from keras_applications import make as make_keras, randomise
import numpy as np
import torch

from networks import ZOO, make, run


def lines(framework):
    return run(ZOO, "verify", "--how", framework, "--quiet")[0]


def record(framework, folder, model, x):
    """Runs the printed lines as a person would, who finds R.npz in the folder."""
    before = os.getcwd()
    text = lines(framework)
    os.chdir(folder)
    exec(text, {"model": model, "x": x})
    os.chdir(before)
    return f"{folder}/R.npz"


def verify(checkpoint, recording):
    done = subprocess.run([ZOO, "verify", checkpoint, "--reference", recording, "--json"], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"zoo verify: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.returncode, json.loads(done.stdout)["reference"]


def compare(label, framework, source, model, x, least, change, layer, kind, folder):
    checkpoint = f"{folder}/a.safetensors"
    run(ZOO, "convert", source, "-o", checkpoint, "--force")
    code, found = verify(checkpoint, record(framework, folder, model, x))
    layers = found["layers"]
    worst = max(entry["departure"] for entry in layers)
    right = code == 0 and len(layers) >= least and all(entry["holds"] for entry in layers)
    print(f"{label:16} {len(layers)} layers, the worst departs by {worst:.1e}{'' if right else '   DOES NOT HOLD'}",
          flush=True)
    change(model)
    code, found = verify(checkpoint, record(framework, folder, model, x))
    first = next((entry["name"] for entry in found["layers"] if not entry["holds"]), None)
    cause = found.get("cause") or {}
    named = code == 1 and first == layer and cause.get("kind") == kind
    print(f"{label:16} {layer} changed: {first} named, {cause.get('words')}{'' if named else '   DOES NOT HOLD'}",
          flush=True)
    return right and named


def torchvision(name, least, change, layer, kind):
    with tempfile.TemporaryDirectory() as folder:
        model = make(name)
        torch.save(model.state_dict(), f"{folder}/{name}.pth")
        torch.manual_seed(1)
        return compare(name, "torch", f"{folder}/{name}.pth", model, torch.randn(2, 3, 224, 224), least, change, layer,
                       kind, folder)


def applications(name, least, change, layer, kind):
    with tempfile.TemporaryDirectory() as folder:
        model, _, size = make_keras(name)
        random = np.random.default_rng(5)
        randomise(model, random)
        model.save(f"{folder}/{name}.keras")
        x = random.normal(size=(2, size, size, 3)).astype(np.float32)
        return compare(f"Keras {name}", "keras", f"{folder}/{name}.keras", model, x, least, change, layer, kind, folder)


def epsilon(path):
    def change(model):
        model.get_submodule(path).eps = 1e-3
    return change


def stride_first(model):
    model.layer3[0].conv1.stride, model.layer3[0].conv2.stride = (2, 2), (1, 1)


def keras_epsilon(model):
    model.get_layer("conv3_block1_1_bn").epsilon = 1e-3


def blue_first(model):
    kernel, bias = model.get_layer("block1_conv1").get_weights()
    model.get_layer("block1_conv1").set_weights([kernel[:, :, ::-1], bias])


if __name__ == "__main__":
    held = torchvision("resnet18", 60, epsilon("layer2.0.bn1"), "layer2.0.bn1", "epsilon")
    held &= torchvision("resnet50", 150, stride_first, "layer3.0.conv1", "stride")
    held &= applications("vgg16", 17, blue_first, "block1_conv1", "channelOrder")
    held &= applications("resnet50", 108, keras_epsilon, "conv3_block1_1_bn", "epsilon")
    print("references: all hold" if held else "references: NOT all hold")
    sys.exit(0 if held else 1)
