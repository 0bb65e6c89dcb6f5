"""An image as its viewers know it, whatever the network makes of it."""

from __future__ import annotations

from torch import Tensor

from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import Picture, picture, raster


def image(pixels: Tensor, scale: float) -> Picture:
    """Pixels (1 or 3, H, W) from 0 to 255 as a picture in grey or in colour."""
    if len(pixels) == 3:
        return raster(pixels.permute(1, 2, 0).numpy(), scale, photo=scale < 1)
    return picture(mosaic(pixels.numpy(), scale=(0, 255), palette="grey"), scale)


def class_of(net: AtlasNet, shown: int) -> str:
    """The class of a shown image, or its number where nobody knows it."""
    return net.classes[int(net.labels[shown])] if net.labelled else str(net.subject.shown[shown])
