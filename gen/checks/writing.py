"""How the text is written: typography, terms, spelling, links, alternative text, typed numbers.

`make prose` (`python -m gen prose`) checks all pages and words files, without building anything. What is
right although a rule says otherwise stands in docs/prose-allow.yml, each entry with its reason.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from cnnviz.errors import CnnvizError
from cnnviz.words import message
from gen.checks import (
    brackets,
    harmless,
    terms,
    typed_numbers,
    word_files,
    word_rules,
    word_templates,
    word_use,
)
from gen.checks.remark import Page, Remark, Site
from gen.checks.rules import ALLOW, RULES, VALUE, remarks
from gen.checks.word_files import WordsFile
from gen.settings import ROOT, from_environment
from gen.texts.finding import Finding, spoken, workflow_commands
from gen.texts.glossary import read as read_glossary
from gen.texts.sections import line_of, pages, sections, source
from gen.texts.words import check_words, languages

_OF_A_LANGUAGE = re.compile(r"docs/([^/]+)/|cnnviz/\w+/words/([a-z]+)")


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
                f"{name}#{section.anchor}": VALUE.findall(section.text)
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
    words = word_files.read_all(docs)
    found = [*terms.findings(docs, site.terms), *_not_read(docs, site, words)]
    needed = set()
    for file, name, remark in _remarks(docs, site, words):
        keys = {(remark.rule, remark.text, where) for where in (name, "*")}
        if keys & allowed.keys():
            needed |= keys & allowed.keys()
        else:
            found.append(Finding(file, remark.line, remark.what))
    for key in allowed.keys() - needed:
        # Without a build, nobody knows whether a number is one of its metrics.
        if key[0] != "number" or site.numbers:
            rule, text, where = key
            what = message("writing.not needed", rule=rule, text=text, page=where)
            found.append(Finding(f"docs/{ALLOW}", allowed[key], what))
    return sorted(found)


def _not_read(docs: Path, site: Site, words: Sequence[WordsFile]) -> list[Finding]:
    """What the build cannot read or does not use; no entry of the list can make it."""
    found = [finding for file in words for finding in file.faults]
    for language in languages(docs):
        for name, path in pages(docs, language).items():
            for fault in brackets.faults(source(path), set(site.anchors[language])):
                found.append(Finding(f"docs/{language}/{name}.md", fault.line, fault.what))
    for file in words:
        found += word_templates.faults(file, words)
    return [*found, *word_use.findings(words)]


def _remarks(
    docs: Path, site: Site, words: Sequence[WordsFile]
) -> Iterator[tuple[str, str, Remark]]:
    """What the rules say of pages and words files: file, the name that the list knows it by, what."""
    for language in languages(docs):
        for name, path in pages(docs, language).items():
            for remark in remarks(Page(language, name, source(path)), site):
                yield f"docs/{language}/{name}.md", name, remark
    for file in words:
        for remark in word_rules.remarks(file, site):
            yield file.file, file.page, remark


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
            and entry["rule"] in RULES
            and isinstance(entry["text"], str)
            and isinstance(entry["pages"], list)
            and str(entry["why"] or "").strip()
        ):
            raise CnnvizError(
                f"docs/{ALLOW}: the entry {entry} should have rule, text, pages and why. What to "
                f"do: name one of the rules {', '.join(RULES)}; put the text in double quotes if "
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
        # Who wrote a page reads its language; what lies beside its folder is of all languages.
        own = _OF_A_LANGUAGE.match(finding.file)
        language = own[1] or own[2] if own else spoken()
        print(finding.text(language))
        if os.environ.get("GITHUB_ACTIONS"):
            print(*workflow_commands([finding], language, "error"))
    summary = message("writing.to mend", count=len(found)) if found else message("writing.in order")
    print(check_words(spoken())(summary))
    return 1 if found else 0
