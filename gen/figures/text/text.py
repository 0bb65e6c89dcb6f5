"""Figures of the chapter "Text": a convolution over letters tells three languages apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnviz.drawing.matrices import matrix_chart
from cnnviz.drawing.run_charts import seed_chart
from cnnviz.figure.figure import Figure, Legend, Panel, Variant, message
from cnnviz.words import Say
from gen.context import Context, shared
from gen.figures.brief_nets import MaxOverTime, accuracy, fit, outputs, with_output_fitted
from gen.figures.phrases import (
    LANGUAGES,
    LEARNED_FROM,
    LENGTH,
    LETTERS,
    Phrases,
    divided,
    encoded,
    made,
    words,
)

SEEDS = range(3)
TRAIN, TEST, STEPS, RATE, DECAY, DROPPED = 2000, 1000, 300, 5e-3, 0.05, 0.5
KERNELS, TAPS = 32, 3
STRONGEST = 10
"""So many runs of letters that excite a kernel most are looked at."""

EACH = 2
"""Kernels shown for each language."""


def _network(seed: int, taps: int = TAPS) -> nn.Sequential:
    """Phrases (N, 27, 32) to scores (N, 3)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv1d(len(LETTERS), KERNELS, taps), nn.ReLU(), MaxOverTime(),  # (N, 32)
            nn.Dropout(DROPPED), nn.Linear(KERNELS, len(LANGUAGES)),
        )  # fmt: skip


@shared
def _phrases(context: Context, seed: int, mixed: bool = False) -> tuple[Phrases, Phrases]:
    """To learn from, and to test: of words that do not occur in the former."""
    learned, others = divided(seed)
    return made(learned, TRAIN, 2 * seed, mixed), made(others, TEST, 2 * seed + 1, mixed)


@dataclass(frozen=True)
class Run:
    """What was trained with one seed: the network, its untrained twin, accuracy of each way."""

    net: nn.Sequential
    twin: nn.Sequential
    right: dict[str, float]
    seen: float


WAYS = ("network", "mixed", "single", "output")


@shared
def _run(context: Context, seed: int) -> Run:
    train, test = _phrases(context, seed)
    train_mixed, test_mixed = _phrases(context, seed, True)
    budget: dict[str, Any] = {"steps": STEPS, "rate": RATE, "decay": DECAY, "seed": seed}
    network, mixed, single = _network(seed), _network(seed), _network(seed, taps=1)
    fit(network, train.inputs, train.languages, **budget)
    fit(mixed, train_mixed.inputs, train_mixed.languages, **budget)
    fit(single, train.inputs, train.languages, **budget)
    twin = with_output_fitted(_network(seed), train.inputs, train.languages)
    right = {
        "network": accuracy(network, test.inputs, test.languages),
        "mixed": accuracy(mixed, test_mixed.inputs, test_mixed.languages),
        "single": accuracy(single, test.inputs, test.languages),
        "output": accuracy(twin, test.inputs, test.languages),
    }
    return Run(network, twin, right, accuracy(network, train.inputs, train.languages))


def _first(net: nn.Sequential) -> nn.Conv1d:
    layer = net[0]
    while isinstance(layer, nn.Sequential):  # of a twin
        layer = layer[0]
    assert isinstance(layer, nn.Conv1d)
    return layer


def _votes(net: nn.Sequential) -> Tensor:
    """Weights of the output layer, (3, 32)."""
    layer = net[-1]
    assert isinstance(layer, nn.Linear)
    return layer.weight.detach()


def _runs_of_letters(seed: int) -> tuple[list[str], Tensor]:
    """All runs of TAPS letters in the unseen words, as many words of each language, (M,)."""
    _, others = divided(seed)
    fewest = min(map(len, others))
    runs, languages = [], []
    for language, of_language in enumerate(others):
        for word in of_language[:fewest]:
            text = f" {word} "
            found = [text[at : at + TAPS] for at in range(len(text) - TAPS + 1)]
            runs += found
            languages += [language] * len(found)
    return runs, torch.tensor(languages)


def _excited(net: nn.Sequential, runs: list[str]) -> Tensor:
    """What each kernel answers to each run, before ReLU, (32, M)."""
    return outputs(_first(net), encoded(runs))[:, :, 0].T


def _agreement(net: nn.Sequential, seed: int) -> float:
    """Of the runs that excite a kernel most: the share from the language it speaks for most."""
    runs, languages = _runs_of_letters(seed)
    strongest = _excited(net, runs).topk(STRONGEST, dim=1).indices  # (32, 10)
    speaks_for = _votes(net).argmax(0)  # (32,)
    return float(languages[strongest].eq(speaks_for[:, None]).double().mean())


@shared
def _chosen(context: Context) -> list[int]:
    """The kernels that are shown: for each language those that raise its score most.

    That is by how much more the kernel adds for that language than on the average of the
    languages, in phrases of it that were not learned from.
    """
    net, test = _run(context, 0).net, _phrases(context, 0)[1]
    pooled = outputs(net[:3], test.inputs)  # (N, 32)
    votes = _votes(net) - _votes(net).mean(0)
    chosen = []
    for language in range(len(LANGUAGES)):
        adds = pooled[test.languages == language].mean(0) * votes[language]  # (32,)
        chosen += adds.topk(EACH).indices.tolist()
    return chosen


def _language(place: int) -> str:
    """For which language the kernel at that place of `_chosen` is shown."""
    return LANGUAGES[place // EACH]


def _written(text: str) -> str:
    """A run of letters, its spaces to be seen."""
    return text.replace(" ", "␣")


@shared
def _reads(context: Context) -> list[list[str]]:
    """For each chosen kernel the five different runs of unseen words that excite it most."""
    runs, _ = _runs_of_letters(0)
    different = sorted(set(runs))
    excited = _excited(_run(context, 0).net, different)
    return [
        [_written(different[at]) for at in excited[kernel].topk(5).indices.tolist()]
        for kernel in _chosen(context)
    ]


def kernels(context: Context) -> Figure:
    """The weights of the chosen kernels, a row for each letter, a column for each place."""
    weights = _first(_run(context, 0).net).weight.detach()  # (32, 27, 3)
    panels = []
    for place, kernel in enumerate(_chosen(context)):
        label = message(f"languages.{_language(place)}", kernel=kernel)

        def draw(say: Say, kernel: int = kernel, label: Any = label) -> str:
            return matrix_chart(
                weights[kernel].numpy(), list(_written(LETTERS)), ["1", "2", "3"],
                title=say(label), words=[["", "", ""]] * len(LETTERS), signed=True, cell=(24, 15),
            )  # fmt: skip

        panels.append(Panel(draw, label))
    return Figure(
        alt=message("alt", reads=[", ".join(run[:3]) for run in _reads(context)]),
        panels=panels,
        legends=[Legend(message("legend"))],
    )


@shared
def _shown(context: Context) -> list[str]:
    """For each language the first short phrase of the test."""
    test = _phrases(context, 0)[1]
    pairs = list(zip(test.texts, test.languages.tolist(), strict=True))
    return [
        next(text for text, language in pairs if language == wanted and 14 < len(text) < 18)
        for wanted in range(len(LANGUAGES))
    ]


def along(context: Context) -> Figure:
    """What the chosen kernels answer at each place of a phrase, and the largest of it."""
    net, chosen, shown = _run(context, 0).net, _chosen(context), _shown(context)
    maps = outputs(net[:2], encoded(shown))[:, chosen]  # (3, 6, 30)
    variants = []
    for index, (name, text) in enumerate(zip(LANGUAGES, shown, strict=True)):
        count = len(text) - TAPS + 1
        runs = [_written(text[at : at + TAPS]) for at in range(count)]
        table = maps[index, :, :count].numpy()

        def draw(say: Say, runs: list[str] = runs, table: np.ndarray = table) -> str:
            with_largest = np.concatenate([table, table.max(1, keepdims=True)], 1)
            rows = [
                say(f"languages.{_language(place)}", kernel=k) for place, k in enumerate(chosen)
            ]
            return matrix_chart(
                with_largest, rows, [*runs, say("largest")], title=say("title"),
                row_title=say("rows"), column_title=say("columns"), signed=False, cell=(34, 24),
                write=lambda value: f"{value:.1f}" if value > 0 else "",
            )  # fmt: skip

        panel = Panel(draw, message("label", text=text.strip()))
        variants.append(Variant(message(f"names.{name}"), [panel], [Legend(message("legend"))]))
    return Figure(alt=message("alt"), variants=variants, chosen=2)


def answers(context: Context) -> Figure:
    """Accuracy on phrases of unseen words, of the network and what it is compared with."""
    right = {way: [_run(context, seed).right[way] for seed in SEEDS] for way in WAYS}

    def draw(say: Say) -> str:
        return seed_chart(
            {say("series"): list(right.values())},
            [say(f"ways.{way}") for way in WAYS],
            title=say("title"),
            y_label=say("y"),
            percent=True,
            y_limits=(0, 1.0),
        )

    means = {way: float(np.mean(values)) for way, values in right.items()}
    return Figure(alt=message("alt", **means), panels=[Panel(draw)])


@shared
def _mistakes(context: Context) -> list[dict[str, Any]]:
    """The phrases of the test that the network is surest of and wrong about; each word once."""
    net, test = _run(context, 0).net, _phrases(context, 0)[1]
    surely = outputs(net, test.inputs).softmax(1)  # (N, 3)
    sure, said = surely.max(1)
    wrong = (said != test.languages).nonzero()[:, 0]
    found: list[dict[str, Any]] = []
    used: set[str] = set()
    for index in wrong[sure[wrong].argsort(descending=True, stable=True)].tolist():
        both = set(test.texts[index].split())
        if not both & used and len(found) < 6:
            used |= both
            found.append(
                {"text": test.texts[index].strip(), "true": LANGUAGES[test.languages[index]],
                 "said": LANGUAGES[said[index]], "sure": float(sure[index])}
            )  # fmt: skip
    return found


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    runs = [_run(context, seed) for seed in SEEDS]
    test = _phrases(context, 0)[1]
    said = outputs(runs[0].net, test.inputs).argmax(1)
    return {
        "right": {way: _ends([run.right[way] for run in runs]) for way in WAYS},
        "gain": _ends([run.right["network"] - run.right["mixed"] for run in runs]),
        "seen": _ends([run.seen for run in runs]),
        "agreement": {
            "learned": _ends([_agreement(run.net, seed) for run, seed in zip(runs, SEEDS, strict=True)]),
            "start": _ends([_agreement(run.twin, seed) for run, seed in zip(runs, SEEDS, strict=True)]),
        },
        "reads": [
            {"kernel": kernel, "language": _language(place), "runs": reads}
            for place, (kernel, reads) in enumerate(
                zip(_chosen(context), _reads(context), strict=True)
            )
        ],
        "mistakes": _mistakes(context),
        "of_each": {
            name: float(said[test.languages == place].eq(place).double().mean())
            for place, name in enumerate(LANGUAGES)
        },
        "words": [len(of_language) for of_language in words()],
        "learned_from": LEARNED_FROM, "letters": len(LETTERS), "length": LENGTH, "taps": TAPS,
        "kernels": KERNELS, "steps": STEPS, "train": TRAIN, "test": TEST, "strongest": STRONGEST,
        "parameters": sum(parameter.numel() for parameter in runs[0].net.parameters()),
    }  # fmt: skip


def _ends(values: list[float]) -> dict[str, float]:
    return {"least": min(values), "mean": float(np.mean(values)), "most": max(values)}
