"""Images as a network wants them: read when they are asked for, never all at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from math import isqrt
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.errors import CnnvizError
from cnnviz.files import digest
from cnnviz.own.user_file import said

Size = tuple[int, int]
"""Height and width in pixels."""


class Source(Protocol):
    """Where images come from: their number, and each of them by its number.

    One is a Pillow image, or a tensor (C, H, W) of values from 0 to 1. `key` is another where the
    images are others.
    """

    @property
    def key(self) -> str: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Image.Image | Tensor: ...


@dataclass(frozen=True)
class Preparation:
    """From a photograph to what the network is fed.

    Attributes:
        size: height and width; None takes images as they are.
        channels: 1 for grey, 3 for colour.
        mean, std: taken off and divided by, one for each channel or one for all; empty for values
            from 0 to 1 as they are.
        transforms: torchvision's, of the weights: its way of resizing, with `mean` and `std`.
        prepared: the values are already as the network wants them; `mean` and `std` are known.
        low, high: the range of such values where no `mean` is known, to show them.
    """

    size: Size | None = None
    channels: int = 3
    mean: Sequence[float] = ()
    std: Sequence[float] = ()
    transforms: Any = None
    prepared: bool = False
    low: float = 0.0
    high: float = 1.0

    @property
    def any_size(self) -> bool:
        """Are images left as large as they are?"""
        return self.size is None and self.transforms is None

    def __str__(self) -> str:
        """In a few words, for the terminal."""
        if self.prepared:
            return "values as they are given"
        way = "the shorter side resized, the middle cut out" if self.transforms else "resized"
        size = f"{way}, to {self.size[0]}×{self.size[1]}; " if self.size else ""
        if self.transforms and not self.size:
            size = f"{way}, as its weights want it; "
        if not self.mean:
            return f"{size}values from 0 to 1 (no --mean and --std)"
        numbers = [" ".join(f"{n:g}" for n in each) for each in (self.mean, self.std)]
        return f"{size}mean {numbers[0]}, deviation {numbers[1]}"

    def __call__(self, image: Image.Image | Tensor) -> Tensor:
        """One image as the network wants it, float (C, H, W)."""
        values = self.unscaled(image)  # (C, H, W)
        return values if self.prepared else self.scale(values)

    def unscaled(self, image: Image.Image | Tensor) -> Tensor:
        """One image of the right size with values from 0 to 1, (C, H, W)."""
        if self.prepared:
            assert isinstance(image, Tensor), "a photograph is not prepared yet"
            return image
        if not isinstance(image, Tensor):
            image = upright(image, self.channels)
        if self.transforms is not None:
            values: Tensor = _unscaling(self.transforms, self.size)(image)
            return values
        if isinstance(image, Tensor):
            return self._resized(image)
        if self.size is not None and (image.height, image.width) != self.size:
            image = ImageOps.fit(image, self.size[::-1], Image.Resampling.BICUBIC)
        return pixels(image)

    def _resized(self, values: Tensor) -> Tensor:
        if self.size is None or tuple(values.shape[1:]) == self.size:
            return values
        resized = F.interpolate(values[None], self.size, mode="bilinear", antialias=True)
        return resized[0]

    def scale(self, values: Tensor) -> Tensor:
        """From 0 to 1 to what the network wants: (…, C, H, W)."""
        if not self.mean:
            return values
        return (values - _each(self.mean, values)) / _each(self.std, values)

    def feed(self, values: Tensor) -> Tensor:
        """What `show` undoes: pixels from 0 to 1 as the network wants them, (…, C, H, W)."""
        if self.mean:
            return self.scale(values)
        return values * (self.high - self.low) + self.low

    def show(self, values: Tensor) -> Tensor:
        """What the network wants as pixels from 0 to 1: (…, C, H, W)."""
        if self.mean:
            return values * _each(self.std, values) + _each(self.mean, values)
        return (values - self.low) / (self.high - self.low)


def _each(numbers: Sequence[float], values: Tensor) -> Tensor:
    return torch.tensor(numbers, dtype=values.dtype, device=values.device)[:, None, None]


def _unscaling(transforms: Any, size: Size | None) -> Any:
    """torchvision's transforms of classifiers without mean and deviation; to `size` if given."""
    from torchvision.transforms._presets import ImageClassification

    square = size is None or size[0] == size[1]
    made = ImageClassification(
        crop_size=transforms.crop_size[0],
        resize_size=transforms.resize_size[0],
        mean=(0.0,),
        std=(1.0,),
        interpolation=transforms.interpolation,
        antialias=transforms.antialias,
    )
    if size is not None:
        # The shorter side becomes that of the square; of a rectangle nothing may be missing.
        made.crop_size, made.resize_size = list(size), [min(size) if square else max(size)]
    return made


def upright(image: Image.Image, channels: int) -> Image.Image:
    """A photograph as it was taken, turned as its camera noted, grey or in colour."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):  # 16 bits, which Pillow would cut off at 255
        values = np.asarray(image, np.float32)
        white = next((top for top in (1, 255) if values.max() <= top), 65535)
        image = Image.fromarray((values / white * 255).round().clip(0, 255).astype(np.uint8))
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert("L" if channels == 1 else "RGB")


def pixels(image: Image.Image) -> Tensor:
    """A grey or colour image as float (C, H, W) from 0 to 1."""
    values = torch.from_numpy(np.array(image))  # (H, W) or (H, W, 3), uint8
    values = values[None] if values.dim() == 2 else values.permute(2, 0, 1)  # (C, H, W)
    return values.contiguous().float() / 255


class Images:
    """Images as a network wants them, with what is known of them.

    `images[2:5]`, `images[[3, 1]]` and `images[indices]` read those: float (n, C, H, W).

    Attributes:
        labels: the class of each (N,), an index into `classes`; None if nobody knows.
        classes: names of the classes; may be empty.
        preparation: what is done to each; `show` undoes it.
        names: what the images are called, such as files; may be empty.
        notes: what the user should know of them.
    """

    def __init__(
        self,
        source: Source,
        preparation: Preparation,
        labels: Tensor | None = None,
        classes: Sequence[str] = (),
        names: Sequence[str] = (),
        notes: Sequence[str] = (),
    ) -> None:
        self.source, self.preparation = source, preparation
        self.labels, self.classes = labels, tuple(classes)
        self.names, self.notes = tuple(names), tuple(notes)
        self.show = preparation.show

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, which: slice | Tensor | Sequence[int]) -> Tensor:
        """Some of the images, float (n, C, H, W).

        Raises:
            CnnvizError: images of different sizes, or one cannot be read any more.
        """
        if isinstance(which, slice):
            indices = list(range(len(self))[which])
        else:
            indices = [int(index) for index in torch.as_tensor(which).flatten().tolist()]
        if not indices:
            return self[[0]][:0]
        # Decoding and resizing leave Python's lock alone.
        with ThreadPoolExecutor(min(4, len(indices))) as pool:
            read = list(pool.map(self._one, indices))
        if len(shapes := {tuple(image.shape) for image in read}) > 1:
            raise different_sizes(shapes)
        return torch.stack(read)

    def _one(self, index: int) -> Tensor:
        index = range(len(self))[index]
        name = self.names[index] if self.names else f"image {index}"
        try:
            return self.preparation(self.source[index])
        except (
            Exception
        ) as error:  # a file that is gone, or whatever a data set of the user's raises
            raise CnnvizError(
                f"'{name}' cannot be read ({said(error)}). Mend it or take it away."
            ) from error

    @cached_property
    def key(self) -> str:
        """Another where the images are others, or are prepared in another way."""
        return digest([self.source.key.encode(), repr(self.preparation).encode()])

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, C, H, W)."""
        channels, height, width = self[:1].shape[1:]
        return len(self), channels, height, width


def different_sizes(shapes: Any) -> CnnvizError:
    """The error for images that cannot be put together."""
    some = " and ".join("×".join(map(str, shape[-2:])) for shape in sorted(shapes)[:2])
    return CnnvizError(
        f"The images are of different sizes, such as {some} pixels. Say what size the network "
        "wants: --size 64, or --size HEIGHTxWIDTH."
    )


def preparation(
    model: nn.Module,
    transforms: Any = None,
    *,
    size: Size | None = None,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
) -> Preparation:
    """What a network wants of a photograph, as far as anybody says.

    Args:
        transforms: those of its weights, as torchvision gives them, or None.
        size, mean, std: of the user; they come before those of the weights.

    Raises:
        CnnvizError: only one of mean and std is given, or they are not one for each channel.
    """
    channels = 1 if channels_of(model) == 1 else 3
    if bool(mean) != bool(std):
        raise CnnvizError("Give both --mean and --std, or neither: values from 0 to 1.")
    if transforms is not None and not mean:
        mean, std = tuple(transforms.mean), tuple(transforms.std)
    for name, numbers in (("--mean", mean), ("--std", std)):
        if len(numbers) not in (0, 1, channels):
            raise CnnvizError(
                f"{name} has {len(numbers)} numbers; expected one for each of the network's "
                f"{channels} channels, or one for all."
            )
    if any(number <= 0 for number in std):
        raise CnnvizError(f"--std {' '.join(map(str, std))}: expected numbers above 0.")
    if transforms is not None and not hasattr(transforms, "crop_size"):
        # Of networks that find places: any size will do, and theirs are large.
        size, transforms = size or (224, 224), None
    return Preparation(size, channels, tuple(mean), tuple(std), transforms)


def channels_of(model: nn.Module) -> int | None:
    """How many channels of images a network takes, by its first layer; None if it does not say."""
    for module in model.modules():
        if hasattr(module, "kernel_size") and isinstance(getattr(module, "in_channels", 0), int):
            return int(getattr(module, "in_channels", 0)) or None  # a lazy one has 0
        if isinstance(module, nn.Linear):  # of flattened images, which are mostly square
            squares = [
                c for c in (1, 3) if isqrt(module.in_features // c) ** 2 * c == module.in_features
            ]
            return squares[0] if squares else None
    return None
