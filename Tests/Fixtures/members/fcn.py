PAPER = ("Fully Convolutional Networks for Semantic Segmentation", 2014, "https://arxiv.org/abs/1411.4038")


def backbone(*layers):
    return {"resnet": {"block": "bottleneck", "layers": layers}}


MEMBERS = [
    ("fcn_resnet50", "FCN, ResNet-50", {"backbone": backbone(3, 4, 6, 3), "auxiliary": True},
     {"variants": [{"auxiliary": False}]}),
    ("fcn_resnet101", "FCN, ResNet-101", {"backbone": backbone(3, 4, 23, 3), "auxiliary": True},
     {"variants": [{"auxiliary": False}]}),
]
