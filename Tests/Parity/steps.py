"""Ten steps of SGD with momentum and of AdamW by full-size networks, against torch's from the same weights and batches.

Weight decay leaves out what has one dimension, biases and normalisations, as zoo's recipes do; nothing drops out; BatchNorm
keeps its statistics, then takes the batch's (with raised biases, as in gradients.py). Compared are the losses of ten batches
before each of the steps, and of the first batch after the last one. Holds when every loss is within 1e-3 of that of torch in
float64. The learning rate is the lowest of those below at which the steps move a loss by thirty times the bound, so that a
wrong step would show."""

import argparse
import copy
import json
import os
import sys
import tempfile

import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy

from networks import RUNNER, ZOO, make, norms_of, plain, raise_biases, run, save
from text_gradients import CASES, batch_of, logits_of

BOUND, MOVED, STEPS = 1e-3, 0.03, 10
PICTURES = ["alexnet", "vgg11_bn", "resnet18", "resnet50", "squeezenet1_1", "googlenet", "densenet121", "mobilenet_v2",
            "mobilenet_v3_large", "mnasnet1_3", "shufflenet_v2_x1_0", "regnet_y_800mf", "efficientnet_b0", "efficientnet_v2_s",
            "inception_v3", "convnext_tiny", "vit_b_16", "swin_t", "swin_v2_t", "maxvit_t"]
TEXTS = ["bert_base_uncased, classes", "gpt2", "t5_base"]
# Learning rates and weight decay.
OPTIMIZERS = {"sgd": ([1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1], 1e-3),
              "adamw": ([1e-7, 3e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3], 5e-2)}
# Where the search for a rate begins.
USUAL = 4
LENGTHS, ANSWERS = [24, 7, 15], [9, 4, 6]


def optimizer_of(kind, model, rate):
    decay = OPTIMIZERS[kind][1]
    groups = [dict(params=[p for p in model.parameters() if p.dim() > 1], weight_decay=decay),
              dict(params=[p for p in model.parameters() if p.dim() <= 1], weight_decay=0)]
    return torch.optim.SGD(groups, lr=rate, momentum=0.9) if kind == "sgd" else torch.optim.AdamW(groups, lr=rate)


def losses_of(model, kind, rate, batches, loss_of):
    """Before each step; at no rate those of the weights as they are."""
    model = copy.deepcopy(model)
    optimizer = optimizer_of(kind, model, rate) if rate else None
    losses = []
    for batch in batches:
        loss = loss_of(model, batch)
        losses.append(loss.item())
        if optimizer:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return losses


def distance(losses, exact):
    return max(abs(a - b) / abs(b) for a, b in zip(losses, exact, strict=True))


def lowest_that_moves(model, kind, batches, loss_of):
    """The rate, its losses, and how far they move."""
    resting, rates, place = losses_of(model, kind, 0, batches, loss_of), OPTIMIZERS[kind][0], USUAL

    def tried(place):
        losses = losses_of(model, kind, rates[place], batches, loss_of)
        return rates[place], losses, distance(resting, losses)

    found = tried(place)
    if found[2] < MOVED:
        while found[2] < MOVED and place + 1 < len(rates):
            place += 1
            found = tried(place)
        return found
    while place > 0 and (lower := tried(place - 1))[2] >= MOVED:
        place, found = place - 1, lower
    return found


def report(name, what, model, kind, batches, loss_of, command):
    """`loss_of` takes a model of any precision and a batch; `command` is the runner's verb, the
    checkpoint, the batches, and what else it asks for."""
    rate, exact, moved = lowest_that_moves(model.double(), kind, batches, loss_of)
    single = losses_of(model.float(), kind, rate, batches, loss_of)
    verb, *files = command
    found = [float(line) for line in run(RUNNER, verb, *files[:2], kind, str(rate), str(OPTIMIZERS[kind][1]), *files[2:])[0].split()]
    ours, theirs = distance(found, exact), distance(single, exact)
    held = ours <= BOUND and moved >= MOVED
    print(f"{name:26} {kind:5} {rate:.0e} {what:6} loss {exact[0]:.3f} to {exact[-1]:.3f}: zoo {ours:.1e}, torch float32 {theirs:.1e} "
          f"from float64; moved by {moved:.2f}{'' if held else '   DOES NOT HOLD'}", flush=True)
    return held


def pictures(name, folder):
    model = plain(make(name))
    size = 224 if name in ("vit_b_16", "maxvit_t") else 128 if name == "inception_v3" else 64
    # Few classes, so that there is something to learn.
    batches = [(torch.randn(4, 3, size, size), torch.randint(0, 5, (4,))) for _ in range(STEPS)]
    batches.append(batches[0])
    tensors = {f"{key}.{place}": value.clone() for place, batch in enumerate(batches) for key, value in zip(("input", "labels"), batch)}
    save_file(tensors, f"{folder}/batches.safetensors")

    def loss_of(model, batch):
        logits = model(batch[0].to(next(model.parameters()).dtype))
        return cross_entropy(getattr(logits, "logits", logits), batch[1])

    held = True
    for statistics in ("frozen", "batch") if norms_of(model) else ("",):
        # Inception has no shortcuts: there rounding grows without the batch's statistics, too.
        if statistics == "batch" or name == "inception_v3":
            raise_biases(model, name)
        save(model, folder)
        command = "steps", f"{folder}/w.safetensors", f"{folder}/batches.safetensors", statistics or "frozen"
        for kind in OPTIMIZERS:
            held &= report(name, statistics, model.train(statistics == "batch"), kind, batches, loss_of, command)
    return held


def texts(name, folder):
    torch.manual_seed(1)
    model = CASES[name]().eval()
    model.save_pretrained(f"{folder}/source")
    run(ZOO, "convert", f"{folder}/source", "--model", name.split(",")[0], "-o", f"{folder}/w.safetensors", "--quiet")
    tasks, batches = [], []
    for _ in range(STEPS):
        call, task, lengths = batch_of(name, model, LENGTHS, ANSWERS)
        targets = torch.randint(0, 5, (len(lengths) if "classes" in name else sum(lengths),))
        tasks.append(dict(task, targets=targets.tolist()))
        batches.append((call, lengths, targets))
    batches.append(batches[0])
    json.dump(tasks + tasks[:1], open(f"{folder}/tasks.json", "w"))

    def loss_of(model, batch):
        call, lengths, targets = batch
        return cross_entropy(logits_of(model, call, lengths), targets)

    return all([
        report(name, "", model, kind, batches, loss_of,
               ("sequence-steps", f"{folder}/w.safetensors", f"{folder}/tasks.json"))
        for kind in OPTIMIZERS])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", nargs="*", default=PICTURES + TEXTS)
    torch.set_num_threads(os.cpu_count())
    held = True
    for name in parser.parse_args().names:
        with tempfile.TemporaryDirectory() as folder:
            held &= (texts if name in CASES else pictures)(name, folder)
    print("ten steps: all hold" if held else "ten steps: NOT all hold")
    sys.exit(0 if held else 1)
