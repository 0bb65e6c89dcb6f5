"""What may be wrong with a page as it is written: each rule reads one page and says what to mend."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from gen.checks import spelling, typed_numbers, typography
from gen.checks.remark import Page, Remark, Site
from gen.settings import ROOT
from gen.texts.glossary import pattern
from gen.texts.sections import blank, line_of, prose, sections, without_code

OUR_SITES = tuple(
    re.findall(r'!ENV \[SITE_URL, "([^"]+)"\]', (ROOT / "mkdocs.yml").read_text("utf-8"))
    + [address for address in [os.environ.get("SITE_URL", "")] if address]
)
ALLOW = "prose-allow.yml"
"""The file of docs that names what is right although a rule says otherwise."""
RULES = ("typography", "spelling", "term", "link", "alt", "number")
VALUE = re.compile(r"\[\[= (?!claim|source|example|glossary|\")[^\]\n]*(?:\][^\]\n]+)*\]\]")


def _or(words: str, joint: str = " or ") -> str:
    """Several corrections of a word, as codespell lists them, for a sentence."""
    return joint.join(word.strip() for word in words.split(",") if word.strip())


def _words(page: Page) -> Iterator[Remark]:
    """Misspelt words, and American spelling, in English."""
    if page.language != "en":
        return
    for number, line in enumerate(prose(page.markdown).split("\n"), 1):
        for word, better, american in spelling.mistakes(line):
            why = (
                ("美式拼法，我们用英式", "American; we write British English")
                if american
                else ("拼写有误", "misspelt")
            )
            yield Remark(
                "spelling",
                word,
                number,
                f"“{word}”：{why[0]}。怎么办：写成 {_or(better, ' 或 ')}。",
                f"'{word}': {why[1]}. What to do: write {_or(better)}.",
            )


def names_of_terms(page: Page, site: Site) -> Iterator[Remark]:
    """No term translated a second way."""
    if page.name == "glossary":
        return
    text = prose(page.markdown)
    for term in site.terms:
        for word in term.never.get(page.language, []):
            for match in pattern([word], page.language).finditer(text):
                if page.language == "en" and _in_british(match.group()) in term.forms("en"):
                    continue  # the rule for spelling says so
                ours = term.name(page.language)
                yield Remark(
                    "term",
                    match.group(),
                    line_of(text, match.start()),
                    f"“{match.group()}”：术语表里它叫“{ours}”。怎么办：改成“{ours}”，全站一个叫法。",
                    f"'{match.group()}': our word for it is '{ours}' (docs/glossary.yml). What to "
                    f"do: write '{ours}', one word for one thing.",
                )


def _in_british(words: str) -> str:
    return " ".join(spelling.american().get(word, word) for word in words.lower().split())


def _links(page: Page, site: Site) -> Iterator[Remark]:
    """Links to pages and anchors of the same language lead somewhere."""
    text = without_code(page.markdown)
    known = site.anchors[page.language]
    for match in re.finditer(r"\]\(([^)\s]*)\)", text):
        target, line = match[1], line_of(text, match.start())
        of_ours = target.startswith(OUR_SITES)
        if "[[" in target or (":" in target and not of_ours):
            continue
        path, _, anchor = target.partition("#")
        if of_ours or path.endswith("/") or path.startswith("/"):
            page_of_ours = f"{path.strip('/').split('/')[-1] or 'index'}.md"
            yield Remark(
                "link",
                target,
                line,
                f"链接 {target} 是网站上的地址。怎么办：写文件名，从这一页所在的文件夹算起，例如 "
                f"{page_of_ours}，这样每种语言、每个预览里都通。",
                f"the link {target} is an address of the site. What to do: write the name of the "
                f"file, from the folder of this page, such as {page_of_ours}; that leads there in "
                "every language and every preview.",
            )
            continue
        if path and not path.endswith(".md"):
            continue  # files and pages that the build makes; MkDocs checks those
        file = Path(os.path.normpath(Path(page.name).parent / path.removesuffix(".md"))).as_posix()
        name = file if path else page.name
        if name not in known:
            if name.startswith("atlas/"):
                continue  # made by the build
            yield Remark(
                "link",
                target,
                line,
                f"链接 {target} 指向不存在的页面。怎么办：改成 docs/{page.language} 里有的文件名。"
                f"{_near(file, known, '是不是 {}.md？')}",
                f"the link {target} leads to no page. What to do: name a file of "
                f"docs/{page.language}.{_near(file, known, ' Did you mean {}.md?')}",
            )
        elif anchor and anchor not in known[name] and "*" not in known[name]:
            yield Remark(
                "link",
                target,
                line,
                f"链接 {target}：那一页没有锚点 #{anchor}。怎么办：照那一页标题后面的 {{ #… }} 写。"
                f"{_near(anchor, known[name], '是不是 #{}？')}",
                f"the link {target}: that page has no anchor #{anchor}. What to do: write one "
                "that stands behind a heading there, { #… }."
                f"{_near(anchor, known[name], ' Did you mean #{}?')}",
            )


def _near(word: str, known: Iterable[str], question: str) -> str:
    """A question for the word that was probably meant; "" if none is near."""
    near = get_close_matches(word, sorted(known), n=1)
    return question.format(near[0]) if near else ""


def _pictures(page: Page) -> Iterator[Remark]:
    """Pictures say what they show to those who cannot see them."""
    text = without_code(page.markdown)
    for match in re.finditer(r"!\[\s*\]\(([^)]*)\)|<img(?![^>]*\balt=)[^>]*>", text):
        yield Remark(
            "alt",
            match.group(),
            line_of(text, match.start()),
            f"图片 {match.group()} 没有替代文字。怎么办：写成 ![图里有什么](文件)，给看不见图的读者。",
            f"the picture {match.group()} has no alternative text. What to do: write "
            "![what it shows](file), for readers who cannot see it.",
        )


def _numbers(page: Page, site: Site) -> Iterator[Remark]:
    """Measured numbers come from the build."""
    text = re.sub(r"\A---\n.*?\n---\n", blank, page.markdown, flags=re.S)
    for number, line, metric in typed_numbers.suspects(text, page.name, site.numbers):
        known = (
            (f"构建里有这个数：{metric}", f"the build has this number: {metric}")
            if metric
            else ("它看上去是测出来的", "it looks measured")
        )
        # Who typed over a value has taken it from here, and the other language still has it.
        lacking = [] if metric else _values_lacking(page, line, site)
        instead = f"[[= {metric} ]]" if metric else " / ".join(lacking)
        from_there = (
            ("（另一种语言的这一节里就有）", " (as the other language has in this section)")
            if lacking
            else ("", "")
        )
        yield Remark(
            "number",
            number,
            line,
            f"“{number}”是手打的数，{known[0]}。怎么办：写成 {instead or '[[= 章.名字 | percent ]]'}"
            f"{from_there[0]}，重新训练后它才会跟着变；如果它不是测出来的（题设、定义、别人的结果），"
            f"在 docs/{ALLOW} 里写明理由。",
            f"'{number}' is typed, and {known[1]}. What to do: write "
            f"{instead or '[[= chapter.name | percent ]]'}{from_there[1]}, so that it follows the "
            "next training; if it was not measured (a given of an exercise, a definition, "
            f"somebody else's result), say why in docs/{ALLOW}.",
        )


def _values_lacking(page: Page, line: int, site: Site) -> list[str]:
    """Values that the other language shows in this section and this page does not, a few at most."""
    mine = [s for s in sections(page.markdown) if s.line <= line]
    if not mine:
        return []
    here = VALUE.findall(mine[-1].text)
    there = site.values.get("en" if page.language == "zh" else "zh", {})
    return [v for v in there.get(f"{page.name}#{mine[-1].anchor}", []) if v not in here][:3]


def remarks_on_words(page: Page) -> list[Remark]:
    """What the rules say of words, wherever they stand."""
    return [*typography.chinese(page), *typography.english(page), *_words(page)]


def remarks(page: Page, site: Site) -> list[Remark]:
    """All that the rules say of a page."""
    return [
        *remarks_on_words(page),
        *names_of_terms(page, site),
        *_links(page, site),
        *_pictures(page),
        *_numbers(page, site),
    ]
