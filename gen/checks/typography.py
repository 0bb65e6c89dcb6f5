"""Punctuation and spaces: full-width in Chinese, half-width in English."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cnnviz.words import Message, message
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
                yield Remark("typography", around, number, say(found, around))


def _shown(text: str) -> str:
    """As the page has it, without what only the rules see."""
    return text.replace(_CODE, "`…`").replace("\u2060", "")


def _space(found: str, around: str) -> Message:
    spaced = f"{found[0]} {found[1:]}" if re.match(_HAN, found) else f"{found[:-1]} {found[-1]}"
    return message("typography.space", around=around, spaced=spaced)


def _half_width(found: str, around: str) -> Message:
    mark = next(c for c in found if c in _TO_FULL)
    return message("typography.half width", around=around, mark=mark, full=_TO_FULL[mark])


def _quote(_: str, around: str) -> Message:
    return message("typography.straight quote", around=around)


def _no_space(_: str, around: str) -> Message:
    return message("typography.no space", around=around)


def _ni(_: str, around: str) -> Message:
    return message("typography.you", around=around, wrong="您", right="你")


def _dots(_: str, around: str) -> Message:
    return message("typography.three dots", around=around)


def english(page: Page) -> Iterator[Remark]:
    """No full-width punctuation."""
    if page.language != "en":
        return
    text = re.sub(r'<span lang="zh">.*?</span>', "", without_code(page.markdown))
    for number, line in enumerate(prose(text).split("\n"), 1):
        for match in re.finditer(rf"\S*([{_FULL}、（《])\S*", line):
            around, mark = match.group(), match[1]
            if half := _TO_HALF.get(mark):
                what = message("typography.full width", around=around, mark=mark, half=half)
            else:
                what = message("typography.title", around=around, mark=mark)
            yield Remark("typography", around, number, what)
