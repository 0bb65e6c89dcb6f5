"""How strongly units of a layer answer, and how that changes with the image, cheaply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from cnnviz.errors import CnnvizError
from cnnviz.inside.batches import place
from cnnviz.inside.outputs import at, layer_output
from cnnviz.inside.receptive_field import receptive_fields
from cnnviz.inside.replacing import replaced

Target = Literal["middle", "channel"]

_COMPARED = 8
"""Units that tell whether a part of the image gives what the whole gives."""


class _Reached(Exception):
    """The layer is about to run, or has run: what comes after it is of no interest."""


class Answers:
    """How strongly units of a layer answer, at the price of what they see and no more.

    The network stops at the layer; of a fully connected one, only the units that are asked for
    are computed; and where a unit sees only a part of the image, the network gets that part.

    Attributes:
        units: how many units or channels the layer has.
        middle: place of the unit in its channel's map, () in a layer without maps; None where
            the whole channel is meant.
        window: rows and columns (…) of the image that the network gets.
    """

    def __init__(
        self,
        model: nn.Module,
        layer: str,
        shape: tuple[int, ...],
        target: Target = "middle",
        prepare: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.model, self.layer, self._prepare = model, layer, prepare
        self._where, self._dtype = place(model)
        self.window: tuple[slice, ...] = (slice(None),) * (len(shape) - 1)
        self.middle: tuple[int, ...] | None = None
        self._entered = False
        # The first call of a module can be stopped by a hook, which is quicker than `replaced`.
        self._module = dict(model.named_modules()).get(layer)
        probe = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0))
        output = self._first(probe)
        self.units = output.shape[1]
        # Of a fully connected layer behind flattening; others are taken as they come.
        module = self._module
        self._rows = module if type(module) is nn.Linear and output.dim() == 2 else None
        if target == "middle":
            self.middle = tuple(size // 2 for size in output.shape[2:])
            if len(self.middle) == 2 and probe.dim() == 4:
                self._narrow(probe, at(output, self.middle))

    def _first(self, probe: Tensor) -> Tensor:
        """The layer's output for one image."""
        try:
            output = layer_output(self.model, self._input(probe.to(self._where)), self.layer)
        except CnnvizError:
            raise
        except Exception as error:
            first = str(error).partition("\n")[0]
            raise CnnvizError(
                f"The model fails on an image of shape {tuple(probe.shape[1:])}: {first}. "
                "Give the input_shape that it takes, such as (3, 224, 224)."
            ) from error
        if output.dim() < 2 or len(output) != 1:
            raise CnnvizError(
                f"Layer '{self.layer}' puts out shape {tuple(output.shape)} for one image; "
                "expected (1, C, …)."
            )
        return output

    @contextmanager
    def watching(self) -> Iterator[None]:
        """To be entered around all that is asked of a layer which is no module."""
        if self._module is not None or self._entered:
            yield
            return
        with replaced(self.model, {self.layer: _stop}):
            self._entered = True
            try:
                yield
            finally:
                self._entered = False

    def _narrow(self, probe: Tensor, expected: Tensor) -> None:
        """Look only at the receptive field of the unit in the middle, if that gives the same."""
        assert self.middle is not None
        before = self.window, self.middle
        try:
            size = self._input(probe.to(self._where)).shape
            if size[2:] != probe.shape[2:]:
                return
            field = receptive_fields(self.model, (size[2], size[3]))[self.layer]
            top, left, bottom, right = field.box(self.middle[0], self.middle[1], clip=True)
            # From a multiple of the jump on, strides fall where they fell in the whole image.
            top, left = top // field.jump[0] * field.jump[0], left // field.jump[1] * field.jump[1]
            self.window = slice(top, bottom), slice(left, right)
            self.middle = (
                self.middle[0] - top // field.jump[0], self.middle[1] - left // field.jump[1]
            )  # fmt: skip
            with torch.no_grad():
                some = _every(self)[:_COMPARED]
                part = self(probe.to(self._where).expand(len(some), -1, -1, -1), some)
            same = torch.allclose(part, expected[0, : len(some)].to(part), rtol=1e-4, atol=1e-5)
        except Exception:  # no field, an empty one, or a part of the image does not fit the model
            same = False
        if not same:
            self.window, self.middle = before

    def __call__(self, images: Tensor, which: Tensor) -> Tensor:
        """The output (B,) of unit `which[i]` for image i, in the type of the images."""
        return self._of_part(images[:, :, *self.window], which).to(images.dtype)

    def gradient(self, images: Tensor, which: Tensor) -> Tensor:
        """Of each answer by its image, (B, C, …)."""
        part = images[:, :, *self.window].clone().requires_grad_()
        answers = self._of_part(part, which).sum()
        if not answers.requires_grad:
            return torch.zeros_like(images)
        (inside,) = torch.autograd.grad(answers, [part], allow_unused=True)
        if inside is None:
            return torch.zeros_like(images)
        inside = inside.nan_to_num_(0, 0, 0)
        if inside.shape == images.shape:
            return inside
        whole = torch.zeros_like(images)
        whole[:, :, *self.window] = inside
        return whole

    def _of_part(self, part: Tensor, which: Tensor) -> Tensor:
        which = which.to(self._where)
        if self._rows is not None:
            before = self._stopped(part, before=True)
            weight, bias = self._rows.weight.detach(), self._rows.bias
            answer = (before * weight[which]).sum(1)
            return answer if bias is None else answer + bias[which].detach()
        output = self._stopped(part)
        if self.middle is None:
            output = output.flatten(2).mean(2) if output.dim() > 2 else output
        else:
            output = at(output, self.middle)  # (B, C)
        return output[torch.arange(len(part), device=output.device), which]

    def _input(self, part: Tensor) -> Tensor:
        """What the model gets; a copy, since it may write into it."""
        given = part.clone() if self._prepare is None else self._prepare(part)
        return given.to(self._where, self._dtype)

    def _stopped(self, part: Tensor, *, before: bool = False) -> Tensor:
        handles = []
        if self._module is not None and before:
            handles.append(self._module.register_forward_pre_hook(_stop_before))
        elif self._module is not None:
            handles.append(self._module.register_forward_hook(_stop_behind))
        try:
            with self.watching():
                self.model(self._input(part))
        except _Reached as reached:
            output: Tensor = reached.args[0]
            return output
        finally:
            for handle in handles:
                handle.remove()
        raise CnnvizError(f"Layer '{self.layer}' ran before, and does not run now.")


def _every(answers: Answers) -> Tensor:
    return torch.arange(answers.units)


def _stop(output: Tensor) -> Tensor:
    raise _Reached(output)


def _stop_before(module: nn.Module, inputs: tuple[Any, ...]) -> None:
    raise _Reached(inputs[0])


def _stop_behind(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
    raise _Reached(output)
