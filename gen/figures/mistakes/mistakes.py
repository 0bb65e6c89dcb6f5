"""Figures of the chapter "Where it goes wrong": which digits are misread, as what, and by whom."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnviz.drawing import charts
from cnnviz.drawing.matrices import matrix_chart
from cnnviz.drawing.mosaic import mosaic
from cnnviz.figure.figure import GREY_LEGEND, Figure, Legend, Panel, Variant, message, picture
from cnnviz.figure.kept import Said
from cnnviz.inside.evaluation import evaluate, predict
from cnnviz.numbers import thousands
from cnnviz.words import Say
from gen.context import Context
from gen.figures.lenet.lenet import worst_pair

WORST = 12
"""Errors that are shown."""

STYLES_SHOWN = 10
LEAST = 30
"""Test images that a style needs to be compared: of fewer, the share of errors says little."""

REFUSE_BELOW = 0.7
"""Answers with a smaller probability are refused in an exercise."""

NUMBERS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫"


def _confusion(context: Context) -> np.ndarray:
    return context.evaluation("lenet").confusion.numpy()


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return part / np.maximum(whole, 1)


def confusion(context: Context) -> Figure:
    """Which class is taken for which: counted, by true class, by answer."""
    counts, names = _confusion(context), list(context.test.class_names)
    errors = counts - np.diag(np.diag(counts))
    by_row, by_column = counts.sum(1, keepdims=True), counts.sum(0, keepdims=True)
    ways = [
        ("counts", counts, errors),
        ("by true class", _share(counts, by_row), _share(errors, by_row)),
        ("by answer", _share(counts, by_column), _share(errors, by_column)),
    ]
    variants = []
    for way, values, tint in ways:
        words = [[_cell(float(v), way != "counts") for v in row] for row in values]

        def draw(say: Say, words: Any = words, tint: Any = tint) -> str:
            return matrix_chart(
                tint,
                names,
                names,
                title=say("title"),
                row_title=say("rows"),
                column_title=say("columns"),
                words=words,
                cell=(50, 34),
            )

        variants.append(Variant(message(f"ways.{way}"), [Panel(draw)], [Legend(message("legend"))]))
    true, answer, count = worst_pair(counts)
    return Figure(
        alt=message("alt", truth=names[true], answer=names[answer], count=count),
        variants=variants,
        uses=["lenet"],
    )


def _cell(value: float, percent: bool) -> str:
    if not value:
        return "·"
    return f"{100 * value:.1f}" if percent else f"{value:.0f}"


def _answers(context: Context, name: str) -> torch.Tensor:
    return context.logits(name).argmax(1)


def _worst(context: Context) -> list[tuple[int, int, float]]:
    """Errors with the largest probability: test image, answer, probability."""
    sure, answers = context.logits("lenet").softmax(1).max(1)
    wrong = (answers != context.test.labels).nonzero()[:, 0]
    if not len(wrong):  # nothing is misread: the answers of which it is least sure
        wrong, sure = torch.arange(len(sure)), -sure
    order = wrong[sure[wrong].argsort(descending=True, stable=True)][:WORST].tolist()
    return [(i, int(answers[i]), abs(float(sure[i]))) for i in order]


def most_wrong(context: Context) -> Figure:
    """The twelve errors of which the network was most sure."""
    names, labels = context.test.class_names, context.test.labels
    panels = []
    for mark, (index, answer, sure) in zip(NUMBERS, _worst(context), strict=False):
        drawn = mosaic(context.test.images[index].numpy(), scale=(0, 255), palette="grey")
        label = message(
            "label", mark=mark, truth=names[labels[index]], answer=names[answer], sure=sure
        )
        panels.append(Panel(picture(drawn, 3), label))
    surest = max(sure for _, _, sure in _worst(context))
    return Figure(
        alt=message("alt", errors=len(panels), surest=surest),
        panels=panels,
        legends=[GREY_LEGEND, Legend(message("legend"))],
        columns=4,
        uses=["lenet"],
    )


def _styles(context: Context) -> list[tuple[str, int, int]]:
    """Styles with enough test images: name, images, errors; the hardest first.

    Data sets without styles are compared by class.
    """
    test = context.test
    made = test.styles or tuple(test.class_names[label] for label in test.labels.tolist())
    wrong = (_answers(context, "lenet") != test.labels).tolist()
    totals = Counter(made)
    errors = Counter(style for style, is_wrong in zip(made, wrong, strict=True) if is_wrong)
    least = min(LEAST, max(totals.values()))
    compared = [(name, n, errors[name]) for name, n in totals.items() if n >= least]
    return sorted(compared, key=lambda style: (-style[2] / style[1], style[0]))


def _style_name(context: Context, style: str) -> Said:
    """A style of writing, or the class by which a data set without styles is compared."""
    digit, kind = _digit_and_kind(context, style)
    return message("style", digit=digit, kind=message(f"kinds.{kind}")) if kind else digit


def _digit_and_kind(context: Context, style: str) -> tuple[str, str]:
    """What is written, and how, as styles.kinds in the words files name it; "" without styles."""
    if not context.test.styles:
        return style, ""
    digit, _, kind = style.partition(" ")
    return digit, kind.replace(",", "")


def styles(context: Context) -> Figure:
    """The styles of writing that are misread most, and what they look like."""
    hardest = _styles(context)[:STYLES_SHOWN]

    def draw(say: Say) -> str:
        return charts.bar_chart(
            {
                say("bar", style=_style_name(context, style), count=n): errors / n
                for style, n, errors in hardest
            },
            title=say("title"),
            x_label=say("x"),
            percent=True,
            horizontal=True,
        )

    panels = [Panel(draw)]
    legends = []
    if context.test.styles:
        for style, _, _ in hardest[:3]:
            images = _of_style(context, style)
            drawn = mosaic(images, columns=12, scale=(0, 255), palette="grey")
            panels.append(Panel(picture(drawn, 1.9), _style_name(context, style)))
        legends = [GREY_LEGEND]
    style, n, errors = hardest[0]
    return Figure(
        alt=message("alt", style=_style_name(context, style), count=n, errors=errors),
        panels=panels,
        legends=legends,
        layout="column",
        uses=["lenet"],
    )


def _of_style(context: Context, style: str) -> np.ndarray:
    """Up to twelve test images of a style, (n, 28, 28)."""
    which = [i for i, name in enumerate(context.test.styles) if name == style][:12]
    return context.test.images[which, 0].numpy()


def _taken_for(context: Context, style: str) -> str:
    """The wrong answer that digits of a style get most often, "" if there is none."""
    test, answers = context.test, _answers(context, "lenet").tolist()
    wrong = Counter(
        test.class_names[answer]
        for made, label, answer in zip(test.styles, test.labels.tolist(), answers, strict=False)
        if made == style and answer != label
    )
    return wrong.most_common(1)[0][0] if wrong else ""


def _both(context: Context) -> dict[str, torch.Tensor]:
    """Which test images are misread by both networks, by one, by none: (N,) bool each."""
    lenet, mlp = (_answers(context, name) != context.test.labels for name in ("lenet", "mlp"))
    return {
        "both": lenet & mlp,
        "lenet": lenet & ~mlp,
        "mlp": ~lenet & mlp,
        "none": ~lenet & ~mlp,
    }


def shared_errors(context: Context) -> Figure:
    """What LeNet and the MLP both misread, and what only one of them does."""
    parts = _both(context)
    count = {key: int(mask.sum()) for key, mask in parts.items()}
    table = [[count["none"], count["mlp"]], [count["lenet"], count["both"]]]

    def draw(say: Say) -> str:
        rows, columns = (
            [say(key, net=net) for key in ("right", "wrong")] for net in ("LeNet", "MLP")
        )
        return matrix_chart(
            table,
            rows,
            columns,
            title=say("title"),
            write=thousands,
            log=True,
            cell=(110, 40),
        )

    panels = [Panel(draw)]
    for key in ("both", "lenet", "mlp"):
        images = context.test.images[parts[key], 0][:WORST].numpy()
        if len(images):
            drawn = mosaic(images, columns=WORST, scale=(0, 255), palette="grey")
            panels.append(Panel(picture(drawn, 1.9), message(f"misread.{key}")))
    return Figure(
        alt=message("alt", both=count["both"], lenet=count["lenet"], mlp=count["mlp"]),
        panels=panels,
        legends=[GREY_LEGEND, Legend(message("legend"))],
        layout="column",
        uses=["lenet", "mlp"],
    )


def _real(context: Context) -> dict[str, Any] | None:
    """How both networks read real handwriting, if there is any."""
    if context.real is None:
        return None
    images, labels, names = context.real.images, context.real.labels, context.real.class_names
    found, mlp = (
        evaluate(predict(context.model(name), context.inputs(name, images)), labels, names)
        for name in ("lenet", "mlp")
    )
    true, answer, count = worst_pair(found.confusion.numpy())
    return {
        "count": found.count,
        "accuracy": found.accuracy,
        "mlp": mlp.accuracy,
        "errors": round((1 - found.accuracy) * found.count),
        "confused": {"true": names[true], "answer": names[answer], "count": count},
    }


def numbers(context: Context) -> dict[str, Any]:
    """Numbers that the text of the chapter uses."""
    counts, names = _confusion(context), context.test.class_names
    true, answer, count = worst_pair(counts)
    recall = _share(np.diag(counts), counts.sum(1))
    precision = _share(np.diag(counts), counts.sum(0))
    errors = counts - np.diag(np.diag(counts))
    pairs = np.sort((errors + errors.T)[np.triu_indices(len(counts), 1)])[::-1]
    worst, hard, parts = _worst(context), _styles(context), _both(context)
    total = int(errors.sum())
    both = {key: int(mask.sum()) for key, mask in parts.items()}
    shared = parts["both"]
    agree = (_answers(context, "lenet") == _answers(context, "mlp")) & shared
    rare = [(n, e) for _, n, e in hard if n < len(context.test) / 50]
    sure = context.logits("lenet").softmax(1).amax(1)
    wrong = _answers(context, "lenet") != context.test.labels
    return {
        "refuse": _refuse(sure, wrong),
        "count": len(context.test),
        "errors": total,
        "share": total / len(context.test),
        "confused": {"true": names[true], "answer": names[answer], "count": count},
        "back": int(counts[answer, true]),
        "lowest": {"name": names[int(recall.argmin())], "share": float(recall.min())},
        "precision": float(precision[true]),
        "recall": float(recall[true]),
        "least_precise": {
            "name": names[int(precision.argmin())],
            "share": float(precision.min()),
        },
        "five_pairs": float(pairs[:5].sum() / max(total, 1)),
        "pairs": len(pairs),
        "worst": [
            {"true": names[context.test.labels[i]], "answer": names[a], "probability": p}
            for i, a, p in worst
        ],
        "surest": max(p for _, _, p in worst),
        "above_90": int(((sure > 0.9) & wrong).sum()),
        "styles": [
            dict(zip(("digit", "kind"), _digit_and_kind(context, style), strict=True))
            | {"count": n, "errors": e}
            for style, n, e in hard
        ],
        "taken_for": {
            "flagged_1": _taken_for(context, "1 with flag"),
            "open_9": _taken_for(context, "9 open"),
        },
        "rare": {
            "styles": len(rare),
            "images": sum(n for n, _ in rare),
            "errors": sum(e for _, e in rare),
        },
        "both": both | {"agree": int(agree.sum())},
        "lenet_errors": both["both"] + both["lenet"],
        "mlp_errors": both["both"] + both["mlp"],
        "by_chance": (both["both"] + both["lenet"])
        * (both["both"] + both["mlp"])
        / len(context.test),
        "real": _real(context),
    }


def _refuse(sure: Tensor, wrong: Tensor) -> dict[str, float]:
    """What is left and what is caught if nothing is answered below a probability; both (N,)."""
    kept = sure >= REFUSE_BELOW
    return {
        "below": REFUSE_BELOW,
        "refused": int((~kept).sum()),
        "errors_left": int((kept & wrong).sum()),
        "caught": int((~kept & wrong).sum()),
    }
