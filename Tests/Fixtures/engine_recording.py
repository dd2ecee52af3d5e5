"""How a tiny network is recorded for the engine's tests; make_engine.py says what a file holds."""
import json
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

from tiny_resnet import CLASSES

folder = pathlib.Path(__file__).parent / "engine"


def described(family, **values):
    return json.dumps({"family": family, "config": values})


def randomise_norms(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
            nn.init.normal_(module.running_mean, 0, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)


def record(name, model, description, side, more={}):
    randomise_norms(model)
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
    save_file(tensors | more, folder / f"{name}.safetensors", {"zoo.config": description})
