"""Figures of the atlas: the inputs to choose from, and what each layer makes of the chosen one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from torch import Tensor

from cnnviz.atlas.addresses import unit_name
from cnnviz.atlas.figures.images import image
from cnnviz.atlas.sections import Pair, function_of, pair, shown
from cnnviz.atlas.sprites import bands, shrinking, sprite, tiles
from cnnviz.atlas.subject import AtlasNet
from cnnviz.drawing import palettes
from cnnviz.drawing.mosaic import Mosaic
from cnnviz.figure.figure import GREY_LEGEND, Figure, Legend, Links, Panel, Variant
from cnnviz.inside.layers import KINDS, Floats, Layer
from cnnviz.numbers import significant, times
from cnnviz.words import Message, message

THUMBNAIL = 36
"""Width in pixels of an input to choose."""

STRONGEST, FEW = 5, 16
"""Units that the line below the pictures names: the strongest ones, or all if they are few."""


def figures(net: AtlasNet) -> dict[str, Figure]:
    """`<net>_inputs`, and `<net>_<layer>_activations` where a layer does not share another's."""
    made = {f"{net.name}_inputs": inputs(net)}
    addresses = {shown(net, layer)["activations"]: layer for layer in reversed(net.layers)}
    for address, layer in reversed(addresses.items()):
        made[address.rpartition("/")[2]] = activations(net, layer)
    return made


def inputs(net: AtlasNet) -> Figure:
    """The inputs, each with its class and what the network answers."""
    panels, wrong = [], 0
    for number, pixels in enumerate(net.pixels):
        said, alt, misread = _read(net, number)
        wrong += misread
        panels.append(Panel(image(pixels, THUMBNAIL / pixels.shape[2]), said, alt))
    alt = message("alt", inputs=len(panels), wrong=wrong, net=net.title)
    return Figure(
        alt=alt if net.labelled else message("unlabelled", inputs=len(panels), net=net.title),
        panels=panels,
        legends=[GREY_LEGEND] if net.pixels.shape[1] == 1 else [],
        layout="inputs",
        uses=[net.name],
        drawn_by=inputs,
    )


def _read(net: AtlasNet, number: int) -> tuple[str, Message, bool]:
    """What stands below an input, what it is called, and whether it is misread."""
    answer = ""
    if net.classes:
        said = int(net.answers[number])
        answer = net.classes[said] if said < len(net.classes) else str(said)
    if not net.labelled:
        name = str(net.subject.shown[number])
        told = f"{name} → {answer}" if answer else name
        return told, message("unlabelled input", number=name, answer=answer, net=net.title), False
    true = int(net.labels[number])
    label, wrong = net.classes[true], true != said
    alt = message("input", label=label, answer=answer, net=net.title, wrong=wrong)
    return f"{label} → {answer}{' ✗' if wrong else ''}", alt, wrong


def activations(net: AtlasNet, layer: Layer) -> Figure:
    """What goes in and what comes out for the chosen input; trained, and with random weights."""
    seen = pair(net, layer)
    trained = seen.values(net.outputs, net.inputs)
    random = seen.values(net.random_outputs, net.inputs)
    silent = KINDS[layer.kind].silent  # with random weights it would do the same
    rows = [[t] if silent else [t, r] for t, r in zip(trained, random, strict=True)]
    peaks = _peaks([x for row in rows[: seen.drawn_alike] for x in row])
    smaller = max(shrinking(values.shape) for values in trained)
    variants = []
    for key in ("map" if trained[-1].ndim > 2 else "input", "layer", "net"):
        drawings: list[tuple[Mosaic, bool]] = []
        for index, row in enumerate(rows):
            probabilities = index >= seen.drawn_alike  # they have a scale of their own
            for values in row:
                drawn = _drawn(values, "share" if probabilities else key, peaks, net.largest)
                drawings.append((drawn, probabilities))
        panels = _panels(seen, rows, [drawn for drawn, _ in drawings])
        scale = message(f"scales.{'pair' if silent and key == 'layer' else key}")
        legends = _legends(drawings, key, scale)
        if smaller > 1:
            legends.append(Legend(message("smaller", factor=smaller)))
        variants.append(Variant(message(f"variants.{key}"), panels, legends))
    return Figure(
        alt=_alt(net, seen, rows),
        variants=variants,
        chosen=1,  # the whole layer: what is faint looks faint
        columns=2,
        notes=[] if silent else _notes(seen, trained[-1 if seen.second else 0]),
        uses=[net.name],
        drawn_by=activations,
    )


def _panels(seen: Pair, rows: list[list[Tensor]], drawings: list[Mosaic]) -> list[Panel]:
    """Each drawing with its name; they become files side by side, which takes longest."""
    every = [x for row in rows for x in row]
    with ThreadPoolExecutor() as pool:
        sprites = list(pool.map(lambda d, x: sprite(d, len(x), maps=x.ndim > 2), drawings, every))
    panels, found = [], iter(zip(drawings, sprites, strict=True))
    for index, row in enumerate(rows):
        for copy, values in enumerate(row):
            drawn, made = next(found)
            links = None
            if seen.units and not copy and values.shape[1] == seen.units.units:
                links = Links(seen.units.name, values.shape[1], drawn.columns)
            label = _label(seen, index, copy if len(row) > 1 else None)
            panels.append(Panel(made, label, links=links))
    return panels


def _peaks(drawn: list[Tensor]) -> dict[bool, float]:
    """Largest absolute value of what has negative numbers, and of what has none."""
    return {
        signed: max((float(x.abs().max()) for x in drawn if _signed(x) == signed), default=0.0)
        for signed in (True, False)
    }


def _signed(values: Tensor) -> bool:
    return bool((values < 0).any())


def _drawn(values: Tensor, key: str, peaks: dict[bool, float], whole: float) -> Mosaic:
    """One picture with a band for each input."""
    shapes: Floats = tiles(values)
    signed = _signed(values)
    if key == "share":
        return bands(shapes, (0, 1), signed=False)
    if key == "net":
        return bands(shapes, (-whole, whole), signed=True)
    if key == "layer":
        peak = peaks[signed]
        return bands(shapes, (-peak if signed else 0.0, peak), signed=signed)
    return bands(shapes, "map" if key == "map" else "layer", signed=signed)


def _label(seen: Pair, index: int, copy: int | None) -> Message | str:
    """What stands above a picture; `copy` is 0 for trained, 1 for random weights."""
    layer = seen.second if index else seen.first
    what: Message | str
    if layer is None:
        what = message("names.probabilities" if index else "names.input")
    elif seen.activated and seen.second and not seen.between:
        function = function_of(seen.second)
        key = "names.after" if index else "names.before"
        what = message(key, layer=layer.name, function=function)
    else:
        what = layer.name
    if copy is None:
        return what
    return message("panels.random" if copy else "panels.trained", what=what)


def _legends(drawings: list[tuple[Mosaic, bool]], key: str, scale: Message) -> list[Legend]:
    """One for each way of colouring that there is.

    Args:
        drawings: each with whether it shows probabilities, which are always from 0 to 1.
        scale: says what shares the scale of all others; it stands once, in the last of their
            legends.
    """
    ways = {(drawn.signed, probabilities): drawn for drawn, probabilities in drawings}
    last = [way for way in ways if not way[1]][-1]
    legends = []
    for way, drawn in ways.items():
        signed, probabilities = way
        low, high = ("−max", "+max") if signed else ("0", "max")
        if key in ("layer", "net") or probabilities:
            low, high = (significant(float(end)) for end in drawn.limits[0])
        text = message(
            "legend",
            probabilities=probabilities,
            signed=signed,
            scale=scale if way == last else None,
        )
        legends.append(Legend(text, palettes.css_gradient(drawn.palette), low, high))
    return legends


def _notes(seen: Pair, values: Tensor) -> list[Message]:
    """For each input the strongest units, with links, and how many numbers are above zero."""
    peaks = values.flatten(2).amax(2) if values.ndim > 2 else values  # (N, C)
    units = seen.units if seen.units and seen.units.units == peaks.shape[1] else None
    layer = next(x for x in (seen.second, seen.first) if x)
    notes = []
    for own, all_values in zip(peaks, values, strict=True):
        order = own.argsort(descending=True, stable=True).tolist()
        every = len(order) <= FEW
        rows = []  # part of an address or "", name, largest value
        for index in order if every else [i for i in order[:STRONGEST] if own[i] != 0]:
            name = unit_name(index, len(own)) if units else str(index)
            rows.append([f"{units.name}/{name}" if units else "", name, float(own[index])])
        notes.append(
            message(
                "note",
                layer=layer.name,
                units=rows,
                every=every,
                maps=values.ndim > 2,
                positive=float((all_values > 0).float().mean()),
            )
        )
    return notes


def _alt(net: AtlasNet, seen: Pair, rows: list[list[Tensor]]) -> Message:
    sizes = [float(x.abs().max()) for x in rows[0]]
    layer = seen.first or seen.second
    assert layer
    return message(
        "alt",
        net=net.title,
        layer=layer.name,
        shape=times(rows[-1][0].shape[1:]),
        trained=sizes[0],
        random=sizes[1] if len(sizes) > 1 else None,
    )
