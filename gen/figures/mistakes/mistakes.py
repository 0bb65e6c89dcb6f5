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
from cnnviz.inside.evaluation import evaluate, predict
from gen.context import Context
from gen.figure.figure import GREY_LEGEND, Figure, Legend, Panel, Text, Variant, in_both, picture
from gen.figures.lenet.lenet import worst_pair

WORST = 12
"""Errors that are shown."""

STYLES_SHOWN = 10
LEAST = 30
"""Test images that a style needs to be compared: of fewer, the share of errors says little."""

REFUSE_BELOW = 0.7
"""Answers with a smaller probability are refused in an exercise."""

NUMBERS = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫"

_STYLES_ZH = {
    "open, with curved tail": "开口弯尾",
    "bare": "一竖",
    "barred": "带横杠",
    "big loop": "大圈",
    "closed": "闭合",
    "crossed": "交叉",
    "crossed loop": "圈相交",
    "curled": "卷曲",
    "flat-topped": "平顶",
    "from the left": "左起笔",
    "hooked": "带钩",
    "hooked and barred": "带钩和横杠",
    "in one stroke": "一笔写成",
    "like an S": "像 S",
    "looped": "带圈",
    "open": "开口",
    "open, round": "开口而圆",
    "overlapping": "首尾相叠",
    "plain": "普通",
    "ribbon": "丝带形",
    "round": "圆",
    "round nook": "圆凹口",
    "sharp": "尖角",
    "slashed": "加斜线",
    "smooth": "圆滑",
    "straight": "直竖",
    "two rings": "两个圈",
    "with curved tail": "弯尾",
    "with flag": "带小旗",
    "with flag and foot": "带小旗和底横",
    "with nook": "带凹口",
    "with separate hat": "横另写",
}


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
        (Text("个数", "Counts"), counts, errors, False),
        (
            Text("按真实类别归一", "By true class"),
            _share(counts, by_row),
            _share(errors, by_row),
            True,
        ),
        (
            Text("按回答归一", "By answer"),
            _share(counts, by_column),
            _share(errors, by_column),
            True,
        ),
    ]
    variants = []
    for name, values, tint, percent in ways:
        words = [[_cell(float(v), percent) for v in row] for row in values]

        def draw(say: Any, words: Any = words, tint: Any = tint) -> str:
            return matrix_chart(
                tint,
                names,
                names,
                title=say(Text("混淆矩阵", "Confusion matrix")),
                row_title=say(Text("真实类别", "true class")),
                column_title=say(Text("回答", "answer")),
                words=words,
                cell=(50, 34),
            )

        variants.append(Variant(name, [Panel(in_both(draw))], [_TINT]))
    true, answer, count = worst_pair(counts)
    return Figure(
        alt=Text(
            f"10×10 的表：行是真实类别，列是回答。最常见的错误是把 {names[true]} 认成 "
            f"{names[answer]}，{count} 次",
            f"A table of 10×10: rows are true classes, columns answers. The most frequent error is "
            f"a {names[true]} taken for a {names[answer]}, {count} times",
        ),
        variants=variants,
        uses=["lenet"],
    )


_TINT = Legend(
    Text(
        "颜色只按错误着色，越深越多；对角线是答对的，不着色。归一之后以百分比计",
        "only errors are tinted, the more the deeper; the diagonal, right answers, is bare. "
        "Shares are in per cent",
    )
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
        label = f"{mark} {names[labels[index]]} → {names[answer]}, {sure:.0%}"
        panels.append(Panel(picture(drawn, 3), Text(label.replace(", ", "，"), label)))
    most = max(sure for _, _, sure in _worst(context))
    return Figure(
        alt=Text(
            f"网络最有把握的 {len(panels)} 个错误，最大的概率是 {most:.0%}",
            f"The {len(panels)} errors of which the network is most sure, up to {most:.0%}",
        ),
        panels=panels,
        legends=[
            GREY_LEGEND,
            Legend(
                Text(
                    "真实类别 → 网络的回答，以及它给出的概率",
                    "true class → the network's answer, with its probability",
                )
            ),
        ],
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


def _style_name(style: str) -> Text:
    digit, _, kind = style.partition(" ")
    return Text(f"{digit} {_STYLES_ZH.get(kind, kind)}".strip(), style)


def styles(context: Context) -> Figure:
    """The styles of writing that are misread most, and what they look like."""
    hardest = _styles(context)[:STYLES_SHOWN]

    def draw(say: Any) -> str:
        return charts.bar_chart(
            {
                say(_style_name(name)) + say(Text(f"（{n} 张）", f" ({n})")): errors / n
                for name, n, errors in hardest
            },
            title=say(Text("各种写法的错误率", "Errors by style")),
            x_label=say(Text("认错的比例", "share misread")),
            percent=True,
            horizontal=True,
        )

    name, n, errors = hardest[0]
    panels = [Panel(in_both(draw))]
    legends = []
    if context.test.styles:
        rows = [_of_style(context, style) for style, _, _ in hardest[:3]]
        for (style, _, _), images in zip(hardest[:3], rows, strict=True):
            drawn = mosaic(images, columns=12, scale=(0, 255), palette="grey")
            panels.append(Panel(picture(drawn, 1.9), _style_name(style)))
        legends = [GREY_LEGEND]
    said = _style_name(name)
    return Figure(
        alt=Text(
            f"错误率最高的写法是“{said.zh}”：{n} 张里错 {errors} 张",
            f"The style misread most is '{said.en}': {errors} of {n} images",
        ),
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

    def draw(say: Any) -> str:
        right, wrong = Text("答对", "right"), Text("答错", "wrong")
        return matrix_chart(
            table,
            [
                say(Text(f"LeNet {right.zh}", f"LeNet {right.en}")),
                say(Text("LeNet 答错", "LeNet wrong")),
            ],
            [say(Text("MLP 答对", "MLP right")), say(Text(f"MLP {wrong.zh}", f"MLP {wrong.en}"))],
            title=say(Text("两个网络的对与错", "Right and wrong of two networks")),
            write=lambda value: f"{value:,.0f}",
            log=True,
            cell=(110, 40),
        )

    labels = {
        "both": Text("两个网络都认错", "misread by both"),
        "lenet": Text("只有 LeNet 认错", "misread by LeNet only"),
        "mlp": Text("只有 MLP 认错", "misread by the MLP only"),
    }
    panels = [Panel(in_both(draw))]
    for key, label in labels.items():
        images = context.test.images[parts[key], 0][:WORST].numpy()
        if len(images):
            drawn = mosaic(images, columns=WORST, scale=(0, 255), palette="grey")
            panels.append(Panel(picture(drawn, 1.9), label))
    return Figure(
        alt=Text(
            f"两个网络都认错的有 {count['both']} 张，只有 LeNet 认错的 {count['lenet']} 张，"
            f"只有 MLP 认错的 {count['mlp']} 张；下面是各自的前几张",
            f"{count['both']} images are misread by both networks, {count['lenet']} by LeNet only, "
            f"{count['mlp']} by the MLP only; the first few of each below",
        ),
        panels=panels,
        legends=[GREY_LEGEND],
        layout="column",
        uses=["lenet", "mlp"],
    )


def _real(context: Context) -> dict[str, Any] | None:
    """How LeNet reads real handwriting, if there is any."""
    if context.real is None:
        return None
    logits = predict(context.model("lenet"), context.inputs("lenet", context.real.images))
    found = evaluate(logits, context.real.labels, context.real.class_names)
    true, answer, count = worst_pair(found.confusion.numpy())
    names = context.real.class_names
    return {
        "count": found.count,
        "accuracy": found.accuracy,
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
        "styles": [{"name": _style_name(s)._asdict(), "count": n, "errors": e} for s, n, e in hard],
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
