PAPER = ("MaxViT: Multi-Axis Vision Transformer", 2022, "https://arxiv.org/abs/2204.01697")
MEMBERS = [
    ("maxvit_t", "MaxViT-T", {"stem": 64, "depths": [2, 2, 5, 2], "widths": [64, 128, 256, 512]}),
]
