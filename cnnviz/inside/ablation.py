"""Switching units off: what each class loses when one channel of a layer answers 0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.inside.recording import eval_mode, record

BATCH = 2000
"""Images that go through the rest of the network at once, over all channels that are off."""

_CHECKED = 4
"""Images on which the short cut must give what the long way gives, for every channel."""


@dataclass(frozen=True)
class Ablation:
    """Attributes:
    accuracy: (C, classes) share of right answers among the images of each class.
    loss: (C, classes) mean cross-entropy of the images of each class.

    Both are NaN for a class without images.
    """

    accuracy: Tensor
    loss: Tensor


def by_class(logits: Tensor, labels: Tensor, classes: int) -> Ablation:
    """What a network gives as it is: both of shape (1, classes), like one row of `ablate`.

    Args:
        logits: (N, classes).
        labels: (N,) true classes from 0 to `classes` − 1.
    """
    return _means(*_judged(logits[None], labels), labels, classes)


def ablate(model: nn.Module, layer: str, images: Tensor, labels: Tensor, classes: int) -> Ablation:
    """Accuracy and loss by class with each channel of a layer switched off in turn.

    The layer is computed once. Its output, with one channel after another set to 0, then takes
    its place in passes that carry the images of many switched-off channels at once; layers before
    it run on two images only. Where what follows works on each channel by itself up to the next
    linear layer or convolution (ReLU, pooling, flattening), that layer is not run again either:
    the part of its output that comes from the channel is taken off.

    Args:
        layer: dotted name of a module whose output is (N, C, …).
        images: (N, …) input of the model.
        labels: (N,) true classes from 0 to `classes` − 1.

    Raises:
        CnnvizError: no such layer, or a network in which the layer's output is combined with one
            that does not pass through it (a skip connection around it).
    """
    if layer not in dict(model.named_modules()):
        raise unknown_name("layer", layer, dict(model.named_modules()))
    output = record(model, images, layers=[layer], functional=False)[layer]  # (N, C, …)
    channels, count = output.shape[1], len(output)
    long = _LongWay(model, layer, output, images[:1])
    short = _short_cut(model, layer, output, images)
    way = short if short and _agree(long, short) else long
    right, losses = torch.empty(channels, count), torch.empty(channels, count)
    for some in torch.arange(channels).split(max(1, BATCH // count)):
        right[some], losses[some] = _judged(way.logits(some), labels)
    return _means(right, losses, labels, classes)


@contextmanager
def silenced(model: nn.Module, channels: Mapping[str, Sequence[int]]) -> Iterator[None]:
    """While it lasts, these channels of these layers answer 0, all at once.

    Args:
        channels: dotted name of a layer whose output is (N, C, …) → numbers of its channels.

    Raises:
        CnnvizError: no such layer.
    """
    modules = dict(model.named_modules())
    with ExitStack() as stack:
        for layer, off in channels.items():
            if layer not in modules:
                raise unknown_name("layer", layer, modules)
            hook = modules[layer].register_forward_hook(partial(_without, list(off)))
            stack.callback(hook.remove)
        yield


def _without(off: list[int], module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
    return output.index_fill(1, torch.tensor(off, dtype=torch.int64), 0)


def _agree(long: _LongWay, short: _ShortCut) -> bool:
    """Do both give the same logits for a few images, whichever channel is off?"""
    channels = torch.arange(long.output.shape[1])
    expected = replace(long, output=long.output[:_CHECKED]).logits(channels)
    few = replace(short, output=short.output[:_CHECKED], change=short.change[:_CHECKED])
    try:
        found = few.logits(channels)
    except CnnvizError:  # what the layer says goes around the next one, too
        return False
    return torch.allclose(found, expected, rtol=1e-3, atol=1e-4)


def _judged(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Is the answer right (1 or 0), and the cross-entropy, (K, N) each; logits: (K, N, classes)."""
    losses = -logits.log_softmax(2).gather(2, labels.expand(logits.shape[:2])[..., None])[..., 0]
    return logits.argmax(2).eq(labels).float(), losses


def _means(right: Tensor, losses: Tensor, labels: Tensor, classes: int) -> Ablation:
    members = F.one_hot(labels, classes).double()  # (N, classes)
    counts = members.sum(0)
    return Ablation(right.double() @ members / counts, losses.double() @ members / counts)


@dataclass(frozen=True)
class _LongWay:
    """The rest of the network runs on the layer's output (N, C, …) with channels set to 0."""

    model: nn.Module
    layer: str
    output: Tensor
    one_image: Tensor

    def logits(self, channels: Tensor) -> Tensor:
        """(K, N, classes) without each of K channels."""
        off = self.output.repeat(len(channels), *[1] * (self.output.dim() - 1))  # (K·N, C, …)
        off.view(len(channels), *self.output.shape)[torch.arange(len(channels)), :, channels] = 0
        logits = _from_layer(self.model, self.layer, off, self.one_image)
        return logits.unflatten(0, (len(channels), -1))


@dataclass(frozen=True)
class _ShortCut:
    """The rest runs from the next linear layer or convolution on.

    Attributes:
        name: of that layer.
        output: of that layer with all channels on, (N, out, …).
        change: of its input in each channel when that channel is off, (N, C, …).
    """

    model: nn.Module
    name: str
    output: Tensor
    change: Tensor
    one_image: Tensor

    def logits(self, channels: Tensor) -> Tensor:
        """(K, N, classes) without each of K channels."""
        module = self.model.get_submodule(self.name)
        change = self.change[:, channels]  # (N, K, …)
        if isinstance(module, nn.Conv2d):
            kernels = module.weight.detach()[:, channels].transpose(0, 1).flatten(0, 1)
            parts = F.conv2d(
                change,
                kernels[:, None],
                None,
                module.stride,
                module.padding,
                module.dilation,
                groups=len(channels),
            )  # (N, K·out, H, W)
            parts = parts.unflatten(1, (len(channels), -1)).transpose(0, 1)
            without = self.output + parts  # (K, N, out, H, W)
        else:
            assert isinstance(module, nn.Linear)
            weight = module.weight.detach().unflatten(1, (self.change.shape[1], -1))
            without = torch.baddbmm(
                self.output.expand(len(channels), *self.output.shape),
                change.flatten(2).transpose(0, 1),  # (K, N, places)
                weight[:, channels].permute(1, 2, 0),  # (K, places, out)
            )  # (K, N, out)
        logits = _from_layer(self.model, self.name, without.flatten(0, 1), self.one_image)
        return logits.unflatten(0, (len(channels), -1))  # fmt: skip


def _short_cut(model: nn.Module, layer: str, output: Tensor, images: Tensor) -> _ShortCut | None:
    """The next layer to go on from, if there is one; the caller checks that it is one in truth."""
    outputs = record(model, images, functional=False)
    names = list(outputs)
    later = names[names.index(layer) + 1 :] if layer in names else []
    modules = dict(model.named_modules())
    linear = (nn.Linear, nn.Conv2d)
    name = next((n for n in later if isinstance(modules.get(n), linear)), None)
    if name is None or f"{name}_1" in names:
        return None
    on = _input(model, name, images)
    with _replaced(model, layer, torch.zeros_like(output)):
        off = _input(model, name, images)
    module, channels = modules[name], output.shape[1]
    if isinstance(module, nn.Conv2d):
        fits = module.groups == 1 and module.padding_mode == "zeros" and on.shape[1] == channels
    else:
        fits = on.dim() == 2 and on.shape[1] % channels == 0
    if not fits:
        return None
    change = off - on
    if change.dim() == 2:
        change = change.unflatten(1, (channels, -1))  # (N, C, places)
    return _ShortCut(model, name, outputs[name], change, images[:1])


def _input(model: nn.Module, name: str, images: Tensor) -> Tensor:
    """What goes into a module."""
    caught: list[Tensor] = []
    handle = model.get_submodule(name).register_forward_pre_hook(
        lambda module, inputs: caught.append(inputs[0])
    )
    try:
        with eval_mode(model), torch.no_grad():
            model(images)
    finally:
        handle.remove()
    return caught[0]


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
