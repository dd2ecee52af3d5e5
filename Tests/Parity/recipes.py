"""Every recipe of `zoo finetune` on the stamps against the same recipe in torch, on EfficientNet-Lite0's published weights.

A twin is written out here in torch and timm: the same division of the pictures, preprocessing (PIL's bicubic), groups of
parameters with their rates, AdamW, schedule, epochs and batch size, BatchNorm keeping its statistics. What is random, the
order of pictures and dropout, is each side's own. Both go through five seeds, each with a division of its own, a quarter of
each class for validation. Compared are the mean validation accuracies of the epoch that is kept (the most accurate one; of
several the one with the lowest loss) and of the last one. Holds when both differ by at most two standard errors of their
difference, 2·sqrt(se² + se²); where neither varies, by at most one picture.

`--results FILE` keeps what each run gave, a line of JSON a run, and takes from it what is already there."""

import argparse
import hashlib
import json
import math
import os
import statistics
import sys
import tempfile
from pathlib import Path

import timm
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.parametrize import register_parametrization

from accuracy import TRANSFORM, on_white
from networks import ZOO, completed, run

SEEDS = range(5)
# Flags beyond --recipe; what learns through every layer from pretrained weights has to do with two epochs.
RECIPES = {"head": [], "mlp": [], "last-n": [], "staged": [], "full": ["--epochs", "2"], "lora": ["--epochs", "2"],
           "scratch": []}
# The head's place among the stages.
HEAD = 9


class Data:
    """All pictures, or every so many, prepared, and which of them each seed learns from."""

    def __init__(self, folder, every=1):
        self.paths = sorted(str(path) for path in Path(folder).glob("*/*/*") if path.is_file())[::every]
        names = [Path(path).parent.name for path in self.paths]
        self.classes = sorted(set(names))
        self.labels = torch.tensor([self.classes.index(name) for name in names])
        self.pictures = torch.stack([TRANSFORM(on_white(path)) for path in self.paths])

    def division(self, seed):
        """Places of the training pictures and of the validation pictures."""
        order = sorted(range(len(self.paths)), key=lambda place: hashlib.sha256(
            f"{seed}/{Path(self.paths[place]).name}".encode()).digest())
        held = []
        for label in range(len(self.classes)):
            members = [place for place in order if self.labels[place] == label]
            held += members[:round(len(members) / 4)]
        return sorted(set(order) - set(held)), sorted(held)

    def write(self, seed, file):
        """The division as a table that zoo reads."""
        held = set(self.division(seed)[1])
        lines = [f"{path},{self.classes[self.labels[place]]},{'val' if place in held else 'train'}"
                 for place, path in enumerate(self.paths)]
        Path(file).write_text("\n".join(["path,label,split"] + lines) + "\n")


class Twin:
    """The network in stages, as zoo's catalogue divides it: the stem, seven groups of blocks, the last convolution with its
    pooling, the head."""

    def __init__(self, weights, data):
        self.weights, self.data = weights, data
        # What the frozen stages below a place make of all pictures.
        self.features = {0: data.pictures}

    def stages(self):
        model = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=len(self.data.classes))
        model.load_state_dict({key: value for key, value in self.weights.items() if "classifier" not in key}, strict=False)
        nn.init.zeros_(model.classifier.weight)
        nn.init.zeros_(model.classifier.bias)
        return nn.ModuleList([
            nn.Sequential(model.conv_stem, model.bn1), *model.blocks,
            nn.Sequential(model.conv_head, model.bn2, model.global_pool), nn.Sequential(nn.Dropout(0.2), model.classifier)])

    def features_before(self, stage):
        if stage not in self.features:
            below = nn.Sequential(*self.stages()[:stage]).eval()
            with torch.no_grad():
                self.features[stage] = torch.cat([below(part) for part in self.data.pictures.split(8)])
        return self.features[stage]


class Run:
    """One run of a recipe: what each epoch gave."""

    def __init__(self, twin, seed):
        torch.manual_seed(seed)
        self.twin, self.labels, self.epochs = twin, twin.data.labels, []
        self.training, self.validation = map(torch.tensor, twin.data.division(seed))

    def train(self, module, features, groups, epochs, rate, batch, prepare=nn.Module.train):
        """`groups` are parameters and their parts of the rate."""
        optimizer = torch.optim.AdamW(
            [dict(params=[parameter], factor=factor, weight_decay=0.05 if parameter.dim() > 1 else 0)
             for parameter, factor in groups], lr=rate)
        steps = math.ceil(len(self.training) / batch) * epochs
        warm_up, step = max(steps // 20, 1), 0
        for _ in range(epochs):
            prepare(module)
            for places in self.training[torch.randperm(len(self.training))].split(batch):
                # A rise along a line for a twentieth of the steps, then half a cosine to zero.
                share = ((step + 1) / warm_up if step < warm_up else
                         (1 + math.cos(math.pi * (step - warm_up) / max(steps - warm_up, 1))) / 2)
                for group in optimizer.param_groups:
                    group["lr"] = rate * share * group["factor"]
                optimizer.zero_grad()
                cross_entropy(module(features[places]), self.labels[places]).backward()
                optimizer.step()
                step += 1
            self.judge(module, features)

    def judge(self, module, features):
        module.eval()
        with torch.no_grad():
            logits = torch.cat([module(features[part]) for part in self.validation.split(16)])
        labels = self.labels[self.validation]
        self.epochs.append(((logits.argmax(1) == labels).float().mean().item(), -cross_entropy(logits, labels).item()))

    def train_head(self, classifier, epochs, rate, batch):
        """Logistic regression on features of mean 0 and variance 1, whose scale the classifier takes in afterwards."""
        features = self.twin.features_before(HEAD)
        mean, deviation = features[self.training].mean(0), features[self.training].std(0, correction=0)
        factor = torch.where(deviation < 1e-5, 0, 1 / deviation)
        self.train(classifier, (features - mean) * factor, [(p, 1) for p in classifier.parameters()], epochs, rate, batch)
        with torch.no_grad():
            classifier.weight *= factor
            classifier.bias -= classifier.weight @ mean

    def train_stages(self, stages, first, epochs, rate, factor, keeps_statistics=True):
        """The stages from `first` on; `factor` gives the part of the rate at a distance from the head."""
        groups = [(parameter, factor(HEAD - place)) for place in range(first, HEAD + 1)
                  for parameter in stages[place].parameters()]
        self.train(nn.Sequential(*stages[first:]), self.twin.features_before(first), groups, epochs, rate, 16,
                   train_by_frozen_statistics if keeps_statistics else nn.Module.train)


def train_by_frozen_statistics(module):
    module.train()
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.eval()


def a_tenth(distance):
    return 1 if distance == 0 else 0.1


def head(run, epochs=60):
    run.train_head(run.twin.stages()[HEAD][1], epochs, 3e-3, 32)


def mlp(run, epochs=60):
    layers = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 3))
    nn.init.normal_(layers[1].weight, 0, 1280 ** -0.5)
    for values in (layers[1].bias, layers[4].weight, layers[4].bias):
        nn.init.zeros_(values)
    run.train(layers, run.twin.features_before(HEAD), [(p, 1) for p in layers.parameters()], epochs, 1e-3, 32)


def last_n(run, epochs=12):
    stages = run.twin.stages()
    run.train_head(stages[HEAD][1], 30, 3e-3, 16)
    run.train_stages(stages, HEAD - 1, epochs, 1e-3, a_tenth)


def staged(run, epochs=12):
    stages, rate = run.twin.stages(), 1e-3
    run.train_head(stages[HEAD][1], 30, 3e-3, 16)
    for depth in (1, 2, 3):
        rate /= 2
        run.train_stages(stages, HEAD - depth, epochs // 3, rate, lambda distance: 2.6 ** -distance)


def full(run, epochs=12):
    stages = run.twin.stages()
    run.train_head(stages[HEAD][1], 30, 3e-3, 16)
    run.train_stages(stages, 0, epochs, 1e-3, a_tenth)


def scratch(run, epochs=12):
    stages = run.twin.stages()
    for module in stages.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, module.in_features ** -0.5)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
            module.momentum = 0.1
    run.train_stages(stages, 0, epochs, 1e-3, lambda distance: 1, keeps_statistics=False)


class LowRank(nn.Module):
    """A weight with a change of low rank, begun as PEFT begins it."""

    def __init__(self, weight, rank, alpha):
        super().__init__()
        self.a, self.b = nn.Parameter(torch.empty(rank, weight.shape[1])), nn.Parameter(torch.zeros(weight.shape[0], rank))
        nn.init.kaiming_uniform_(self.a, a=5 ** 0.5)
        self.scale = alpha / rank

    def forward(self, weight):
        return weight + self.scale * (self.b @ self.a).view_as(weight)


def lora(run, epochs=12):
    """Rank 8, alpha 16, on every 1×1 convolution; factors and head at the rate itself."""
    stages = run.twin.stages()
    run.train_head(stages[HEAD][1], 30, 3e-3, 16)
    stages[:HEAD].requires_grad_(False)
    for module in list(stages.modules()):
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1):
            register_parametrization(module, "weight", LowRank(module.weight, 8, 16))
    groups = [(parameter, 1) for parameter in stages.parameters() if parameter.requires_grad]
    run.train(nn.Sequential(*stages), run.twin.features_before(0), groups, epochs, 1e-3, 16, train_by_frozen_statistics)


TWINS = {"lora": lora, "head": head, "mlp": mlp, "last-n": last_n, "staged": staged, "full": full, "scratch": scratch}


def kept_and_last(epochs):
    """Accuracies of the kept epoch and of the last, from pairs of accuracy and negative loss."""
    return max(epochs)[0], epochs[-1][0]


def zoo_run(recipe, flags, seed, model, table, folder):
    run(ZOO, "finetune", "--recipe", recipe, "--model", model, "--data", table, "--seed", str(seed), "-o", folder, "--quiet",
        "--force", *flags)
    log = [json.loads(line) for line in open(f"{folder}/log.jsonl")]
    return [(record["validationAccuracy"], -record["validationLoss"]) for record in log]


def torch_run(recipe, flags, seed, twin):
    made = Run(twin, seed)
    TWINS[recipe](made, **({"epochs": int(flags[1])} if flags else {}))
    return made.epochs


class Results:
    def __init__(self, file):
        self.file, self.known = file, {}
        if file and os.path.exists(file):
            for line in open(file):
                *key, found = json.loads(line)
                self.known[tuple(key)] = found

    def of(self, side, recipe, seed, make):
        key = (side, recipe, seed)
        if key not in self.known:
            self.known[key] = kept_and_last(make())
            if self.file:
                with open(self.file, "a") as file:
                    file.write(json.dumps([*key, self.known[key]]) + "\n")
        return self.known[key]


def mean_and_error(values):
    return statistics.mean(values), statistics.stdev(values) / math.sqrt(len(values))


def compared(ours, theirs, pictures):
    """A cell of the table for each side, and whether they agree."""
    (mean, error), (other, other_error) = mean_and_error(ours), mean_and_error(theirs)
    bound = 2 * math.hypot(error, other_error)
    held = abs(mean - other) <= max(bound, 0 if bound else 1 / pictures) + 1e-9
    cells = [f"{100 * m:.1f} ± {100 * e:.1f} %" for m, e in ((mean, error), (other, other_error))]
    pairs, spread = mean_and_error([a - b for a, b in zip(ours, theirs)])
    return cells, f"{100 * pairs:+.1f} ± {100 * spread:.1f}", held


def check_automatic(model, data, folder):
    """`auto` says what it chooses and is then that very recipe."""
    table = f"{folder}/0.csv"
    data.write(0, table)
    done = completed(ZOO, "finetune", "--recipe", "auto", "--model", model, "--data", table, "-o", f"{folder}/auto")
    said = (done.stdout + done.stderr).splitlines()
    line, chosen = next(((line, name) for line in said for name in RECIPES if line.startswith(f"--recipe {name}: ")),
                        ("auto said nothing", None))
    print(f"auto: {line}", flush=True)
    if chosen is None:
        return False
    zoo_run(chosen, [], 0, model, table, f"{folder}/chosen")
    return Path(f"{folder}/auto/log.jsonl").read_text() == Path(f"{folder}/chosen/log.jsonl").read_text()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lite0", required=True, help="the published EfficientNet-Lite0 file")
    parser.add_argument("--stamps", required=True, help="the folder that make_stamps writes")
    parser.add_argument("--names", nargs="*", default=[name for name in RECIPES if name not in ("scratch", "lora")],
                        help="recipes; scratch and lora take long and are left out unless named")
    parser.add_argument("--results")
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    results, data, held = Results(arguments.results), Data(arguments.stamps), True
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        model = f"{folder}/lite0.safetensors"
        run(ZOO, "convert", arguments.lite0, "-o", model)
        twin = Twin(load_file(model), data)
        for name in arguments.names:
            kept, last = ([], []), ([], [])
            for seed in SEEDS:
                table = f"{folder}/{seed}.csv"
                data.write(seed, table)
                for side, make in enumerate((
                        lambda: zoo_run(name, RECIPES[name], seed, model, table, f"{folder}/run"),
                        lambda: torch_run(name, RECIPES[name], seed, twin))):
                    found = results.of(("zoo", "torch")[side], name, seed, make)
                    kept[side].append(found[0])
                    last[side].append(found[1])
            pictures = len(data.division(0)[1])
            (of_kept, difference, kept_held) = compared(*kept, pictures)
            (of_last, last_difference, last_held) = compared(*last, pictures)
            flags = " ".join([f"`{name}`", *RECIPES[name]])
            rows.append(f"| {flags} | {of_kept[0]} | {of_kept[1]} | {difference} | {of_last[0]} | {of_last[1]} | {last_difference} |"
                        + ("" if kept_held and last_held else "   DOES NOT HOLD"))
            print(rows[-1], flush=True)
            held &= kept_held and last_held
        is_chosen = check_automatic(model, data, folder)
        held &= is_chosen
    print("\n| recipe | kept epoch: zoo | torch | difference by seed | last epoch: zoo | torch | difference by seed |\n"
          + "|---|---|---|---|---|---|---|\n" + "\n".join(rows))
    print("recipes: all hold" if held else "recipes: NOT all hold")
    sys.exit(0 if held else 1)
