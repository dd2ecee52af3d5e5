"""Logits of timm's and Transformers' own networks against what `zoo convert` makes of the folders that they save.

Each network is built with seeded weights and saved by its library, weights beside config.json, as published models are.
Holds when max |difference| <= 1e-4 max |logit|. Networks that are not the catalogue's must be refused, by the words that
say why. Epsilons are made to show: what they stand beside is as small as they are."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

import timm
import torch
import transformers
from safetensors.torch import load_file, save_file
from timm.models import save_for_hf

from networks import RUNNER, ZOO, run

BOUND = 1e-4
TIMM = {
    "resnet18": "resnet18", "resnet50": "resnet50", "resnext50_32x4d": "resnext50_32x4d", "vgg11_bn": "vgg11_bn",
    "densenet121": "densenet121", "inception_v3": "inception_v3", "convnext_tiny": "convnext_tiny",
    "vit_base_patch16_224": "vit_b_16", "deit_base_patch16_224": "vit_b_16", "vit_base_patch32_224": "vit_b_32",
    "efficientnet_b0": "efficientnet_b0", "tf_efficientnet_b0": "efficientnet_b0", "efficientnet_b5": "efficientnet_b5",
    "efficientnetv2_s": "efficientnet_v2_s", "tf_efficientnetv2_s": "efficientnet_v2_s",
    "efficientnetv2_m": "efficientnet_v2_m", "mobilenetv2_100": "mobilenet_v2",
    "mobilenetv3_large_100": "mobilenet_v3_large", "mobilenetv3_small_100": "mobilenet_v3_small",
    "tf_mobilenetv3_large_100": "mobilenet_v3_large", "regnetx_004_tv": "regnet_x_400mf", "regnety_008_tv": "regnet_y_800mf",
    "swin_tiny_patch4_window7_224": "swin_t", "swinv2_tiny_window8_256": "swin_v2_t",
}
DIFFERENT = {
    "resnet50d": "missing", "seresnet50": "extra", "resnetaa50": "resnetaa50", "resnetblur50": "resnetblur50",
    "efficientnet_blur_b0": "efficientnet_blur_b0", "swinv2_tiny_window16_256": "swinv2_tiny_window16_256",
    "efficientnet_lite0": "efficientnet_lite0", "resnet50_gn": "missing", "maxvit_tiny_tf_224": "",
    "vit_base_patch16_clip_224": "extra",
}


def transformers_networks():
    def config(kind, **more):
        return getattr(transformers, f"{kind}Config")(num_labels=1000, **more)

    swin = {"depths": [2, 2, 6, 2], "num_heads": [3, 6, 12, 24]}
    yield "vit_b_16", "ViT", config("ViT")
    yield "vit_b_32", "ViT", config("ViT", patch_size=32, layer_norm_eps=1e-6)
    yield "convnext_tiny", "ConvNext", config("ConvNext")
    yield "resnet50", "ResNet", config("ResNet")
    yield "resnet50", "ResNet", config("ResNet", downsample_in_bottleneck=True)
    yield "regnet_y_800mf", "RegNet", config("RegNet", depths=[1, 3, 8, 2], hidden_sizes=[64, 144, 320, 784],
                                             groups_width=16)
    yield "swin_t", "Swin", config("Swin", **swin)
    yield "swin_v2_t", "Swinv2", config("Swinv2", image_size=256, window_size=8, **swin)
    yield "mobilenet_v2", "MobileNetV2", config("MobileNetV2")
    yield "mobilenet_v2", "MobileNetV2", config("MobileNetV2", tf_padding=False)
    yield "efficientnet_b0", "EfficientNet", config(
        "EfficientNet", width_coefficient=1.0, depth_coefficient=1.0, hidden_dim=1280, image_size=224)
    yield "efficientnet_b1", "EfficientNet", config(
        "EfficientNet", width_coefficient=1.0, depth_coefficient=1.1, hidden_dim=1280, image_size=240,
        depthwise_padding=[16])
    for words, more in [("hidden_act quick_gelu", {"hidden_act": "quick_gelu"}), ("missing", {"qkv_bias": False})]:
        yield words, "ViT", config("ViT", **more)
    yield "window_size 16", "Swinv2", config("Swinv2", image_size=256, window_size=16, **swin)


def settle(model, side):
    """Values under which every part shows: two batches set the running statistics, what begins at zero does not."""
    for name, parameter in model.named_parameters():
        if "gamma" in name.split(".")[-1] or "layer_scale" in name:
            torch.nn.init.uniform_(parameter, 0.2, 0.5)
        elif parameter.dim() == 1 and name.endswith("bias"):
            torch.nn.init.normal_(parameter, 0, 0.1)
        elif "bias_table" in name or name.endswith(("logit_scale",)):
            parameter.data += torch.randn_like(parameter) * 0.3
        elif name.endswith(("classifier.weight", "head.weight", "fc.weight", "classifier.1.weight")):
            torch.nn.init.normal_(parameter, 0, 0.02)
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 0.5
        torch.nn.init.uniform_(norm.weight, 0.8, 1.2)
    if norms:
        model.train()
        with torch.no_grad():
            for _ in range(2):
                model(torch.randn(2, 3, side, side))
    if "vit" in type(model).__name__.lower() or "vision" in type(model).__name__.lower():
        for name, parameter in model.named_parameters():
            # The first LayerNorm's variance is about 1e-6.
            if any(word in name for word in ("cls_token", "pos_embed", "position_embed", "patch_embed")):
                torch.nn.init.normal_(parameter, 0, 1e-3 / (1 + 20 * ("weight" in name)))
    if "convnext" in type(model).__name__.lower():
        for name, parameter in model.named_parameters():
            # As the last LayerNorm's is.
            if re.search(r"stages\.3\.(downsampl\w*\.1|.*(gamma|layer_scale))", name):
                parameter.data *= 1e-3
    return model.eval()


def logits(model, x):
    with torch.no_grad():
        y = model(x)
    return y if torch.is_tensor(y) else y.logits


def compare(label, expected_model, model, side, folder):
    checkpoint = f"{folder}/converted.safetensors"
    report = json.loads(run(ZOO, "convert", f"{folder}/model", "-o", checkpoint, "--json")[0])
    torch.manual_seed(side)
    x = torch.randn(2, 3, side, side)
    expected = logits(model, x)
    save_file({"input": x}, f"{folder}/x.safetensors")
    ratio = float("nan")
    if report.get("model") == expected_model:
        run(RUNNER, "logits", checkpoint, f"{folder}/x.safetensors", f"{folder}/y.safetensors")
        found = load_file(f"{folder}/y.safetensors")["logits"]
        ratio = ((found - expected).abs().max() / expected.abs().max()).item()
    print(f"{label:42} {report.get('model')}: {ratio:.1e} of max |logit| {', '.join(report['settings'])}"
          f"{'' if ratio <= BOUND else '   DOES NOT HOLD'}", flush=True)
    return ratio <= BOUND


def refused(label, words, folder):
    done = subprocess.run([ZOO, "identify", f"{folder}/model", "--json"], capture_output=True, text=True)
    held = done.returncode == 1 and words in done.stdout
    fits = json.loads(done.stdout)["fits"][:1]
    reason = [(f["model"], f["missing"]["count"], f["extra"]["count"], f["differences"]) for f in fits]
    print(f"{label:42} differs: {reason}{'' if held else '   DOES NOT HOLD'}", flush=True)
    return held


def authors_swin(model):
    """A state dict as Swin's authors publish it, which timm renames when it loads one: that it takes it is the check."""
    from timm.models import swin_transformer, swin_transformer_v2

    def older(name):
        name = re.sub(r"^layers\.(\d)\.downsample", lambda m: f"layers.{int(m[1]) - 1}.downsample", name)
        return name.replace("head.fc.", "head.")

    state = {older(name): value for name, value in model.state_dict().items()}
    for name, buffer in model.named_buffers():
        if name.endswith(("attn_mask", "relative_position_index", "relative_coords_table")):
            state[name] = buffer
    library = swin_transformer_v2 if "V2" in type(model).__name__ else swin_transformer
    taken = library.checkpoint_filter_fn(dict(state), model)
    missing = model.load_state_dict(taken, strict=False).missing_keys
    assert not missing and any("attn_mask" in name for name in state), missing
    return state


def timm_network(name):
    """A seeded network and the side of its pictures."""
    torch.manual_seed(0)
    model = timm.create_model(name, pretrained=False)
    return model, model.default_cfg["input_size"][-1]


def main(names):
    held = True

    def wanted(label):
        return not names or any(name in label for name in names)

    for name in [*TIMM, *DIFFERENT]:
        if not wanted(f"timm {name}"):
            continue
        model, side = timm_network(name)
        with tempfile.TemporaryDirectory() as folder:
            model = settle(model, side) if name in TIMM else model
            save_for_hf(model, f"{folder}/model")
            held &= compare(f"timm {name}", TIMM[name], model, side, folder) if name in TIMM else \
                refused(f"timm {name}", DIFFERENT[name], folder)
    for name in ("swin_tiny_patch4_window7_224", "swinv2_tiny_window8_256"):
        if not wanted(f"authors' {name}"):
            continue
        model, side = timm_network(name)
        with tempfile.TemporaryDirectory() as folder:
            model = settle(model, side)
            os.mkdir(f"{folder}/model")
            torch.save({"model": authors_swin(model)}, f"{folder}/model/pytorch_model.bin")
            held &= compare(f"authors' {name}", TIMM[name], model, side, folder)
    for expected, kind, config in transformers_networks():
        if not wanted(f"transformers {kind}"):
            continue
        torch.manual_seed(0)
        model = getattr(transformers, f"{kind}ForImageClassification")(config)
        side = getattr(config, "image_size", 224)
        with tempfile.TemporaryDirectory() as folder:
            is_ours = " " not in expected and expected != "missing"
            model = settle(model, side) if is_ours else model
            model.save_pretrained(f"{folder}/model")
            held &= compare(f"transformers {kind}", expected, model, side, folder) if is_ours else \
                refused(f"transformers {kind}", expected, folder)
    return held


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", nargs="*", help="only those whose label has one of these in it")
    torch.set_num_threads(os.cpu_count())
    held = main(parser.parse_args().names)
    print("published networks: all hold" if held else "published networks: NOT all hold")
    sys.exit(0 if held else 1)
