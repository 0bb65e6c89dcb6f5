"""The answers of a network without one channel of a layer: ways to them, from slow to quick.

The slow way runs the whole network and is right by construction. The others begin later or take
a channel's part off by hand; each is tried on a few images against the slow one before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.errors import CnnvizError
from cnnviz.inside.batches import count, mapped
from cnnviz.inside.heads import head
from cnnviz.inside.inputs import run
from cnnviz.inside.recording import record
from cnnviz.inside.replacing import replaced

CHECKED = 4
"""Images on which a quick way must give what the slow one gives."""

_STEPS_BACK = 32
"""Layers before the one in question from which a pass is tried to begin."""

Answers = Callable[[Tensor], Tensor]
"""Channels (K,) → the logits (K, n, classes) of n images without each of them."""


@dataclass(frozen=True)
class Way:
    """Attributes:
    prepare: n images as the model takes them → the answers to be had for them.
    together: channels that may go through the network in one batch.
    """

    prepare: Callable[[Any], Answers]
    together: int = 1_000_000


@dataclass(frozen=True)
class Without:
    """Which layer of which network, and which of its heads is asked."""

    model: nn.Module
    layer: str
    output: str | int | None = None

    def logits(self, inputs: Any) -> Tensor:
        """(N, classes) of inputs as the model takes them."""
        logits = head(run(self.model, inputs), self.output)
        if logits.dim() != 2:
            raise CnnvizError(
                f"The network puts out shape {tuple(logits.shape)}; expected scores (N, classes). "
                "Choose another of its heads, or wrap it so that it gives one answer for an image."
            )
        return logits

    def whole(self, inputs: Any) -> Answers:
        """The slow way: images are repeated for each channel, and go through the whole network."""
        images = count(inputs)

        def answers(channels: Tensor) -> Tensor:
            repeated = mapped(partial(_repeated, times=len(channels)), inputs)
            with replaced(self.model, {self.layer: partial(_off, channels)}):
                return self.logits(repeated).unflatten(0, (len(channels), images))

        return answers

    def beginning_at(self, start: str, inputs: Any) -> Answers:
        """What `start`, the layer or one before it, puts out is computed once and repeated."""
        given = record(self.model, inputs, layers=[start])[start]  # (n, …)
        images = count(inputs)

        def answers(channels: Tensor) -> Tensor:
            off = partial(_off, channels)
            here = partial(_instead, given, len(channels))
            functions: dict[str, Callable[[Tensor], Tensor]] = {start: here, self.layer: off}
            if start == self.layer:
                functions = {start: lambda output: off(here(output))}
            dummies = _dummies(inputs, len(channels) * images)
            with replaced(self.model, functions):
                return self.logits(dummies).unflatten(0, (len(channels), images))

        return answers

    def taken_off(self, name: str, inputs: Any) -> Answers:
        """From the next linear layer or convolution on, whose output is corrected by hand."""
        module = self.model.get_submodule(name)
        on, result = self._seen_by(module, inputs)
        have: list[int] = []

        def silent(output: Tensor) -> Tensor:
            have.append(output.shape[1])
            return torch.zeros_like(output)

        with replaced(self.model, {self.layer: silent}):
            off, _ = self._seen_by(module, inputs)
        change, images = off - on, count(inputs)  # (n, in, …)
        if isinstance(module, nn.Linear):
            change = change.unflatten(1, (have[0], -1))  # (n, C, places)

        def answers(channels: Tensor) -> Tensor:
            corrected = _corrected(module, result, change, channels.to(change.device))
            corrected = corrected.flatten(0, 1)  # (K·n, out, …)
            with replaced(self.model, {name: lambda output: corrected.clone()}):
                logits = self.logits(_dummies(inputs, len(corrected)))
            return logits.unflatten(0, (len(channels), images))

        return answers

    def _seen_by(self, module: nn.Module, inputs: Any) -> tuple[Tensor, Tensor]:
        """What goes into a module, and what comes out."""
        caught: list[Tensor] = []
        handles = [
            module.register_forward_pre_hook(lambda _, given: caught.append(given[0].clone())),
            module.register_forward_hook(lambda _, given, out: caught.append(out.clone())),
        ]
        try:
            run(self.model, mapped(Tensor.clone, inputs))
        finally:
            for handle in handles:
                handle.remove()
        return caught[0], caught[1]


def quickest(what: Without, few: Any, channels: Tensor, rows: int, worth_it: bool) -> Way:
    """The quickest way that gives what the slow one gives.

    Args:
        few: some images, as the model takes them.
        channels: (K,) those that will be asked for.
        rows: images that may go through the network at once.
        worth_it: False for so few images that to try takes longer than to do.
    """
    some = channels[[0, len(channels) // 2, -1]].unique()
    on = what.logits(mapped(Tensor.clone, few))
    # One at a time: nothing is assumed of how the batch and the layer's output hang together.
    alone = torch.cat([what.whole(few)(one) for one in some.split(1)])
    if not _tried(what.whole, few, some, alone, on):
        return Way(what.whole, together=1)
    if not worth_it or on.dtype not in (torch.float32, torch.float64):
        return Way(what.whole)
    names = list(record(what.model, few))
    for start in _starts(what.layer, names):
        way = partial(what.beginning_at, start)
        if _tried(way, few, some, alone, on):
            break
    else:
        return Way(what.whole)
    groups = channels.split(max(1, rows // count(few)))
    if (name := _next_linear(what, names)) is not None:
        prepared = way(few)
        expected = [prepared(group) for group in groups]
        short = partial(what.taken_off, name)
        if all(_tried(short, few, *pair, on) for pair in zip(groups, expected, strict=True)):
            return Way(short)
    return Way(way)


def _tried(
    way: Callable[[Any], Answers], few: Any, channels: Tensor, expected: Tensor, on: Tensor
) -> bool:
    """Does a way give the expected logits? The error must be small beside what a channel does."""
    try:
        found = way(few)(channels)
    except Exception:  # whatever a network says of a batch that it does not expect
        return False
    exact = torch.finfo(expected.dtype).eps < 1e-6
    effect, size = (expected - on).abs().max(), expected.abs().max()
    allowed = 1e-3 * effect + (1e-5 if exact else 2 * torch.finfo(expected.dtype).eps) * size
    return found.shape == expected.shape and bool(((found - expected).abs() <= allowed).all())


def _starts(layer: str, names: list[str]) -> Iterator[str]:
    """The layer, then what ran before it, the latest first."""
    yield layer
    inside = [i for i, name in enumerate(names) if name == layer or name.startswith(f"{layer}.")]
    if inside:
        first = inside[0]
        yield from reversed(names[max(0, first - _STEPS_BACK) : first])


def _next_linear(what: Without, names: list[str]) -> str | None:
    """The next layer that is a sum over channels and runs once, if it looks like one."""
    inside = [i for i, n in enumerate(names) if n == what.layer or n.startswith(f"{what.layer}.")]
    modules = dict(what.model.named_modules())
    later = names[inside[-1] + 1 :] if inside else []
    name = next((n for n in later if isinstance(modules.get(n), nn.Linear | nn.Conv2d)), None)
    if name is None or f"{name}_1" in names:
        return None
    module = modules[name]
    if isinstance(module, nn.Conv2d) and (module.groups > 1 or module.padding_mode != "zeros"):
        return None
    return name


def _corrected(module: nn.Module, result: Tensor, change: Tensor, channels: Tensor) -> Tensor:
    """A layer's output (K, n, out, …) if its input changed by `change` in one channel each.

    Args:
        result: what it puts out, (n, out, …).
        change: (n, C, H, W) before a convolution, (n, C, places) before a linear layer.
    """
    if isinstance(module, nn.Conv2d):
        kernels = module.weight.detach()[:, channels].transpose(0, 1).flatten(0, 1)
        parts = F.conv2d(
            change[:, channels],
            kernels[:, None],
            None,
            module.stride,
            module.padding,
            module.dilation,
            groups=len(channels),
        )  # (n, K·out, H, W)
        return result + parts.unflatten(1, (len(channels), -1)).transpose(0, 1)
    assert isinstance(module, nn.Linear)
    weight = module.weight.detach().unflatten(1, (change.shape[1], -1))  # (out, C, places)
    return torch.baddbmm(
        result.expand(len(channels), *result.shape),
        change[:, channels].transpose(0, 1),  # (K, n, places)
        weight[:, channels].permute(1, 2, 0),  # (K, places, out)
    )


def _off(channels: Tensor, output: Tensor) -> Tensor:
    """An output (K·n, C, …) in which the k-th n rows lack channel k."""
    each = output.clone().unflatten(0, (len(channels), -1))
    each[torch.arange(len(channels)), :, channels] = 0
    return each.flatten(0, 1)


def _instead(given: Tensor, times: int, output: Tensor) -> Tensor:
    return _repeated(given, times)


def _repeated(tensor: Tensor, times: int) -> Tensor:
    return tensor.repeat(times, *[1] * (tensor.dim() - 1)) if tensor.dim() else tensor.clone()


def _dummies(inputs: Any, rows: int) -> Any:
    """Inputs for the layers before: few, and of a number that fits nothing else.

    A batch of one would be broadcast unnoticed, one of `rows` taken for the real images.
    """
    number = 3 if rows == 2 else 2
    return mapped(lambda t: _repeated(t[:1] if t.dim() else t, number), inputs)
