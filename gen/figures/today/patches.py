"""What a Vision Transformer looks at: patches, and weights that it works out from the image."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import VisionTransformer

from cnnviz.data import photos
from cnnviz.drawing import palettes
from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import Figure, Legend, Panel, Picture, message, picture, raster
from cnnviz.inside.costs import layer_costs
from gen.context import Context, shared
from gen.figures.published_nets import NETS, costs, on_meta

SIDE, PATCH = 224, 16
"""Of the image and of a patch in ViT-B/16, in pixels."""

GRID = SIDE // PATCH

FEATURES = 64
"""Numbers by which two patches are compared, as in each head of ViT-B/16."""

PHOTOS = ("china", "flower")
ASKING = (3, 10)
"""Row and column of the patch that asks: the same in both photographs."""

_ORANGE = (224, 96, 0)


def _square(name: str) -> NDArray[np.uint8]:
    return photos.resize(photos.load(name), SIDE, SIDE)


def patches(pixels: NDArray[np.uint8]) -> Tensor:
    """An image as one row of numbers a patch, (196, 768), each row with mean 0 and deviation 1."""
    image = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].double() / 255
    rows = F.unfold(image, PATCH, stride=PATCH)[0].T  # (196, 768)
    return F.layer_norm(rows - rows.mean(0), rows.shape[1:])


def attention(rows: Tensor) -> Tensor:
    """How much each patch looks at each, (196, 196), each row adding up to 1.

    Query and key are one random projection, which nobody has trained: like finds like.
    """
    generator = torch.Generator().manual_seed(0)
    size = rows.shape[1], FEATURES
    project = torch.randn(size, generator=generator, dtype=torch.float64) / math.sqrt(size[0])
    query = key = rows @ project  # (196, 64)
    return (query @ key.T / math.sqrt(FEATURES)).softmax(1)


@shared
def _maps(context: Context) -> dict[str, NDArray[np.float64]]:
    """Photograph → how much the asking patch looks at each place, (14, 14)."""
    asking = ASKING[0] * GRID + ASKING[1]
    return {
        name: attention(patches(_square(name)))[asking].view(GRID, GRID).numpy() for name in PHOTOS
    }


def _kernel() -> NDArray[np.float64]:
    """The places that a 3×3 convolution takes in for the same patch, alike in every image."""
    places = np.zeros((GRID, GRID))
    row, column = ASKING
    places[row - 1 : row + 2, column - 1 : column + 2] = 1
    return places


def _cut(pixels: NDArray[np.uint8]) -> Picture:
    """A photograph with its patches, the asking one framed."""
    drawn = np.array(pixels)
    drawn[::PATCH] = drawn[:, ::PATCH] = 255
    top, left = (number * PATCH for number in ASKING)
    for inset in range(3):
        low, high = inset, PATCH - inset
        drawn[top + low : top + high + 1, [left + low, left + high]] = _ORANGE
        drawn[[top + low, top + high], left + low : left + high + 1] = _ORANGE
    return raster(drawn, photo=True)


def looking(context: Context) -> Figure:
    """Two photographs in patches, and where one and the same patch looks in each."""
    panels = []
    for name in PHOTOS:
        found = _maps(context)[name]
        panels.append(Panel(_cut(_square(name)), message(f"photos.{name}")))
        label = message("map", largest=float(found.max()))
        panels.append(Panel(_drawn(found), label))
    panels.append(Panel(_drawn(_kernel()), message("kernel")))
    legend = Legend(message("legend"), palettes.css_gradient("sequential"), "0", "max")
    return Figure(
        alt=message("alt", near=[_near(found) for found in _maps(context).values()]),
        panels=panels,
        legends=[legend],
    )


def _drawn(places: NDArray[np.float64]) -> Picture:
    return picture(mosaic(places[None], signed=False), SIDE // GRID)


def _near(found: NDArray[np.float64]) -> float:
    """Share of the weights within the nine patches that a 3×3 kernel would see."""
    return float((found * _kernel()).sum())


def _attention_share(model: nn.Module, side: int) -> tuple[int, float]:
    """Multiplications of a transformer, and the share of comparing and mixing patches in them."""
    every = layer_costs(model, (3, side, side))
    whole = sum(cost.multiplications for cost in every.values())
    weights = sum(
        parameter.numel() for name, parameter in model.named_parameters()
        if "encoder.layers" in name and parameter.dim() == 2
    )  # fmt: skip
    tokens = (side // PATCH) ** 2 + 1
    first, head = every["conv_proj"].multiplications, every["heads.head"].multiplications
    return whole, (whole - weights * tokens - first - head) / whole


def _bigger(side: int) -> nn.Module:
    """ViT-B/16 for images of another size."""
    like = on_meta("vit")
    assert isinstance(like, VisionTransformer)
    with torch.device("meta"):
        return VisionTransformer(side, PATCH, 12, 12, like.hidden_dim, like.mlp_dim).eval()


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    first = costs("vit")["conv_proj"]
    maps = _maps(context)
    shared_weight = float(np.minimum(*maps.values()).sum())
    small, large = (_attention_share(_bigger(side), side) for side in (SIDE, 2 * SIDE))
    return {
        "side": SIDE,
        "patch": PATCH,
        "grid": GRID,
        "count": GRID**2,
        "channels": first.shape[0],
        "embedding": first.parameters,
        "name": NETS["vit"].name,
        "near": {name: _near(found) for name, found in maps.items()},
        "even": 9 / GRID**2,
        "shared": shared_weight,
        "products": {"small": small[1], "large": large[1]},
        "grows": large[0] / small[0],
        "pairs_grow": ((2 * GRID) ** 2 + 1) ** 2 / (GRID**2 + 1) ** 2,
    }
