"""Gradients of every trainable tensor of full-size networks against torch's, with frozen BatchNorm statistics and with
the batch's own. The truth is torch in float64; holds when |difference| <= 1e-3 |gradient| (Euclidean norms) in each tensor.

A rectifier's slope jumps at 0, so that float32 programs differ where a value is within rounding of the edge, each in
other tensors; a batch's statistics cancel a bias before them exactly, so that nothing but rounding is left of its
gradient. Where torch's own float32 misses the bound in a network, zoo may be four times as far from the truth as torch is
in its worst tensor; gradients below 1e-5 of the network's largest count as zero."""

import argparse
import os
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

from networks import NAMES, RUNNER, ZOO, dropout_off, make, run

BOUND = 1e-3


def torch_gradients(model, x, labels, statistics, dtype):
    model = dropout_off(model).to(dtype)
    model.train(statistics == "batch")
    model.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(x.to(dtype)), labels)
    loss.backward()
    return loss.item(), {name: p.grad for name, p in model.named_parameters()}


def distance(a, b, floor):
    return ((a - b).norm() / max(b.norm().item(), floor * b.numel() ** 0.5)).item()


def check(name, model, checkpoint, statistics, folder, size):
    torch.manual_seed(1)
    x = torch.randn(8, 3, size, size)
    labels = torch.randint(0, 1000, (8,))
    exact_loss, exact = torch_gradients(model, x, labels, statistics, torch.float64)
    _, single = torch_gradients(model, x, labels, statistics, torch.float32)
    save_file({"input": x, "labels": labels}, f"{folder}/x.safetensors")
    run(RUNNER, "gradients", checkpoint, f"{folder}/x.safetensors", f"{folder}/g.safetensors", "--statistics", statistics)
    found = load_file(f"{folder}/g.safetensors")
    floor = 1e-5 * max(g.abs().max().item() for g in exact.values())
    ours = {key: distance(found[key].double(), expected, floor) for key, expected in exact.items()}
    theirs = {key: distance(single[key].double(), expected, floor) for key, expected in exact.items()}
    worst, worst_torch = max(ours.values()), max(theirs.values())
    allowed = max(BOUND, 4 * worst_torch)
    failures = [f"{key} {value:.1e} (torch float32 {theirs[key]:.1e})" for key, value in ours.items() if value > allowed]
    within = sum(value <= BOUND for value in ours.values())
    loss_off = abs(found["loss"].item() - exact_loss) / abs(exact_loss)
    held = not failures and loss_off < 1e-5 and set(exact) == set(found) - {"loss"}
    print(f"{name:18} {statistics:6} statistics: {within} of {len(exact)} tensors within {BOUND:.0e}, worst {worst:.1e} (torch float32 {worst_torch:.1e}), "
          f"loss {loss_off:.0e}{'' if held else '   DOES NOT HOLD ' + ', '.join(failures[:5])}", flush=True)
    return held


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lite0", help="the published EfficientNet-Lite0 file")
    parser.add_argument("--names", nargs="*", default=NAMES)
    parser.add_argument("--size", type=int, default=128)
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    held = True
    for name in arguments.names + (["efficientnet_lite0"] if arguments.lite0 else []):
        with tempfile.TemporaryDirectory() as folder:
            if name == "efficientnet_lite0":
                import timm
                model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
                run(ZOO, "convert", arguments.lite0, "-o", f"{folder}/w.safetensors")
                model.load_state_dict(load_file(f"{folder}/w.safetensors"), strict=True)
            else:
                model = make(name)
                torch.save(model.state_dict(), f"{folder}/w.pth")
                run(ZOO, "convert", f"{folder}/w.pth", "-o", f"{folder}/w.safetensors")
            has_norms = any(isinstance(m, torch.nn.BatchNorm2d) for m in model.modules())
            for statistics in ("frozen", "batch") if has_norms else ("frozen",):
                held &= check(name, model, f"{folder}/w.safetensors", statistics, folder, arguments.size)
    print("gradients: all hold" if held else "gradients: NOT all hold")
    sys.exit(0 if held else 1)
