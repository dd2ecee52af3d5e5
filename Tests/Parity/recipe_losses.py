"""The recipes without chance: all pictures in each batch and nothing dropped, so that both sides' order of pictures and their
random numbers play no part. Every epoch's validation loss against that of the twin in torch (recipes.py), from the same
published weights; decoding, preparing, frozen features, rates, schedule, decay, stages and BatchNorm all have a say in it.
`mlp`, `lora` and `scratch` begin with random numbers and can't be compared in this way.

Holds when every loss is within 1e-3 of torch's."""

import argparse
import json
import os
import sys
import tempfile

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from networks import ZOO, run
from recipes import HEAD, TWINS, Data, Run, Twin, zoo_run

BOUND = 1e-3
# Every so many pictures are taken: those that learn through the whole network do so at once. Beside it the part of the usual
# learning rate: at all of it such steps of the whole network are so long that torch's own float32 ends 7e-3 from float64.
RECIPES = {"head": (1, 1), "last-n": (1, 1), "staged": (2, 1), "full": (6, 0.1)}
ALL = 1000


class StillTwin(Twin):
    def stages(self):
        stages = super().stages()
        stages[HEAD][0].p = 0
        return stages


class WholeBatch(Run):
    def __init__(self, twin, part):
        super().__init__(twin, 0)
        self.part = part

    def train(self, module, features, groups, epochs, rate, batch, *prepare):
        super().train(module, features, groups, epochs, rate * self.part, ALL, *prepare)


def without_dropout(lite0, path):
    """A canonical checkpoint of the published weights, as a network that drops nothing."""
    run(ZOO, "convert", lite0, "-o", path)
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    config = json.loads(metadata["zoo.config"])
    config["config"]["dropout"] = 0
    save_file(load_file(path), path, metadata | {"zoo.config": json.dumps(config)})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lite0", required=True, help="the published EfficientNet-Lite0 file")
    parser.add_argument("--stamps", required=True, help="the folder that make_stamps writes")
    parser.add_argument("--names", nargs="*", default=list(RECIPES))
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    held = True
    with tempfile.TemporaryDirectory() as folder:
        model, table = f"{folder}/lite0.safetensors", f"{folder}/pictures.csv"
        without_dropout(arguments.lite0, model)
        weights = load_file(model)
        for name in arguments.names:
            every, part = RECIPES[name]
            data = Data(arguments.stamps, every=every)
            data.write(0, table)
            flags = ["--batch-size", str(ALL)] + (["--learning-rate", str(1e-3 * part)] if part != 1 else [])
            ours = zoo_run(name, flags, 0, model, table, f"{folder}/run")
            made = WholeBatch(StillTwin(weights, data), part)
            TWINS[name](made)
            losses = [[-loss for _, loss in epochs] for epochs in (ours, made.epochs)]
            worst = max(abs(a / b - 1) for a, b in zip(*losses, strict=True))
            held &= worst <= BOUND
            print(f"{name:8s} {len(data.paths)} pictures, {len(ours)} epochs, validation loss {losses[1][0]:.4f} to "
                  f"{losses[1][-1]:.4f}: worst {worst:.1e} from torch's", flush=True)
    print("losses of recipes: all hold" if held else "losses of recipes: NOT all hold")
    sys.exit(0 if held else 1)
