"""What training on a class for each pixel is held to: pixel_training/.

- FAMILY.safetensors, of the networks of make_segmentation.py with their weights: `input`, `truth` [N, H, W] with ignored
  pixels (255), `weights` of the classes, and for `frozen` and `batch` statistics of BatchNorm the loss
  (torch.nn.functional.cross_entropy; with the batch's also label smoothing of 0.1) and every gradient, without dropout.
- loss.safetensors: logits and truths alone, with the losses and gradients of each kind of mean, and what
  scikit-learn's jaccard_score says of the likeliest classes.
- masks/: PNG files as Pillow writes them, whose pixel at x, y has the number (3x + 5y) modulo what the file's name says.
"""
import pathlib

import numpy
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from sklearn.metrics import jaccard_score
from torch import nn

from tiny_resnet import CLASSES
from tiny_segmentation import networks

here = pathlib.Path(__file__).parent
folder = here / "pixel_training"
(folder / "masks").mkdir(parents=True, exist_ok=True)


def truths(shape, classes, ignored):
    truth = torch.randint(0, classes, shape)
    truth[torch.rand(shape) < ignored] = 255
    return truth


for number, (name, (model, description, size)) in enumerate(networks().items()):
    torch.manual_seed(number)
    kept = load_file(here / "segmentation" / f"{name}.safetensors")
    state = {k.removeprefix("weight."): v for k, v in kept.items() if k.startswith("weight.")}
    model.load_state_dict(state, strict=False)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    x, truth = torch.randn(4, 3, *size), truths((4, *size), CLASSES, 0.2)
    weights = torch.rand(CLASSES) + 0.5
    tensors = {"input": x, "labels": torch.zeros(4), "truth": truth.to(torch.uint8), "weights": weights}
    for kind, smoothing in [("frozen", 0.0), ("batch", 0.1)]:
        model.train(kind == "batch").double()
        model.zero_grad()
        loss = nn.functional.cross_entropy(model(x.double())["out"], truth, weights.double(), ignore_index=255,
                                           label_smoothing=smoothing)
        loss.backward()
        model.load_state_dict(state, strict=False)
        tensors |= {f"{kind}.{k}": p.grad.float() for k, p in model.named_parameters() if p.grad is not None}
        tensors[f"loss.{kind}"] = loss.detach().float()
    tensors |= {f"weight.{k}": v for k, v in state.items()}
    save_file(tensors, folder / f"{name}.safetensors", {"zoo.config": description})

torch.manual_seed(5)
classes = 7
logits = (3 * torch.randn(3, classes, 9, 11)).requires_grad_()
truth = truths((3, 9, 11), classes - 1, 0.3)
truth[2] = 255
weights = torch.rand(classes) + 0.2
tensors = {"logits": logits.detach(), "truth": truth.to(torch.uint8), "weights": weights}
for kind, options in {"plain": {}, "weighted": {"weight": weights}, "smooth": {"label_smoothing": 0.2},
                      "both": {"weight": weights, "label_smoothing": 0.2}}.items():
    logits.grad = None
    loss = nn.functional.cross_entropy(logits, truth, ignore_index=255, **options)
    loss.backward()
    tensors |= {f"{kind}.loss": loss.detach(), f"{kind}.gradient": logits.grad.clone()}
found = logits.detach().argmax(1)
# Class 6 is nowhere in truth; that it is nowhere at all is for class 5 to show.
found[found == 5] = 4
counts = truth != 255
truth[counts & (truth == 5)] = 4
overlaps = jaccard_score(truth[counts].numpy(), found[counts].numpy(), labels=range(classes), average=None,
                         zero_division=0)
overlaps[5] = numpy.nan
tensors |= {"overlap.truth": truth.to(torch.uint8), "overlap.found": found.to(torch.uint8),
            "overlaps": torch.tensor(overlaps, dtype=torch.float64)}
save_file(tensors, folder / "loss.safetensors")

y, x = numpy.mgrid[0:9, 0:13]
numbers = 3 * x + 5 * y
palette = [value for index in range(256) for value in (index, 255 - index, index * 7 % 256)]
for name, count, bits in [("palette-16", 16, 4), ("palette-2", 2, 1), ("palette-256", 256, 8)]:
    picture = Image.fromarray((numbers % count).astype(numpy.uint8), "P")
    picture.putpalette(palette)
    # A transparent class is a class all the same.
    picture.save(folder / "masks" / f"{name}.png", bits=bits, transparency=0)
Image.fromarray((numbers % 256).astype(numpy.uint8)).save(folder / "masks" / "gray-256.png")
Image.fromarray((numbers % 2).astype(bool)).save(folder / "masks" / "gray-2.png")
Image.fromarray((numbers % 200).astype(numpy.uint16)).save(folder / "masks" / "wide-200.png")
Image.fromarray((numbers * 9).astype(numpy.uint16)).save(folder / "masks" / "beyond.png")
Image.fromarray((numbers % 5).astype(numpy.uint8)).convert("RGB").save(folder / "masks" / "colours.png")
Image.fromarray((numbers % 5).astype(numpy.uint8)).convert("LA").save(folder / "masks" / "alpha.png")
print({f.name: f.stat().st_size for f in folder.rglob("*") if f.is_file()})
