"""Look inside a convolutional neural network: record, render and explain every layer.

Names are imported on first use, so `import cnnviz` costs neither torch nor matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnviz.data.datasets import load as load
    from cnnviz.errors import CnnvizError as CnnvizError
    from cnnviz.inside.receptive_field import receptive_fields as receptive_fields
    from cnnviz.inside.recording import record as record
    from cnnviz.training.checkpoints import trained as trained
    from cnnviz.training.fit import fit as fit
    from cnnviz.training.recipe import Recipe as Recipe

_HOME = {
    "CnnvizError": "cnnviz.errors",
    "Recipe": "cnnviz.training.recipe",
    "fit": "cnnviz.training.fit",
    "load": "cnnviz.data.datasets",
    "receptive_fields": "cnnviz.inside.receptive_field",
    "record": "cnnviz.inside.recording",
    "trained": "cnnviz.training.checkpoints",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'cnnviz' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)
