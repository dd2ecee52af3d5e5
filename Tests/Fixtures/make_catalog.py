"""Names and shapes of the catalogue's networks as torchvision, timm and Keras have them: catalog_shapes.json.

Every model gets a SHA-256 over its sorted `name:shape` lines (shapes joined by `x`), its parameter count and, from a
hook on convolutions and linear layers, its multiply-adds; some are listed in full. Keras's networks are built from
torchvision's modules with Keras's settings, and checked against keras.applications in parameters and multiply-adds.

catalog_other_namings.json lists the names and shapes of a model as another library has them.

Given the path of efficientnet-lite0-57934424.pth, it also writes that file's own names and shapes, in its order, to
catalog_efficientnet_lite0_source.json.
"""
import hashlib
import json
import math
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "torch"
import keras
import timm
import torch
import torchvision
import transformers

NAMES = (
    ["alexnet"]
    + [f"vgg{d}{s}" for d in (11, 13, 16, 19) for s in ("", "_bn")]
    + [f"resnet{d}" for d in (18, 34, 50, 101, 152)]
    + ["resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2"]
    + ["efficientnet_lite0", "inception_v3"]
    + [f"convnext_{size}" for size in ("tiny", "small", "base", "large")]
)
KERAS = {"keras_resnet50": "ResNet50", "keras_resnet101": "ResNet101", "keras_resnet152": "ResNet152",
         "keras_inception_v3": "InceptionV3"}
IN_FULL = ["alexnet", "resnet18", "efficientnet_lite0", "keras_inception_v3", "convnext_tiny"]


def build(name):
    if name == "efficientnet_lite0":
        return timm.create_model("tf_efficientnet_lite0")
    if name == "keras_inception_v3":
        return torchvision.models.inception_v3(aux_logits=False, init_weights=False)
    if name == "inception_v3":
        return torchvision.models.inception_v3(init_weights=False)
    model = getattr(torchvision.models, name.removeprefix("keras_"))()
    if name in KERAS:
        for module in model.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.bias = torch.nn.Parameter(torch.zeros(module.out_channels))
            if isinstance(module, torchvision.models.resnet.Bottleneck):
                module.conv1.stride, module.conv2.stride = module.conv2.stride, (1, 1)
    return model


def side(name):
    return 299 if "inception" in name else 224


def keras_counts(name):
    """Trainable parameters and multiply-adds of Keras's own network."""
    model = getattr(keras.applications, name)(weights=None)
    total = 0
    for layer in model.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            kernel, output = tuple(layer.kernel.shape), tuple(layer.output.shape)
            pixels = output[1] * output[2] if len(output) == 4 else 1
            total += pixels * math.prod(kernel)
    return sum(math.prod(v.shape) for v in model.trainable_weights), total


def multiply_adds(model, side):
    total = 0

    def count(module, inputs, output):
        nonlocal total
        total += output.numel() * module.weight[0].numel()

    for module in model.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.register_forward_hook(count)
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, side, side))
    return total


models = {}
for name in NAMES + list(KERAS):
    with torch.device("cpu"):
        model = build(name)
    shapes = {k: "x".join(map(str, v.shape)) for k, v in model.state_dict().items()}
    lines = sorted(f"{k}:{v}" for k, v in shapes.items())
    models[name] = {
        "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        "tensors": len(lines),
        "parameters": sum(p.numel() for p in model.parameters()),
        "multiplyAdds": multiply_adds(model, side(name)),
    }
    if name in KERAS:
        parameters, adds = keras_counts(KERAS[name])
        # Keras's Inception has no BatchNorm scale.
        norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)] if "inception" in name else []
        assert parameters + sum(m.num_features for m in norms) == models[name]["parameters"], name
        assert adds == models[name]["multiplyAdds"], name
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
