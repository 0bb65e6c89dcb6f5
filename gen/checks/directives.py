"""A directive `::: cnnviz.name` names something of the package, and nothing else.

mkdocstrings takes options from the lines below it, or from the next block, behind empty lines; in
a quotation, a list or a box the lines look different again. Options may name extensions, which are
Python files. So the rule stands where mkdocstrings reads: a processor right before its own, which
gets the very same blocks.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from mkdocs.exceptions import PluginError
from mkdocstrings import AutoDocProcessor

from cnnviz.errors import CnnvizError
from cnnviz.words import message
from gen.texts.finding import Finding
from gen.texts.sections import line_of

_OURS = re.compile(r"::: cnnviz(?:\.\w+)+ *\n*", re.A)


class Directives(Extension):  # type: ignore[misc]
    """The rule as an extension of Markdown, one object a build; `page` says what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.page("", "", "en")

    def page(self, file: str, source: str, language: str) -> None:
        """The file that will be read next, as messages name it, and its text."""
        self.file, self.source, self.language = file, source, language

    def extendMarkdown(self, md: Markdown) -> None:
        """Put the rule before mkdocstrings, which has priority 75."""
        md.parser.blockprocessors.register(_Rule(self, md), "only our directives", 75.5)


class _Rule(BlockProcessor):  # type: ignore[misc]
    def __init__(self, of: Directives, md: Markdown) -> None:
        super().__init__(md.parser)
        self.of = of

    def test(self, parent: Element, block: str) -> bool:
        return bool(AutoDocProcessor.regex.search(block))

    def run(self, parent: Element, blocks: list[str]) -> bool:
        """Leave it to mkdocstrings, if it is as ours are.

        Raises:
            PluginError: one with options, or for something else.
        """
        found = AutoDocProcessor.regex.search(blocks[0])
        if _OURS.fullmatch(blocks[0]) and not (len(blocks) > 1 and blocks[1].startswith(" ")):
            return False
        directive = found[0].strip() if found else ""
        place = self.of.source.find(directive)
        line = line_of(self.of.source, place) if place >= 0 else 0
        what = message("directives.not alone", directive=directive)
        try:
            said = Finding(self.of.file, line, what).text(self.of.language)
        except CnnvizError as error:  # of the words file: here, only MkDocs would hear of it
            said = str(error)
        raise PluginError(said)
