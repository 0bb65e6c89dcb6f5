"""Facts of this build: recipes, seeds, versions, times, digests, photographs."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import asdict, fields
from importlib.metadata import version
from typing import Any

from cnnviz.data import catalogue, photos
from cnnviz.nets.models import parameter_count
from cnnviz.training.recipe import Recipe
from cnnviz.training.runs import RECIPES
from cnnviz.training.weights import weights_digest
from gen.context import Context

PHOTOS = photos.names(colour_only=True)
"""Photographs that the chapters use: all that are in colour."""

LONG = [name for name in RECIPES if not name.startswith(("short-", "sgd-"))]

_PACKAGES = (
    "torch",
    "torchvision",
    "numpy",
    "matplotlib",
    "pillow",
    "scikit-learn",
    "mkdocs",
    "mkdocs-material",
    "mkdocs-gen-files",
    "ziamath",
    "jieba",
)


def numbers(context: Context) -> dict[str, Any]:
    """What the page "About this build" tells."""
    runs = {}
    for name in LONG:
        trained = context.trained(name)
        runs[name] = {
            **asdict(trained.recipe),
            "seconds": trained.history.seconds,
            "accuracy": context.evaluation(name).accuracy,
            "digest": weights_digest(trained.weights),
            "parameters": parameter_count(context.model(name)),
        }
    return {
        "batch_size": context.recipe("lenet").batch_size,
        "fields": [field.name for field in fields(Recipe)],
        "runs": runs,
        "short": _short_runs(context),
        "run_count": len(RECIPES),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
        },
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 1,
        "seeds": {split: seed for split, (_, seed) in catalogue.MADE.items()},
        "train_count": len(context.train),
        "test_count": len(context.test),
        "dataset": context.settings.dataset,
        "device": context.settings.device,
        "photos": {name: asdict(photos.credit(name)) for name in PHOTOS},
    }


def _short_runs(context: Context) -> dict[str, dict[str, Any]]:
    """The short runs, those that differ only in their seed together."""
    families: dict[str, list[str]] = {}
    for name in RECIPES:
        if name not in LONG:
            families.setdefault(re.sub(r"-\d+$", "", name), []).append(name)
    short = {}
    for family, names in families.items():
        recipe = context.recipe(names[0])
        reached = [context.trained(name).history.accuracy[-1] for name in names]
        short[family] = {
            "count": len(names),
            "steps": recipe.steps,
            "optimizer": recipe.optimizer,
            "rate": recipe.peak_learning_rate,
            "lowest": min(reached),
            "highest": max(reached),
        }
    return short
