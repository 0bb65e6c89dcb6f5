"""Parts of images that units answered to, as pixels."""

from __future__ import annotations

from torch import Tensor

from cnnviz.atlas.subject import AtlasNet
from cnnviz.inside.images import Images
from cnnviz.inside.layers import Layer
from cnnviz.inside.patches import cut
from cnnviz.inside.selection import Answers


def seen(net: AtlasNet, layer: Layer, images: Images, answers: Answers) -> Tensor:
    """What each unit of a layer sees where it answered so: (C, count, 1 or 3, h, w), from 0 to 1.

    Where nobody knows what it sees, and for images of another number of channels than 1 or 3, the
    whole image, and the mean of the channels.
    """
    field = net.field(layer)
    if field is None:
        parts = images[answers.image.flatten().tolist()].unflatten(0, answers.image.shape)
    else:
        parts = cut(images, answers, field)
    return shown(net, parts)


def shown(net: AtlasNet, parts: Tensor) -> Tensor:
    """Parts of images as the network wants them (C, count, channels, h, w) as pixels."""
    pixels = net.subject.show(parts.flatten(0, 1))
    if pixels.shape[1] not in (1, 3):
        pixels = pixels.mean(1, keepdim=True)
    return pixels.clamp(0, 1).unflatten(0, parts.shape[:2])
