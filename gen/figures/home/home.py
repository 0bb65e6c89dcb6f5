"""The figure of the home page: one digit on its way through the whole network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from cnnviz.drawing import palettes
from cnnviz.drawing.mosaic import Mosaic, mosaic
from cnnviz.figure.figure import Figure, Legend, Panel, Variant, message, picture
from cnnviz.figure.kept import Said
from gen.context import Context


def journey(context: Context) -> Figure:
    """One digit of each class on its way through all layers; the reader chooses the digit."""
    return Figure(
        alt=message("alt"),
        variants=[_journey_of(context, digit) for digit in range(10)],
        layout="flow",
        chosen=7,
        uses=["lenet"],
    )


def _journey_of(context: Context, digit: int) -> Variant:
    outputs = context.recording("lenet")
    peaks = {layer: float(outputs[layer].max()) for layer in ("pool1", "pool2", "relu3", "relu4")}
    image = mosaic(context.examples[digit].numpy(), scale=(0, 255), palette="grey")
    pool1 = mosaic(outputs["pool1"][digit].numpy(), columns=2, scale=(0, peaks["pool1"]))
    pool2 = mosaic(outputs["pool2"][digit].numpy(), columns=4, scale=(0, peaks["pool2"]))
    fc1 = mosaic(outputs["relu3"][digit].reshape(1, 15, 8).numpy(), scale=(0, peaks["relu3"]))
    fc2 = mosaic(outputs["relu4"][digit].reshape(1, 14, 6).numpy(), scale=(0, peaks["relu4"]))
    stages: list[tuple[Mosaic, float, Said]] = [
        (image, 6.6, message("input")),
        (pool1, 4.2, message("block 1")),
        (pool2, 8, message("block 2")),
        (fc1, 12.3, message("named", name="fc1", what=120)),
        (fc2, 13.2, message("named", name="fc2", what=84)),
    ]
    panels = [Panel(picture(drawn, scale), label) for drawn, scale, label in stages]
    probabilities = outputs["output"][digit].softmax(0).tolist()
    answer = answer_bars(context.test.class_names, probabilities)
    panels.append(Panel(answer, message("probabilities")))
    legend = Legend(message("legend"), palettes.css_gradient("sequential"), "0", "max")
    return Variant(context.test.class_names[digit], panels, [legend])


def answer_bars(names: Sequence[str], probabilities: Sequence[float]) -> str:
    """A row for each class with a bar as long as its probability."""
    best = max(probabilities)
    rows = "".join(
        f'<tr{" class=best" if share == best else ""}><th scope="row">{escape(name)}</th>'
        f'<td style="--v:{share:.3f}">{share:.0%}</td></tr>'
        for name, share in zip(names, probabilities, strict=True)
    )
    return f'<table class="answer-bars"><tbody>{rows}</tbody></table>'


def numbers(context: Context) -> dict[str, Any]:
    """How much the site shows."""
    outputs = context.recording("lenet")
    return {
        "channels": sum(output.shape[1] for name, output in outputs.items() if "conv" in name),
        # Flattening computes nothing: it copies.
        "values": sum(o[0].numel() for name, o in outputs.items() if name != "flatten"),
    }
