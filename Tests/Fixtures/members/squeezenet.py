PAPER = ("SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size", 2016,
         "https://arxiv.org/abs/1602.07360")
MEMBERS = [
    ("squeezenet1_0", "SqueezeNet 1.0", {
        "stem": {"channels": 96, "kernel": 7}, "squeezes": [[16, 16, 32], [32, 48, 48, 64], [64]]}),
    ("squeezenet1_1", "SqueezeNet 1.1", {
        "stem": {"channels": 64, "kernel": 3}, "squeezes": [[16, 16], [32, 32], [48, 48, 64, 64]]}),
]
