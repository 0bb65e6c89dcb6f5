"""The words files of all languages, with the line of each sentence.

They stand beside the pages, docs/<language>/*.yml, and in the package, cnnviz/*/words. What a program
reads is `cnnviz.words`; this is for checks, which say where a sentence stands, also in a broken file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from cnnviz.errors import CnnvizError
from cnnviz.words import message
from gen.texts.finding import Finding, spoken
from gen.texts.sections import Section, source
from gen.texts.words import languages

PACKAGE = "cnnviz/"
"""How the names of words files begin that stand in the package."""
_PACKAGE = re.compile(r"(cnnviz/\w+/words)(.*)\.yml")
_TAG = "tag:yaml.org,2002:"
_SENTENCES = {"str"}
_NUMBERS = {"int", "float"}


@dataclass(frozen=True)
class Entry:
    """Something that a words file says.

    Attributes:
        key: in its file, with a dot between nested names; all sentences of a list share theirs.
        line: where its text begins.
        sentence: whether it is one, and no number for the program.
        by_line: its lines are lines of the file.
    """

    key: str
    line: int
    text: str
    sentence: bool = True
    by_line: bool = False

    def at(self, line: int) -> int:
        """The line of the file where a line of the text, from 1, stands."""
        return self.line + line - 1 if self.by_line else self.line


@dataclass(frozen=True)
class WordsFile:
    """A words file.

    Attributes:
        name: the same in all languages: "relu.yml"; "cnnviz/atlas/words-layer.yml" of
            cnnviz/atlas/words/en-layer.yml.
        file: as messages name it.
        faults: why it cannot be read, or not all of it.
    """

    language: str
    name: str
    file: str
    entries: Sequence[Entry]
    faults: Sequence[Finding] = ()

    @property
    def page(self) -> str:
        """What the list of what is allowed calls it: the page that it stands beside."""
        return self.name.removesuffix(".yml")


def file_of(name: str, language: str) -> str:
    """The file of a page ("relu") or of words ("relu.yml"), from the folder above docs."""
    if package := _PACKAGE.fullmatch(name):
        return f"{package[1]}/{language}{package[2]}.yml"
    return f"docs/{language}/{name if name.endswith('.yml') else name + '.md'}"


def read_all(docs: Path) -> list[WordsFile]:
    """The words files of all languages, those beside the pages first."""
    found, ours = [], languages(docs)
    for language in ours:
        folder = docs / language
        for path in sorted(folder.rglob("*.yml")):
            found.append((language, path.relative_to(folder).as_posix(), path))
    for path in sorted(docs.parent.glob("cnnviz/*/words/*.yml")):
        own = [code for code in ours if path.stem == code or path.stem.startswith(f"{code}-")]
        language = max(own, key=len) if own else path.stem.partition("-")[0]
        room = path.parent.relative_to(docs.parent).as_posix()
        found.append((language, f"{room}{path.stem.removeprefix(language)}.yml", path))
    return [read(language, name, source(path)) for language, name, path in found]


def whole(files: Sequence[WordsFile]) -> Sequence[WordsFile]:
    """The files, for who must not miss a sentence.

    Raises:
        CnnvizError: one of them cannot be read.
    """
    if fault := next((fault for words in files for fault in words.faults), None):
        raise CnnvizError(fault.text(spoken()))
    return files


def read(language: str, name: str, text: str) -> WordsFile:
    """A words file of which this is the text."""
    file = file_of(name, language)
    entries: list[Entry] = []
    faults: list[Finding] = []
    for found in _parsed(file, text):
        if isinstance(found, Entry):
            entries.append(found)
        else:
            faults.append(found)
    return WordsFile(language, name, file, entries, faults)


def _parsed(file: str, text: str) -> Iterator[Entry | Finding]:
    try:
        root = yaml.compose(text, yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        line, reason = _why(text, error)
        yield Finding(file, line, message("word_files.unreadable", problem=reason))
        return
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        yield _expected(file, root)
        return
    yield from _names(file, root, "", {root})


def _why(text: str, error: Exception) -> tuple[int, str]:
    """The line where YAML stumbled, or where a quote opens that is never closed, and its reason."""
    reason = str(getattr(error, "problem", None) or error).split("\n")[0]
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark
        if "end of stream" in reason and error.context_mark:
            mark = error.context_mark
        last = text.rstrip().count("\n")  # the end of the file may be a line of its own
        return 1 + (min(mark.line, last) if mark else 0), reason
    before = text.encode()[: getattr(error, "position", 0)]
    return before.count(b"\n") + 1, reason


def _names(
    file: str, node: yaml.MappingNode, prefix: str, seen: set[yaml.Node]
) -> Iterator[Entry | Finding]:
    """What stands under the names of a block; an alias of a block is not followed."""
    lines: dict[str, int] = {}
    for name, value in node.value:
        if name.tag != f"{_TAG}str":
            yield _unnamed(file, name)
            continue
        line, key = name.start_mark.line + 1, f"{prefix}{name.value}"
        if key in lines:
            yield _twice(file, line, key, lines[key])
            continue
        lines[key] = line
        if isinstance(value, yaml.MappingNode) and value not in seen:
            seen.add(value)
            yield from _names(file, value, f"{key}.", seen)
        elif isinstance(value, yaml.SequenceNode):
            for one in value.value:
                yield _said(file, key, one, one.start_mark.line + 1)
        else:
            yield _said(file, key, value, line)


def _said(file: str, key: str, node: yaml.Node, line: int) -> Entry | Finding:
    """A sentence; `line`: where its name stands."""
    kind = node.tag.removeprefix(_TAG)
    if not isinstance(node, yaml.ScalarNode) or kind not in _SENTENCES | _NUMBERS:
        return _no_sentence(file, key, line)
    begins = node.start_mark.line + (2 if node.style in ("|", ">") else 1)
    return Entry(key, begins, node.value, kind in _SENTENCES, node.style == "|")


def _expected(file: str, node: yaml.Node) -> Finding:
    return Finding(file, node.start_mark.line + 1, message("word_files.no words"))


def _unnamed(file: str, node: yaml.Node) -> Finding:
    shown = node.value if isinstance(node.value, str) else "…"
    return Finding(file, node.start_mark.line + 1, message("word_files.no name", name=shown))


def _twice(file: str, line: int, key: str, first: int) -> Finding:
    return Finding(file, line, message("word_files.twice", name=key, line=first))


def _no_sentence(file: str, key: str, line: int) -> Finding:
    return Finding(file, line, message("word_files.no sentence", name=key))


def passages(words: WordsFile) -> list[Section]:
    """What is translated in one go: the words of a figure, elsewhere a sentence."""
    found: dict[str, list[Entry]] = {}
    for entry in words.entries:
        if entry.sentence:
            found.setdefault(anchor(entry.key), []).append(entry)
    return [
        Section(
            name,
            ".".join(entries[0].key.split(".")[:2]),
            min(entry.line for entry in entries),
            "\n".join(f"{entry.key}: {entry.text}" for entry in entries),
        )
        for name, entries in found.items()
    ]


def anchor(key: str) -> str:
    """What docs/in-step.txt calls the passage of a key: its first two names.

    >>> anchor("relu.zeros.title"), anchor("list comma")
    ('relu.zeros', 'list-comma')
    """
    return re.sub(r"[^\w.-]", "-", ".".join(key.split(".")[:2]))
