"""The networks of the atlas of this site, as it sees them."""

from __future__ import annotations

from functools import partial

from cnnviz.atlas.subject import AtlasNet, Subject
from gen.context import Context, shared

EXAMPLE = 7
"""Of the images that the atlas shows, the one that stands for the input."""


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
