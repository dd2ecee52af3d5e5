PAPER = ("Densely Connected Convolutional Networks", 2016, "https://arxiv.org/abs/1608.06993")
MEMBERS = [
    ("densenet121", "DenseNet-121", {"blocks": [6, 12, 24, 16]}),
    ("densenet161", "DenseNet-161", {"blocks": [6, 12, 36, 24], "growth": 48, "stem": 96}),
    ("densenet169", "DenseNet-169", {"blocks": [6, 12, 32, 32]}),
    ("densenet201", "DenseNet-201", {"blocks": [6, 12, 48, 32]}),
]
