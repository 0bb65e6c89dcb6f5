"""Figures of the atlas: all weights of a layer, the scores of the last one, and the whole net."""

from __future__ import annotations

from functools import partial

import numpy as np
from torch import Tensor

from cnnviz.atlas.figures.images import class_of, image
from cnnviz.atlas.sections import shown, units_shown
from cnnviz.atlas.subject import AtlasNet, Limits
from cnnviz.drawing import palettes
from cnnviz.drawing import weights as layer_mosaics
from cnnviz.drawing.matrices import matrix_chart
from cnnviz.drawing.mosaic import ColourMosaic, Mosaic, Scale, mosaic
from cnnviz.drawing.weights import WIDTH, divisor, small_png, unit_columns
from cnnviz.figure.figure import Figure, Legend, Links, Panel, Picture, Variant, picture
from cnnviz.inside.layers import Layer
from cnnviz.numbers import Write, fixed_or_zero, percent, significant, times
from cnnviz.words import Message, Say, message

MANY = 20
"""So many classes at most a table of scores has."""

HIGH = 116
"""Height in pixels of each layer in the overview."""


def figures(net: AtlasNet) -> dict[str, Figure]:
    """`overview_<net>`, `<net>_<layer>_weights` and `…_scores` of the output layer."""
    made = {f"overview_{net.name}": overview(net)}
    for layer in net.layers:
        sections = shown(net, layer)
        if "weights" in sections:
            made[f"{net.name}_{layer.name}_weights"] = weights(layer, net.limits.weights)
        if "scores" in sections:
            made[f"{net.name}_{layer.name}_scores"] = scores(net, layer)
    return made


# ---------- Weights ----------


def weights(layer: Layer, most: int = Limits.weights) -> Figure:
    """All weights of a layer, `most` of them; the reader chooses what shares a scale."""
    weight = layer.kernels
    assert weight is not None
    weight = weight[: units_shown(layer, most)]
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
        links = Links(layer.name, len(weight), columns) if layer.has_units else None
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


_PARTS = {"slices": "slice", "colours": "kernel", "depthwise": "kernel"}


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
    # Of many classes a table holds those that are the truth or an answer somewhere.
    columns = _columns(shares, labels)
    names = [names[i] for i in columns]

    def table(title: str, numbers: Tensor, write: Write) -> Panel:
        def draw(say: Say) -> str:
            return matrix_chart(
                numbers[:, columns].numpy(),
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


def _columns(shares: Tensor, labels: Tensor) -> list[int]:
    """Numbers of all classes, or of those that matter most for these inputs."""
    if shares.shape[1] <= MANY:
        return list(range(shares.shape[1]))
    weight = shares.amax(0)  # (classes,)
    weight[labels] += 1  # the truth comes first
    return sorted(weight.topk(MANY).indices.tolist())


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
        elif output.ndim == 2:  # places in a row
            output = output[None]
        elif output.ndim > 3:
            output = output.reshape(len(output), -1, output.shape[-1])
        drawn = mosaic(output, scale="layer")
        label = message("named", name=layer.name, what=times(layer.after))
        panels.append(Panel(picture(drawn, HIGH / drawn.height), label))
    signed, positive = (palettes.css_gradient(name) for name in ("diverging", "sequential"))
    return Figure(
        alt=message(
            "alt",
            label=class_of(net, chosen),
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
