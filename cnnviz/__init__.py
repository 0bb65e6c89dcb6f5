"""Look inside a convolutional neural network: record, render and explain every layer.

Names are imported on first use, so `import cnnviz` costs neither torch nor matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnviz.checkpoints import trained as trained
    from cnnviz.datasets import load as load
    from cnnviz.errors import CnnvizError as CnnvizError
    from cnnviz.receptive_field import receptive_fields as receptive_fields
    from cnnviz.recipes import Recipe as Recipe
    from cnnviz.recording import record as record
    from cnnviz.training import fit as fit

_HOME = {
    "CnnvizError": "cnnviz.errors",
    "Recipe": "cnnviz.recipes",
    "fit": "cnnviz.training",
    "load": "cnnviz.datasets",
    "receptive_fields": "cnnviz.receptive_field",
    "record": "cnnviz.recording",
    "trained": "cnnviz.checkpoints",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'cnnviz' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)
