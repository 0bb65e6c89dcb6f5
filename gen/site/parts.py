"""Figures, formulas and links to the glossary: put into a page while Markdown makes it.

A tree processor finds their places. It sees elements and text, and none of the HTML that somebody
wrote by hand: Markdown keeps that aside until the end, so nothing here can cut it into something
else. What goes there would hide from the first look (gen/checks/allowed_html.py) what is the
text's own; so the tree gets marks that nobody can guess, and `filled` puts our parts in their
places after that look. Figures, but for their captions, go in last, by `finished`: what reads the
page meanwhile, such as the search, need not read their drawings.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from secrets import token_hex
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from markdown.util import HTML_PLACEHOLDER_RE

from cnnviz.errors import CnnvizError
from gen.texts.glossary import FirstUses
from gen.texts.maths import draw, tex_in

# Where a link would be wrong: headings, links, code, formulas, tables of numbers, controls.
_NO_LINKS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "a", "code", "pre", "svg", "script", "style"),
    *("summary", "button", "label", "table"),
}
_NO_LINKS_IN = re.compile(r"(?:arithmatex|admonition-title|filename)$|footnote")
_LATE = re.compile(r"<!--([0-9a-f]{16}x\d+x)-->")
# A picture may be cut off from what follows it: no line should begin with a comma.
_PUNCTUATION = re.compile(r"[，。、；：！？）,.;:!?)]+")

Figure = Callable[[str, str | None], str]
"""Address and caption → HTML. No caption: it holds what no caption can."""


def _no_figure(address: str, caption: str | None) -> str:
    raise CnnvizError(f"There is no figure '{address}' here.")


class Parts(Extension):  # type: ignore[misc]
    """The tree processor as an extension of Markdown, one object a build; `page` begins a page."""

    def __init__(self) -> None:
        super().__init__()
        self._late: dict[str, str] = {}
        self.page()

    def page(self, figure: Figure = _no_figure, uses: FirstUses | None = None) -> None:
        """What the page that will be read next is filled with.

        Args:
            figure: draws one; may raise CnnvizError.
            uses: first uses of terms, which become links; None for a page without.
        """
        self.figure, self.uses = figure, uses
        self._secret, self._parts = token_hex(8), list[tuple[str, bool]]()
        self._mark = re.compile(rf"{self._secret}x(\d+)x")
        self._error: CnnvizError | None = None

    def extendMarkdown(self, md: Markdown) -> None:
        """Put it behind all others; those of MkDocs, which read headings and links, end at 0."""
        md.treeprocessors.register(_Marks(self, md), "figures, formulas and terms", -10)

    def mark(self, part: str, late: bool = False) -> str:
        """What stands in the tree for a part; `late`: until the page is finished."""
        self._parts.append((part, late))
        return f"{self._secret}x{len(self._parts) - 1}x"

    def fail(self, error: CnnvizError) -> None:
        """Remember the first error: Markdown would not pass it on as it is."""
        self._error = self._error or error

    def filled(self, html: str) -> str:
        """The page that Markdown has made with all parts in their places, but for the late ones.

        Raises:
            CnnvizError: a figure or a formula that cannot be shown.
        """
        if self._error:
            raise self._error
        return self._mark.sub(self._part, html)

    def _part(self, found: re.Match[str]) -> str:
        part, late = self._parts[int(found[1])]
        if not late:
            return part
        self._late[found[0]] = part
        return f"<!--{found[0]}-->"

    def finished(self, page: str) -> str:
        """A page, of any of the build, with the late parts in their places."""
        return _LATE.sub(lambda found: self._late.get(found[1], found[0]), page)


class _Marks(Treeprocessor):  # type: ignore[misc]
    def __init__(self, of: Parts, md: Markdown) -> None:
        super().__init__(md)
        self.of = of

    def run(self, root: Element) -> None:
        if self.of.uses:
            self._link(root, self.of.uses)
        for element in list(root.iter()):
            try:
                if element.get("class") == "arithmatex":
                    self._draw(element)
                elif element.get("class") == "figure-slot" and element.tag == "div":
                    self._show(element)
            except CnnvizError as error:
                self.of.fail(error)

    def _link(self, element: Element, uses: FirstUses) -> None:
        """Link first uses in the text of an element, in the order in which it is read."""
        element.text = uses.linked(element.text or "", self.of.mark)
        for child in element:
            if child.tag not in _NO_LINKS and not _NO_LINKS_IN.match(child.get("class", "")):
                self._link(child, uses)
            child.tail = uses.linked(child.tail or "", self.of.mark)

    def _draw(self, element: Element) -> None:
        display, tail = element.tag == "div", element.tail or ""
        tex = tex_in("".join(element.itertext()))
        if tex is None:
            return
        drawing = draw(tex, display)
        follows = None if display else _PUNCTUATION.match(tail)
        if follows:
            drawing = f'<span class="math-then">{drawing}'
            tail = f"{follows[0]}{self.of.mark('</span>')}{tail[follows.end() :]}"
        _become_text(element, self.of.mark(drawing), tail)

    def _show(self, slot: Element) -> None:
        """Put a figure around its caption, which stays in the tree with its formulas and links."""
        caption = token_hex(8)
        html = self.of.figure(slot.get("data-figure", ""), caption if self._plain(slot) else None)
        before, _, behind = html.partition(caption)
        slot.tag = None  # type: ignore[assignment]  # the serialiser writes what is in it
        slot.attrib.clear()
        slot.text = self.of.mark(before, late=True) + (slot.text or "").strip()
        end = self.of.mark(behind, late=True)
        if len(slot):
            slot[-1].tail = (slot[-1].tail or "").strip() + end
        else:
            slot.text += end

    def _plain(self, slot: Element) -> bool:
        """No code and no box is in it, neither as elements nor as HTML that is kept aside."""
        aside = HTML_PLACEHOLDER_RE.findall("".join(slot.itertext()))
        kept = (str(self.md.htmlStash.rawHtmlBlocks[int(number)]) for number in aside)
        boxes = [element for element in slot.iter("div") if element is not slot]
        return not boxes and not any("<div" in html for html in kept)


def _become_text(element: Element, text: str, tail: str) -> None:
    element.clear()
    element.tag = None  # type: ignore[assignment]  # the serialiser writes its text alone
    element.text, element.tail = text, tail
