"""Looking at what layers put out while a network runs, without keeping it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cnnviz.inside.modes import eval_mode
from cnnviz.inside.replacing import replaced
from cnnviz.memory import keep_freed_memory

Look = Callable[[Tensor], object]


def watch(model: nn.Module, x: Tensor, look: Mapping[str, Look]) -> Any:
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
    shown = {name: _shown_to(function) for name, function in look.items()}
    with eval_mode(model), torch.no_grad(), replaced(model, shown):
        return model(x)


def _shown_to(look: Look) -> Callable[[Tensor], Tensor]:
    def function(output: Tensor) -> Tensor:
        with torch._C.DisableTorchFunction():  # looking is no operation of the model's
            look(output)
        return output

    return function
