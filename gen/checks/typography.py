"""Punctuation and spaces: full-width in Chinese, half-width in English."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gen.checks.remark import Page, Remark
from gen.texts.sections import prose, without_code

_HAN = "[\u4e00-\u9fff]"

_FULL = "，。、；：！？）》"

_TO_FULL = dict(zip(",;:!?().", "，；：！？（）。", strict=True))

_CODE = "\ue000"
"""Stands where a piece of code or a formula was, in what is shown as `…`."""

_TO_HALF = {"。": ".", "、": ","} | {full: half for half, full in _TO_FULL.items()}


def chinese(page: Page) -> Iterator[Remark]:
    """Full-width punctuation beside Chinese, a space between Han and Latin letters or digits."""
    if page.language != "zh":
        return
    # A value may be a Chinese word; a control, of which nothing is seen here, may have space.
    markdown = re.sub(r"<(?:button|a|span)\b", "\u2060\\g<0>", page.markdown)
    markdown = markdown.replace("![", "[")  # a picture; its words are prose
    text = prose(markdown, mark=_CODE, value="\u2060")
    text = re.sub(r'^ *(?:!!!|\?\?\?) \w+ (?:"(.*)")?$', r"\1", text, flags=re.M)
    rules = (
        (rf"{_HAN}[A-Za-z0-9{_CODE}]|[A-Za-z0-9%{_CODE}]{_HAN}", _space),
        # Coordinates and shapes keep their brackets: (2, 2), with a space around them.
        (
            rf"{_HAN} ?[,;:!?]|[,;:!?] ?{_HAN}|{_HAN} ?\({_HAN}|{_HAN}\(|\){_HAN}|{_HAN}\.(?!\S)",
            _half_width,
        ),
        (rf'{_HAN}"|"{_HAN}', _quote),
        (rf"[^\s|] [{_FULL}]|[{_FULL}] +(?=[^\s|\u2060])|[（《] ", _no_space),
        (r"您", _ni),
        (rf"{_HAN}\.\.\.|\.\.\.{_HAN}", _dots),
    )
    for number, marked in enumerate(text.split("\n"), 1):
        for expression, say in rules:
            # Bold text that begins a paragraph ends in a full stop and a space.
            line = marked if say is _no_space else re.sub(r"[*\[\]]", "", marked)
            for match in re.finditer(expression, line):
                around = line[max(0, match.start() - 8) : match.end() + 8]
                found, around = _shown(match.group()), _shown(around).strip()
                yield Remark("typography", around, number, *say(found, around))


def _shown(text: str) -> str:
    """As the page has it, without what only the rules see."""
    return text.replace(_CODE, "`…`").replace("\u2060", "")


def _space(found: str, around: str) -> tuple[str, str]:
    spaced = f"{found[0]} {found[1:]}" if re.match(_HAN, found) else f"{found[:-1]} {found[-1]}"
    return (
        f"“{around}”：汉字与西文之间少一个空格。怎么办：写成“{spaced}”。",
        f"'{around}': a space is missing between Chinese and Latin. What to do: write '{spaced}'.",
    )


def _half_width(found: str, around: str) -> tuple[str, str]:
    mark = next(c for c in found if c in _TO_FULL)
    return (
        f"“{around}”：汉字旁边用了半角的 {mark}。怎么办：改成全角的 {_TO_FULL[mark]}，前后不空格。",
        f"'{around}': a half-width {mark} beside Chinese. What to do: write {_TO_FULL[mark]}, "
        "without spaces around it.",
    )


def _quote(_: str, around: str) -> tuple[str, str]:
    return (
        f'“{around}”：中文里用了直引号 "。怎么办：改成“ ”。',
        f"'{around}': a straight quote in Chinese. What to do: write “ ”.",
    )


def _no_space(_: str, around: str) -> tuple[str, str]:
    return (
        f"“{around}”：全角标点旁边有空格。怎么办：去掉空格。",
        f"'{around}': a space beside full-width punctuation. What to do: remove it.",
    )


def _ni(_: str, around: str) -> tuple[str, str]:
    return (
        f"“{around}”：我们称读者“你”。怎么办：把“您”改成“你”。",
        f"'{around}': the reader is 你 here, not 您. What to do: write 你.",
    )


def _dots(_: str, around: str) -> tuple[str, str]:
    return (
        f"“{around}”：省略号用了三个点。怎么办：改成“……”。",
        f"'{around}': three dots in Chinese. What to do: write ……",
    )


def english(page: Page) -> Iterator[Remark]:
    """No full-width punctuation."""
    if page.language != "en":
        return
    text = re.sub(r'<span lang="zh">.*?</span>', "", without_code(page.markdown))
    for number, line in enumerate(prose(text).split("\n"), 1):
        for match in re.finditer(rf"\S*([{_FULL}、（《])\S*", line):
            around, mark = match.group(), _TO_HALF.get(match[1], "")
            yield Remark(
                "typography",
                around,
                number,
                f"“{around}”：英文里有全角标点 {match[1]}。怎么办："
                + (f"改成半角的 {mark}。" if mark else "去掉它；书名用斜体。"),
                f"'{around}': the Chinese mark {match[1]} in English. What to do: write "
                + (f"{mark} instead." if mark else "a title in *italics*, without it."),
            )
