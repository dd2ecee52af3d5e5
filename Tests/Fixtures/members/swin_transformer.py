PAPER = ("Swin Transformer: Hierarchical Vision Transformer using Shifted Windows", 2021, "https://arxiv.org/abs/2103.14030")
V2 = {"paper": ("Swin Transformer V2: Scaling Up Capacity and Resolution", 2021, "https://arxiv.org/abs/2111.09883")}


def config(width, depth, *heads):
    return {"width": width, "depths": [2, 2, depth, 2], "heads": heads, "window": 7}


TINY, SMALL, BASE = config(96, 6, 3, 6, 12, 24), config(96, 18, 3, 6, 12, 24), config(128, 18, 4, 8, 16, 32)
SECOND = {"version": 2, "window": 8}
MEMBERS = [
    ("swin_t", "Swin-T", TINY), ("swin_s", "Swin-S", SMALL), ("swin_b", "Swin-B", BASE),
    ("swin_v2_t", "Swin v2-T", TINY | SECOND, V2), ("swin_v2_s", "Swin v2-S", SMALL | SECOND, V2),
    ("swin_v2_b", "Swin v2-B", BASE | SECOND, V2),
]
