"""The second figure of the home page: a photograph on its way through a deep network."""

from __future__ import annotations

from functools import partial
from typing import Any

from cnnviz.drawing import palettes
from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import Figure, Legend, Panel, Variant, message, picture
from cnnviz.nets.models import parameter_count
from cnnviz.numbers import times
from cnnviz.words import Say
from gen.context import Context
from gen.figures.home.home import answer_bars
from gen.figures.photograph.photograph import class_word, small, striking, top
from gen.figures.photographs import NAME, NAMES, classes, network, recorded

SHOWN = ("chelsea", "coffee", "china")
STAGES = {"block2": (2, 4, 1), "block6": (3, 9, 3), "block12": (4, 16, 4)}
"""Layer → maps a row, maps, how many times as large as they are."""


def journey(context: Context) -> Figure:
    """Three photographs on their way through EfficientNet-Lite0; the reader chooses one."""
    return Figure(
        alt=message("alt"),
        variants=[_journey_of(context, name) for name in SHOWN],
        layout="flow",
        uses=[NAME],
    )


def _journey_of(context: Context, name: str) -> Variant:
    index, found = NAMES.index(name), recorded(context)
    panels = [Panel(small(name), message("input"))]
    for layer, (columns, count, scale) in STAGES.items():
        values = found[layer]  # (9, C, H, W)
        maps = values[index, striking(values, index, count)].numpy()
        drawn = mosaic(maps, columns=columns, scale="layer", signed=True)
        label = message("stage", layer=layer, count=count, shape=times(values.shape[1:]))
        panels.append(Panel(picture(drawn, scale), label))
    panels.append(Panel(partial(_answers, top(context, name)), message("answers")))
    legend = Legend(message("legend"), palettes.css_gradient("diverging"), "−max", "+max")
    return Variant(message(f"names.{name}"), panels, [legend])


def _answers(best: list[tuple[str, float]], say: Say) -> str:
    names = [say(class_word(name)) for name, _ in best]
    return answer_bars(names, [share for _, share in best])


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the home page says of it."""
    return {"classes": len(classes()), "parameters": parameter_count(network(context))}
