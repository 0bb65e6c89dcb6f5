"""Networks of torchvision, with its weights, weights from a file, or random ones."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import Tensor, nn

from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.own.user_file import said

_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
"""Under which of these names training loops put the weights, beside the optimiser's state."""


def torchvision_net(name: str, weights: str | None) -> tuple[nn.Module, Any, bool]:
    """A network, the torchvision weights whose transforms fit it (or None), and are they its own?

    Args:
        weights: "DEFAULT", another of torchvision's names, a file, or None for random weights.

    Raises:
        CnnvizError: no such network or weights; they cannot be fetched or do not fit.
    """
    from torchvision import models

    if name not in (known := models.list_models()):
        raise unknown_name("network of torchvision's", name, known)
    choices = list(models.get_model_weights(name))
    if weights is None or Path(weights).is_file():
        state = read_weights(Path(weights)) if weights else None
        model = _without_weights(name, state)
        if state is not None:
            fit_weights(model, state, str(weights))
        fitting = choices[-1] if choices else None
        return model, fitting, state is not None and _outputs(state) == _categories(fitting)
    named = {choice.name: choice for choice in choices}
    chosen = named.get(weights.rpartition(".")[2]) if weights != "DEFAULT" else choices[-1]
    if weights == "DEFAULT" and choices:
        chosen = models.get_model_weights(name)["DEFAULT"]
    if chosen is None:
        if weights.endswith((".pth", ".pt", ".bin")):
            raise CnnvizError(f"There is no file '{weights}' with weights of '{name}'.")
        raise unknown_name(f"weights of {name}", weights, ["DEFAULT", *named])
    return _with(name, chosen), chosen, True


def _with(name: str, weights: Any) -> nn.Module:
    from torchvision import models

    try:
        model: nn.Module = models.get_model(name, weights=weights)
    except (URLError, OSError, RuntimeError) as error:
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise CnnvizError(
            f"The weights {weights} could not be fetched from {weights.url} ({said(error)}). "
            f"Put that file into '{folder}', or name one that is here: --weights FILE.pth."
        ) from error
    return model


def _without_weights(name: str, state: Mapping[str, Tensor] | None) -> nn.Module:
    from torchvision import models

    options: dict[str, Any] = {"weights": None}
    parameters = _parameters(name)
    if "weights_backbone" in parameters:  # would be fetched
        options["weights_backbone"] = None
    if "init_weights" in parameters:  # takes minutes, and warns that it does
        options["init_weights"] = False
    if state is not None and (classes := _outputs(state)):
        options["num_classes"] = classes
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")
        torch.manual_seed(0)  # an atlas that is made again finds what it has drawn
        model: Any = models.get_model(name, **options)
    return model


def _parameters(name: str) -> set[str]:
    """What the function takes that makes a network, or the class that it makes."""
    import inspect

    from torchvision import models

    function = inspect.unwrap(models.get_model_builder(name))
    return {*inspect.signature(function).parameters} | (
        {"init_weights"} if name in {"googlenet", "inception_v3"} else set()
    )


def _outputs(state: Mapping[str, Tensor]) -> int:
    """How many outputs a network has whose weights these are: as many as the last one has rows."""
    last = next(reversed([*state.values()]), None)
    return len(last) if isinstance(last, Tensor) and last.dim() in (1, 2) else 0


def _categories(weights: Any) -> int:
    return len(weights.meta.get("categories", ())) if weights is not None else 0


def read_weights(file: Path) -> dict[str, Tensor]:
    """The state dict in a file, by itself or as training loops keep it, beside other things.

    Raises:
        CnnvizError: the file holds no tensors by name.
    """
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged file makes torch, zip or pickle raise
        raise CnnvizError(
            f"The weights '{file}' cannot be read ({said(error)}). Expected a state dict as "
            "torch.save(model.state_dict(), …) writes it; for others, load() of a Python file."
        ) from error
    while isinstance(state, Mapping) and (inner := [k for k in _WRAPPERS if _holds(state, k)]):
        state = state[inner[0]]
    if not isinstance(state, Mapping) or not any(isinstance(v, Tensor) for v in state.values()):
        raise CnnvizError(
            f"The file '{file}' holds no weights by name. Expected a state dict as "
            "torch.save(model.state_dict(), …) writes it."
        )
    # As they are called inside DataParallel and torch.compile.
    for prefix in ("module.", "_orig_mod."):
        if all(str(key).startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    return dict(state)


def _holds(state: Mapping[str, Any], key: str) -> bool:
    return isinstance(state.get(key), Mapping)


def fit_weights(model: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Give a network its weights.

    Raises:
        CnnvizError: some are missing, left over, or of another shape.
    """
    try:
        found = model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        shapes = str(error).split("\n\t")[-1]
        raise CnnvizError(f"The weights '{source}' do not fit the network: {shapes}") from error
    for what, keys in (("lacks", found.missing_keys), ("has besides", found.unexpected_keys)):
        if keys:
            others = f" and {len(keys) - 1} others" if len(keys) > 1 else ""
            raise CnnvizError(
                f"The weights '{source}' do not fit the network: the file {what} "
                f"'{keys[0]}'{others}. Give the weights of this very architecture."
            )
