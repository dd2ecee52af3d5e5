"""Makes Tests/Fixtures/verify: tiny networks as canonical checkpoints, and recordings of what they give in their own
frameworks, made by the very lines that `zoo verify --how` prints.

    python3 Tests/Fixtures/make_verify.py .build/debug/zoo

Each recording but the first of a network has one deliberate difference, as converters and scripts have them.
Needs torch, torchvision, keras (with the torch backend), onnx and onnxruntime.
"""

import collections
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy
import safetensors.torch
import torch
from torch import nn
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.inception import BasicConv2d, InceptionA

zoo = os.path.abspath(sys.argv[1])
folder = pathlib.Path(__file__).parent / "verify"
folder.mkdir(exist_ok=True)
lines = {
    name: subprocess.run([zoo, "verify", "--how", name, "--quiet"], check=True, capture_output=True, text=True).stdout
    for name in ("torch", "keras", "onnx")
}


def record(framework, name, **variables):
    """Runs the printed lines with the given variables and keeps what they write."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        exec(lines[framework], variables)
        (folder / f"{name}.npz").write_bytes(pathlib.Path("R.npz").read_bytes())
        os.chdir(before)


def save(name, state, family, config, size):
    """A canonical checkpoint, as far as reading it goes."""
    metadata = {
        "zoo.format": "1", "zoo.model": "",
        "zoo.config": json.dumps({"family": family, "config": config, "classes": 5}),
        "zoo.input": json.dumps({
            "size": [size, size], "interpolation": "bilinear",
            "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}),
    }
    tensors = {key: value.detach().clone().contiguous() for key, value in state.items()}
    safetensors.torch.save_file(tensors, folder / f"{name}.safetensors", metadata)


class Bottleneck(nn.Module):
    """torchvision's, with the stride in the second convolution; Keras's and Caffe's have it in the first."""

    def __init__(self, inputs, planes, stride, eps, stride_first):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, planes, 1, stride if stride_first else 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes, eps)
        self.conv2 = nn.Conv2d(planes, planes, 3, 1 if stride_first else stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes, eps)
        self.conv3 = nn.Conv2d(planes, planes * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * 4, eps)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = nn.Sequential(
            nn.Conv2d(inputs, planes * 4, 1, stride, bias=False), nn.BatchNorm2d(planes * 4, eps))

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + self.downsample(x))


class ResNet(nn.Module):
    def __init__(self, eps=1e-5, stride_first=False, ceil_mode=False):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(4, eps)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1, ceil_mode=ceil_mode)
        self.layer1 = nn.Sequential(Bottleneck(4, 4, 1, eps, stride_first))
        self.layer2 = nn.Sequential(Bottleneck(16, 8, 2, eps, stride_first))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(32, 5)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        return self.fc(torch.flatten(self.avgpool(self.layer2(self.layer1(x))), 1))


def resnets():
    torch.manual_seed(3)
    right = ResNet()
    for module in right.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.01, 0.05)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
    state = right.state_dict()
    x = torch.randn(2, 3, 16, 16)

    def wrong(name, key=None, change=None):
        weights = {k: v for k, v in state.items() if "num_batches" not in k}
        if key:
            weights[key] = change(weights[key])
        save(name, weights, "resnet", {"block": "bottleneck", "layers": [1, 1], "width": 4}, 16)

    def variant(name, **options):
        model = ResNet(**options)
        model.load_state_dict(state)
        record("torch", name, model=model, x=x.clone())

    wrong("resnet")
    wrong("resnet-bgr", "conv1.weight", lambda w: w.flip(1))
    wrong("resnet-flipped", "layer1.0.conv2.weight", lambda w: w.flip([2, 3]))
    wrong("resnet-deviation", "layer2.0.bn3.running_var", lambda v: v.sqrt())
    wrong("resnet-shuffled", "layer2.0.conv1.weight", lambda w: w[[3, 1, 2, 0, 7, 5, 6, 4]])
    variant("resnet")
    variant("resnet-epsilon", eps=1e-3)
    variant("resnet-epsilon-odd", eps=3.7e-3)
    variant("resnet-stride", stride_first=True)
    variant("resnet-ceil", ceil_mode=True)

    model = ResNet()
    model.load_state_dict(state)
    # A script that forgets eval(): the printed lines call it, so that this one undoes them.
    model.eval = lambda: model.train()
    record("torch", "resnet-training", model=model, x=x.clone())

    same = ResNet()
    same.load_state_dict(state)
    convolution = same.layer2[0].conv2
    convolution.padding = (0, 0)
    forward = convolution.forward
    # TensorFlow's SAME: for an even size and stride 2 the odd cell is at the bottom and right.
    convolution.forward = lambda y: forward(nn.functional.pad(y, (0, 1, 0, 1)))
    record("torch", "resnet-same", model=same, x=x.clone())

    biased = ResNet()
    biased.load_state_dict(state)
    biased.layer1[0].conv3.bias = nn.Parameter(torch.randn(16))
    record("torch", "resnet-bias", model=biased, x=x.clone())

    leaky = ResNet()
    leaky.load_state_dict(state)
    leaky.relu = nn.SiLU()
    record("torch", "resnet-silu", model=leaky, x=x.clone())

    right.eval()
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "resnet.onnx")
        for dynamo, name in ((False, "resnet-onnx"), (True, "resnet-onnx-dynamo")):
            torch.onnx.export(right, (x,), path, dynamo=dynamo)
            record("onnx", name, path=path, x=x.numpy())


def vggs():
    keras.utils.set_random_seed(5)
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((16, 16, 3)),
        layers.Conv2D(4, 3, padding="same", activation="relu", name="block1_conv1"),
        layers.Conv2D(4, 3, padding="same", activation="relu", name="block1_conv2"),
        layers.MaxPooling2D(2, name="block1_pool"),
        layers.Conv2D(6, 3, padding="same", activation="relu", name="block2_conv1"),
        layers.MaxPooling2D(2, name="block2_pool"),
        layers.Flatten(name="flatten"),
        layers.Dense(12, activation="relu", name="fc1"),
        layers.Dense(12, activation="relu", name="fc2"),
        layers.Dense(5, activation="softmax", name="predictions"),
    ])
    for variable in model.trainable_variables:
        variable.assign(keras.random.normal(variable.shape, stddev=0.3, seed=len(variable.path) + variable.shape[-1]))
    x = numpy.random.default_rng(7).normal(size=(2, 16, 16, 3)).astype("float32")
    record("keras", "vgg-keras", model=model, x=x)

    weights = {f"{layer.name}.{variable.name}": torch.tensor(numpy.asarray(variable.value.detach().cpu()))
               for layer in model.layers for variable in layer.weights}
    state = {}
    for ours, theirs in (("features.0", "block1_conv1"), ("features.2", "block1_conv2"), ("features.5", "block2_conv1")):
        state[f"{ours}.weight"] = weights[f"{theirs}.kernel"].permute(3, 2, 0, 1)
        state[f"{ours}.bias"] = weights[f"{theirs}.bias"]
    for ours, theirs in (("classifier.0", "fc1"), ("classifier.3", "fc2"), ("classifier.6", "predictions")):
        state[f"{ours}.weight"] = weights[f"{theirs}.kernel"].T
        state[f"{ours}.bias"] = weights[f"{theirs}.bias"]
    right = dict(state)
    right["classifier.0.weight"] = weights["fc1.kernel"].reshape(4, 4, 6, 12).permute(3, 2, 0, 1).reshape(12, 96)
    config = {"blocks": [[4, 4], [6]], "hidden": 12, "pooled": 4}

    def variant(name, **changes):
        save(name, right | {key.replace("__", "."): value for key, value in changes.items()}, "vgg", config, 16)

    variant("vgg")
    variant("vgg-flatten", classifier__0__weight=state["classifier.0.weight"])
    variant("vgg-transposed", classifier__3__weight=right["classifier.3.weight"].T)
    variant("vgg-reshaped", features__5__weight=weights["block2_conv1.kernel"].reshape(6, 4, 3, 3))
    variant("vgg-bgr", features__0__weight=right["features.0.weight"].flip(1))


def convnexts():
    torch.manual_seed(11)
    right = ConvNeXt([CNBlockConfig(4, 8, 1), CNBlockConfig(8, None, 1)], layer_scale=0.5, num_classes=5).eval()
    for key, parameter in right.named_parameters():
        # Small variances, for an epsilon to show in them; wide gates, for curves to part.
        nn.init.normal_(parameter, 0, 0.05 if key.startswith("features.0.0") else 0.7)
    state = right.state_dict()
    save("convnext", state, "convnext", {"depths": [1, 1], "widths": [4, 8]}, 16)
    x = torch.randn(2, 3, 16, 16)

    def variant(name, change):
        model = ConvNeXt([CNBlockConfig(4, 8, 1), CNBlockConfig(8, None, 1)], layer_scale=0.5, num_classes=5)
        model.load_state_dict(state)
        for module in model.modules():
            change(module)
        record("torch", name, model=model, x=x.clone())

    def gelu(replacement):
        def change(module):
            for name, child in module.named_children():
                if isinstance(child, nn.GELU):
                    setattr(module, name, replacement)
        return change

    class QuickGELU(nn.Module):
        def forward(self, x):
            return x * torch.sigmoid(1.702 * x)

    def epsilon(module):
        if isinstance(module, nn.LayerNorm):
            module.eps = 1e-5  # torch's own, where ConvNeXt has 1e-6.

    variant("convnext", lambda module: None)
    variant("convnext-tanh", gelu(nn.GELU(approximate="tanh")))
    variant("convnext-quick", gelu(QuickGELU()))
    variant("convnext-epsilon", epsilon)


class NarrowConv(BasicConv2d):
    """A thirty-second of the channels."""

    def __init__(self, inputs, outputs, **options):
        super().__init__(inputs if inputs == 3 else math.ceil(inputs / 32), math.ceil(outputs / 32), **options)


def inceptions():
    """Inception's beginning, up to the first average pooling; what follows has no weights in the file."""
    torch.manual_seed(13)
    model = nn.Sequential(collections.OrderedDict(
        Conv2d_1a_3x3=NarrowConv(3, 32, kernel_size=3, stride=2), Conv2d_2a_3x3=NarrowConv(32, 32, kernel_size=3),
        Conv2d_2b_3x3=NarrowConv(32, 64, kernel_size=3, padding=1), maxpool1=nn.MaxPool2d(3, 2),
        Conv2d_3b_1x1=NarrowConv(64, 80, kernel_size=1), Conv2d_4a_3x3=NarrowConv(80, 192, kernel_size=3),
        maxpool2=nn.MaxPool2d(3, 2), Mixed_5b=InceptionA(192, 32, NarrowConv)))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, 0.1, 0.5)
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.2, 0.5)
    weights = {key: value for key, value in model.state_dict().items() if "num_batches" not in key}
    save("inception", weights, "inception_v3", {"widthMultiplier": 1 / 32}, 35)
    x = torch.randn(2, 3, 35, 35)
    pool = nn.functional.avg_pool2d
    nn.functional.avg_pool2d = lambda *inputs, **options: pool(*inputs, **options, count_include_pad=False)
    record("torch", "inception-uncounted", model=model, x=x)
    nn.functional.avg_pool2d = pool


resnets()
vggs()
convnexts()
inceptions()
