"""Words that generated parts of a page use, in both languages."""

from __future__ import annotations

# Plain pairs, not gen.figure.Text: this module is read without torch, numpy or Pillow.
WORDS: dict[str, tuple[str, str]] = {
    "again": ("重新生成", "Make it again"),
    "colon": ("：", ": "),
    "comma": ("，", ", "),
    "commit": ("提交", "Commit"),
    "drawn by": ("绘制函数", "Drawn by"),
    "how made": ("这张图是怎样生成的", "How this figure was made"),
    "output": ("输出", "Output"),
    "scale": ("刻度", "Scale"),
    "seed": ("种子", "seed"),
    "source": ("源码", "Source"),
    "weights": ("权重", "Weights"),
    "other data": (
        "这个网站是用数据集 {dataset} 构建的，而文字是为默认的数据集（手写笔画生成的数字）写的："
        "数字与图都来自 {dataset}，个别句子可能与图不符。",
        "This site was built on the data set {dataset}; its text was written for the default one "
        "(digits made from strokes). Numbers and figures are of {dataset}; a sentence may not fit.",
    ),
    "does not hold": (
        "在这个数据集上不成立：{claim}",
        "Does not hold on this data set: {claim}",
    ),
}
