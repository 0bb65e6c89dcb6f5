"""Facts of this build: recipes, seeds, versions, times, digests, photographs."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from platform import python_version
from typing import Any

from cnnviz.checkpoints import weights_digest
from cnnviz.models import parameter_count
from cnnviz.recipes import RECIPES
from gen.context import Context


def numbers(context: Context) -> dict[str, Any]:
    """What the page "About this build" tells."""
    runs = {}
    for name in RECIPES:
        trained = context.trained(name)
        runs[name] = {
            **asdict(trained.recipe),
            "seconds": trained.history.seconds,
            "accuracy": context.evaluation(name).accuracy,
            "digest": weights_digest(trained.weights),
            "parameters": parameter_count(context.model(name)),
        }
    packages = ("torch", "torchvision", "numpy", "matplotlib", "pillow", "mkdocs-material")
    return {
        "batch_size": context.recipe("lenet").batch_size,
        "runs": runs,
        "versions": {"python": python_version(), **{name: version(name) for name in packages}},
        "train_count": len(context.train),
        "test_count": len(context.test),
        "dataset": context.settings.dataset,
        "device": context.settings.device,
    }
