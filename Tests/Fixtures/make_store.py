"""Makes Tests/Fixtures/store: a tiny network's published weights, what torch makes of pictures with them, and which weights
are torchvision's default for each of its models.

    python3 Tests/Fixtures/make_store.py

Needs torch, torchvision and Pillow."""
import json
import pathlib

import torch
from PIL import Image
from torch import nn
from torchvision.models import get_model_weights, list_models
from torchvision.models.resnet import BasicBlock
from torchvision.transforms import v2

from tiny_resnet import TinyResNet

root = pathlib.Path(__file__).parent
folder = root / "store"
folder.mkdir(exist_ok=True)
PICTURES = ["rgb8.png", "source_wide.png", "source_tall.png", "lossy.webp"]
transform = v2.Compose([
    v2.Resize(36), v2.CenterCrop(32), v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True),
    v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
])


def network(seed):
    torch.manual_seed(seed)
    model = TinyResNet(BasicBlock, [1, 1], 4, stem=(3, 1, False)).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return model


results = {}
for version in ("1", "2"):
    model = network(int(version))
    torch.save(model.state_dict(), folder / f"tiny-v{version}.pth")
    results[version] = {}
    for name in PICTURES:
        path = root / "vision" / name
        picture = transform(Image.open(path).convert("RGB"))[None]
        features = {}
        hook = model.avgpool.register_forward_hook(lambda _, __, output: features.update(value=output.flatten(1)[0]))
        logits = model(picture)[0]
        hook.remove()
        results[version][name] = {"features": features["value"].tolist(), "logits": logits.tolist()}
(folder / "expected.json").write_text(json.dumps(results) + "\n")

defaults = {}
for name in list_models():
    weights = get_model_weights(name)
    # Detection and flow have ids of their own.
    if "IMAGENET1K" in weights.DEFAULT.name or len(weights) == 1:
        defaults[name] = weights.DEFAULT.name
(folder / "torchvision_defaults.json").write_text(json.dumps(defaults, indent=0) + "\n")
