PAPER = ("MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018, "https://arxiv.org/abs/1801.04381")
MEMBERS = [("mobilenet_v2", "MobileNetV2", {})]
