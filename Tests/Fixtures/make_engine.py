"""Tiny networks of torchvision's blocks with random weights, their logits and gradients: engine/*.safetensors.

Each file holds `weight.NAME` (the state dict), `input`, `labels`, `logits` (evaluation mode), and for frozen and batch
statistics `frozen.NAME` and `batch.NAME`, the gradients of the mean cross-entropy (batch: label smoothing 0.1), with
`loss.frozen` and `loss.batch`; `__metadata__` has the family and its config. optimizers.json: steps of torch.optim.
"""
import json
import math
import pathlib
from functools import partial

import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import inception
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.inception import BasicConv2d, Inception3
from torchvision.models.resnet import BasicBlock, Bottleneck

from tiny_resnet import CLASSES, TinyResNet

folder = pathlib.Path(__file__).parent / "engine"


def as_keras(model):
    """keras.applications' ResNet: biases, its epsilon, the stride in a block's first convolution."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.bias = nn.Parameter(torch.empty(module.out_channels))
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1.001e-5
        if isinstance(module, Bottleneck):
            module.conv1.stride, module.conv2.stride = module.conv2.stride, (1, 1)
    return model


class NarrowConv(BasicConv2d):
    """A thirty-second of the channels, rounded up; where branches meet, nothing is rounded."""

    def __init__(self, inputs, outputs, **options):
        super().__init__(inputs if inputs == 3 else math.ceil(inputs / 32), math.ceil(outputs / 32), **options)


def tiny_inception():
    blocks = [partial(getattr(inception, f"Inception{x}"), conv_block=NarrowConv) for x in (*"ABCDE", "Aux")]
    model = Inception3(CLASSES, aux_logits=False, transform_input=True, inception_blocks=[NarrowConv] + blocks,
                       init_weights=False, dropout=0)
    model.fc = nn.Linear(2048 // 32, CLASSES)
    return model


def tiny_convnext():
    settings = [CNBlockConfig(8, 24, 1), CNBlockConfig(24, None, 2)]
    return ConvNeXt(settings, layer_scale=0.5, num_classes=CLASSES)


def config(block, layers, width, groups=None, per_group=None, stem=None):
    values = {"block": block, "layers": layers, "width": width}
    if groups:
        values |= {"groups": groups, "widthPerGroup": per_group}
    if stem:
        values["stem"] = dict(zip(("kernel", "stride", "maxPool"), stem))
    return json.dumps(values)


def described(family, **values):
    return json.dumps({"family": family, "config": values})


small = (3, 1, False)
torch.manual_seed(7)
NETWORKS = {
    "basic": (TinyResNet(BasicBlock, [2, 1], 8, stem=small), config("basic", [2, 1], 8, stem=small), 9),
    "bottleneck": (TinyResNet(Bottleneck, [1, 1, 1], 4), config("bottleneck", [1, 1, 1], 4), 37),
    "grouped": (TinyResNet(Bottleneck, [1, 1], 16, 4, 32), config("bottleneck", [1, 1], 16, 4, 32), 33),
    "keras": (as_keras(TinyResNet(Bottleneck, [1, 1], 8)), described(
        "resnet", block="bottleneck", layers=[1, 1], width=8, strideFirst=True, convolutionBias=True, epsilon=1.001e-5), 33),
    "inception": (tiny_inception(), described("inception_v3", transformsInput=True, widthMultiplier=1 / 32), 107),
    "convnext": (tiny_convnext(), described("convnext", depths=[1, 2], widths=[8, 24]), 33),
}

for number, (name, (model, description, side)) in enumerate(NETWORKS.items()):
    torch.manual_seed(number)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
            nn.init.normal_(module.running_mean, 0, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
    for parameter_name, parameter in model.named_parameters():
        # Convolutions' biases are no constants, and layer scales differ.
        if name == "keras" and "conv" in parameter_name and parameter_name.endswith("bias"):
            nn.init.normal_(parameter, 0, 0.3)
        if name == "keras" and parameter_name.endswith("downsample.0.bias"):
            nn.init.normal_(parameter, 0, 0.3)
        if name == "convnext" and parameter.dim() in (1, 3):
            nn.init.uniform_(parameter, 0.3, 1)
    tensors = {f"weight.{k}": v.clone() for k, v in model.state_dict().items() if v.is_floating_point()}
    # The larger pictures are kept in half the room.
    x = torch.randn(4, 3, side, side) if side < 100 else torch.randn(2, 3, side, side).half().float()
    labels = torch.randint(0, CLASSES, x.shape[:1])
    tensors |= {"input": x if side < 100 else x.half(), "labels": labels.float(), "logits": model.eval()(x).detach()}
    for kind, smoothing in [("frozen", 0.0), ("batch", 0.1)]:
        model.train(kind == "batch")
        model.zero_grad()
        loss = nn.functional.cross_entropy(model(x), labels, label_smoothing=smoothing)
        loss.backward()
        tensors |= {f"{kind}.{k}": p.grad.clone() for k, p in model.named_parameters()}
        tensors[f"loss.{kind}"] = loss.detach()
    save_file(tensors, folder / f"{name}.safetensors", {"zoo.config": description})

torch.manual_seed(9)
start, slopes = torch.randn(6), torch.randn(4, 6)
steps = {"start": start.tolist(), "gradients": slopes.tolist()}
for name, make in [
    ("sgd", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01)),
    ("adamw", lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.01)),
]:
    parameter = nn.Parameter(start.clone())
    optimizer = make([parameter])
    steps[name] = []
    for slope in slopes:
        parameter.grad = slope.clone()
        optimizer.step()
        steps[name].append(parameter.detach().tolist())
(folder / "optimizers.json").write_text(json.dumps(steps, indent=1) + "\n")
print({f.name: f.stat().st_size for f in folder.iterdir()})
