"""A model as it is used, looked at by several passes, and afterwards as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from cnnviz.inside.modes import eval_mode


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Every module in eval mode; on leaving in its own mode again, and its buffers as they were.

    Also after an error. Modules that count or average in eval mode, too, are why buffers are kept.
    """
    buffers = [
        (module._buffers, name, buffer, buffer.detach().clone(), buffer._version)
        for module in model.modules()
        for name, buffer in module._buffers.items()
        if isinstance(buffer, Tensor) and not is_lazy(buffer) and not buffer.is_inference()
    ]
    try:
        with eval_mode(model):
            yield
    finally:
        with torch.no_grad():
            for holder, name, buffer, before, version in buffers:
                holder[name] = buffer
                if buffer._version != version:
                    buffer.copy_(before)
