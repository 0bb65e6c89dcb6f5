"""`cnnviz.look`: a network over images, to be asked in a notebook; answers are seen and saved."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnviz.drawing.mosaic import ColourMosaic, Mosaic, colour_mosaic, mosaic
from cnnviz.drawing.weights import DRAW
from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.figure.figure import GREY_LEGEND, Legend, Picture, scale_legend
from cnnviz.inside import ablation, feature_visualization, patches, recording
from cnnviz.inside.receptive_field import ReceptiveFields, receptive_fields
from cnnviz.numbers import percent, signed, times
from cnnviz.own.images import open_images
from cnnviz.own.models import Opened, as_module, renamed
from cnnviz.own.prepared import Images, preparation
from cnnviz.own.sample import first_look
from cnnviz.own.shown import Outputs, Shown, Table
from cnnviz.own.subjects import subject_of
from cnnviz.own.summary import Summary, summary
from cnnviz.words import message

WIDTH, LARGEST = 640, 8
"""A picture is shown about so many pixels wide, and at most so many times as large."""


def look(
    model: nn.Module,
    images: Any,
    classes: Sequence[str] | None = None,
    labels: Any = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    name: str = "net",
    *,
    size: int | tuple[int, int] | None = None,
    language: str = "en",
) -> Look:
    """A network over images, to be looked into step by step.

    Args:
        model: any module; it is looked at in evaluation mode.
        images: a tensor (N, C, H, W) of values from 0 to 1, a folder of photographs (with a folder
            for each class, or flat), a list of paths, or a Dataset.
        classes: names of the network's outputs.
        labels: (N,) true classes of the images, if they do not tell them.
        mean: of each channel, taken off as in training; none for values from 0 to 1.
        std: of each channel, divided by.
        name: what the network is called.
        size: to which images are brought: one side of a square, or (height, width).
        language: of titles and legends, "en" or "zh".

    Raises:
        CnnvizError: no network, no images, or they do not fit each other.
    """
    model = as_module(model, "look")
    wanted = (size, size) if isinstance(size, int) else size
    made = preparation(model, size=wanted, mean=tuple(mean or ()), std=tuple(std or ()))
    found = open_images((images, labels) if labels is not None else images, made)
    opened = renamed(Opened(model, name, name, classes=tuple(classes or ())), name, name)
    return Look(opened, found, language)


class Look:
    """A network over images; see `look`.

    Layers are named as `cnnviz.record` names them.

    Attributes:
        model: the network.
        images: as the network wants them, read when asked for; `images.show` undoes that.
        subject: the same as the atlas takes it.
        notes: what is worth knowing about how images and network fit.
    """

    def __init__(self, opened: Opened, images: Images, language: str = "en") -> None:
        self.model, self.images, self.language = opened.model, images, language
        self.title = opened.title
        self._device = next((p.device for p in self.model.parameters()), torch.device("cpu"))
        sample = first_look(self.model, images, self._device)
        self.subject, notes = subject_of(opened, images, sample)
        self.notes = [*images.notes, *notes]

    def __repr__(self) -> str:
        shape = times(self.images.shape)
        lines = [f"{self.title} over images of {shape}", *(f"Note: {note}" for note in self.notes)]
        return "\n".join(lines)

    def summary(self) -> Summary:
        """Names, kinds, shapes, parameters, multiplications and receptive fields of all layers."""
        return summary(self.model, self.images.shape[1:], self.title)

    def record(self, x: Any = None) -> Outputs:
        """Every layer's output for `x`, by name; for the first image if none is given."""
        with torch.no_grad(), recording.eval_mode(self.model):
            inputs = self.images[:1].to(self._device) if x is None else x
            return Outputs(recording.record(self.model, inputs))

    def filters(self, layer: str) -> Shown:
        """The weights of a layer: kernels as tiles, in colour over three channels; else a matrix.

        Raises:
            CnnvizError: no such layer, or it has no weights.
        """
        modules = dict(self.model.named_modules())
        if layer not in modules:
            raise unknown_name("layer", layer, modules)
        weight = getattr(modules[layer], "weight", None)
        if not isinstance(weight, Tensor) or weight.dim() not in (2, 4):
            kind = type(modules[layer]).__name__
            raise CnnvizError(
                f"Layer '{layer}' ({kind}) has no kernels and no matrix of weights to draw. "
                "Take a convolution or a fully connected layer."
            )
        values = weight.detach().float().cpu().numpy()  # (out, in, k, k) or (out, in)
        if values.ndim == 4 and values.shape[1] == 1:
            drawn: Mosaic | ColourMosaic = mosaic(values[:, 0], scale="layer", signed=True)
        else:
            form = "matrix" if values.ndim == 2 else "colours" if values.shape[1] == 3 else "slices"
            drawn = DRAW[form](values, None, "layer")
        return self._shown(drawn, "filters", layer)

    def maps(self, layer: str, image: int = 0) -> Shown:
        """What a layer makes of one image: its maps as tiles, or a square for each unit."""
        inputs = self.images[[image]].to(self._device)
        with torch.no_grad():
            output = recording.record(self.model, inputs, layers=[layer])[layer]
        values = output[0].detach().float().cpu().numpy()
        if values.ndim != 3:
            values = values.reshape(-1, 1, 1).repeat(8, 1).repeat(8, 2)
        drawn = mosaic(values, scale="layer")
        return self._shown(drawn, "maps", layer, image=image)

    def top(self, layer: str, units: Sequence[int] | None = None, count: int = 9) -> Shown:
        """Where units of a layer answer most in all images: a row each, strongest first.

        Args:
            units: numbers of channels; the first eight if not given.
            count: images a unit.
        """
        count = min(count, len(self.images))
        found = patches.extremes(self.model, [layer], self.images, count)[layer].most
        chosen = self._units(units, len(found.image), layer)
        some = patches.Answers(
            *(part[chosen] for part in (found.image, found.row, found.column, found.value))
        )
        field = self.fields().get(layer)
        small = field is not None and all(
            f < side for f, side in zip(field.size, self.images.shape[2:], strict=True)
        )
        if field is not None and small:
            seen = patches.cut(self.images, some, field)  # (units, count, C, h, w)
        else:
            whole = self.images[some.image.flatten()]  # (units · count, C, H, W)
            seen = whole.unflatten(0, some.image.shape)
        drawn = self._pixels(self.images.show(seen), count)
        return self._shown(drawn, "top", layer, units=chosen)

    def optimise(self, layer: str, units: Sequence[int] | None = None, **options: Any) -> Shown:
        """Inputs made by gradient ascent that units of a layer answer most to: one each.

        Args:
            units: numbers of channels; the first eight if not given.
            options: of `cnnviz.maximise`, such as `steps`.
        """
        with torch.no_grad():
            inputs = self.images[:1].to(self._device)
            channels = recording.record(self.model, inputs, layers=[layer])[layer].shape[1]
        chosen = self._units(units, channels, layer)
        small = min(self.images.shape[2:]) <= 64  # larger ones need more than pixels: see maximise
        options = {
            "starts": 1,
            "parameters": "pixels" if small else "fourier",
            "prepare": self.images.preparation.feed,
            **options,
        }
        made = feature_visualization.maximise(
            self.model, layer, torch.tensor(chosen), self.images.shape[1:], **options
        )
        drawn = self._pixels(made.images.flatten(0, 1)[:, None], None)
        return self._shown(drawn, "optimise", layer, units=chosen)

    def ablate(self, layer: str, units: Sequence[int] | None = None) -> Table:
        """How well it reads with each unit of a layer switched off: the worst loss first.

        Raises:
            CnnvizError: nobody knows the classes of the images.
        """
        labels, classes = self.subject.labels, len(self.subject.classes)
        if labels is None:
            raise CnnvizError(
                "Ablation compares answers with true classes, which nobody gave. Give labels=…, "
                "or a folder for each class."
            )
        off = ablation.ablate(self.model, layer, self.images, labels, classes, units=units)
        accuracy, loss = off.accuracy.nanmean(1).tolist(), off.loss.nanmean(1).tolist()
        numbers = list(units) if units is not None else list(range(len(loss)))
        rows = sorted(zip(numbers, accuracy, loss, strict=True), key=lambda row: -row[2])
        written = [(str(unit), percent(a), signed(x, 3).lstrip("+")) for unit, a, x in rows]
        return Table(("unit off", "accuracy", "loss"), rows, written, f"{self.title}, {layer}")

    def fields(self, gates: bool = True) -> ReceptiveFields:
        """The receptive field of every layer; `unknown` says why others have none."""
        return receptive_fields(self.model, self.images[:1], gates=gates)

    def atlas(
        self, out: Path | str, languages: Sequence[str] = ("en", "zh"), **options: Any
    ) -> None:
        """Draw the atlas of the network into a folder; `options` as in `cnnviz atlas`."""
        from cnnviz.atlas.folder import Options, write_atlas

        write_atlas(self.subject, Path(out), languages, Options(**options))

    # --- Pictures -------------------------------------------------------------------------------

    def _units(self, units: Sequence[int] | None, channels: int, layer: str) -> list[int]:
        chosen = list(range(min(8, channels))) if units is None else [int(unit) for unit in units]
        if wrong := [unit for unit in chosen if not 0 <= unit < channels]:
            raise CnnvizError(
                f"Layer '{layer}' has units 0 to {channels - 1}; there is no unit {wrong[0]}."
            )
        return chosen

    def _pixels(self, seen: Tensor, columns: int | None) -> Mosaic | ColourMosaic:
        """Images (rows, columns, C, h, w) from 0 to 1 as tiles, grey unless they have colours."""
        tiles = (255 * seen.flatten(0, 1).clamp(0, 1)).round().cpu().numpy()  # (n, C, h, w)
        if tiles.shape[1] == 3:
            return colour_mosaic(tiles.astype(np.uint8), columns=columns, scale=(0, 255))
        return mosaic(tiles.mean(1), columns=columns, scale=(0, 255), palette="grey")

    def _shown(self, drawn: Mosaic | ColourMosaic, key: str, layer: str, **values: Any) -> Shown:
        times_larger = min(LARGEST, max(1, WIDTH // drawn.width))
        picture = Picture(drawn.png(level=9), drawn.width, drawn.height, times_larger)
        legend: Legend | None = None
        if isinstance(drawn, Mosaic):
            grey = key in ("top", "optimise")
            legend = GREY_LEGEND if grey else scale_legend(drawn, "layer", layer)
        return Shown(picture, message(f"look.{key}", layer=layer, **values), legend, self.language)
