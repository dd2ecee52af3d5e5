PAPER = ("Searching for MobileNetV3", 2019, "https://arxiv.org/abs/1905.02244")


def block(kernel, expanded, channels, squeezes, activation, stride):
    row = {"kernel": kernel, "expanded": expanded, "channels": channels}
    if squeezes:
        row["squeezes"] = True
    if activation == "HS":
        row["hardSwish"] = True
    return row if stride == 1 else row | {"stride": stride}


LARGE = [
    (3, 16, 16, False, "RE", 1), (3, 64, 24, False, "RE", 2), (3, 72, 24, False, "RE", 1), (5, 72, 40, True, "RE", 2),
    (5, 120, 40, True, "RE", 1), (5, 120, 40, True, "RE", 1), (3, 240, 80, False, "HS", 2),
    (3, 200, 80, False, "HS", 1), (3, 184, 80, False, "HS", 1), (3, 184, 80, False, "HS", 1),
    (3, 480, 112, True, "HS", 1), (3, 672, 112, True, "HS", 1), (5, 672, 160, True, "HS", 2),
    (5, 960, 160, True, "HS", 1), (5, 960, 160, True, "HS", 1),
]
SMALL = [
    (3, 16, 16, True, "RE", 2), (3, 72, 24, False, "RE", 2), (3, 88, 24, False, "RE", 1), (5, 96, 40, True, "HS", 2),
    (5, 240, 40, True, "HS", 1), (5, 240, 40, True, "HS", 1), (5, 120, 48, True, "HS", 1), (5, 144, 48, True, "HS", 1),
    (5, 288, 96, True, "HS", 2), (5, 576, 96, True, "HS", 1), (5, 576, 96, True, "HS", 1),
]
MEMBERS = [
    ("mobilenet_v3_large", "MobileNetV3-Large", {"blocks": [block(*row) for row in LARGE], "hidden": 1280}),
    ("mobilenet_v3_small", "MobileNetV3-Small", {"blocks": [block(*row) for row in SMALL], "hidden": 1024}),
]
