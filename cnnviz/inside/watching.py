"""Looking at what layers put out while a network runs, without keeping it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cnnviz.inside.recording import _Recording, eval_mode
from cnnviz.memory import keep_freed_memory


_SEEN = torch.empty(0)
"""Stands for what was shown: no part of it, which the next operation in place would copy."""


def watch(model: nn.Module, x: Tensor, look: Mapping[str, Callable[[Tensor], None]]) -> Any:
    """Run a model and show each layer's output to a function, at the moment it is there.

    Args:
        model: any module; it runs in eval mode and without gradients.
        x: input batch, (N, …).
        look: by names of `cnnviz.record`; a function must not change what it sees.

    Returns:
        What the model returns.

    Raises:
        CnnvizError: a name that the model does not have or did not run.
    """
    keep_freed_memory()
    watching = _Watching(model, look)
    with eval_mode(model), torch.no_grad(), watching:
        output = model(x)
    watching.check_layers_ran()
    return output


class _Watching(_Recording):
    """A recording that shows what it would keep."""

    def __init__(self, model: nn.Module, look: Mapping[str, Callable[[Tensor], None]]) -> None:
        super().__init__(model, list(look), functional=True)
        self._look = look

    def _put(self, names: list[str], tensor: Tensor) -> None:
        with torch._C.DisableTorchFunction():
            for name in names:
                self._look[name](tensor)
                self.outputs[name] = _SEEN
