#!/usr/bin/env python3
"""Writes training/*.json: what torch's optimizers do step by step, for the tests of ZooTraining. Python 3.11, torch 2.13.

steps.json: a linear regression of 12 examples, trained by every combination of optimizer, accumulation, clipping and
averaging of weights (torch.optim, torch.nn.utils.clip_grad_norm_, torch.optim.swa_utils.AveragedModel); parameters after
each step. Rates are those of Transformers' cosine schedule.

mixing.json: torchvision.transforms.v2's MixUp and CutMix, with the shares and boxes that they drew.

losses.json: torch.nn.functional.cross_entropy and its gradient, with class weights, label smoothing and shared targets.
"""
import json
from itertools import product
from pathlib import Path

import torch
from torchvision.transforms import v2
from transformers import get_cosine_schedule_with_warmup

folder = Path(__file__).parent / "training"
folder.mkdir(exist_ok=True)
torch.manual_seed(20)
torch.set_default_dtype(torch.float64)
inputs = torch.randn(12, 4).round(decimals=3)
truths = (inputs @ torch.tensor([1.0, -2.0, 0.5, 3.0]) + 0.3 * torch.randn(12)).round(decimals=3)
start = torch.randn(4).round(decimals=3)
BATCHES = [[3, 1, 4, 11], [5, 9, 2], [6, 0, 8, 7], [10]]
EPOCHS, DECAY, RATE = 3, 0.9, 0.05


def rates(steps, warm_up):
    optimizer = torch.optim.SGD([torch.nn.Parameter(start.clone())], lr=RATE)
    schedule = get_cosine_schedule_with_warmup(optimizer, warm_up, steps)
    found = []
    for _ in range(steps):
        found.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return found


def run(method, accumulate, clip, average):
    model = torch.nn.Linear(4, 1, bias=False)
    model.weight.data = start.clone()[None]
    steps = -(-len(BATCHES) // accumulate)
    optimizer = {
        "sgd": lambda p: torch.optim.SGD(p, lr=RATE, momentum=0.9, weight_decay=0.01),
        "adamw": lambda p: torch.optim.AdamW(p, lr=RATE, weight_decay=0.01),
    }[method](model.parameters())
    # Decay begins low, as in TensorFlow's ExponentialMovingAverage(num_updates=...).
    averaged = torch.optim.swa_utils.AveragedModel(
        model, avg_fn=lambda old, new, n: old + (new - old) * (1 - min(DECAY, (1 + n.item()) / (10 + n.item()))))
    averaged.update_parameters(model)
    # Ours reaches the rate in the first step, where theirs begins at 0.
    schedule = [RATE] + rates(steps * EPOCHS, 1)[1:]
    rows, averages, norms = [], [], []
    for step in range(steps * EPOCHS):
        place = step % steps * accumulate
        part = BATCHES[place : place + accumulate]
        total = sum(map(len, part))
        optimizer.zero_grad()
        for batch in part:
            loss = torch.nn.functional.mse_loss(model(inputs[batch])[:, 0], truths[batch])
            (loss * len(batch) / total).backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), clip or float("inf")).item())
        for group in optimizer.param_groups:
            group["lr"] = schedule[step]
        optimizer.step()
        averaged.update_parameters(model)
        rows.append(model.weight.data[0].tolist())
        averages.append(averaged.module.weight.data[0].tolist())
    return {
        "method": method, "accumulate": accumulate, "clip": clip, "average": average, "norms": norms,
        "parameters": rows, "counting": averages if average else rows}


steps = {
    "inputs": inputs.tolist(), "truths": truths.tolist(), "start": start.tolist(), "batches": BATCHES,
    "epochs": EPOCHS, "decay": DECAY, "rate": RATE, "cosine": rates(100, 5),
    "runs": [run(*how) for how in product(["sgd", "adamw"], [1, 3], [None, 1.0], [False, True])]}
(folder / "steps.json").write_text(json.dumps(steps, indent=None) + "\n")


def loss(smoothing, weighted, shared):
    logits = (3 * torch.randn(5, 4)).round(decimals=3).requires_grad_()
    labels = torch.tensor([0, 3, 1, 3, 2])
    weights = torch.tensor([0.5, 1.5, 1.0, 2.0]) if weighted else None
    targets = torch.nn.functional.one_hot(labels, 4).double()
    if shared:
        targets = (0.7 * targets + 0.3 * targets.roll(1, 0)).round(decimals=6)
    value = torch.nn.functional.cross_entropy(
        logits, targets if shared else labels, weight=weights, label_smoothing=smoothing)
    if weighted and shared:
        # With class numbers torch divides by the weights of the targets, with shares by their number; we do the former.
        value = value * len(labels) / (targets @ weights).sum()
    value.backward()
    return {
        "smoothing": smoothing, "weights": weights.tolist() if weighted else None, "logits": logits.flatten().tolist(),
        "targets": targets.flatten().tolist(), "loss": value.item(), "gradient": logits.grad.flatten().tolist()}


losses = [loss(*how) for how in product([0, 0.1], [False, True], [False, True])]
(folder / "losses.json").write_text(json.dumps(losses) + "\n")

torch.set_default_dtype(torch.float32)


def mixed(kind):
    pictures, labels = torch.randn(3, 2, 6, 8), torch.tensor([0, 2, 1])
    transform = {"mixup": v2.MixUp, "cutmix": v2.CutMix}[kind](alpha=1.0, num_classes=3)
    drawn = {}
    make = transform.make_params

    def remember(inputs):
        drawn.update(make(inputs))
        return drawn

    transform.make_params = remember
    inputs, targets = transform(pictures, labels)
    box = drawn.get("box")
    return {
        "share": drawn.get("lam", drawn.get("lam_adjusted")), "box": [int(side) for side in box] if box else None,
        "inputs": pictures.flatten().tolist(), "mixed": inputs.flatten().tolist(), "targets": targets.flatten().tolist()}


mixing = {kind: [mixed(kind) for _ in range(3)] for kind in ["mixup", "cutmix"]}
(folder / "mixing.json").write_text(json.dumps(mixing) + "\n")
print((folder / "steps.json").stat().st_size)
