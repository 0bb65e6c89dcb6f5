"""Trained networks on disk: load them, or train once and keep them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cnnviz import datasets
from cnnviz.datasets import Dataset
from cnnviz.errors import CnnvizError
from cnnviz.files import digest, write_atomically
from cnnviz.recipes import Recipe, checkpoint_path
from cnnviz.training import History, Trained, Weights, fit


def weights_digest(weights: Weights) -> str:
    """Digest of the bytes of all weights in order of their names: says which weights these are."""
    parts: Iterable[bytes] = (weights[n].contiguous().numpy().tobytes() for n in sorted(weights))
    return digest(parts)


def save(trained: Trained, path: Path) -> None:
    """Write a trained network, whole or not at all."""
    state = {
        "recipe": asdict(trained.recipe),
        "weights": trained.weights,
        "snapshots": trained.snapshots,
        "history": asdict(trained.history),
        "digest": _state_digest(trained.weights, trained.snapshots),
    }
    write_atomically(path, lambda file: torch.save(state, file))


def read(path: Path, recipe: Recipe | None = None) -> Trained:
    """Read a trained network.

    Raises:
        CnnvizError: no such file, a damaged one, or one made by another recipe than `recipe`.
    """
    if not path.exists():
        raise CnnvizError(f"No checkpoint '{path}'. Make it with 'cnnviz train'.")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        whole = state["digest"] == _state_digest(state["weights"], state["snapshots"])
        found = Recipe(**state["recipe"])
        history = History(**state["history"])
    except Exception as error:  # torch.load raises many types for a damaged file
        raise CnnvizError(
            f"The checkpoint '{path}' is damaged ({type(error).__name__}). "
            "Delete it and train again."
        ) from error
    if not whole:
        raise CnnvizError(
            f"The checkpoint '{path}' is damaged (digest differs). Delete it and train again."
        )
    if recipe is not None and found != recipe:
        changed = [k for k, v in asdict(found).items() if v != asdict(recipe)[k]]
        raise CnnvizError(
            f"The checkpoint '{path}' was made by another recipe "
            f"(differs in {', '.join(changed)}). "
            "Train again, or name the checkpoint that belongs to this recipe."
        )
    return Trained(found, state["weights"], state["snapshots"], history)


def trained(
    recipe: Recipe,
    *,
    build_dir: Path | str = "build",
    data_dir: Path | str | None = None,
    download: bool = False,
    device: str = "cpu",
    progress: bool = True,
) -> Trained:
    """The network of this recipe: read if it was trained before, else trained and kept.

    A damaged file is reported and made again.
    """
    build_dir, data_dir = Path(build_dir), Path(data_dir) if data_dir else None
    train = None
    if download:  # the key reads the data files, so they must be there first
        train = datasets.load(recipe.dataset, "train", data_dir=data_dir, download=True)
    path = checkpoint_path(recipe, build_dir, data_dir)
    if path.exists():
        try:
            return read(path, recipe)
        except CnnvizError as error:
            print(f"{error} Training again now.", file=sys.stderr)
    train = train or _images(recipe.dataset, "train", data_dir, build_dir)
    held_out = _images(recipe.dataset, "test", data_dir, build_dir)
    resume_file = path.with_suffix(".partial")
    result = fit(recipe, train, held_out, device=device, resume_file=resume_file, progress=progress)
    save(result, path)
    return result


@lru_cache(maxsize=2)
def _images(name: str, split: str, data_dir: Path | None, build_dir: Path) -> Dataset:
    """A data set, kept for the next network: reading it takes half as long as a short training."""
    return datasets.load(name, split, data_dir=data_dir, build_dir=build_dir)


def _state_digest(weights: Weights, snapshots: dict[int, Weights]) -> str:
    ordered: list[dict[str, Tensor]] = [weights, *(snapshots[step] for step in sorted(snapshots))]
    return digest(weights_digest(each).encode() for each in ordered)
