"""The test set as scripts for the lab, some images each: a reader may ask for any of them."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

EACH = 250
"""Images a script: about 60 kB on the way."""

WRITTEN = 250
"""Digits that people wrote, of MNIST's test split, where the build has it."""


def pack_pixels(image: Tensor) -> str:
    """uint8 pixels as assets/lab/link.js reads them: a zero is followed by how often it comes.

    >>> import torch
    >>> pack_pixels(torch.tensor([[0, 0], [9, 0]], dtype=torch.uint8))
    'AAIJAAE'
    """
    packed, run = bytearray(), 0
    for value in [*image.flatten().tolist(), None]:
        if value == 0 and run < 255:
            run += 1
            continue
        if run:
            packed += bytes([0, run])
        run = int(value == 0)
        if value:
            packed.append(value)
    return urlsafe_b64encode(packed).decode().rstrip("=")


def sample_scripts(images: Tensor, labels: Tensor) -> dict[str, str]:
    """File name → script, for the test set: uint8 (N, 1, H, W) and classes (N,).

    A line is the class and the pixels of an image.
    """
    scripts = {}
    for first in range(0, len(images), EACH):
        part = slice(first, first + EACH)
        lines = [
            f"{label} {pack_pixels(image)}"
            for label, image in zip(labels[part].tolist(), images[part], strict=True)
        ]
        number = first // EACH
        text = "\\n".join(lines)
        scripts[f"samples-{number}.js"] = (
            f'(globalThis.cnnvizSamples ??= {{}})[{number}] = "{text}";\n'
        )
    return scripts
