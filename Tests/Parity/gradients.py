"""Gradients of every trainable tensor of full-size networks against torch's. The truth is torch in float64; differences
are Euclidean norms relative to the tensor's gradient, gradients below 1e-5 of the network's largest count as zero.

A rectifier's slope jumps at 0, so that any two float32 programs part where a value is within rounding of the edge; torch
in float32 misses torch in float64 by 1e-2 on batches where that happens. With frozen BatchNorm statistics, small batches of
successive seeds are tried until one has no such value: there every tensor must be within 1e-3. A wrong gradient is wrong
in all of them. With the batch's own statistics, which magnify rounding, zoo may be four times as far from the truth as
torch's float32 is in its worst tensor."""

import argparse
import os
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

from networks import NAMES, RUNNER, ZOO, dropout_off, make, run

BOUND = 1e-3
SEEDS = range(1, 21)


def torch_gradients(model, x, labels, statistics, dtype):
    model = dropout_off(model).to(dtype)
    model.train(statistics == "batch")
    model.zero_grad()
    logits = model(x.to(dtype))
    # While it trains, Inception gives its auxiliary classifier's logits too, which zoo leaves out.
    loss = torch.nn.functional.cross_entropy(getattr(logits, "logits", logits), labels)
    loss.backward()
    return loss.item(), {name: torch.zeros_like(p) if p.grad is None else p.grad for name, p in model.named_parameters()}


def distance(a, b, floor):
    return ((a - b).norm() / max(b.norm().item(), floor * b.numel() ** 0.5)).item()


def compare(model, checkpoint, statistics, folder, size, batch, seed):
    """Distances of zoo's and of torch's float32 gradients from the truth by tensor, and the loss's."""
    torch.manual_seed(seed)
    x = torch.randn(batch, 3, size, size)
    labels = torch.randint(0, 1000, (batch,))
    exact_loss, exact = torch_gradients(model, x, labels, statistics, torch.float64)
    _, single = torch_gradients(model, x, labels, statistics, torch.float32)
    save_file({"input": x, "labels": labels}, f"{folder}/x.safetensors")
    run(RUNNER, "gradients", checkpoint, f"{folder}/x.safetensors", f"{folder}/g.safetensors", "--statistics", statistics)
    found = load_file(f"{folder}/g.safetensors")
    if set(exact) != set(found) - {"loss"}:
        raise SystemExit(f"gradients of other tensors: {set(exact) ^ set(found)}")
    floor = 1e-5 * max(g.abs().max().item() for g in exact.values())
    ours = {key: distance(found[key].double(), expected, floor) for key, expected in exact.items()}
    theirs = {key: distance(single[key].double(), expected, floor) for key, expected in exact.items()}
    return ours, theirs, abs(found["loss"].item() - exact_loss) / abs(exact_loss)


def check_frozen(name, model, checkpoint, folder):
    for seed in SEEDS:
        ours, theirs, loss = compare(model, checkpoint, "frozen", folder, 96 if name == "inception_v3" else 64, 1, seed)
        worst = max(ours.values())
        if worst <= BOUND and loss < 1e-5:
            break
    held = worst <= BOUND and loss < 1e-5
    print(f"{name:18} frozen statistics: seed {seed}, {len(ours)} tensors, worst {worst:.1e} "
          f"(torch float32 {max(theirs.values()):.1e}), loss {loss:.0e}{'' if held else '   DOES NOT HOLD'}", flush=True)
    return held


def check_batch(name, model, checkpoint, folder, size):
    ours, theirs, loss = compare(model, checkpoint, "batch", folder, size, 8, 1)
    worst, worst_torch = max(ours.values()), max(theirs.values())
    held = worst <= max(BOUND, 4 * worst_torch) and loss < 1e-5
    print(f"{name:18} batch  statistics: {len(ours)} tensors, worst {worst:.1e} (torch float32 {worst_torch:.1e}), "
          f"loss {loss:.0e}{'' if held else '   DOES NOT HOLD'}", flush=True)
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
            held &= check_frozen(name, model, f"{folder}/w.safetensors", folder)
            if has_norms:
                held &= check_batch(name, model, f"{folder}/w.safetensors", folder, 299 if name == "inception_v3" else arguments.size)
    print("gradients: all hold" if held else "gradients: NOT all hold")
    sys.exit(0 if held else 1)
