"""Names and shapes of the catalogue's networks as torchvision and timm have them: catalog_shapes.json.

Every model gets a SHA-256 over its sorted `name:shape` lines (shapes joined by `x`), its parameter count and, from a
hook on convolutions and linear layers, its multiply-adds; three small ones are listed in full.

catalog_other_namings.json lists the names and shapes of a model as another library has them.

Given the path of efficientnet-lite0-57934424.pth, it also writes that file's own names and shapes, in its order, to
catalog_efficientnet_lite0_source.json.
"""
import hashlib
import json
import pathlib
import sys

import timm
import torch
import torchvision
import transformers

NAMES = (
    ["alexnet"]
    + [f"vgg{d}{s}" for d in (11, 13, 16, 19) for s in ("", "_bn")]
    + [f"resnet{d}" for d in (18, 34, 50, 101, 152)]
    + ["resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2"]
    + ["efficientnet_lite0"]
)
IN_FULL = ["alexnet", "resnet18", "efficientnet_lite0"]


def build(name):
    if name == "efficientnet_lite0":
        return timm.create_model("tf_efficientnet_lite0")
    return getattr(torchvision.models, name)()


def multiply_adds(model):
    total = 0

    def count(module, inputs, output):
        nonlocal total
        total += output.numel() * module.weight[0].numel()

    for module in model.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.register_forward_hook(count)
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, 224, 224))
    return total


models = {}
for name in NAMES:
    with torch.device("cpu"):
        model = build(name)
    shapes = {k: "x".join(map(str, v.shape)) for k, v in model.state_dict().items()}
    lines = sorted(f"{k}:{v}" for k, v in shapes.items())
    models[name] = {
        "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        "tensors": len(lines),
        "parameters": sum(p.numel() for p in model.parameters()),
        "multiplyAdds": multiply_adds(model),
    }
    if name in IN_FULL:
        models[name]["shapes"] = shapes
out = pathlib.Path(__file__).parent / "catalog_shapes.json"
out.write_text(json.dumps(models, indent=1) + "\n")

with torch.device("meta"):
    others = {
        "transformers resnet50": transformers.ResNetForImageClassification(transformers.ResNetConfig(num_labels=1000)),
    }
lists = {
    name: {k: list(v.shape) for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    for name, model in others.items()
}
text = json.dumps(lists).replace("], ", "],\n").replace("{", "{\n").replace("}", "}\n")
out.with_name("catalog_other_namings.json").write_text(text)

if len(sys.argv) > 1:
    source = torch.load(sys.argv[1], weights_only=True)
    lines = [[k, list(v.shape)] for k, v in source.items()]
    out = out.with_name("catalog_efficientnet_lite0_source.json")
    out.write_text("[\n" + ",\n".join(json.dumps(line) for line in lines) + "\n]\n")
