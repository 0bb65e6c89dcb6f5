"""Figures of the atlas: for the chosen input, how the loss changes with outputs and weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from msgspec.structs import replace
from torch import Tensor

from cnnviz.atlas.sections import drawable, units_of, units_shown
from cnnviz.atlas.sections import shown as sections
from cnnviz.atlas.sprites import PANEL, bands, sprite, stacked, tiles
from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing import palettes
from cnnviz.drawing.mosaic import Mosaic
from cnnviz.drawing.weights import WIDTH, signed_weights
from cnnviz.figure.figure import (
    Figure,
    Legend,
    Links,
    Message,
    Panel,
    Sprite,
    Variant,
    message,
)
from cnnviz.inside.gradients import Gradients, kernel_gradients, layer_gradients
from cnnviz.inside.layers import Floats, Layer
from cnnviz.numbers import significant


@dataclass(frozen=True)
class _Shown:
    """What one picture shows of a layer.

    Attributes:
        values: (N, …), for each input.
        label: what they are.
        signed: they lie on both sides of zero, as derivatives do.
        kernels: they are (N, units, in, k, k), a kernel for each unit; `form`: drawn how.
    """

    values: Tensor
    label: Message
    signed: bool = True
    kernels: bool = False
    form: str = "slices"

    @property
    def wide(self) -> bool:
        """Does it need the whole width of the page?"""
        return self.kernels and self.values.shape[2] > 1


def figures(net: AtlasNet) -> dict[str, Figure]:
    """`<net>_<layer>_gradients` for each layer that computes something."""
    wanted = [layer for layer in net.layers if "gradients" in sections(net, layer)]
    if not wanted:
        return {}
    found = layer_gradients(net.model, net.layers, net.inputs, net.labels)
    return {f"{net.name}_{layer.name}_gradients": gradients(net, layer, found) for layer in wanted}


def gradients(net: AtlasNet, layer: Layer, found: Gradients) -> Figure:
    """Derivatives of each input's loss with respect to a layer's outputs, and to its kernels."""
    output = found.outputs.get(layer.name)
    if output is not None:
        output = layer.units_first(output)
    else:  # the model overwrites it; autograd cannot reach it
        output = torch.zeros(len(net.inputs), *layer.shape)
    shown = [_Shown(output, message("panels.output", layer=layer.name))]
    if drawable(layer) and layer.name in found.inputs:
        units = units_shown(layer, net.limits.still)
        kernels = kernel_gradients(layer, found.inputs[layer.name], output)
        if layer.kind == "transposed":  # (N, in, out / groups, k, k)
            kernels = kernels.unflatten(1, (layer.groups, -1)).transpose(2, 3).flatten(1, 2)
        first = units if units < layer.units else None
        said = message("panels.kernels", first=first)
        shown.append(_Shown(kernels[:, :units], said, kernels=True, form=layer.form))
    elif layer.form and layer.axis == 0 and layer.name in found.inputs:
        given = found.inputs[layer.name]
        maps = given.view(len(given), *layer.maps) if layer.maps else given
        label = message("panels.input", layer=layer.name)
        shown.append(_Shown(maps, label, signed=bool((maps < 0).any())))
    variants = []
    for name in ("each", "all"):
        drawn = [_panel(one, name == "each", units_of(net, layer)) for one in shown]
        panels, legends = [panel for panel, _ in drawn], [legend for _, legend in drawn]
        # What holds for all of them is said once.
        scale = message(f"scales.{name}")
        text = message("meaning and scale", meaning=legends[-1].text, scale=scale)
        legends[-1] = replace(legends[-1], text=text)
        variants.append(Variant(message(f"names.{name}"), panels, legends))
    return Figure(
        alt=_alt(net, layer, output, found.losses),
        variants=variants,
        columns=1 if any(one.wide for one in shown) else len(shown),
        notes=_notes(net, found.losses, output),
        uses=[net.name],
        drawn_by=gradients,
    )


def _panel(shown: _Shown, own: bool, owner: Layer | None) -> tuple[Panel, Legend]:
    """One picture with a band for each input, and its legend.

    Args:
        own: each input has a scale of its own.
        owner: the layer with weights whose units are seen, if they are.
    """
    values, signed = shown.values, shown.signed
    peaks = values.abs().flatten(1).amax(1)  # (N,)
    whole = float(peaks.max())
    scales = [float(p) if own else whole for p in peaks]
    if shown.kernels:
        drawn = stacked(
            [
                _kernels(v, shown.form, scale)
                for v, scale in zip(values.numpy(), scales, strict=True)
            ]
        )
    else:
        shapes: Floats = tiles(values)
        drawn = stacked([
            bands(v[None], (-s if signed else 0.0, s), signed)
            for v, s in zip(shapes, scales, strict=True)
        ])  # fmt: skip
    links = None
    if owner and values.shape[1] == owner.units and not shown.kernels:
        links = Links(owner.name, values.shape[1], drawn.columns)
    width = WIDTH if shown.wide else PANEL
    content: Sprite = sprite(drawn, len(values), width, values.ndim > 2)
    ends = [(significant(-s if signed and s else 0.0), significant(s)) for s in scales]
    colours = message("signs are" if signed else "brightness")
    text = message("named", name=shown.label, what=colours)
    legend = Legend(text, palettes.css_gradient(drawn.palette), *ends[0], ends=ends if own else ())
    return Panel(content, shown.label, links=links), legend


def _kernels(weight: Floats, form: str, peak: float) -> Mosaic:
    if form == "matrix":
        weight = weight.reshape(weight.shape[:2])
    return signed_weights(weight, form, None, (-peak, peak))


def _notes(net: AtlasNet, losses: Tensor, output: Tensor) -> list[Message]:
    """For each input the loss, the probability of its class and the largest derivative."""
    peaks = output.abs().flatten(1).amax(1)  # (N,)
    told = zip(net.labels.tolist(), losses.tolist(), (-losses).exp(), peaks, strict=True)
    return [
        message("note", label=net.classes[label], probability=probability, loss=loss, largest=peak)
        for label, loss, probability, peak in told
    ]


def _alt(net: AtlasNet, layer: Layer, output: Tensor, losses: Tensor) -> Message:
    peaks = output.abs().flatten(1).amax(1)  # (N,)
    worst, best = int(losses.argmax()), int(losses.argmin())
    return message(
        "alt",
        net=net.title,
        layer=layer.name,
        loss=losses[worst],
        at_largest=peaks[worst],
        at_smallest=peaks[best],
    )
