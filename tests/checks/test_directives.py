"""Directives as mkdocstrings reads them, through the Markdown of the site: none has options."""

import random

import pytest
from mkdocs.exceptions import PluginError
from mkdocstrings import AutoDocProcessor

from gen.checks.directives import Directives
from tests.site_markdown import parser

OPTIONS = "    options:\n      extensions: [x.py]"


class _Taken(AutoDocProcessor):
    """mkdocstrings' own reader of blocks, which notes what it would do."""

    def __init__(self, md, taken):
        super().__init__(md, handlers=None, autorefs=None)
        self.taken = taken

    def run(self, parent, blocks):
        try:
            super().run(parent, blocks)
        except AttributeError:  # there is no handler, and no more to be seen
            return

    def _process_block(self, identifier, yaml_block, heading_level=0):
        self.taken.append((identifier, yaml_block.strip(), heading_level))
        raise AttributeError


def taken(text, *, checked=True, language="en"):
    """Name, options and level of the directives that mkdocstrings would follow."""
    rule = Directives()
    rule.page("docs/en/api.md", text, language)
    md = parser(*([rule] if checked else []))
    found = []
    md.parser.blockprocessors.register(_Taken(md, found), "mkdocstrings", 75)
    md.convert(text)
    return found


def test_a_directive_as_ours():
    text = (
        "::: cnnviz.inside.recording.record\n\ntext\n\n::: cnnviz.errors.CnnvizError\n\n\n"
        "## A { #a }\n"
    )
    names = ["cnnviz.inside.recording.record", "cnnviz.errors.CnnvizError"]
    assert taken(text) == [(name, "", 0) for name in names]


@pytest.mark.parametrize(
    "text",
    [
        f"::: cnnviz.errors\n{OPTIONS}",
        f"::: cnnviz.errors\n\n{OPTIONS}",
        f"::: cnnviz.errors\n \t\n{OPTIONS}",
        "::: cnnviz.errors\n\n    handler: x",
        "## ::: cnnviz.errors\n    options:\n      force_inspection: true",
        "::: antigravity",
        "::: gen.publish.assemble",
        "::: cnnviz",
        ":::cnnviz.errors",
        "a\n::: cnnviz.errors",
        "a\n\n> ::: gen.publish.assemble\n",
        f"> a\n::: cnnviz.errors\n> \n> {OPTIONS}".replace("\n      ", "\n>       "),
        f":\x02:: cnnviz.errors\n{OPTIONS}",
        f"::: cnnviz.errors\r\n\r\n{OPTIONS}",
        f'<div markdown="1">\n::: cnnviz.errors\n\n{OPTIONS}\n</div>',
        "::: cnnviz.errors\u2028",
    ],
    ids=ascii,
)
def test_a_directive_that_could_load_python(text):
    assert taken(text, checked=False), "mkdocstrings would take it"
    with pytest.raises(PluginError, match=r"stands alone, with a name of cnnviz"):
        taken(text)
    with pytest.raises(PluginError, match="独自成段"):
        taken(text, language="zh")


def test_the_finding_names_file_and_line():
    with pytest.raises(
        PluginError, match=r"^docs/en/api\.md:3: '::: gen\.publish\.assemble' stands"
    ):
        taken("# A\n\n::: gen.publish.assemble\n")


def test_code_may_show_a_directive():
    assert taken("``` text\n::: gen.publish.assemble\n```\n\n`::: gen.publish.assemble`") == []


def test_no_way_of_writing_leads_to_options():
    """Lines of all kinds, put together by chance: what is taken has no options and is ours."""
    lines = [
        "",
        "",
        "::: cnnviz.errors",
        "::: gen.publish.assemble",
        OPTIONS,
        "    handler: x",
        "text",
        "- item",
        "1. item",
        '!!! note "a"',
        '??? note "a"',
        '=== "a"',
        "> text",
        "[^1]: note",
        ":   text",
        '<div markdown="1">',
        "</div>",
        "<!-- a -->",
        "# A",
    ]
    indents = ["", "", "", "    ", "  ", "> ", "\t"]
    chance, unchecked, refused, ours = random.Random(5), 0, 0, 0
    for _ in range(500):
        text = "\n".join(
            "\n".join(indent + line for line in chance.choice(lines).split("\n"))
            for indent in chance.choices(indents, k=6)
        )
        unchecked += any(options for _, options, _ in taken(text, checked=False))
        try:
            found = taken(text)
        except PluginError:
            refused += 1
            continue
        ours += bool(found)
        assert {(name, options) for name, options, _ in found} <= {("cnnviz.errors", "")}, text
    assert min(unchecked, refused, ours) > 10
