"""Trained networks on disk: load them, or train once and keep them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from cnnviz import kept
from cnnviz.data import datasets
from cnnviz.data.datasets import Dataset
from cnnviz.errors import CnnvizError
from cnnviz.files import DamagedError, refuse_folder, remove
from cnnviz.training.fit import History, Trained, fit
from cnnviz.training.recipe import Recipe, checkpoint_path


def save(trained: Trained, path: Path) -> None:
    """Write a trained network, whole or not at all."""
    state = {
        "recipe": asdict(trained.recipe),
        "weights": trained.weights,
        "snapshots": trained.snapshots,
        "history": asdict(trained.history),
    }
    kept.write(path, state)


def read(path: Path, recipe: Recipe | None = None) -> Trained:
    """Read a trained network.

    Raises:
        CnnvizError: no such file, a damaged one, or one made by another recipe than `recipe`.
    """
    if not path.exists():
        raise CnnvizError(f"No checkpoint '{path}'. Make it with 'cnnviz train'.")
    try:
        state = kept.read(path)
        found, history = Recipe(**state["recipe"]), History(**state["history"])
        weights, snapshots = state["weights"], state["snapshots"]
    except (DamagedError, CnnvizError, LookupError, TypeError) as error:
        why = error if isinstance(error, DamagedError) else "it holds something else"
        # It may be any file that the user named, so no word of deleting it.
        raise CnnvizError(
            f"The checkpoint '{path}' is damaged, or never was one ({why}). "
            "Make one with 'cnnviz train'."
        ) from error
    if recipe is not None and found != recipe:
        changed = [k for k, v in asdict(found).items() if v != asdict(recipe)[k]]
        raise CnnvizError(
            f"The checkpoint '{path}' was made by another recipe "
            f"(differs in {', '.join(changed)}). "
            "Train again, or name the checkpoint that belongs to this recipe."
        )
    return Trained(found, weights, snapshots, history)


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
    resume_file = path.with_suffix(".partial")
    for file in (path, resume_file):
        refuse_folder(file)
    if path.exists():
        try:
            return read(path, recipe)
        except CnnvizError as error:
            print(f"{error} Training again now.", file=sys.stderr)
    train = train or _images(recipe.dataset, "train", data_dir, build_dir)
    held_out = _images(recipe.dataset, "test", data_dir, build_dir)
    result = fit(recipe, train, held_out, device=device, resume_file=resume_file, progress=progress)
    save(result, path)
    remove(resume_file)  # only now: until then it is all that is left of the work
    return result


@lru_cache(maxsize=2)
def _images(name: str, split: str, data_dir: Path | None, build_dir: Path) -> Dataset:
    """A data set, kept for the next network: reading it takes half as long as a short training."""
    return datasets.load(name, split, data_dir=data_dir, build_dir=build_dir)
