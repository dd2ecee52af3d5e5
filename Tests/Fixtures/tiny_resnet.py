"""torchvision's residual networks at a width that fits into a fixture."""
from torch import nn
from torchvision.models.resnet import ResNet

CLASSES = 5


class TinyResNet(ResNet):
    """torchvision's blocks and names at another width and stem."""

    def __init__(self, block, layers, width, groups=1, per_group=64, stem=(7, 2, True)):
        nn.Module.__init__(self)
        self._norm_layer = nn.BatchNorm2d
        self.inplanes, self.dilation, self.groups, self.base_width = width, 1, groups, per_group
        kernel, stride, pools = stem
        self.conv1 = nn.Conv2d(3, width, kernel, stride, kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1) if pools else nn.Identity()
        for index, count in enumerate(layers):
            stage = self._make_layer(block, width << index, count, 1 if index == 0 else 2)
            setattr(self, f"layer{index + 1}", stage)
        for index in range(len(layers), 4):
            setattr(self, f"layer{index + 1}", nn.Identity())
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear((width << (len(layers) - 1)) * block.expansion, CLASSES)
