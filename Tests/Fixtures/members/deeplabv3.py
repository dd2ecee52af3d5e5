from .fcn import backbone
from .lraspp import MOBILENET

PAPER = ("Rethinking Atrous Convolution for Semantic Image Segmentation", 2017, "https://arxiv.org/abs/1706.05587")
MEMBERS = [
    ("deeplabv3_resnet50", "DeepLab v3, ResNet-50", {"backbone": backbone(3, 4, 6, 3), "auxiliary": True},
     {"variants": [{"auxiliary": False}]}),
    ("deeplabv3_resnet101", "DeepLab v3, ResNet-101", {"backbone": backbone(3, 4, 23, 3), "auxiliary": True},
     {"variants": [{"auxiliary": False}]}),
    ("deeplabv3_mobilenet_v3_large", "DeepLab v3, MobileNetV3-Large", {"backbone": MOBILENET, "auxiliary": True},
     {"variants": [{"auxiliary": False}]}),
]
