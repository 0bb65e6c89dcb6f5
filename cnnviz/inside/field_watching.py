"""Under which names the tensors of a forward pass go, and where it fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from cnnviz.errors import CnnvizError
from cnnviz.inside.calls import CONTAINER
from cnnviz.inside.field_bounds import Seen
from cnnviz.inside.field_following import Following
from cnnviz.inside.field_memory import Unknown
from cnnviz.inside.inputs import Inputs
from cnnviz.inside.naming import is_torch_layer
from cnnviz.inside.recording import Recording


class FieldWatch(Recording):
    """Notes what each output sees under the name that `record` gives it.

    Attributes:
        seen: of each name, and whether `record` lists it.
        unknown: why nothing is known, by name.
    """

    def __init__(
        self, model: nn.Module, following: Following, mark: Callable[[Inputs], None]
    ) -> None:
        super().__init__(model, [])
        self.seen: dict[str, tuple[Seen, bool]] = {}
        self.unknown: dict[str, str] = {}
        self._following = following
        self._mark = mark
        self._own_affair = {name for name, m in model.named_modules() if _refines_convolution(m)}

    def _given(self, inputs: Inputs) -> None:
        self._mark(inputs)

    def _seen(self, key: str, output: Any, parts: list[tuple[str, Tensor]], *rest: Any) -> Any:
        listed = rest[-1] != CONTAINER and key.rpartition(".")[0] not in self._own_affair
        for index, tensor in parts:
            self._note(key + index, tensor, listed)
        return output

    def _note(self, name: str, tensor: Tensor, listed: bool = True) -> None:
        try:
            seen = self._following.read(tensor)
            if seen is None:
                raise Unknown("it does not depend on the input")
            self.seen[name] = seen, listed
        except Unknown as unknown:
            if listed:
                self.unknown[name] = str(unknown)


def _refines_convolution(module: nn.Module) -> bool:
    """Whether it is a convolution of the user's, made of one of torch.nn's: one layer, as that."""
    return isinstance(module, nn.modules.conv._ConvNd) and not is_torch_layer(module)


def failure(model: nn.Module, size: Sequence[int], error: Exception) -> CnnvizError:
    """Where torch, or the model's own code, cannot go on."""
    names = {module: name for name, module in model.named_modules() if name}
    layer, trace = "", error.__traceback__
    while trace is not None:
        module = trace.tb_frame.f_locals.get("self")
        if isinstance(module, nn.Module) and module in names:
            layer = f"'{names[module]}' ({type(module).__name__})"
        trace = trace.tb_next
    said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    where = f"input of {size[0]}×{size[1]} pixels"
    if any(sign in said for sign in _TOO_SMALL):
        at = f"layer {layer}" if layer else type(model).__name__
        return CnnvizError(f"An {where} is too small for {at}: {said}. Give a larger one.")
    at = f"Layer {layer}" if layer else type(model).__name__
    return CnnvizError(
        f"{at} cannot run on an {where}: {said}. Give the size as (C, H, W), or the input itself "
        "as the model takes it."
    )


_TOO_SMALL = (
    "greater than actual input size", "too small", "non-empty", "Output size",
    "should be less than the corresponding input dimension", "Expected more than 1",
)  # fmt: skip
