"""Networks of the figures trained by the recipe of the site's own, to compare with those."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from torch import nn

from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.training.fit import fit
from cnnviz.training.recipe import Recipe
from gen.context import Context


@dataclass(frozen=True)
class _Own(Recipe):
    """The recipe of a network that has no name."""

    build: Callable[[], nn.Module] = field(default=nn.Identity, kw_only=True)

    def network(self) -> nn.Module:
        return self.build()


def trained_like(context: Context, name: str, build: Callable[[], nn.Module]) -> float:
    """Accuracy on the test split of a network trained as the network `name` was.

    Same images, steps, shifts, optimiser and seed; only the network is another.
    """
    fields = asdict(context.recipe(name)) | {"snapshots": False}
    trained = fit(_Own(**fields, build=build), context.train, context.test, progress=False)
    logits = predict(trained.model(), context.inputs(name, context.test.images))
    return accuracy(logits, context.test.labels)
