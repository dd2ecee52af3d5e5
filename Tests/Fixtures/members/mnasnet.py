PAPER = ("MnasNet: Platform-Aware Neural Architecture Search for Mobile", 2018, "https://arxiv.org/abs/1807.11626")
MEMBERS = [
    (f"mnasnet{str(width).replace('.', '_')}", f"MNASNet {width}", {"widthMultiplier": width})
    for width in (0.5, 0.75, 1.0, 1.3)
]
