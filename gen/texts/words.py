"""Words that generated parts of a page use, in both languages."""

from __future__ import annotations

# Plain pairs, not gen.figure.figure.Text: this module is read without torch, numpy or Pillow.
WORDS: dict[str, tuple[str, str]] = {
    "answer": ("答案", "Answer"),
    "chapter": ("第 {number} 章，共 {count} 章", "Chapter {number} of {count}"),
    "dot": (" · ", " · "),
    "figure on site": ("在网站上看这张图", "See this figure on the site"),
    "link": ("这张图的链接", "Link to this figure"),
    "list comma": ("、", ", "),
    "minutes": ("约 {minutes} 分钟", "about {minutes} min"),
    "needs chapters": ("先读第 {chapters} 章", "after {chapters}"),
    "notebook": ("下载笔记本（Jupyter）", "Jupyter notebook"),
    "notebook install": (
        "这个笔记本由“看见卷积”的同一份源文件生成。先运行下面这一格，安装用到的包。",
        "This notebook is made from the same source as the page of *Seeing Convolutions*. "
        "Run the next cell first; it installs what the rest needs.",
    ),
    "read first": ("先读", "Read first"),
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
    "older bundle": (
        "也可能没有写错，只是预览用的压缩包比正文旧：换一个新的，或者运行 make serve，"
        "不带 PREBUILT。",
        "Or nothing is wrong, and the bundle of the preview is older than the text: take a newer "
        "one, or run make serve without PREBUILT.",
    ),
    "does not hold": (
        "在这个数据集上不成立：{claim}",
        "Does not hold on this data set: {claim}",
    ),
}
