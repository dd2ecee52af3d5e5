"""Members of the catalogue from torchvision's weight enumerations: zoo/<family>/<model>.json.

members/<family>.py says what torchvision can't: PAPER (title, year, address) and MEMBERS, rows of model, title, config
and, where there are any, further fields of the JSON such as a note or another paper. Everything else (files, digests,
accuracies, preprocessing, parameters, multiply-adds) comes from torchvision.models.get_model_weights. The digests of all
of torchvision's files stand in checksums/torchvision.json already.

    make_members.py FAMILY...       writes the members that have no file yet; with --again all of them
    make_members.py                 checks what every written member says of torchvision's weights

Either way torchvision_weights.tsv and torchvision_segmentation_weights.tsv are written: every weights file of every
classification and segmentation model, for the tests.
"""
import argparse
import importlib
import json
import math
import pathlib
import sys

import torchvision
from torchvision.models import get_model_weights, list_models

ROOT = pathlib.Path(__file__).parents[2]
SWAG = "https://github.com/facebookresearch/SWAG/blob/main/LICENSE"
LICENCES = {None: "BSD-3-Clause", SWAG: "CC-BY-NC-4.0"}
# What an editor may have added by hand, and writing again keeps.
KEPT, KEPT_OF_WEIGHTS = ("note", "variants"), ("sha256", "note", "olderFiles")


def input_of(weights):
    picture = weights.transforms()
    (resize,) = picture.resize_size
    # Segmentation takes the whole picture.
    crops = {"crop": picture.crop_size[0]} if hasattr(picture, "crop_size") else {}
    side = crops.get("crop", resize)
    return {"size": [side, side], "resize": resize} | crops | {
        "interpolation": picture.interpolation.value, "mean": picture.mean, "std": picture.std, "channelOrder": "RGB",
    }


def is_segmentation(weights):
    return any("miou" in metrics for metrics in weights.meta["_metrics"].values())


def weights_of(weights, usual):
    file = weights.url.rsplit("/", 1)[1]
    entry = {
        "id": weights.name, "file": file, "url": weights.url, "sha256Prefix": file.rsplit("-", 1)[1].split(".")[0],
        "sizeMiB": weights.meta["_file_size"],
    }
    # Weights of features alone have no accuracy.
    if not any(math.isnan(value) for metrics in weights.meta["_metrics"].values() for value in metrics.values()):
        entry["metrics"] = weights.meta["_metrics"]
    if input_of(weights) != usual:
        entry["input"] = input_of(weights)
    return entry | {"licence": LICENCES[weights.meta.get("license")]}


def member(family, paper, name, title, config, more):
    enumeration = list(get_model_weights(name))
    first = enumeration[0]
    keys = ("title", "year", "url")
    task, labels = ("image-segmentation", "voc") if is_segmentation(first) else ("image-classification", "imagenet1k")
    made = {
        "name": name, "title": title, "family": family, "note": None, "task": task, "config": config,
        "variants": None, "classes": len(first.meta["categories"]), "labels": labels, "input": input_of(first),
        "parameters": first.meta["num_params"], "gflops": first.meta["_ops"], "paper": dict(zip(keys, paper)),
        "weights": [weights_of(weights, input_of(first)) for weights in enumeration],
    }
    made |= more | ({"paper": dict(zip(keys, more["paper"]))} if "paper" in more else {})
    return {key: value for key, value in made.items() if value is not None}


def keeping(made, path):
    """The member with what its file has beyond torchvision's facts, in the order of `made`."""
    if not path.exists():
        return made
    old = json.loads(path.read_text())
    made |= {key: old[key] for key in KEPT if key in old}
    byID = {weights["id"]: weights for weights in old["weights"]}
    for weights in made["weights"]:
        weights |= {key: value for key, value in byID.get(weights["id"], {}).items() if key in KEPT_OF_WEIGHTS}
    return made


def written(value, key="", indent=""):
    """JSON as the catalogue's files are laid out: objects a field a line, but for short ones that are data."""
    inner = indent + "  "
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict) and (key not in ("config", "metrics", "row") or len(text) > 110):
        lines = [f'{inner}"{name}": {written(field, name, inner)}' for name, field in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if key == "weights":
        return "[\n" + ",\n".join(inner + written(item, "", inner) for item in value) + f"\n{indent}]"
    if len(text) > 110 and isinstance(value, list):
        return "[\n" + ",\n".join(inner + written(item, "row", inner) for item in value) + f"\n{indent}]"
    return text


def table(family):
    module = importlib.import_module(f"members.{family}")
    for row in module.MEMBERS:
        name, title, config, *more = row
        yield member(family, module.PAPER, name, title, config, more[0] if more else {})


def departures():
    for path in sorted(ROOT.glob("zoo/*/*.json")):
        content = json.loads(path.read_text())
        if path.parent.name == "labels" or "naming" in content or content["name"].startswith("keras_"):
            continue
        made = member(content["family"], ("", 0, ""), content["name"], content["title"], content["config"], {})
        for key in ("classes", "input", "parameters", "gflops"):
            if content[key] != made[key]:
                yield f"{path.name}: {key} is {content[key]}, torchvision's is {made[key]}"
        listed = {weights["id"]: weights for weights in content["weights"]}
        for weights in made["weights"]:
            for key, value in weights.items():
                found = listed.get(weights["id"], {}).get(key)
                if found != value and not (key == "licence" and found is None):
                    yield f"{path.name}: {weights['id']} {key} is {found}, torchvision's is {value}"


def list_weights(module, dataset, measures, file):
    rows = ["model weights file sha256Prefix parameters gflops".split() + list(measures) + ["side"]]
    for name in list_models(module=module):
        for weights in get_model_weights(name):
            entry, meta = weights_of(weights, None), weights.meta
            rows.append([name, weights.name, entry["file"], entry["sha256Prefix"], meta["num_params"], meta["_ops"],
                         *(meta["_metrics"][dataset][measure] for measure in measures), entry["input"]["size"][0]])
    path = pathlib.Path(__file__).parent / file
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("families", nargs="*")
    parser.add_argument("--again", action="store_true")
    arguments = parser.parse_args()
    for family in arguments.families:
        members = list(table(family))
        (ROOT / "zoo" / family).mkdir(exist_ok=True)
        for made in members:
            path = ROOT / "zoo" / family / f"{made['name']}.json"
            if arguments.again or not path.exists():
                path.write_text(written(keeping(made, path)) + "\n")
                print(path.relative_to(ROOT))
    list_weights(torchvision.models, "ImageNet-1K", ("acc@1", "acc@5"), "torchvision_weights.tsv")
    list_weights(torchvision.models.segmentation, "COCO-val2017-VOC-labels", ("miou", "pixel_acc"),
                 "torchvision_segmentation_weights.tsv")
    if found := list(departures()):
        sys.exit("\n".join(found))
