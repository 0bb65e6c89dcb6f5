"""Figures of the chapter "How it learns": backpropagation through a tiny network."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from cnnviz.drawing.chain import Stage, chain
from cnnviz.figure.figure import Figure, Panel, message
from cnnviz.numbers import significant
from cnnviz.words import Say
from gen.context import Context

TINY = {"x": 2.0, "w": 0.5, "b": -0.2, "v": 1.5, "t": 2.0}
"""The tiny network of the chapter: v · relu(w·x + b) should be t."""


TWO = {"x": 2.0, "w1": 0.5, "w2": 0.25, "v1": 1.5, "v2": -1.0, "t": 2.0}
"""Two units side by side: v1 · relu(w1·x) + v2 · relu(w2·x) should be t."""


def _two_units() -> dict[str, float]:
    """What comes back to x by way of each of the two units, and what autograd has for x."""
    x = torch.tensor(TWO["x"], dtype=torch.float64, requires_grad=True)
    h1, h2 = F.relu(TWO["w1"] * x), F.relu(TWO["w2"] * x)
    z = TWO["v1"] * h1 + TWO["v2"] * h2
    loss = (z - TWO["t"]) ** 2
    dx, dz = (float(g) for g in torch.autograd.grad(loss, (x, z)))
    paths = {"first": dz * TWO["v1"] * TWO["w1"], "second": dz * TWO["v2"] * TWO["w2"]}
    return {**TWO, "h1": h1.item(), "h2": h2.item(), "z": z.item(), "dz": dz, "dx": dx} | paths


def _tiny(values: dict[str, float] = TINY) -> dict[str, float]:
    """Values and gradients of the tiny network, as autograd has them."""
    w, b, v = (torch.tensor(values[k], dtype=torch.float64, requires_grad=True) for k in "wbv")
    a = w * values["x"] + b
    h = F.relu(a)
    z = v * h
    loss = (z - values["t"]) ** 2
    names = ("w", "b", "v", "a", "h", "z")
    found = torch.autograd.grad(loss, (w, b, v, a, h, z))
    gradients = {f"d{name}": float(g) for name, g in zip(names, found, strict=True)}
    return {**values, "a": a.item(), "h": h.item(), "z": z.item(), "loss": loss.item()} | gradients


def backward(context: Context) -> Figure:
    """A network of two weights: values down, gradients up."""
    n = _tiny()
    show = significant
    stages = [
        Stage("x", n["x"]),
        Stage("a = w·x + b", n["a"], n["da"], "× 1 (a > 0)",
              [("w", n["w"], n["dw"], f"{show(n['da'])} × {show(n['x'])}"),
               ("b", n["b"], n["db"], f"{show(n['da'])} × 1")]),
        Stage("h = ReLU(a)", n["h"], n["dh"], f"× v = {show(n['v'])}"),
        Stage("z = v·h", n["z"], n["dz"], "2(z − t)",
              [("v", n["v"], n["dv"], f"{show(n['dz'])} × {show(n['h'])}")]),
        Stage("L = (z − t)²", n["loss"], 1.0),
    ]  # fmt: skip

    def draw(say: Say) -> str:
        headings = [say(f"headings.{key}") for key in ("forward", "backward", "parameters")]
        return chain(stages, headings, title=say("title"))

    return Figure(alt=message("alt", **n), panels=[Panel(draw)])


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    tiny = _tiny()
    stepped = {
        rate: _tiny(TINY | {name: tiny[name] - rate * tiny[f"d{name}"] for name in "wbv"})
        for rate in (0.02, 0.1)
    }
    return {
        "tiny": tiny,
        "two": _two_units(),
        "after": {"small": stepped[0.02]["loss"], "large": stepped[0.1]["loss"]},
        "dead": _tiny(TINY | {"b": -1.5}),
    }
