"""Logits of full-size networks against torchvision's and timm's, and the checkpoints against safetensors' reader.

Each network's state dict goes through torch.save and `zoo convert`. Holds when max |difference| <= 1e-4 max |logit|, no kernel
is a loop of reference, and every tensor of the checkpoint is bit-equal after a strict load_state_dict. Members of each
family meet two batches and two sizes, the others of torchvision's classification models a batch of 2 of their own
size."""

import argparse
import collections
import os
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

from networks import ALL, NAMES, RUNNER, ZOO, make, run, run_with_plan, side, sides

BOUND = 1e-4


def compare(label, model, checkpoint, sizes, folder, batches=(1, 5)):
    held = True
    for size in sizes:
        for batch in batches:
            torch.manual_seed(size + batch)
            x = torch.randn(batch, 3, size, size)
            with torch.no_grad():
                expected = model(x)
            save_file({"input": x}, f"{folder}/x.safetensors")
            plan = run_with_plan(RUNNER, "logits", checkpoint, f"{folder}/x.safetensors", f"{folder}/y.safetensors")
            slow = [line for line in plan.splitlines() if "\tref" in line]
            found = load_file(f"{folder}/y.safetensors")["logits"]
            ratio = ((found - expected).abs().max() / expected.abs().max()).item()
            same = torch.equal(found.argmax(1), expected.argmax(1))
            held &= ratio <= BOUND and not slow
            for line in slow:
                print(f"{label:18} runs a loop of reference: {line}   DOES NOT HOLD")
            print(f"{label:18} batch {batch} size {size}: {ratio:.1e} of max |logit|, same top-1: {same}"
                  f"{'' if ratio <= BOUND else '   DOES NOT HOLD'}", flush=True)
    return held


def bit_equal(label, model, checkpoint):
    tensors = load_file(checkpoint)
    original = model.state_dict()
    # MNASNet asks for the version of its modules, which safetensors has no place for.
    versioned = collections.OrderedDict(tensors)
    versioned._metadata = original._metadata
    model.load_state_dict(versioned, strict=True)
    original = model.state_dict()
    equal = all(torch.equal(tensors[name], original[name]) for name in original)
    print(f"{label:18} {len(tensors)} tensors, strict=True, bit-equal: {equal}", flush=True)
    return equal


def torchvision_networks(names, batches):
    held = True
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            model = make(name)
            torch.save(model.state_dict(), f"{folder}/{name}.pth")
            run(ZOO, "convert", f"{folder}/{name}.pth", "-o", f"{folder}/{name}.safetensors")
            sizes = sides(name) if name in NAMES else (side(name),)
            held &= compare(name, model, f"{folder}/{name}.safetensors", sizes, folder,
                            batches or ((1, 5) if name in NAMES else (2,)))
            expected = {key: value.clone() for key, value in model.state_dict().items()}
            held &= bit_equal(name, model, f"{folder}/{name}.safetensors")
            held &= all(torch.equal(value, model.state_dict()[key]) for key, value in expected.items())
    return held


def efficientnet_lite0(path):
    import timm

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = f"{folder}/lite0.safetensors"
        run(ZOO, "convert", path, "-o", checkpoint)
        model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
        model.load_state_dict(load_file(checkpoint), strict=True)
        original = sorted(tuple(t.flatten()[:4].tolist()) for t in torch.load(path, weights_only=True).values())
        converted = sorted(tuple(t.flatten()[:4].tolist()) for t in load_file(checkpoint).values())
        print(f"efficientnet_lite0 tensors begin with the same values as the file's: {original == converted}")
        return compare("efficientnet_lite0", model.eval(), checkpoint, (224, 231), folder) and original == converted


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lite0")
    parser.add_argument("--names", nargs="*", default=NAMES + [name for name in ALL if name not in NAMES])
    parser.add_argument("--batches", nargs="*", type=int)
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    held = torchvision_networks(arguments.names, arguments.batches)
    if arguments.lite0:
        held &= efficientnet_lite0(arguments.lite0)
    print("logits: all hold" if held else "logits: NOT all hold")
    sys.exit(0 if held else 1)
