PAPER = ("ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design", 2018,
         "https://arxiv.org/abs/1807.11164")
MEMBERS = [
    ("shufflenet_v2_x0_5", "ShuffleNet V2 0.5×", {"channels": [24, 48, 96, 192, 1024]}),
    ("shufflenet_v2_x1_0", "ShuffleNet V2 1.0×", {"channels": [24, 116, 232, 464, 1024]}),
    ("shufflenet_v2_x1_5", "ShuffleNet V2 1.5×", {"channels": [24, 176, 352, 704, 1024]}),
    ("shufflenet_v2_x2_0", "ShuffleNet V2 2.0×", {"channels": [24, 244, 488, 976, 2048]}),
]
