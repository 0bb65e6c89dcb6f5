"""The networks of this site: where what figures draw from comes from."""

from __future__ import annotations

from functools import partial

from cnnviz.training.checkpoints import trained
from cnnviz.training.runs import RECIPES
from gen.context import Context
from gen.settings import Settings


def site_context(settings: Settings) -> Context:
    """What the figures of a build draw from; a network that is not trained yet is trained."""
    load = partial(
        trained,
        build_dir=settings.build_dir,
        data_dir=settings.data_dir,
        device=settings.device,
    )
    return Context(settings, RECIPES, load)
