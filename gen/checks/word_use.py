"""Words of figures that no figure asks for, as far as the source tells which draws them.

A sentence is asked for by its name, `message("title")`. A name that is put together, such as
`say(f"nets.{kind}")`, asks for all that it fits, and one may come from a table of another module.
So a name counts as asked for if it stands in quotes in what draws, or in a module of ours that this
imports.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cnnviz.errors import CnnvizError
from cnnviz.sources import sources
from cnnviz.words import message
from gen.chapters import figure_files
from gen.checks import word_templates
from gen.checks.brackets import did_you_mean
from gen.checks.word_files import PACKAGE, Entry, WordsFile
from gen.settings import ROOT
from gen.texts.finding import Finding
from gen.texts.words import FILE, words_beside

_OPEN = re.compile(r"[\w. -]*\.")
"""The beginning of a name that is put together: "nets." """
_LETTERS = re.compile(r"[^\W\d_]{2}")
"""What is fixed of such a name; without any, it would fit all."""


@dataclass(frozen=True)
class _Source:
    """What some Python has in quotes, the names that it puts together, its functions."""

    quoted: frozenset[str]
    composed: frozenset[re.Pattern[str]]
    functions: frozenset[str]


@dataclass(frozen=True)
class _Part:
    """What draws the figures of a chapter: its file, and all that this is made of."""

    path: Path
    source: _Source


def findings(
    files: Sequence[WordsFile], drawn_by: Mapping[str, Path] | None = None
) -> list[Finding]:
    """Names of words files beside the pages which nothing asks for, and files that nothing reads.

    Args:
        drawn_by: chapter → the file that draws it; those of the site if not given.
    """
    drawn_by = figure_files() if drawn_by is None else drawn_by
    shared = [words for words in files if words.name == FILE or words.name.startswith(PACKAGE)]
    parts: dict[str, dict[str, _Part]] = {}
    found: dict[tuple[str, str], Finding] = {}
    for words in files:
        if words in shared:
            continue
        if words.name not in parts:
            here = {c: path for c, path in drawn_by.items() if words_beside(path) == words.name}
            parts[words.name] = {c: _Part(path, _made_of(path)) for c, path in here.items()}
        if not parts[words.name]:
            if not _named(words.name):
                found[words.file, ""] = _unread(words, drawn_by)
            continue
        said = _said([words, *(s for s in shared if s.language == words.language)])
        for entry in words.entries:
            if unasked := _unasked(words, entry, parts[words.name], said):
                found.setdefault((words.file, unasked[0]), unasked[1])
    return list(found.values())


def _unasked(
    words: WordsFile, entry: Entry, parts: Mapping[str, _Part], said: frozenset[str]
) -> tuple[str, Finding] | None:
    """The name, or the block, that nothing asks for, and what to say of it."""
    names = entry.key.split(".")
    chapter = names[0] if len(names) > 1 and names[0] in parts else ""
    own = names[1:] if chapter else names
    asking = [parts[chapter]] if chapter else list(parts.values())
    is_function = bool(chapter) and len(own) > 1 and own[0] in parts[chapter].source.functions
    for part in asking:
        if _asks(part.source, own, said) or (is_function and _asks(part.source, own[1:], said)):
            return None
    if not chapter and _named(words.name):  # also for others, such as the lab
        return None
    if is_function or len(own) == 1:
        return entry.key, _not_asked(words, entry, asking)
    block = ".".join(names[: len(names) - len(own) + 1])
    if chapter:
        return block, _no_function(words, entry, block, parts[chapter])
    return block, _no_chapter(words, entry, block, parts)


def _asks(source: _Source, names: Sequence[str], said: frozenset[str]) -> bool:
    """Whether a name stands in quotes, whole, with others put in, or each part by itself."""
    key = ".".join(names)
    return (
        key in said
        or any(key.startswith(begun) for begun in said if _OPEN.fullmatch(begun))
        or any(pattern.fullmatch(key) for pattern in source.composed)
        or source.quoted.issuperset(names)
        or key in source.quoted
    )


def _made_of(module: Path) -> _Source:
    """A module, and all of ours that it imports; functions only of those that draw figures."""
    files = sources(module, root=ROOT, packages=("cnnviz", "gen"))
    read = {p: _source(p, p.stat().st_mtime_ns) for p in files if p.suffix == ".py"}
    drawing = [source for path, source in read.items() if module.parents[1] in path.parents]
    return _Source(
        frozenset().union(*(source.quoted for source in read.values())),
        frozenset().union(*(source.composed for source in read.values())),
        frozenset().union(*(source.functions for source in drawing)),
    )


def _said(files: Sequence[WordsFile]) -> frozenset[str]:
    """What stands in quotes in sentences, such as the names in `say("signs")`."""
    found: set[str] = set()
    for words in files:
        for entry in words.entries:
            template = word_templates.read(entry.text)
            if isinstance(template, word_templates.Template):
                found |= template.words
    return frozenset(found)


@lru_cache(maxsize=500)
def _source(path: Path, changed: int) -> _Source:
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError as error:
        raise CnnvizError(f"{path}:{error.lineno}: this is not Python ({error.msg}).") from error
    quoted, composed, functions = set(), set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            quoted.add(node.value)
            if _OPEN.fullmatch(node.value):  # "nets." + kind
                composed.add(f"{re.escape(node.value)}.+")
        elif isinstance(node, ast.JoinedStr):
            fixed = [v.value for v in node.values if isinstance(v, ast.Constant)]
            if _LETTERS.search("".join(map(str, fixed))):
                composed.add(
                    "".join(
                        re.escape(str(v.value)) if isinstance(v, ast.Constant) else ".+"
                        for v in node.values
                    )
                )
        elif isinstance(node, ast.FunctionDef):
            functions.add(node.name.strip("_"))
    return _Source(frozenset(quoted), frozenset(map(re.compile, composed)), frozenset(functions))


@lru_cache(maxsize=100)
def _named(name: str) -> bool:
    """Whether a program names a words file itself, since others than figures are said from it."""
    return any(
        name in _source(path, path.stat().st_mtime_ns).quoted
        for path in sorted((ROOT / "gen").rglob("*.py"))
        if f'"{name}"' in path.read_text("utf-8")
    )


def _unread(words: WordsFile, drawn_by: Mapping[str, Path]) -> Finding:
    near = did_you_mean(words.name, {words_beside(path) for path in drawn_by.values()})
    return Finding(words.file, 0, message("word_use.no folder", near=near))


def _no_chapter(words: WordsFile, entry: Entry, block: str, parts: Mapping[str, _Part]) -> Finding:
    near = did_you_mean(block, parts)
    what = message("word_use.no chapter", chapter=block, known=list(parts), near=near)
    return Finding(words.file, entry.line, what)


def _no_function(words: WordsFile, entry: Entry, block: str, part: _Part) -> Finding:
    file, name = _shown(part.path), block.rpartition(".")[2]
    near = did_you_mean(name, part.source.functions)
    what = message("word_use.no function", file=file, function=name, near=near)
    return Finding(words.file, entry.line, what)


def _not_asked(words: WordsFile, entry: Entry, asking: Sequence[_Part]) -> Finding:
    last, path = entry.key.rpartition(".")[2], asking[0].path
    file = _shown(path) if len(asking) == 1 else f"{_shown(path.parent)}/"
    what = message("word_use.not asked for", name=entry.key, last=last, file=file)
    return Finding(words.file, entry.line, what)


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
