"""Logits of full-size segmentation networks against torchvision's, at sizes that no stride divides, and their gradients.

Each network's state dict goes through torch.save and `zoo convert`. Logits hold when max |difference| <= 1e-4 max |logit|.

Gradients are those of a weighted cross-entropy of pixels, some of them ignored, without the auxiliary classifier, with
BatchNorm's statistics as they are. As in gradients.py the truth is torch in float64, and pictures of successive seeds are
tried until one has no value within rounding of a rectifier's edge: there every tensor must be within 1e-3."""

import argparse
import os
import sys
import tempfile

import torch
import torchvision
from safetensors.torch import load_file, save_file

from gradients import distance
from networks import RUNNER, ZOO, run

BOUND = 1e-4
SEEDS = range(1, 21)
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


def gradients(model, x, truth, weights, dtype):
    model = model.to(dtype).eval()
    model.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(x.to(dtype))["out"], truth, weights.to(dtype), ignore_index=255)
    loss.backward()
    found = {name: p.grad.double() for name, p in model.named_parameters() if p.grad is not None}
    return loss.item(), found


def gradients_hold(name, folder, size):
    model = make(name)
    checkpoint = f"{folder}/{name}.safetensors"
    for seed in SEEDS:
        torch.manual_seed(seed)
        x, truth, weights = torch.randn(1, 3, size, size), torch.randint(0, 21, (1, size, size)), torch.rand(21) + 0.5
        truth[torch.rand(truth.shape) < 0.2] = 255
        exact_loss, exact = gradients(model, x, truth, weights, torch.float64)
        _, single = gradients(model, x, truth, weights, torch.float32)
        save_file({"input": x, "truth": truth.to(torch.uint8), "weights": weights}, f"{folder}/x.safetensors")
        run(RUNNER, "pixel-gradients", checkpoint, f"{folder}/x.safetensors", f"{folder}/g.safetensors")
        found = load_file(f"{folder}/g.safetensors")
        if set(exact) != set(found) - {"loss"}:
            raise SystemExit(f"gradients of other tensors: {set(exact) ^ set(found)}")
        floor = 1e-5 * max(g.abs().max().item() for g in exact.values())
        ours, theirs = (max(distance(got[key].double(), expected, floor) for key, expected in exact.items())
                        for got in (found, single))
        loss = abs(found["loss"].item() - exact_loss) / exact_loss
        held = ours <= 1e-3 and loss < 1e-5
        if held:
            break
    print(f"{name:28} gradients of {len(exact)} tensors, {size} x {size}, seed {seed}: worst {ours:.1e} "
          f"(torch float32 {theirs:.1e}), loss {loss:.0e}{'' if held else '   DOES NOT HOLD'}", flush=True)
    return held


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", nargs="*", default=NAMES)
    parser.add_argument("--size", type=int, default=33, help="of the pictures that gradients are taken of")
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    held = True
    for name in arguments.names:
        with tempfile.TemporaryDirectory() as folder:
            held &= holds(name, folder)
            held &= gradients_hold(name, folder, arguments.size)
    print("segmentation: all hold" if held else "segmentation: NOT all hold")
    sys.exit(0 if held else 1)
