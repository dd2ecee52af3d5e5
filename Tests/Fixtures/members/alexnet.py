PAPER = ("One weird trick for parallelizing convolutional neural networks", 2014, "https://arxiv.org/abs/1404.5997")
MEMBERS = [
    ("alexnet", "AlexNet", {}),
]
