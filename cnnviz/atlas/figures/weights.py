"""Figures of the atlas: all weights of a layer, the scores of the last one, and the whole net."""

from __future__ import annotations

from functools import partial

import numpy as np
from torch import Tensor

from cnnviz.atlas.figures.images import image
from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing import palettes
from cnnviz.drawing import weights as layer_mosaics
from cnnviz.drawing.matrices import matrix_chart
from cnnviz.drawing.mosaic import ColourMosaic, Mosaic, Scale, mosaic
from cnnviz.drawing.weights import WIDTH, divisor, small_png, unit_columns
from cnnviz.figure.figure import Figure, Legend, Links, Panel, Picture, Variant, picture
from cnnviz.inside.layers import Layer
from cnnviz.numbers import Write, fixed_or_zero, percent, significant, times
from cnnviz.words import Message, Say, message

HIGH = 116
"""Height in pixels of each layer in the overview."""


def figures(net: AtlasNet) -> dict[str, Figure]:
    """`overview_<net>`, `<net>_<layer>_weights` and `…_scores` of the output layer."""
    made = {f"overview_{net.name}": overview(net)}
    for layer in net.layers:
        if layer.form:
            made[f"{net.name}_{layer.name}_weights"] = weights(layer)
        if layer.kind == "output":
            made[f"{net.name}_{layer.name}_scores"] = scores(net, layer)
    return made


# ---------- Weights ----------


def weights(layer: Layer) -> Figure:
    """All weights of a layer; the reader chooses what shares a scale."""
    weight = layer.weight
    assert weight is not None
    part = message(f"variants.{_PARTS.get(layer.form, 'unit')}")
    variants = []
    scales: list[tuple[Message, Scale, Message]] = [
        (part, "map", message("scale of each", part=part)),
        (message("variants.layer"), "layer", message("scale of layer")),
    ]
    for name, scale, said in scales:
        drawn = layer_mosaics.DRAW[layer.form](weight, layer.maps, scale)
        png = Picture(small_png(drawn), drawn.width, drawn.height, min(16, WIDTH / drawn.width))
        columns = unit_columns(layer.form, len(weight)) or drawn.columns
        links = Links(layer.name, len(weight), columns)
        legend = _legend(drawn, scale != "map", said)
        variants.append(Variant(name, [Panel(png, links=links)], [legend]))
    return Figure(
        alt=message(
            "alt",
            layer=layer.name,
            shape=times(weight.shape),
            low=weight.min(),
            high=weight.max(),
            small=(np.abs(weight) < np.abs(weight).max() / 10).mean(),
        ),
        variants=variants,
        chosen=1,  # the whole layer: what is faint looks faint
        uses=[layer.net],
        drawn_by=weights,
    )


_PARTS = {"slices": "slice", "colours": "kernel"}


def _legend(drawn: Mosaic | ColourMosaic, shared: bool, scale: Message) -> Legend:
    """`shared`: all tiles have the same limits, which are written at the ends."""
    if isinstance(drawn, ColourMosaic):
        return Legend(message("legend", colours=True, scale=scale))
    low, high = "−max", "+max"
    if shared:
        low, high = (significant(float(end)) for end in drawn.limits[0])
    text = message("legend", colours=False, scale=scale)
    return Legend(text, palettes.css_gradient(drawn.palette), low, high)


# ---------- Scores ----------


def scores(net: AtlasNet, layer: Layer) -> Figure:
    """The output layer for all inputs of the atlas: logits, and probabilities by softmax."""
    logits, labels, names = net.outputs[layer.name], net.labels, net.classes  # (N, classes), (N,)
    shares = logits.softmax(1)
    wrong = (logits.argmax(1) != labels).tolist()
    rows = [names[i] + (" ✗" if w else "") for i, w in zip(labels.tolist(), wrong, strict=True)]

    def table(title: str, numbers: Tensor, write: Write) -> Panel:
        def draw(say: Say) -> str:
            return matrix_chart(
                numbers.numpy(),
                rows,
                names,
                title=say(title),
                row_title=say("y"),
                column_title=say("x"),
                write=write,
            )

        return Panel(draw, message(title))

    right = float(shares.gather(1, labels[:, None]).mean())
    return Figure(
        alt=message("alt", inputs=len(rows), right=right),
        panels=[
            table("titles.logits", logits, partial(fixed_or_zero, digits=1)),
            table("titles.probabilities", shares, partial(percent, digits=0)),
        ],
        legends=[Legend(message("legend"))],
        layout="column",
        uses=[layer.net],
        drawn_by=scores,
    )


# ---------- The whole network ----------


def overview(net: AtlasNet) -> Figure:
    """One input in every layer, in order, each layer on a scale of its own."""
    chosen = net.subject.example
    pixels = net.pixels[chosen]  # (1 or 3, H, W)
    size = message("input", shape=times(net.inputs.shape[1:]))
    panels = [Panel(image(pixels, HIGH / pixels.shape[1]), size)]
    for layer in net.layers:
        output = net.outputs[layer.name][chosen].numpy()
        if output.ndim == 1:
            rows = divisor(len(output)) if len(output) > 10 else len(output)
            output = output.reshape(1, rows, -1)
        drawn = mosaic(output, scale="layer")
        label = message("named", name=layer.name, what=times(layer.after))
        panels.append(Panel(picture(drawn, HIGH / drawn.height), label))
    signed, positive = (palettes.css_gradient(name) for name in ("diverging", "sequential"))
    return Figure(
        alt=message(
            "alt",
            label=net.classes[int(net.labels[chosen])],
            net=net.title,
            layers=[layer.name for layer in net.layers],
        ),
        panels=panels,
        legends=[
            Legend(message("legends.signed"), signed, "−max", "+max"),
            Legend(message("legends.positive"), positive, "0", "max"),
        ],
        layout="flow",
        uses=[net.name],
        drawn_by=overview,
    )
