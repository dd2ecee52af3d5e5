"""Tiny networks of torchvision's blocks with random weights, their logits and gradients: engine/*.safetensors.

Each file holds `weight.NAME` (the state dict), `input`, `labels`, `logits` (evaluation mode), and for frozen and batch
statistics `frozen.NAME` and `batch.NAME`, the gradients of the mean cross-entropy (batch: label smoothing 0.1), with
`loss.frozen` and `loss.batch`; `__metadata__` has the config of the ResNet family. optimizers.json: steps of torch.optim.
"""
import json
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from tiny_resnet import CLASSES, TinyResNet

folder = pathlib.Path(__file__).parent / "engine"
def config(block, layers, width, groups=None, per_group=None, stem=None):
    values = {"block": block, "layers": layers, "width": width}
    if groups:
        values |= {"groups": groups, "widthPerGroup": per_group}
    if stem:
        values["stem"] = dict(zip(("kernel", "stride", "maxPool"), stem))
    return json.dumps(values)


small = (3, 1, False)
NETWORKS = {
    "basic": (TinyResNet(BasicBlock, [2, 1], 8, stem=small), config("basic", [2, 1], 8, stem=small), 9),
    "bottleneck": (TinyResNet(Bottleneck, [1, 1, 1], 4), config("bottleneck", [1, 1, 1], 4), 37),
    "grouped": (TinyResNet(Bottleneck, [1, 1], 16, 4, 32), config("bottleneck", [1, 1], 16, 4, 32), 33),
}

for number, (name, (model, description, side)) in enumerate(NETWORKS.items()):
    torch.manual_seed(number)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
            nn.init.normal_(module.running_mean, 0, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
    tensors = {f"weight.{k}": v.clone() for k, v in model.state_dict().items() if v.is_floating_point()}
    x = torch.randn(4, 3, side, side)
    labels = torch.randint(0, CLASSES, (4,))
    tensors |= {"input": x, "labels": labels.float(), "logits": model.eval()(x).detach()}
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
