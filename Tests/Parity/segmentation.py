"""Logits of full-size segmentation networks against torchvision's, at sizes that no stride divides.

Each network's state dict goes through torch.save and `zoo convert`. Holds when max |difference| <= 1e-4 max |logit|."""

import argparse
import os
import sys
import tempfile

import torch
import torchvision
from safetensors.torch import load_file, save_file

from networks import RUNNER, ZOO, run

BOUND = 1e-4
NAMES = torchvision.models.list_models(module=torchvision.models.segmentation)


def make(name):
    """Random weights; BatchNorm's statistics are those of two batches, so that the logits have a sensible size."""
    torch.manual_seed(0)
    options = {} if name.startswith("lraspp") else {"aux_loss": True}
    model = getattr(torchvision.models.segmentation, name)(weights=None, weights_backbone=None, **options)
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.5
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        torch.nn.init.uniform_(norm.bias, -0.5, 0.5)
    model.train()
    with torch.no_grad():
        for _ in range(2):
            model(torch.randn(2, 3, 129, 129))
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    return model.eval()


def holds(name, folder):
    model = make(name)
    torch.save(model.state_dict(), f"{folder}/{name}.pth")
    checkpoint = f"{folder}/{name}.safetensors"
    run(ZOO, "convert", f"{folder}/{name}.pth", "-o", checkpoint)
    held = True
    for batch, height, width in ((2, 224, 224), (1, 230, 333)):
        torch.manual_seed(height)
        x = torch.randn(batch, 3, height, width)
        with torch.no_grad():
            expected = model(x)["out"]
        save_file({"input": x}, f"{folder}/x.safetensors")
        run(RUNNER, "logits", checkpoint, f"{folder}/x.safetensors", f"{folder}/y.safetensors")
        found = load_file(f"{folder}/y.safetensors")["logits"]
        ratio = ((found - expected).abs().max() / expected.abs().max()).item()
        same = (found.argmax(1) == expected.argmax(1)).double().mean().item()
        held &= found.shape == expected.shape and ratio <= BOUND
        print(f"{name:28} batch {batch}, {height} x {width}: {ratio:.1e} of max |logit|, same class at {100 * same:.3f} %"
              f" of the pixels{'' if ratio <= BOUND else '   DOES NOT HOLD'}", flush=True)
    model.load_state_dict(load_file(checkpoint), strict=True)
    return held


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", nargs="*", default=NAMES)
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    held = True
    for name in arguments.names:
        with tempfile.TemporaryDirectory() as folder:
            held &= holds(name, folder)
    print("segmentation: all hold" if held else "segmentation: NOT all hold")
    sys.exit(0 if held else 1)
