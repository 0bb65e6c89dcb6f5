"""What one language has that the other lacks: pages, anchors, figures, claims, programs."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

LANGUAGES = ("zh", "en")

_WHAT = {
    "heading": re.compile(r"^#{1,4} .*?\{ #([\w-]+) \}", re.M),
    "figure": re.compile(r'call figure\("([^"]+)"\)'),
    "claim": re.compile(r'claim\(.*?, "([^"]+)"\)'),
    "source": re.compile(r'source\("([^)]+)\)'),
    "program": re.compile(r'example\("([^"]+)"\)'),
    "admonition": re.compile(r"^ *(?:!!!|\?\?\?) (\w+)", re.M),
    "formula": re.compile(r"^ *(\$\$.*?\$\$)", re.M),
}
_HEADING_WITHOUT_ANCHOR = re.compile(r"^#{1,4} (?!.*\{ #[\w-]+ \}).*", re.M)
_CODE = re.compile(r"^ *```.*?^ *```", re.M | re.S)


def differences(docs: Path) -> list[str]:
    """One plain sentence for each difference between docs/zh and docs/en; none is good.

    Checks the order of headings and figures, and which claims, sources, programs, boxes
    (admonitions) and formulas each page has.
    """
    pages = {
        language: {p.relative_to(docs / language): p for p in (docs / language).rglob("*.md")}
        for language in LANGUAGES
    }
    found = []
    for language, other in (LANGUAGES, LANGUAGES[::-1]):
        for missing in sorted(set(pages[language]) - set(pages[other])):
            found.append(f"docs/{language}/{missing} has no counterpart docs/{other}/{missing}.")
    for page in sorted(set(pages["zh"]) & set(pages["en"])):
        texts = {lang: _CODE.sub("", pages[lang][page].read_text("utf-8")) for lang in LANGUAGES}
        found += _page_differences(page, texts)
    return found


def _page_differences(page: Path, texts: dict[str, str]) -> list[str]:
    found = []
    for language, text in texts.items():
        for heading in _HEADING_WITHOUT_ANCHOR.findall(text):
            found.append(f"docs/{language}/{page}: the heading '{heading}' has no {{ #anchor }}.")
    for kind, pattern in _WHAT.items():
        zh, en = pattern.findall(texts["zh"]), pattern.findall(texts["en"])
        for language, mine, others in (("zh", zh, en), ("en", en, zh)):
            for extra in (Counter(mine) - Counter(others)).elements():
                other = "en" if language == "zh" else "zh"
                found.append(
                    f"docs/{language}/{page} has the {kind} '{extra}', docs/{other}/{page} has not."
                )
        if zh != en and sorted(zh) == sorted(en) and kind in ("heading", "figure"):
            found.append(f"{page}: the {kind}s come in another order in zh than in en.")
    return found
