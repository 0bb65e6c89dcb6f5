"""What an atlas is made from, as digests: where none has changed, nothing is drawn again."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnnviz.atlas.subject import Subject
from cnnviz.files import digest


def atlas_key(subject: Subject) -> str:
    """Of all that an atlas is made from, but for what is chosen to be shown of it."""
    known = (
        weights_digest(subject.model), code_digest(subject.model), subject_digest(subject),
        own_code(),
    )  # fmt: skip
    return digest([part.encode() for part in known])


def weights_digest(model: nn.Module) -> str:
    """Of all parameters and buffers, in order."""
    return digest(
        [f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode() + _bytes(tensor)
         for name, tensor in model.state_dict().items() if isinstance(tensor, Tensor)]
    )  # fmt: skip


def _bytes(tensor: Tensor) -> bytes:
    whole = tensor.detach().cpu().contiguous()
    return whole.reshape(-1).view(torch.uint8).numpy().tobytes() if whole.numel() else b""


def code_digest(model: nn.Module) -> str:
    """Of how a network is written: its layers and the code of its own modules."""
    parts = [repr(model)]
    for kind in sorted({type(module) for module in model.modules()}, key=repr):
        if not kind.__module__.startswith("torch."):
            try:
                parts.append(inspect.getsource(kind))
            except (OSError, TypeError):  # written in a console, or compiled
                parts.append(repr(kind.__qualname__))
    return digest([part.encode() for part in parts])


def subject_digest(subject: Subject) -> str:
    """Of the images and of what else the atlas is told."""
    images: Any = subject.images
    key = images.key if hasattr(images, "key") else digest([_bytes(images)])
    labels = "" if subject.labels is None else digest([_bytes(subject.labels)])
    told = (
        subject.name, subject.title, list(subject.classes), list(subject.shown), subject.examples,
        subject.example, list(subject.steps), subject.seed, subject.limits, key, labels,
    )  # fmt: skip
    return digest([repr(told).encode()])


def own_code() -> str:
    """Of this package: another version may draw otherwise."""
    package = Path(__file__).parents[1]
    files = sorted(
        path
        for room in ("atlas", "drawing", "figure", "inside")
        for path in (package / room).rglob("*")
        if path.suffix in {".py", ".html", ".mplstyle"}
    )
    return digest([path.read_bytes() for path in files])
