"""The networks of this site: where what figures draw from comes from."""

from __future__ import annotations

from functools import partial

from cnnviz.atlas.subject import AtlasNet, Subject
from cnnviz.training.checkpoints import trained
from cnnviz.training.runs import RECIPES
from gen.context import Context, shared
from gen.settings import Settings

EXAMPLE = 7
"""Of the images that the atlas shows, the one that stands for the input."""


def site_context(settings: Settings) -> Context:
    """What the figures of a build draw from; a network that is not trained yet is trained."""
    load = partial(
        trained,
        build_dir=settings.build_dir,
        data_dir=settings.data_dir,
        device=settings.device,
    )
    return Context(settings, RECIPES, load)


@shared
def atlas_net(context: Context, name: str) -> AtlasNet:
    """A network of the atlas: one of ours, or one that ATLAS_NETS names."""
    own = name not in context.settings.atlas_files
    steps = list(context.trained(name).snapshots) if own else []
    return AtlasNet(
        Subject(
            name,
            context.settings.atlas_nets[name],
            context.model(name),
            context.inputs(name, context.test.images),
            context.test.labels,
            context.test.class_names,
            shown=context.atlas_indices,
            examples=len(context.test.class_names),
            example=min(EXAMPLE, len(context.test.class_names) - 1),
            random=context.model(name, steps[0]) if own else None,
            past=partial(context.model, name) if own else None,
            steps=steps,
            seed=context.recipe(name).seed if own else "",
        )
    )


def atlas_nets(context: Context) -> list[AtlasNet]:
    """All networks of the atlas."""
    return [atlas_net(context, name) for name in context.settings.atlas_nets]
