"""`zoo finetune --head 3` on the stamps against scikit-learn's logistic regression on timm's features, same split.

Holds when zoo's validation accuracy is at least scikit-learn's."""

import argparse
import json
import os
import sys
import tempfile

import timm
import torch
from PIL import Image
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression
from torchvision import transforms
from torchvision.transforms import InterpolationMode

from networks import ZOO, run

TRANSFORM = transforms.Compose([
    transforms.Resize(256, InterpolationMode.BICUBIC), transforms.CenterCrop(224), transforms.ToTensor(),
    transforms.Normalize([127 / 255] * 3, [128 / 255] * 3)])


def on_white(path):
    picture = Image.open(path).convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")


def features(model, folder):
    rows, labels = [], []
    for index, name in enumerate(sorted(os.listdir(folder))):
        for file in sorted(os.listdir(f"{folder}/{name}")):
            with torch.no_grad():
                rows.append(model.forward_head(
                    model.forward_features(TRANSFORM(on_white(f"{folder}/{name}/{file}"))[None]), pre_logits=True)[0])
            labels.append(index)
    return torch.stack(rows).numpy(), labels


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lite0", required=True)
    parser.add_argument("--stamps", required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(ZOO, "convert", arguments.lite0, "-o", f"{folder}/lite0.safetensors")
        model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
        model.load_state_dict(load_file(f"{folder}/lite0.safetensors"), strict=True)
        model.eval()
        train, train_labels = features(model, f"{arguments.stamps}/train")
        held_out, held_out_labels = features(model, f"{arguments.stamps}/val")
        regression = LogisticRegression(max_iter=5000).fit(train, train_labels)
        theirs = regression.score(held_out, held_out_labels)
        _, seconds = run(ZOO, "finetune", "--head", "3", "--model", f"{folder}/lite0.safetensors", "--data",
                         arguments.stamps, "-o", f"{folder}/run", "--quiet")
        evaluated, _ = run(ZOO, "evaluate", f"{folder}/run/model.safetensors", "--data", f"{arguments.stamps}/val", "--json")
        ours = json.loads(evaluated)["accuracy"]
    print(f"accuracy: zoo {ours:.4f} ({seconds:.0f} s), scikit-learn on timm's features {theirs:.4f}, "
          f"{len(held_out_labels)} held-out pictures{'' if ours >= theirs else '   DOES NOT HOLD'}")
    sys.exit(0 if ours >= theirs else 1)
