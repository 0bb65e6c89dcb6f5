"""The training runs of the site: four long ones, and short ones for comparisons."""

from __future__ import annotations

from dataclasses import replace

from cnnviz.errors import unknown_name
from cnnviz.training.recipe import Recipe

SHORT = 300
"""Steps of the short runs, which are compared with each other only."""

SEEDS = range(5)
"""Seeds of the short runs of LeNet and the MLP; the others have the first three."""


def _recipes() -> dict[str, Recipe]:
    # The order spreads the long runs evenly over two processes.
    recipes = {
        "lenet": Recipe("lenet"),
        "mlp": Recipe("mlp"),
        "mlp-scrambled": Recipe("mlp", scramble=True),
        "lenet-scrambled": Recipe("lenet", scramble=True),
    }
    for seed in SEEDS:
        for model in ("lenet", "mlp"):
            # An MLP is large, and nobody looks at how the short ones came about.
            short = Recipe(model, seed=seed, steps=SHORT, snapshots=model != "mlp")
            recipes[f"short-{model}-{seed}"] = short
            recipes[f"short-{model}-scrambled-{seed}"] = replace(short, scramble=True)
    for seed in SEEDS[:3]:
        for model in ("lenet-average", "lenet-strided"):
            recipes[f"short-{model}-{seed}"] = Recipe(model, seed=seed, steps=SHORT)
    # Plain SGD hides less than AdamW, which gives each weight a step size of its own.
    sgd = Recipe("lenet", steps=SHORT, optimizer="sgd", peak_learning_rate=0.05, weight_decay=0)
    for seed in SEEDS[:3]:
        for model in ("lenet", "lenet-uncentred", "lenet-bytes", "lenet-batchnorm"):
            recipes[f"sgd-{model}-{seed}"] = replace(sgd, model=model, seed=seed)
    recipes["sgd-lenet-low-rate"] = replace(sgd, peak_learning_rate=2e-3)
    recipes["sgd-lenet-high-rate"] = replace(sgd, peak_learning_rate=1.0)
    return recipes


RECIPES = _recipes()
"""The runs of the site by name: four long ones, and short ones for comparisons."""


def named(name: str, dataset: str = "digits") -> Recipe:
    """The recipe of that name, on that data set.

    Raises:
        CnnvizError: no recipe or data set of that name; the nearest is suggested.
    """
    if name not in RECIPES:
        raise unknown_name("model", name, RECIPES)
    return replace(RECIPES[name], dataset=dataset)
