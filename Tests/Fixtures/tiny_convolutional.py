"""torchvision's convolutional families at widths that fit into a fixture: name, how to make one, family and
configuration as zoo has them, side of the picture."""
import math
from functools import partial

from torch import nn
from torchvision.models import mnasnet, squeezenet
from torchvision.models.densenet import DenseNet
from torchvision.models.efficientnet import EfficientNet, FusedMBConvConfig, MBConvConfig
from torchvision.models.googlenet import BasicConv2d, GoogLeNet, Inception, InceptionAux
from torchvision.models.mobilenetv2 import MobileNetV2
from torchvision.models.mobilenetv3 import InvertedResidualConfig, MobileNetV3
from torchvision.models.regnet import BlockParams, RegNet
from torchvision.models.shufflenetv2 import ShuffleNetV2
from torchvision.ops.misc import Conv2dNormActivation

from engine_recording import described
from tiny_resnet import CLASSES


def with_biases(model):
    """Convolutions' biases begin at zero, which would hide them."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.normal_(module.bias, 0, 0.3)
    return model


def tiny_squeezenet():
    model = squeezenet.SqueezeNet("1_1", CLASSES, dropout=0)
    pool = partial(nn.MaxPool2d, kernel_size=3, stride=2, ceil_mode=True)
    model.features = nn.Sequential(
        nn.Conv2d(3, 8, kernel_size=3, stride=2), nn.ReLU(), pool(), squeezenet.Fire(8, 2, 8, 8),
        squeezenet.Fire(16, 3, 12, 12), pool(), squeezenet.Fire(24, 4, 16, 16))
    model.classifier[1] = nn.Conv2d(32, CLASSES, kernel_size=1)
    return with_biases(model)


class NarrowConv(BasicConv2d):
    """A sixteenth of the channels, rounded up; where branches meet, nothing is rounded."""

    def __init__(self, inputs, outputs, **options):
        super().__init__(inputs if inputs == 3 else math.ceil(inputs / 16), math.ceil(outputs / 16), **options)


def tiny_googlenet():
    blocks = [NarrowConv, partial(Inception, conv_block=NarrowConv), InceptionAux]
    model = GoogLeNet(CLASSES, aux_logits=False, transform_input=True, init_weights=False, blocks=blocks,
                                dropout=0)
    model.fc = nn.Linear(1024 // 16, CLASSES)
    return model


def tiny_mobilenet_v2():
    settings = [[1, 16, 1, 1], [3, 24, 2, 2]]
    model = MobileNetV2(CLASSES, 0.5, settings, dropout=0)
    model.features[-1] = Conv2dNormActivation(16, 32, kernel_size=1, activation_layer=nn.ReLU6)
    model.classifier[1] = nn.Linear(32, CLASSES)
    return model


def tiny_mobilenet_v3():
    rows = [(8, 3, 8, 8, True, "RE", 2), (8, 5, 24, 16, False, "HS", 2), (16, 3, 40, 16, True, "HS", 1)]
    return with_biases(MobileNetV3([InvertedResidualConfig(*row, 1, 1.0) for row in rows], 24, CLASSES, dropout=0))


def tiny_mnasnet():
    stack = mnasnet._stack
    repeats = iter([2, 1, 1, 1, 1, 1])
    mnasnet._stack = lambda inputs, outputs, kernel, stride, factor, _, momentum: stack(
        inputs, outputs, kernel, stride, factor, next(repeats), momentum)
    model = mnasnet.MNASNet(0.1, CLASSES, dropout=0)
    mnasnet._stack = stack
    model.layers[14] = nn.Conv2d(32, 16, 1, bias=False)
    model.layers[15] = nn.BatchNorm2d(16, momentum=model.layers[1].momentum)
    model.classifier[1] = nn.Linear(16, CLASSES)
    return model


def tiny_regnet():
    blocks = BlockParams(depths=[1, 2], widths=[16, 24], group_widths=[8, 8], bottleneck_multipliers=[1, 1],
                         strides=[2, 2], se_ratio=0.25)
    return with_biases(RegNet(blocks, CLASSES, stem_width=8))


def tiny_efficientnet():
    settings = [MBConvConfig(1, 3, 1, 8, 8, 1), MBConvConfig(4, 5, 2, 8, 16, 2)]
    return with_biases(EfficientNet(settings, 0, 0, CLASSES))


def tiny_efficientnet_v2():
    settings = [FusedMBConvConfig(1, 3, 1, 8, 8, 1), FusedMBConvConfig(2, 3, 2, 8, 16, 2),
                MBConvConfig(4, 3, 2, 16, 24, 1)]
    return with_biases(
        EfficientNet(settings, 0, 0, CLASSES, partial(nn.BatchNorm2d, eps=1e-3), last_channel=32))


def stage(expansion, kernel, stride, channels, repeats, **more):
    return {"expansion": expansion, "kernel": kernel, "stride": stride, "channels": channels, "repeats": repeats} | more


FAMILIES = {
    "squeezenet": (tiny_squeezenet, described(
        "squeezenet", stem={"channels": 8, "kernel": 3}, squeezes=[[2, 3], [4]]), 33),
    "googlenet": (tiny_googlenet, described("googlenet", transformsInput=True, widthMultiplier=1 / 16), 65),
    "densenet": (lambda: DenseNet(8, (2, 2), 12, num_classes=CLASSES), described(
        "densenet", blocks=[2, 2], growth=8, stem=12), 33),
    "mobilenet_v2": (tiny_mobilenet_v2, described("mobilenet_v2", widthMultiplier=0.5, features=32, stages=[
        {"expansion": 1, "channels": 16, "repeats": 1, "stride": 1},
        {"expansion": 3, "channels": 24, "repeats": 2, "stride": 2}]), 33),
    "mobilenet_v3": (tiny_mobilenet_v3, described("mobilenet_v3", stem=8, hidden=24, blocks=[
        {"kernel": 3, "expanded": 8, "channels": 8, "squeezes": True, "stride": 2},
        {"kernel": 5, "expanded": 24, "channels": 16, "hardSwish": True, "stride": 2},
        {"kernel": 3, "expanded": 40, "channels": 16, "squeezes": True, "hardSwish": True}]), 33),
    "mnasnet": (tiny_mnasnet, described("mnasnet", widthMultiplier=0.1, repeats=[2, 1, 1, 1, 1, 1], features=16), 65),
    "shufflenet_v2": (lambda: ShuffleNetV2([3, 1, 1], [8, 20, 24, 32, 16], CLASSES), described(
        "shufflenet_v2", channels=[8, 20, 24, 32, 16], repeats=[3, 1, 1]), 65),
    "regnet": (tiny_regnet, described(
        "regnet", depths=[1, 2], widths=[16, 24], groupWidth=8, squeeze=0.25, stem=8), 33),
    "efficientnet": (tiny_efficientnet, described("efficientnet", stem=8, stages=[
        stage(1, 3, 1, 8, 1), stage(4, 5, 2, 16, 2)]), 33),
    "efficientnet_v2": (tiny_efficientnet_v2, described("efficientnet", stem=8, features=32, epsilon=1e-3, stages=[
        stage(1, 3, 1, 8, 1, isFused=True), stage(2, 3, 2, 16, 2, isFused=True), stage(4, 3, 2, 24, 1)]), 33),
}
