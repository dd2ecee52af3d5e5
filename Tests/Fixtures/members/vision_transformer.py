PAPER = ("An Image Is Worth 16x16 Words: Transformers for Image Recognition at Scale", 2020,
         "https://arxiv.org/abs/2010.11929")


def config(patch, layers, heads, size, side=None):
    return {"patch": patch, "layers": layers, "heads": heads, "hiddenSize": size, "mlpSize": 4 * size} | (
        {"imageSize": side} if side else {})


# Other weights are for pictures of another size, which is the number of position embeddings.
def other(size):
    return {"variants": [{"imageSize": size}]}


MEMBERS = [
    ("vit_b_16", "ViT-B/16", config(16, 12, 12, 768), other(384)),
    ("vit_b_32", "ViT-B/32", config(32, 12, 12, 768)),
    ("vit_l_16", "ViT-L/16", config(16, 24, 16, 1024), other(512)),
    ("vit_l_32", "ViT-L/32", config(32, 24, 16, 1024)),
    ("vit_h_14", "ViT-H/14", config(14, 32, 16, 1280, 518), other(224)),
]
