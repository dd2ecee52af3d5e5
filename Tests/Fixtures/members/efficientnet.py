PAPER = ("EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019,
         "https://arxiv.org/abs/1905.11946")
SECOND = {"paper": ("EfficientNetV2: Smaller Models and Faster Training", 2021, "https://arxiv.org/abs/2104.00298")}
NORM = {"epsilon": 1e-3, "momentum": 0.01}
SCALES = {
    "b0": (1.0, 1.0, 0.2), "b1": (1.0, 1.1, 0.2), "b2": (1.1, 1.2, 0.3), "b3": (1.2, 1.4, 0.3), "b4": (1.4, 1.8, 0.4),
    "b5": (1.6, 2.2, 0.4), "b6": (1.8, 2.6, 0.5), "b7": (2.0, 3.1, 0.5),
}
# Rows of table 4: whether fused, expansion, kernel, stride, channels, repeats.
SMALL = [(True, 1, 3, 1, 24, 2), (True, 4, 3, 2, 48, 4), (True, 4, 3, 2, 64, 4), (False, 4, 3, 2, 128, 6),
         (False, 6, 3, 1, 160, 9), (False, 6, 3, 2, 256, 15)]
MEDIUM = [(True, 1, 3, 1, 24, 3), (True, 4, 3, 2, 48, 5), (True, 4, 3, 2, 80, 5), (False, 4, 3, 2, 160, 7),
          (False, 6, 3, 1, 176, 14), (False, 6, 3, 2, 304, 18), (False, 6, 3, 1, 512, 5)]
LARGE = [(True, 1, 3, 1, 32, 4), (True, 4, 3, 2, 64, 7), (True, 4, 3, 2, 96, 7), (False, 4, 3, 2, 192, 10),
         (False, 6, 3, 1, 224, 19), (False, 6, 3, 2, 384, 25), (False, 6, 3, 1, 640, 7)]


def stage(fused, *numbers):
    values = dict(zip(("expansion", "kernel", "stride", "channels", "repeats"), numbers))
    return {"isFused": True} | values if fused else values


def first(size):
    width, depth, dropout = SCALES[size]
    norm = NORM if size in ("b5", "b6", "b7") else {}
    return {"widthMultiplier": width, "depthMultiplier": depth} | norm | {"dropout": dropout}


def second(rows, dropout):
    stem = rows[0][4]
    return {"stages": [stage(*row) for row in rows], "stem": stem, "features": 1280, "epsilon": 1e-3, "dropout": dropout}


MEMBERS = [(f"efficientnet_{size}", f"EfficientNet-{size.upper()}", first(size)) for size in SCALES] + [
    ("efficientnet_v2_s", "EfficientNetV2-S", second(SMALL, 0.2), SECOND),
    ("efficientnet_v2_m", "EfficientNetV2-M", second(MEDIUM, 0.3), SECOND),
    ("efficientnet_v2_l", "EfficientNetV2-L", second(LARGE, 0.4), SECOND),
]
