"""Tiny segmentation networks of torchvision's own modules with random weights: segmentation/*.safetensors.

Each file holds `weight.NAME` (the state dict), `input`, `logits` [N, classes, H, W] (evaluation mode) and
`gradient.NAME`, the gradients of the mean cross-entropy of the logits' mean over the pixels; `labels` are its classes.
`__metadata__` has the family and its config. picture.png is a picture, `mask` what torchvision's preprocessing
(a shorter side of 40 pixels) and the network make of it.
"""
import pathlib

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torchvision.transforms._presets import SemanticSegmentation

from engine_recording import randomise_norms
from tiny_resnet import CLASSES
from tiny_segmentation import networks

folder = pathlib.Path(__file__).parent / "segmentation"
folder.mkdir(exist_ok=True)
NETWORKS = networks()

y, x = numpy.mgrid[0:52, 0:37]
waves = numpy.stack([numpy.sin(x / 5 + y / 9), numpy.cos(x / 4 - y / 11), numpy.sin(x * y / 300)], -1)
picture = Image.fromarray(((waves + 1) * 127).astype(numpy.uint8))
picture.save(folder / "picture.png")

for number, (name, (model, description, size)) in enumerate(NETWORKS.items()):
    torch.manual_seed(number)
    randomise_norms(model)
    shown = SemanticSegmentation(resize_size=40)(picture)[None]
    with torch.no_grad():
        # So that no class has every pixel.
        head = model.classifier.high_classifier if name == "lraspp" else model.classifier[-1]
        head.bias -= model.eval()(shown)["out"].mean((0, 2, 3))
    x = torch.randn(2, 3, *size)
    labels = torch.randint(0, CLASSES, (2,))
    logits = model(x)["out"]
    nn.functional.cross_entropy(logits.mean((2, 3)), labels).backward()
    tensors = {f"weight.{k}": v.clone() for k, v in model.state_dict().items() if v.is_floating_point()}
    tensors |= {"input": x, "labels": labels.float(), "logits": logits.detach()}
    with torch.no_grad():
        tensors["mask"] = model(shown)["out"][0].argmax(0).to(torch.uint8)
    tensors |= {f"gradient.{k}": p.grad.clone() for k, p in model.named_parameters() if p.grad is not None}
    save_file(tensors, folder / f"{name}.safetensors", {"zoo.config": description})
print({f.name: f.stat().st_size for f in folder.iterdir()})
