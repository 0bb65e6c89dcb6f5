"""A network of the reader's own, from a Python file."""

from __future__ import annotations

import runpy
from pathlib import Path

from torch import nn

from cnnviz.errors import CnnvizError


def from_file(path: Path) -> nn.Module:
    """The network that the function `load` of a Python file returns, in evaluation mode.

    Raises:
        CnnvizError: no such file, no such function, or what it returns is not a module.
    """
    if not path.is_file():
        raise CnnvizError(f"ATLAS_NETS names '{path}', which is not a file.")
    load = runpy.run_path(str(path)).get("load")
    if not callable(load):
        raise CnnvizError(
            f"'{path}' has no function 'load'. The atlas calls it without arguments and expects "
            "a trained nn.Module that takes images (N, 1, 28, 28) from 0 to 1."
        )
    model = load()
    if not isinstance(model, nn.Module):
        raise CnnvizError(f"load() of '{path}' returned {type(model).__name__}; expected a module.")
    return model.eval()
