"""Tiny networks of torchvision's blocks with random weights, their logits and gradients: engine/*.safetensors.

Each file holds `weight.NAME` (the state dict), `input`, `labels`, `logits` (evaluation mode), and for frozen and batch
statistics `frozen.NAME` and `batch.NAME`, the gradients of the mean cross-entropy (batch: label smoothing 0.1), with
`loss.frozen` and `loss.batch`; `__metadata__` has the family and its config.
"""
import json
import math
from functools import partial

import torch
from torch import nn
from torchvision.models import inception
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.inception import BasicConv2d, Inception3
from torchvision.models.resnet import BasicBlock, Bottleneck

from engine_recording import described, folder, record
from tiny_convolutional import FAMILIES
from tiny_resnet import CLASSES, TinyResNet
from tiny_transformers import TRANSFORMERS, at_another_size


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
    record(name, model, description, side)

for number, (name, (make, description, side)) in enumerate(FAMILIES.items()):
    torch.manual_seed(100 + number)
    record(name, make(), description, side)

for number, (name, (make, description, side)) in enumerate(TRANSFORMERS.items()):
    torch.manual_seed(200 + number)
    model = make()
    record(name, model, description, side, at_another_size(model) if name == "vit" else {})

print({f.name: f.stat().st_size for f in folder.iterdir()})
