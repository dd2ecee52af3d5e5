"""torchvision's transformers at widths that fit into a fixture: name, how to make one, family and configuration as zoo has
them, side of the picture."""
import torch
from torch import nn
from torchvision.models.maxvit import MaxVit
from torchvision.models.swin_transformer import PatchMergingV2, SwinTransformer, SwinTransformerBlockV2
from torchvision.models.vision_transformer import VisionTransformer, interpolate_embeddings

from engine_recording import described
from tiny_resnet import CLASSES


def excited(model):
    """Weights under which every part shows: no zeros, no ones, scales on both sides of their limit."""
    for name, parameter in model.named_parameters():
        if name.endswith("logit_scale"):
            nn.init.uniform_(parameter, 0.5, 2)
            parameter.data[1] = 4.7
        elif parameter.dim() == 1:
            nn.init.normal_(parameter, 1 if name.endswith("weight") else 0, 0.3)
        else:
            is_map = parameter.dim() in (2, 4) and "table" not in name
            nn.init.normal_(parameter, 0, parameter[0].numel() ** -0.5 if is_map else 0.5)
    return model


def tiny_vit(side=24):
    return excited(VisionTransformer(side, 8, 2, 3, 24, 40, num_classes=CLASSES))


def tiny_swin(**options):
    return excited(SwinTransformer(
        [4, 4], 12, [2, 1], [2, 3], [4, 4], stochastic_depth_prob=0, num_classes=CLASSES, **options))


def tiny_swin_v2():
    return tiny_swin(block=SwinTransformerBlockV2, downsample_layer=PatchMergingV2)


def tiny_maxvit():
    return excited(MaxVit((24, 24), 8, 3, [8, 12], [2, 1], 4, 0, num_classes=CLASSES))


def at_another_size(model):
    """What the ViT gives with position embeddings interpolated for 40 pixels."""
    other = tiny_vit(40)
    other.load_state_dict(interpolate_embeddings(40, 8, model.state_dict()))
    picture = torch.randn(1, 3, 40, 40)
    return {"other.input": picture, "other.logits": other.eval()(picture).detach()}


TRANSFORMERS = {
    "vit": (tiny_vit, described(
        "vision_transformer", patch=8, layers=2, heads=3, hiddenSize=24, mlpSize=40, imageSize=24), 24),
    "swin": (tiny_swin, described("swin_transformer", width=12, depths=[2, 1], heads=[2, 3], window=4), 36),
    "swin_v2": (tiny_swin_v2, described(
        "swin_transformer", version=2, width=12, depths=[2, 1], heads=[2, 3], window=4), 36),
    "maxvit": (tiny_maxvit, described(
        "maxvit", stem=8, depths=[2, 1], widths=[8, 12], headWidth=4, partition=3), 24),
}
