from torchvision.models.regnet import BlockParams

PAPER = ("Designing Network Design Spaces", 2020, "https://arxiv.org/abs/2003.13678")
# The paper's parameters of a network: blocks, first width, slope, step and width of a group.
SIZES = {
    "regnet_x_400mf": (22, 24, 24.48, 2.54, 16), "regnet_x_800mf": (16, 56, 35.73, 2.28, 16),
    "regnet_x_1_6gf": (18, 80, 34.01, 2.25, 24), "regnet_x_3_2gf": (25, 88, 26.31, 2.25, 48),
    "regnet_x_8gf": (23, 80, 49.56, 2.88, 120), "regnet_x_16gf": (22, 216, 55.59, 2.1, 128),
    "regnet_x_32gf": (23, 320, 69.86, 2.0, 168),
    "regnet_y_400mf": (16, 48, 27.89, 2.09, 8), "regnet_y_800mf": (14, 56, 38.84, 2.4, 16),
    "regnet_y_1_6gf": (27, 48, 20.71, 2.65, 24), "regnet_y_3_2gf": (21, 80, 42.63, 2.66, 24),
    "regnet_y_8gf": (17, 192, 76.82, 2.19, 56), "regnet_y_16gf": (18, 200, 106.23, 2.48, 112),
    "regnet_y_32gf": (20, 232, 115.89, 2.53, 232), "regnet_y_128gf": (27, 456, 160.83, 2.52, 264),
}


def config(name, depth, first, slope, step, group):
    blocks = BlockParams.from_init_params(depth=depth, w_0=first, w_a=slope, w_m=step, group_width=group)
    values = {"depths": blocks.depths, "widths": blocks.widths, "groupWidth": group}
    return values | {"squeeze": 0.25} if "_y_" in name else values


def title(name):
    letter, size = name.removeprefix("regnet_").split("_", 1)
    return f"RegNet{letter.upper()} {size.replace('_', '.').replace('mf', ' MF').replace('gf', ' GF')}"


MEMBERS = [(name, title(name), config(name, *sizes)) for name, sizes in SIZES.items()]
