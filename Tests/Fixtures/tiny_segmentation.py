"""torchvision's segmentation networks at widths that fit into fixtures."""
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.mobilenetv3 import InvertedResidualConfig, MobileNetV3
from torchvision.models.resnet import Bottleneck
from torchvision.models.segmentation import deeplabv3, fcn, lraspp
import torch
from torch import nn

from engine_recording import described
from tiny_resnet import CLASSES, TinyResNet


class DilatedResNet(TinyResNet):
    """With `replace_stride_with_dilation` for the last two stages; basic blocks know no dilation."""

    def __init__(self, layers, width):
        super().__init__(Bottleneck, layers, width)
        self.inplanes, self.dilation = width, 1
        for index, count in enumerate(layers):
            dilates = index >= len(layers) - 2
            stage = self._make_layer(Bottleneck, width << index, count, 1 if index == 0 else 2, dilates)
            setattr(self, f"layer{index + 1}", stage)


def backbone(layers, width):
    names = {f"layer{len(layers)}": "out", f"layer{len(layers) - 1}": "aux"}
    return IntermediateLayerGetter(DilatedResNet(layers, width), return_layers=names)


def pyramid(channels, width, rates):
    """DeepLabHead, whose width is 256."""
    return nn.Sequential(deeplabv3.ASPP(channels, rates, width), nn.Conv2d(width, width, 3, padding=1, bias=False),
                         nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, CLASSES, 1))


def resnet(layers, width):
    return {"resnet": {"block": "bottleneck", "layers": layers, "width": width}}


# Kernel, expanded, channels, squeeze, activation, stride; the last stage is dilated.
ROWS = [(3, 8, 8, False, "RE", 2), (3, 16, 8, True, "RE", 1), (5, 16, 16, True, "HS", 2), (3, 32, 16, False, "HS", 1),
        (5, 32, 16, True, "HS", 2), (3, 48, 16, True, "HS", 1)]


def tiny_mobilenet():
    settings = []
    for index, (kernel, expanded, channels, squeezes, activation, stride) in enumerate(ROWS):
        before = 16 if index == 0 else ROWS[index - 1][2]
        settings.append(InvertedResidualConfig(before, kernel, expanded, channels, squeezes, activation, stride,
                                               2 if index >= 4 else 1, 1.0))
    # The stem takes its outputs from the first row's inputs.
    return MobileNetV3(settings, last_channel=8).features


def mobilenet():
    def block(kernel, expanded, channels, squeezes, activation, stride):
        row = {"kernel": kernel, "expanded": expanded, "channels": channels}
        row |= {"squeezes": True} if squeezes else {}
        row |= {"hardSwish": True} if activation == "HS" else {}
        return row | ({"stride": stride} if stride > 1 else {})

    return {"mobilenetV3": {"blocks": [block(*row) for row in ROWS], "hidden": 8}}


def networks():
    """Name to module, description and the size of a picture that no stride divides."""
    torch.manual_seed(17)
    return {
        "fcn": (fcn.FCN(backbone([1, 2, 2], 4), fcn.FCNHead(64, CLASSES), fcn.FCNHead(32, CLASSES)),
                described("fcn", backbone=resnet([1, 2, 2], 4), auxiliary=True), (31, 45)),
        "deeplabv3": (deeplabv3.DeepLabV3(backbone([1, 1, 2], 4), pyramid(64, 8, (2, 5))),
                      described("deeplabv3", backbone=resnet([1, 1, 2], 4), width=8, rates=[2, 5]), (40, 33)),
        "lraspp": (lraspp.LRASPP(IntermediateLayerGetter(tiny_mobilenet(), {"1": "low", "7": "high"}), 8, 96, CLASSES, 8),
                   described("lraspp", backbone=mobilenet(), width=8), (45, 38)),
    }
