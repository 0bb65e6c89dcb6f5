"""Look inside a convolutional neural network: record, render and explain every layer.

Names are imported on first use, so `import cnnviz` costs neither torch nor matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnviz.atlas.folder import write_atlas as write_atlas
    from cnnviz.atlas.subject import Subject as Subject
    from cnnviz.data import datasets as datasets
    from cnnviz.data import photos as photos
    from cnnviz.data.datasets import load as load
    from cnnviz.data.inputs import to_input as to_input
    from cnnviz.drawing.mosaic import colour_mosaic as colour_mosaic
    from cnnviz.drawing.mosaic import mosaic as mosaic
    from cnnviz.errors import CnnvizError as CnnvizError
    from cnnviz.inside.ablation import ablate as ablate
    from cnnviz.inside.ablation import silenced as silenced
    from cnnviz.inside.calibration import fit_temperature as fit_temperature
    from cnnviz.inside.calibration import reliability as reliability
    from cnnviz.inside.costs import layer_costs as layer_costs
    from cnnviz.inside.evaluation import accuracy as accuracy
    from cnnviz.inside.evaluation import predict as predict
    from cnnviz.inside.evaluation import shift as shift
    from cnnviz.inside.feature_visualization import maximise as maximise
    from cnnviz.inside.gratings import tuning as tuning
    from cnnviz.inside.heads import head as head
    from cnnviz.inside.patches import cut as cut
    from cnnviz.inside.patches import extremes as extremes
    from cnnviz.inside.probes import fit_probe as fit_probe
    from cnnviz.inside.receptive_field import receptive_fields as receptive_fields
    from cnnviz.inside.recording import record as record
    from cnnviz.inside.replacing import replaced as replaced
    from cnnviz.inside.twins import pair as pair
    from cnnviz.nets import networks as networks
    from cnnviz.nets.models import MLP as MLP
    from cnnviz.nets.models import LeNet as LeNet
    from cnnviz.nets.models import parameter_count as parameter_count
    from cnnviz.own.images import open_images as open_images
    from cnnviz.own.look import look as look
    from cnnviz.own.models import open_model as open_model
    from cnnviz.own.summary import summary as summary
    from cnnviz.training.brief import train_briefly as train_briefly
    from cnnviz.training.checkpoints import trained as trained
    from cnnviz.training.fit import fit as fit
    from cnnviz.training.recipe import Recipe as Recipe
    from cnnviz.training.runs import named as named

_HOME = {
    "ablate": "cnnviz.inside.ablation",
    "accuracy": "cnnviz.inside.evaluation",
    "CnnvizError": "cnnviz.errors",
    "colour_mosaic": "cnnviz.drawing.mosaic",
    "cut": "cnnviz.inside.patches",
    "extremes": "cnnviz.inside.patches",
    "fit": "cnnviz.training.fit",
    "fit_probe": "cnnviz.inside.probes",
    "fit_temperature": "cnnviz.inside.calibration",
    "head": "cnnviz.inside.heads",
    "layer_costs": "cnnviz.inside.costs",
    "LeNet": "cnnviz.nets.models",
    "load": "cnnviz.data.datasets",
    "look": "cnnviz.own.look",
    "maximise": "cnnviz.inside.feature_visualization",
    "MLP": "cnnviz.nets.models",
    "mosaic": "cnnviz.drawing.mosaic",
    "named": "cnnviz.training.runs",
    "open_images": "cnnviz.own.images",
    "open_model": "cnnviz.own.models",
    "pair": "cnnviz.inside.twins",
    "parameter_count": "cnnviz.nets.models",
    "predict": "cnnviz.inside.evaluation",
    "receptive_fields": "cnnviz.inside.receptive_field",
    "Recipe": "cnnviz.training.recipe",
    "record": "cnnviz.inside.recording",
    "reliability": "cnnviz.inside.calibration",
    "replaced": "cnnviz.inside.replacing",
    "shift": "cnnviz.inside.evaluation",
    "silenced": "cnnviz.inside.ablation",
    "Subject": "cnnviz.atlas.subject",
    "summary": "cnnviz.own.summary",
    "to_input": "cnnviz.data.inputs",
    "train_briefly": "cnnviz.training.brief",
    "trained": "cnnviz.training.checkpoints",
    "tuning": "cnnviz.inside.gratings",
    "write_atlas": "cnnviz.atlas.folder",
}
_MODULES = {
    "datasets": "cnnviz.data.datasets",
    "photos": "cnnviz.data.photos",
    "networks": "cnnviz.nets.networks",
}
__all__ = list(_HOME) + list(_MODULES)


def __dir__() -> list[str]:
    """What there is, for <Tab>."""
    return sorted([*__all__, "__version__"])


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("cnnviz")
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name not in _HOME:
        raise AttributeError(f"module 'cnnviz' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)
