"""How the text is written: typography, terms, spelling, links, alternative text, typed numbers.

`make prose` (`python -m gen prose`) checks all pages, without building anything. What is
right although a rule says otherwise stands in docs/prose-allow.yml, each entry with its reason.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import yaml

from cnnviz.errors import CnnvizError
from gen.checks import brackets, harmless, spelling, terms, typed_numbers
from gen.settings import ROOT, from_environment
from gen.texts.finding import Finding, spoken, workflow_commands
from gen.texts.glossary import Term, pattern
from gen.texts.glossary import read as read_glossary
from gen.texts.sections import (
    blank,
    languages,
    line_of,
    pages,
    prose,
    sections,
    source,
    without_code,
)

ALLOW = "prose-allow.yml"
_RULES = ("typography", "spelling", "term", "link", "alt", "number")
_OUR_SITES = tuple(
    re.findall(r'!ENV \[SITE_URL, "([^"]+)"\]', (ROOT / "mkdocs.yml").read_text("utf-8"))
    + [address for address in [os.environ.get("SITE_URL", "")] if address]
)
_VALUE = re.compile(r"\[\[= (?!claim|source|example|glossary|\")[^\]\n]*(?:\][^\]\n]+)*\]\]")
_HAN = "[\u4e00-\u9fff]"
_FULL = "，。、；：！？）》"
_TO_FULL = dict(zip(",;:!?().", "，；：！？（）。", strict=True))
_CODE = "\ue000"
"""Stands where a piece of code or a formula was, in what is shown as `…`."""
_TO_HALF = {"。": ".", "、": ","} | {full: half for half, full in _TO_FULL.items()}


@dataclass(frozen=True)
class Remark:
    """What a rule says of a piece of text; `text` is what an entry of the allow list names."""

    rule: str
    text: str
    line: int
    zh: str
    en: str


@dataclass(frozen=True)
class Page:
    """A page to check.

    Attributes:
        name: its address, such as "atlas/index".
    """

    language: str
    name: str
    markdown: str


@dataclass(frozen=True)
class Site:
    """What pages are held against.

    Attributes:
        anchors: language → page → anchors that a link may lead to.
        numbers: of the last build, chapter → name → value.
        values: language → page#anchor → the `[[= … ]]` of that section that show something.
    """

    terms: list[Term]
    anchors: dict[str, dict[str, set[str]]]
    numbers: typed_numbers.Numbers
    values: dict[str, dict[str, list[str]]] = field(default_factory=dict)


def _chinese_typography(page: Page) -> Iterator[Remark]:
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


def _english_typography(page: Page) -> Iterator[Remark]:
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


def _terms(page: Page, site: Site) -> Iterator[Remark]:
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
        of_ours = target.startswith(_OUR_SITES)
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
    here = _VALUE.findall(mine[-1].text)
    there = site.values.get("en" if page.language == "zh" else "zh", {})
    return [v for v in there.get(f"{page.name}#{mine[-1].anchor}", []) if v not in here][:3]


def remarks(page: Page, site: Site) -> list[Remark]:
    """All that the rules say of a page."""
    return [
        *_chinese_typography(page),
        *_english_typography(page),
        *_words(page),
        *_terms(page, site),
        *_links(page, site),
        *_pictures(page),
        *_numbers(page, site),
    ]


def read_site(docs: Path, figures: Path) -> Site:
    """What the pages of a site are held against."""
    known_terms = read_glossary(docs / terms.FILE)
    anchors: dict[str, dict[str, set[str]]] = {}
    values: dict[str, dict[str, list[str]]] = {}
    for language in languages(docs):
        anchors[language], values[language] = {}, {}
        for name, path in pages(docs, language).items():
            text = source(path)
            of_page = {section.anchor for section in sections(text)}
            values[language] |= {
                f"{name}#{section.anchor}": _VALUE.findall(section.text)
                for section in sections(text)
            }
            of_page |= set(re.findall(r'\bid="([\w-]+)"', text))
            of_page |= {
                "fig-" + a.replace("/", "-") for a in re.findall(r'figure\("(.+?)"\)', text)
            }
            # Anchors that only the build knows: of the glossary's terms, of generated headings.
            anchors[language][name] = of_page | (
                {"*"} if "glossary()" in text or "{ #[[" in text else set()
            )
    for language in languages(docs):
        if language not in ("zh", "en"):  # what it has not translated is shown in English
            anchors[language] = anchors["en"] | anchors[language]
    return Site(known_terms, anchors, typed_numbers.read(figures), values)


def check(docs: Path, figures: Path) -> list[Finding]:
    """All remarks that are not allowed, and entries of the allow list that nothing needs.

    Raises:
        CnnvizError: an entry of the allow list lacks something.
    """
    if links := harmless.no_plain_files(docs):  # which nothing should read
        return links
    site, allowed = read_site(docs, figures), _allowed(docs / ALLOW)
    found, needed = terms.findings(docs, site.terms), set()
    for language in languages(docs):
        for name, path in pages(docs, language).items():
            file = f"docs/{language}/{name}.md"
            page = Page(language, name, source(path))
            # No entry of the list can make the build read what it cannot.
            faults = brackets.faults(page.markdown, set(site.anchors[language]))
            found += [Finding(file, fault.line, fault.zh, fault.en) for fault in faults]
            for remark in remarks(page, site):
                keys = {(remark.rule, remark.text, where) for where in (name, "*")}
                if keys & allowed.keys():
                    needed |= keys & allowed.keys()
                else:
                    found.append(Finding(file, remark.line, remark.zh, remark.en))
    for key in allowed.keys() - needed:
        # Without a build, nobody knows whether a number is one of its metrics.
        if key[0] != "number" or site.numbers:
            found.append(
                Finding(
                    f"docs/{ALLOW}",
                    allowed[key],
                    f"“{key[1]}”（{key[0]}，{key[2]}）在文中已经没有了。怎么办：删掉这一条。",
                    f"'{key[1]}' ({key[0]}, {key[2]}) is in the text no more. What to do: delete "
                    "this entry.",
                )
            )
    return sorted(found)


def _allowed(path: Path) -> dict[tuple[str, str, str], int]:
    """Rule, text and page of each entry → its line."""
    found = {}
    written = source(path) if path.exists() else ""
    try:
        entries = yaml.safe_load(written) or []
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CnnvizError(
            f"docs/{ALLOW}:{line}: this line cannot be read ({error.problem}). What to do: write it "
            "as in the entries above; put a text that holds a colon in double quotes."
        ) from error
    for entry in entries:
        if not (
            isinstance(entry, dict)
            and set(entry) == {"rule", "text", "pages", "why"}
            and entry["rule"] in _RULES
            and isinstance(entry["text"], str)
            and isinstance(entry["pages"], list)
            and str(entry["why"] or "").strip()
        ):
            raise CnnvizError(
                f"docs/{ALLOW}: the entry {entry} should have rule, text, pages and why. What to "
                f"do: name one of the rules {', '.join(_RULES)}; put the text in double quotes if "
                "it is a number or a word such as yes; name the pages in brackets, [pooling]; say "
                "why."
            )
        text = entry["text"]
        line = line_of(written, max(0, written.find(text)))
        for page in entry["pages"]:
            found[(str(entry["rule"]), text, str(page))] = line
    return found


def main(_: Sequence[str] = ()) -> int:
    """Print what should be written otherwise."""
    found = check(ROOT / "docs", from_environment().figures_dir)
    for finding in found:
        # Who wrote a page reads its language.
        language = "zh" if finding.file.startswith("docs/zh/") else "en"
        if finding.file.count("/") == 1:  # both languages share it
            language = spoken()
        print(finding.text(language))
        if os.environ.get("GITHUB_ACTIONS"):
            print(*workflow_commands([finding], language, "error"))
    summary = (
        (f"要改的地方：{len(found)}。", f"To mend: {len(found)}.")
        if found
        else ("文字没有问题。", "The prose is in order.")
    )
    print(summary[0 if spoken() == "zh" else 1])
    return 1 if found else 0
