"""Switching units off: what each class loses when one channel of a layer answers 0."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.recording import eval_mode, record

BATCH = 2000
"""Images that go through the rest of the network at once, over all channels that are off."""


def ablate(model: nn.Module, layer: str, images: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Accuracy by class with each channel of a layer switched off in turn.

    The layer is computed once. Its output, with one channel after another set to 0, then takes
    its place in passes that carry the images of many switched-off channels at once; layers before
    it run on two images only.

    Args:
        layer: dotted name of a module whose output is (N, C, …).
        images: (N, …) input of the model.
        labels: (N,) true classes from 0 to `classes` − 1.

    Returns:
        (C, classes): share of right answers among the images of each class; NaN for a class
        without images.

    Raises:
        CnnvizError: no such layer, or a network in which the layer's output is combined with one
            that does not pass through it (a skip connection around it).
    """
    if layer not in dict(model.named_modules()):
        raise unknown_name("layer", layer, dict(model.named_modules()))
    output = record(model, images, layers=[layer], functional=False)[layer]  # (N, C, …)
    channels, count = output.shape[1], len(output)
    right = torch.empty(channels, count, dtype=torch.bool)
    together = max(1, BATCH // count)
    for some in torch.arange(channels).split(together):
        off = output.repeat(len(some), *[1] * (output.dim() - 1))  # (K·N, C, …)
        off.view(len(some), *output.shape)[torch.arange(len(some)), :, some] = 0
        logits = _from_layer(model, layer, off, images[:1])  # (K·N, classes)
        right[some] = logits.argmax(1).view(len(some), count).eq(labels)
    members = torch.nn.functional.one_hot(labels, classes).double()  # (N, classes)
    return right.double() @ members / members.sum(0)


def _from_layer(model: nn.Module, layer: str, output: Tensor, one_image: Tensor) -> Tensor:
    """What the model answers if `layer` put out `output`."""
    logits = []
    with eval_mode(model), torch.no_grad():
        for part in output.split(BATCH):
            # Of a size that fits nothing else: a batch of one would be broadcast unnoticed.
            few = one_image.expand(3 if len(part) == 2 else 2, *one_image.shape[1:])
            with _replaced(model, layer, part):
                try:
                    logits.append(model(few))
                except RuntimeError as error:
                    raise CnnvizError(
                        f"Layer '{layer}' cannot be switched off alone: the network joins its "
                        "output with one that goes around it. Take a layer after they meet."
                    ) from error
    return torch.cat(logits)


@contextmanager
def _replaced(model: nn.Module, layer: str, output: Tensor) -> Iterator[None]:
    """While it lasts, the module answers with `output` whatever it is given."""

    def answer(module: nn.Module, inputs: Any, own: Any) -> Tensor:
        return output

    handle = model.get_submodule(layer).register_forward_hook(answer)
    try:
        yield
    finally:
        handle.remove()
