"""Drawing every map of VGG-16 three ways: `python -m tests.bench.bench_rendering [--share 0.15]`.

The outputs of the 31 layers of torchvision's `vgg16().features` (random weights, one photograph at
224 px): 9,920 maps, 28.6 million values, one PNG a layer, every map scaled by its own limits.

- matplotlib: one axes per channel, `imshow`, `savefig` at native size. It takes minutes, so only
  a share of each layer's channels is drawn and its time and bytes are scaled up by the number of
  channels; `--share 1` draws them all.
- torchvision: `make_grid(normalize=True, scale_each=True)` and `save_image`.
- cnnviz: `mosaic` and its `png`, at the default level and at a smaller one.

The last three run in turn, three rounds, medians. All use one thread, the fairer choice: on a busy
machine two made torchvision four times slower. The project's limits, in processor time: 150 times
as fast as matplotlib; 8 times as fast as torchvision with at most 70 % of its bytes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib
import numpy as np
import torch
import torchvision
from matplotlib.figure import Figure
from torchvision.utils import make_grid, save_image

from cnnviz import record
from cnnviz.data import photos
from cnnviz.drawing.mosaic import mosaic

Layers = dict[str, torch.Tensor]  # name → (C, H, W)


def vgg_layers() -> Layers:
    """Every layer's output for the middle of one photograph, 224×224."""
    torch.manual_seed(0)
    photo = photos.load("china")  # (H, W, 3) uint8
    top, left = (photo.shape[0] - 224) // 2, (photo.shape[1] - 224) // 2
    square = torch.from_numpy(photo[top : top + 224, left : left + 224].copy())
    x = (square.permute(2, 0, 1)[None] / 255 - 0.45) / 0.225  # (1, 3, 224, 224)
    with torch.no_grad():
        outputs = record(torchvision.models.vgg16().eval().features, x)
    return {name: output[0].contiguous() for name, output in outputs.items()}


def by_matplotlib(maps: np.ndarray, path: Path) -> None:
    """One axes per channel, each as many pixels large as its map."""
    count, height, width = maps.shape
    columns = ceil(count**0.5)
    rows = ceil(count / columns)
    figure = Figure(figsize=(columns * width / 100, rows * height / 100), dpi=100)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    figure.subplots_adjust(0, 0, 1, 1, 0.02, 0.02)
    for ax in axes:
        ax.axis("off")
    for ax, values in zip(axes, maps, strict=False):
        ax.imshow(values)
    figure.savefig(path)


def by_torchvision(maps: torch.Tensor, path: Path) -> None:
    columns = ceil(len(maps) ** 0.5)
    grid = make_grid(maps[:, None], nrow=columns, padding=1, normalize=True, scale_each=True)
    save_image(grid, path)


def by_cnnviz(maps: torch.Tensor, path: Path, level: int) -> None:
    path.write_bytes(mosaic(maps.numpy()).png(level))


def measured(layers: Layers, draw: Callable[[torch.Tensor, Path], None]) -> dict[str, float]:
    """Seconds (process and wall) and bytes to draw all layers into fresh files."""
    with tempfile.TemporaryDirectory() as folder:
        cpu, wall = time.process_time(), time.perf_counter()
        for name, maps in layers.items():
            draw(maps, Path(folder, f"{name}.png"))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    return {"cpu_s": cpu, "wall_s": wall, "bytes": size}


def measured_share(layers: Layers, share: float) -> dict[str, float]:
    """matplotlib on the first channels of each layer, scaled up to all of them."""
    total = {"cpu_s": 0.0, "wall_s": 0.0, "bytes": 0.0}
    for name, maps in layers.items():
        part = maps[: ceil(share * len(maps))]
        cost = measured({name: part}, lambda maps, path: by_matplotlib(maps.numpy(), path))
        for key, value in cost.items():
            total[key] += value * len(maps) / len(part)
    return total


def compared(layers: Layers, share: float) -> list[dict[str, Any]]:
    """One row a way: matplotlib, torchvision, our default, our smaller."""
    first = {name: maps[:4] for name, maps in list(layers.items())[:2]}
    ways: dict[str, Callable[[torch.Tensor, Path], None]] = {
        "torchvision make_grid + save_image": by_torchvision,
        "cnnviz mosaic, PNG level 1 (default)": lambda maps, path: by_cnnviz(maps, path, 1),
        "cnnviz mosaic, PNG level 3": lambda maps, path: by_cnnviz(maps, path, 3),
    }
    for draw in ways.values():
        measured(first, draw)
    measured_share(first, 1)

    rounds = [{way: measured(layers, draw) for way, draw in ways.items()} for _ in range(3)]
    rows: list[dict[str, Any]] = [{"way": f"matplotlib, one axes per channel ({share:.0%} drawn)"}]
    rows[0] |= measured_share(layers, share)
    for way in ways:
        medians = {key: median(costs[way][key] for costs in rounds) for key in rounds[0][way]}
        rows.append({"way": way, **medians})
    ours = rows[2]
    for row in rows:
        row |= {f"{key} ratio": row[key] / ours[key] for key in ("cpu_s", "wall_s", "bytes")}
    return rows


def main(arguments: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Print the table and return its rows: way, cpu_s, wall_s, bytes, and ratios to cnnviz."""
    parser = argparse.ArgumentParser(description="Time three ways of drawing every map of VGG-16.")
    parser.add_argument("--share", type=float, default=0.15, help="of channels for matplotlib")
    share = parser.parse_args(arguments).share
    layers = vgg_layers()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rows = compared(layers, share)
    finally:
        torch.set_num_threads(threads)
    maps, values = (
        sum(n) for n in zip(*((len(m), m.numel()) for m in layers.values()), strict=True)
    )
    print(
        f"VGG-16, {len(layers)} layers, {maps:,} maps, {values:,} values; × of the default mosaic; "
        f"torch {torch.__version__} (1 thread), matplotlib {matplotlib.__version__}"
    )
    print(f"{'':46} {'CPU s':>8} {'×':>6} {'wall s':>8} {'×':>6} {'MB':>6} {'×':>5}")
    for row in rows:
        print(
            f"{row['way']:46} {row['cpu_s']:8.2f} {row['cpu_s ratio']:6.1f} "
            f"{row['wall_s']:8.2f} {row['wall_s ratio']:6.1f} "
            f"{row['bytes'] / 1e6:6.1f} {row['bytes ratio']:5.2f}"
        )
    return rows


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
