#!/usr/bin/env python3
"""Writes vision/augmentation.json: a small picture under every change of torchvision.transforms.v2.functional.

Python 3.11, torchvision 0.29. Pixels are RGB, interleaved, as base64.
"""
import base64
import json
from pathlib import Path

import torch
import torchvision.transforms.v2.functional as F
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import RandAugment

torch.manual_seed(20)
height, width = 22, 27
rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
smooth = torch.stack([rows * 9, columns * 8, (rows + columns) * 4]).clamp(0, 255)
picture = (smooth + 40 * torch.randn(3, height, width)).clamp(0, 255).to(torch.uint8)
picture[:, 3:6, 4:9] = 128
picture[:, 10:12] //= 3
policy = RandAugment()


def text(image):
    return base64.b64encode(image.permute(1, 2, 0).contiguous().numpy().tobytes()).decode()


def augmented(name, strength):
    return policy._apply_image_or_video_transform(picture, name, strength, InterpolationMode.NEAREST, {})


names = {
    "shearX": "ShearX", "shearY": "ShearY", "translateX": "TranslateX", "translateY": "TranslateY", "rotate": "Rotate",
    "brightness": "Brightness", "colour": "Color", "contrast": "Contrast", "sharpness": "Sharpness",
    "posterize": "Posterize", "solarize": "Solarize", "autoContrast": "AutoContrast", "equalize": "Equalize"}
strengths = {
    "shearX": [0.09, -0.3], "shearY": [0.09, -0.3], "translateX": [3.7, -8.2], "translateY": [3.7, -8.2],
    "rotate": [9.0, -30.0, 87.0], "posterize": [4, 7], "solarize": [0.7, 0.2], "autoContrast": [0], "equalize": [0]}
changes = [
    {"name": name, "strength": strength, "pixels": text(augmented(theirs, strength))}
    for name, theirs in names.items() for strength in strengths.get(name, [0.27, -0.27, 0.9, -0.9])]
hues = [{"shift": shift, "pixels": text(F.adjust_hue(picture, shift))} for shift in [0.05, -0.3, 0.5]]
crop = F.resized_crop(picture, 2, 5, 15, 18, [8, 8], interpolation=InterpolationMode.BILINEAR, antialias=True)
(Path(__file__).parent / "vision" / "augmentation.json").write_text(json.dumps({
    "width": width, "height": height, "pixels": text(picture), "changes": changes, "hues": hues, "crop": text(crop)}) + "\n")
