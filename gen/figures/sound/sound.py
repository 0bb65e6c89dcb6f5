"""Figures of the chapter "Sound": a one-dimensional convolutional network on calls in noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnviz.drawing.mosaic import mosaic
from cnnviz.drawing.run_charts import seed_chart
from cnnviz.drawing.waves import wave_rows
from cnnviz.figure.figure import (
    Drawing,
    Figure,
    Legend,
    Panel,
    Variant,
    message,
    picture,
    scale_legend,
)
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figures.brief_nets import MaxOverTime, accuracy, fit, outputs, with_output_fitted
from gen.figures.calls import (
    CALL,
    DETUNED,
    HIGH,
    KINDS,
    LENGTH,
    LOW,
    NOISE,
    RATE,
    Clips,
    made,
)

SEEDS = range(3)
TRAIN, TEST, STEPS, RATE_OF_LEARNING = 2000, 500, 160, 3e-3
TAPS, STRIDE, KERNELS, HIDDEN = 64, 8, 8, 10
PIECE = 60  # six whole waves of the low tone

BAND = (LOW * (1 - DETUNED), HIGH * (1 + DETUNED))
"""All frequencies that a call can have, in hertz."""

_FFT = 512  # kernels are filled up with zeros to so many numbers: a smooth spectrum
_FIELD, _JUMP = 280, 32  # numbers that a value of the last maps sees, and from one to the next


def _network(seed: int) -> nn.Sequential:
    """Sounds (N, 1, 1024) to scores (N, 5)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv1d(1, KERNELS, TAPS, stride=STRIDE), nn.ReLU(), nn.MaxPool1d(2),  # (N, 8, 60)
            nn.Conv1d(KERNELS, 16, 5), nn.ReLU(), nn.MaxPool1d(2),  # (N, 16, 28)
            nn.Conv1d(16, 16, 5), nn.ReLU(), MaxOverTime(), nn.Linear(16, len(KINDS)),
        )  # fmt: skip


def _mlp(seed: int) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Flatten(), nn.Linear(LENGTH, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, len(KINDS))
        )


def _parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@shared
def _clips(context: Context, seed: int) -> tuple[Clips, Clips, Clips]:
    """To learn from, to test, and to test with the calls where none was in training."""
    return made(TRAIN, 3 * seed), made(TEST, 3 * seed + 1), made(TEST, 3 * seed + 2, late=True)


@dataclass(frozen=True)
class Run:
    """What was trained with one seed: the network, and the accuracies (early, late) of each way."""

    net: nn.Sequential
    right: dict[str, tuple[float, float]]


WAYS = ("network", "frozen", "output", "mlp")


@shared
def _run(context: Context, seed: int) -> Run:
    train, early, late = _clips(context, seed)
    budget: dict[str, Any] = {"steps": STEPS, "rate": RATE_OF_LEARNING, "seed": seed}
    network, frozen, mlp = _network(seed), _network(seed), _mlp(seed)
    fit(network, train.sounds, train.kinds, **budget)
    frozen[0].requires_grad_(False)
    fit(frozen, train.sounds, train.kinds, **budget)
    fit(mlp, train.sounds, train.kinds, **budget)
    twin = with_output_fitted(_network(seed), train.sounds, train.kinds)
    right = {
        name: (accuracy(net, early.sounds, early.kinds), accuracy(net, late.sounds, late.kinds))
        for name, net in zip(WAYS, (network, frozen, twin, mlp), strict=True)
    }
    return Run(network, right)


def _first_kernels(net: nn.Sequential) -> Tensor:
    """Weights of the first layer, (8, 64)."""
    layer = net[0]
    assert isinstance(layer, nn.Conv1d)
    return layer.weight.detach()[:, 0]


def _spectra(kernels: Tensor) -> Tensor:
    """How strongly each kernel answers to each frequency from 0 to RATE / 2, (8, 257)."""
    return torch.fft.rfft(kernels, _FFT).abs()


def _in_band(kernels: Tensor) -> Tensor:
    """The share of the energy of each kernel that lies in the band of the calls, (8,)."""
    energy = _spectra(kernels).square()
    frequencies = torch.fft.rfftfreq(_FFT, 1 / RATE)
    band = (frequencies >= BAND[0]) & (frequencies <= BAND[1])
    return energy[:, band].sum(1) / energy.sum(1)


def _scores(net: nn.Sequential, sounds: Tensor) -> Tensor:
    """The output layer at each place of the last maps, before the largest is taken, (N, 5, 24)."""
    output = net[-1]
    assert isinstance(output, nn.Linear)
    maps = outputs(net[:-2], sounds)  # (N, 16, 24)
    weighted = torch.einsum("nct,kc->nkt", maps, output.weight.detach())
    return weighted + output.bias.detach()[:, None]


def _found(net: nn.Sequential, clips: Clips) -> float:
    """How often the place with the largest score of the true kind has its middle in the call."""
    scores = _scores(net, clips.sounds)[torch.arange(len(clips.kinds)), clips.kinds]  # (N, 24)
    middle = scores.argmax(1) * _JUMP + _FIELD / 2
    return float(((middle >= clips.starts) & (middle < clips.starts + CALL)).double().mean())


def _on_swept(net: nn.Sequential, clips: Clips) -> float:
    """Accuracy on rising and falling calls alone, whose frequencies are the same."""
    swept = (clips.kinds == KINDS.index("rising")) | (clips.kinds == KINDS.index("falling"))
    return accuracy(net, clips.sounds[swept], clips.kinds[swept])


def _by_chance(clips: Clips) -> float:
    """How often a place that is drawn by lot has its middle in the call."""
    middles = torch.arange(24) * _JUMP + _FIELD / 2
    starts = clips.starts[:, None]
    return float(((middles >= starts) & (middles < starts + CALL)).double().mean())


@shared
def _examples(context: Context) -> Clips:
    """One clip of each kind, which the network has not learned from."""
    return made(len(KINDS), 77, late=True, kinds=torch.arange(len(KINDS)))


def _ticks(count: int) -> list[tuple[float, str]]:
    """Seconds below so many numbers."""
    return [(0.0, "0"), (0.5, f"{count / RATE / 2:.3g}"), (1.0, f"{count / RATE:.3g} s")]


def clips(context: Context) -> Figure:
    """The call of each kind, and the clip in which the network gets it."""
    examples = _examples(context)
    calls = torch.stack([
        clean[0, start : start + CALL]
        for clean, start in zip(examples.clean, examples.starts.tolist(), strict=True)
    ])  # fmt: skip
    sounds = {"call": (calls, CALL), "clip": (examples.sounds[:, 0], LENGTH)}
    panels = []
    for name, (rows, count) in sounds.items():

        def draw(say: Say, name: str = name, rows: Tensor = rows, count: int = count) -> str:
            return wave_rows(
                rows.numpy(),
                names=[say(f"kinds.{kind}") for kind in KINDS],
                title=say(f"panels.{name}"),
                ticks=_ticks(count),
                width=270,
                height=40,
            )

        panels.append(Panel(draw, message(f"panels.{name}")))
    loudest = float(examples.sounds.abs().max())
    legend = Legend(message("legend", call=1.0, clip=loudest))
    return Figure(alt=message("alt"), panels=panels, legends=[legend])


@shared
def _products(context: Context) -> dict[str, tuple[Tensor, float]]:
    """Pieces of a sound (60,), and the sum of each times a piece of the low tone, through 30."""
    turns = torch.arange(PIECE) / RATE
    kernel = torch.sin(2 * math.pi * LOW * turns)
    noise = NOISE * torch.randn(PIECE, generator=torch.Generator().manual_seed(5))
    pieces = {
        "in_step": kernel,
        "quarter": torch.sin(2 * math.pi * (LOW * turns + 0.25)),
        "other": torch.sin(2 * math.pi * HIGH * turns),
        "noise": kernel + noise,
    }
    return {
        name: (piece, round(float(piece @ kernel) / (PIECE / 2), 6) + 0.0)
        for name, piece in pieces.items()
    }


def product(context: Context) -> Figure:
    """A piece of sound, times a piece of a tone, and the products, whose sum is the answer."""
    found = _products(context)
    kernel = found["in_step"][0]
    panels = []
    for name, (piece, total) in found.items():
        label = message(f"panels.{name}", sum=total)

        def draw(say: Say, piece: Tensor = piece, label: Any = label) -> str:
            rows = [piece.numpy(), kernel.numpy(), (piece * kernel).numpy()]
            names = [say("rows.piece"), say("rows.kernel"), say("rows.product")]
            return wave_rows(rows, names=names, title=say(label), width=190)

        panels.append(Panel(draw, label))
    return Figure(
        alt=message("alt", sums=[total for _, total in found.values()]),
        panels=panels,
        legends=[Legend(message("legend"))],
        layout="grid",
    )


def kernels(context: Context) -> Figure:
    """The kernels of the first layer before and after training, and their spectra."""
    start, learned = _first_kernels(_network(0)), _first_kernels(_run(context, 0).net)
    numbers = [str(number) for number in range(KERNELS)]
    limit = float(torch.stack([start, learned]).abs().max())

    def waves(name: str, weights: Tensor) -> Drawing:
        return lambda say: wave_rows(
            weights.numpy(), names=numbers, title=say(f"panels.{name}"), width=150,
            limits=[(-limit, limit)] * KERNELS,
        )  # fmt: skip

    def spectra(say: Say) -> str:
        both = torch.stack([_spectra(learned), _spectra(start)], 1)  # (8, 2, 257)
        both = both / both.amax(2, keepdim=True)
        return wave_rows(
            both.numpy(), names=numbers, title=say("panels.spectra"), width=190,
            span=(BAND[0] / (RATE / 2), BAND[1] / (RATE / 2)),
            ticks=[(0.0, "0"), (0.5, f"{RATE / 4:,.0f}"), (1.0, f"{RATE / 2:,.0f} Hz")],
        )  # fmt: skip

    return Figure(
        alt=message("alt", start=_in_band(start).mean(), learned=_in_band(learned).mean()),
        panels=[
            Panel(waves("start", start), message("panels.start")),
            Panel(waves("learned", learned), message("panels.learned")),
            Panel(spectra, message("panels.spectra")),
        ],
        legends=[Legend(message("legend", limit=limit))],
    )


def maps(context: Context) -> Figure:
    """A clip, the maps of the first layer, and the scores along the time."""
    net, examples = _run(context, 0).net, _examples(context)
    first = outputs(net[:2], examples.sounds)  # (5, 8, 121) after ReLU
    scores = _scores(net, examples.sounds)  # (5, 5, 24)
    reach = (TAPS / 2 / LENGTH, 1 - TAPS / 2 / LENGTH)
    late = (_FIELD / 2 / LENGTH, (_FIELD / 2 + 23 * _JUMP) / LENGTH)
    top = float(first.max())
    variants = []
    for index, kind in enumerate(KINDS):
        begin = int(examples.starts[index])
        shade = (begin / LENGTH, (begin + CALL) / LENGTH)
        most = float(scores[index].abs().max())

        def draw_first(say: Say, index: int = index, shade: tuple[float, float] = shade) -> str:
            rows = [examples.sounds[index, 0].numpy(), *first[index].numpy()]
            loudest = float(examples.sounds.abs().max())
            return wave_rows(
                rows, title=say("panels.first"), span=shade, ticks=_ticks(LENGTH),
                names=[say("clip"), *(str(number) for number in range(KERNELS))],
                reaches=[(0.0, 1.0), *[reach] * KERNELS],
                limits=[(-loudest, loudest), *[(0.0, top)] * KERNELS],
            )  # fmt: skip

        def draw_scores(
            say: Say, index: int = index, shade: tuple[float, float] = shade, most: float = most
        ) -> str:
            return wave_rows(
                scores[index].numpy(), title=say("panels.scores"), span=shade, ticks=_ticks(LENGTH),
                names=[say(f"kinds.{name}") for name in KINDS], reaches=[late] * len(KINDS),
                limits=[(-most, most)] * len(KINDS), height=50,
            )  # fmt: skip

        panels = [
            Panel(draw_first, message("panels.first")),
            Panel(draw_scores, message("panels.scores")),
        ]
        legend = Legend(message("legend", first=top, scores=most))
        variants.append(Variant(message(f"kinds.{kind}"), panels, [legend]))
    return Figure(alt=message("alt", found=_found(net, _clips(context, 0)[2])), variants=variants,
                  chosen=2)  # fmt: skip


def answers(context: Context) -> Figure:
    """Accuracy of the network and of what it is compared with, over the seeds."""
    runs = [_run(context, seed) for seed in SEEDS]
    right = {way: np.array([run.right[way] for run in runs]) for way in WAYS}  # (seeds, 2)

    def draw(say: Say) -> str:
        return seed_chart(
            {say(f"ways.{way}"): list(values.T) for way, values in right.items()},
            [say("early"), say("late")],
            title=say("title"),
            y_label=say("y"),
            percent=True,
            y_limits=(0, 1.02),
        )

    means = {way: values.mean(0).tolist() for way, values in right.items()}
    return Figure(alt=message("alt", **means), panels=[Panel(draw)])


def spectrograms(context: Context) -> Figure:
    """How strong each frequency is at each time, for a clip of each kind: pictures."""
    examples = _examples(context)
    window = torch.hann_window(128)
    bins = torch.stft(
        examples.sounds[:, 0], 128, 16, window=window, center=False, return_complex=True
    ).abs()  # (5, 65, 57)
    tiles = bins[:, :40].flip(1).numpy()  # up to 1,250 Hz, high ones on top
    drawn = [mosaic(tile[None], scale=(0.0, float(tiles.max())), signed=False) for tile in tiles]
    panels = [
        Panel(picture(tile, scale=3), message(f"kinds.{kind}"))
        for kind, tile in zip(KINDS, drawn, strict=True)
    ]
    return Figure(
        alt=message("alt"),
        panels=panels,
        legends=[scale_legend(drawn[0], "figure", message("strength"))],
        layout="grid",
    )


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    runs = [_run(context, seed) for seed in SEEDS]
    untrained = [_network(seed) for seed in SEEDS]
    late = [_clips(context, seed)[2] for seed in SEEDS]
    found = [_found(run.net, clips) for run, clips in zip(runs, late, strict=True)]
    lost = [_found(net, clips) for net, clips in zip(untrained, late, strict=True)]
    bands = [_in_band(_first_kernels(run.net)).mean().item() for run in runs]
    before = [_in_band(_first_kernels(net)).mean().item() for net in untrained]
    return {
        "right": {
            way: {
                when: _ends([run.right[way][place] for run in runs])
                for place, when in enumerate(("early", "late"))
            }
            for way in WAYS
        },
        "band": {"learned": _ends(bands), "start": _ends(before), "low": BAND[0], "high": BAND[1],
                 "even": (BAND[1] - BAND[0]) / (RATE / 2)},
        "swept": min(_on_swept(run.net, clips) for run, clips in zip(runs, late, strict=True)),
        "found": {"learned": _ends(found), "start": _ends(lost),
                  "chance": float(np.mean([_by_chance(clips) for clips in late]))},
        "sums": {name: total for name, (_, total) in _products(context).items()},
        "rate": RATE, "length": LENGTH, "call": CALL, "low": LOW, "high": HIGH, "noise": NOISE,
        "detuned": DETUNED, "train": TRAIN, "test": TEST, "steps": STEPS, "taps": TAPS,
        "stride": STRIDE, "kernels": KERNELS, "field": _FIELD, "places": 24, "kinds": len(KINDS),
        "parameters": _parameters(untrained[0]), "mlp_parameters": _parameters(_mlp(0)),
    }  # fmt: skip


def _ends(values: list[float]) -> dict[str, float]:
    return {"least": min(values), "mean": float(np.mean(values)), "most": max(values)}
