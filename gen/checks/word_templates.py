"""What stands in double brackets in the sentences of words files: can it be said, what does it name?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import TemplateSyntaxError, meta, nodes

from cnnviz.words import FALLBACK, message, sandbox
from gen.checks import brackets
from gen.checks.brackets import Fault
from gen.checks.word_files import PACKAGE, WordsFile
from gen.texts.fill import unreadable
from gen.texts.finding import Finding
from gen.texts.words import FILE

SAY = "say"
_SHARED = {FILE, "atlas.yml"}
"""Words files of which figures of several pages say something."""
_ENGINE = sandbox()
# Nothing is worked out while it is only read: 9**9**9 would take for ever.
_ENGINE.intercepted_binops = frozenset(_ENGINE.binop_table)


@dataclass(frozen=True)
class Template:
    """A sentence as the template engine reads it.

    Attributes:
        values: names that the program must give.
        shown: those of them that do not merely steer, as `count` does in `if count == 1`.
        says: keys of other sentences that it names.
        words: all that stands in quotes in its brackets.
    """

    tree: nodes.Template
    values: frozenset[str]
    shown: frozenset[str]
    says: frozenset[str]
    words: frozenset[str]


@lru_cache(maxsize=16384)
def read(text: str) -> Template | TemplateSyntaxError:
    """A sentence, or why it cannot be read; an unknown format is found only by `faults`."""
    try:
        tree = _ENGINE.parse(text)
    except TemplateSyntaxError as error:
        return error
    except (RecursionError, ValueError) as error:  # of thousands of brackets, or of digits
        return TemplateSyntaxError(str(error), 1)
    try:
        values = meta.find_undeclared_variables(tree)
    except TemplateSyntaxError:  # of a format that there is none of
        values = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "load"}
    calls = (c for c in tree.find_all(nodes.Call) if _is_say(c.node) and c.args)
    says = {c.args[0].value for c in calls if isinstance(c.args[0], nodes.Const)}
    words = {c.value for c in tree.find_all(nodes.Const) if isinstance(c.value, str)}
    return Template(
        tree,
        frozenset(values) - {SAY},
        frozenset(values & _shown(tree)) - {SAY},
        frozenset(map(str, says)),
        frozenset(words),
    )


def _shown(node: nodes.Node) -> set[str]:
    """The names that stand elsewhere than in what is asked: `if …`."""
    if isinstance(node, nodes.Name):
        return {node.name}
    asked = node.test if isinstance(node, nodes.If | nodes.CondExpr) else None
    parts = (part for part in node.iter_child_nodes() if part is not asked)
    return {name for part in parts for name in _shown(part)}


def faults(words: WordsFile, files: Sequence[WordsFile]) -> Iterator[Finding]:
    """What the build would stumble over, in the sentences of a file.

    Args:
        files: of all languages, whose sentences these may name.
    """
    known = _known(words, files)
    for entry in words.entries:
        if entry.sentence:
            for fault in _faults(entry.text, known):
                what = message("word_templates.in a sentence", name=entry.key, fault=fault.what)
                yield Finding(words.file, entry.at(fault.line), what)


def _faults(text: str, known: Collection[str]) -> list[Fault]:
    template = read(text)
    if isinstance(template, Template):
        return [*brackets.single_brackets(text), *brackets.stray(text), *_names(template, known)]
    # Each of these can be said in plain words; what remains, only in those of the template engine.
    return list(brackets.ends(text)) or [Fault(template.lineno, unreadable(str(template.message)))]


def _names(template: Template, known: Collection[str]) -> Iterator[Fault]:
    """Formats, functions and sentences that do not exist."""
    for wanted in template.tree.find_all(nodes.Filter):
        if wanted.name not in _ENGINE.filters:
            kind = message("brackets.format")
            yield brackets.unknown(wanted.lineno, wanted.name, _ENGINE.filters, kind)
    stored = {name.name for name in template.tree.find_all(nodes.Name) if name.ctx != "load"}
    functions = {SAY, *_ENGINE.globals, *stored}
    for call in template.tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name not in functions:
            kind = message("word_templates.function")
            yield brackets.unknown(call.lineno, call.node.name, functions, kind)
    for key in sorted(template.says - set(known)):
        near = brackets.did_you_mean(key, known)
        yield Fault(1, message("word_templates.no sentence", name=key, near=near))


def _known(words: WordsFile, files: Sequence[WordsFile]) -> set[str]:
    """What `say` may name in a file: a name there or in what all share, from any dot on.

    What all share is said for each figure by its own words first, so it may name those of any.
    """
    found = set()
    for other in files:
        near = other.name == words.name or _shared(other) or _shared(words)
        if near and other.language in (words.language, FALLBACK):
            for entry in other.entries:
                parts = entry.key.split(".")
                found |= {".".join(parts[n:]) for n in range(len(parts))}
    return found


def _shared(words: WordsFile) -> bool:
    return words.name in _SHARED or words.name.startswith(PACKAGE)


def _is_say(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == SAY
