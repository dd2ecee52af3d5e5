from . import mobilenet_v3

PAPER = mobilenet_v3.PAPER
MOBILENET = {"mobilenetV3": next(config for name, _, config in mobilenet_v3.MEMBERS if name == "mobilenet_v3_large")}
MEMBERS = [
    ("lraspp_mobilenet_v3_large", "LR-ASPP, MobileNetV3-Large", {"backbone": MOBILENET}),
]
