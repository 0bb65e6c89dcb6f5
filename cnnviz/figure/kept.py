"""What is kept on disk of a chapter and its figures: the types, one writer, one reader.

A chapter is one JSON file beside its PNG files. The types say what may stand in it, narrower than
pages need, since names become files, addresses and markup, and since a bundle may come from anybody
(gen.bundle.check); a figure drawn here is held to the same. Imports no torch, numpy or Pillow.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from cnnviz.errors import CnnvizError, printable
from cnnviz.files import DamagedError, digest
from cnnviz.words import Message

# --- Words, names and numbers -------------------------------------------------------------------

_FILE = r"(?:\w[\w.-]*/)*\w[\w.-]*"
"""Folders and a file; none begins with a dot."""

Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Pixels = Annotated[int, Meta(ge=1, le=20_000)]
Name = Annotated[str, Meta(pattern=r"\A\w[\w.-]{0,99}\Z")]
Words = Annotated[str, Meta(max_length=2000)]
Markup = Annotated[str, Meta(max_length=2_000_000)]
Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{8,64}\Z")]
DigestOrNone = Annotated[str, Meta(pattern=r"\A(?:[0-9a-f]{8,64})?\Z")]
PictureFile = Annotated[str, Meta(pattern=rf"(?a)\A{_FILE}\.(?:png|webp)\Z", max_length=300)]
Scope = Annotated[str, Meta(pattern=r"\A\w[\w.-]{0,199}\Z")]
Asked = Annotated[str, Meta(pattern=r"\A\w[\w.-]{0,199}:\w[\w .-]{0,99}\Z")]
Source = Annotated[str, Meta(pattern=r"(?a)\A(?:gen|cnnviz)/(?:\w+/)*\w+\.py#L\d{1,6}\Z")]
Gradient = Annotated[
    str,
    Meta(pattern=r"(?ai)\A(?:linear-gradient\((?!.*url)[\w #%,.()-]*\))?\Z", max_length=5000),
]


Layout = Literal["row", "flow", "grid", "column", "inputs"]


Said = Message | Words
"""What a figure says: a sentence of its words file; or a name, the same in every language."""

Language = Annotated[str, Meta(pattern=r"\A[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?\Z")]
Drawn = dict[Language, Markup]
"""What holds words as they were when it was drawn, in each language."""


# --- Figures ------------------------------------------------------------------------------------


class Kept(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of what is kept: nothing stands in it that nobody reads."""


class Passport(Kept, frozen=True):
    """Of a network: seed of its training, "" where nobody knows it, and digest of its weights."""

    seed: int | Literal[""]
    digest: Digest


class Links(Kept, frozen=True):
    """Tiles that lead to the pages of units: 0 to `count` - 1 of `layer`, `columns` in a row.

    For the mouse alone, by assets/atlas.js: the page has the same links as a list.
    """

    layer: Name
    count: Count
    columns: Count


class Bands(Kept, frozen=True):
    """Of a sprite, a picture in `count` bands `height` pixels high, of which one is seen."""

    count: Count
    height: Pixels


class Line(Kept, frozen=True, array_like=True):
    """A line of a chart, for the list of its names."""

    name: Words
    colour: Annotated[str, Meta(pattern=r"\A[\w-]*\Z")]
    dashes: Annotated[str, Meta(pattern=r"\A[\d .]*\Z")]


class KeptPanel(Kept, frozen=True):
    """A picture or a drawing, with its label; `alt` is the label if not given."""

    label: Said | None
    alt: Said | None


class KeptPicture(KeptPanel, frozen=True, tag="picture"):
    """A panel whose content is a PNG file, shown `scale` times as large; `photo` as in Picture."""

    file: PictureFile
    width: Pixels
    height: Pixels
    scale: Annotated[float, Meta(gt=0, le=1000)]
    photo: bool
    bands: Bands | None = None
    links: Links | None = None

    def __post_init__(self) -> None:
        if self.bands and self.bands.height > self.height:
            raise ValueError("expected bands that are no higher than the picture")

    @property
    def seen(self) -> tuple[int, int]:
        """Width and height in pixels of what is seen of it at a time."""
        return self.width, self.bands.height if self.bands else self.height


class KeptDrawing(KeptPanel, frozen=True, tag="drawing"):
    """A panel whose content is SVG or HTML, drawn for each language."""

    markup: Annotated[Drawn, Meta(min_length=1)]

    def __post_init__(self) -> None:
        for markup in self.markup.values():
            named_lines(markup)


def named_lines(markup: str) -> list[list[Line]]:
    """The named lines of each chart in some markup.

    Raises:
        msgspec.MsgspecError: they are described in another way.
    """
    return [
        msgspec.json.decode(unescape(lines), type=list[Line])
        for lines in re.findall(r' data-lines="([^"]*)"', markup)
    ]


class Legend(Kept, frozen=True):
    """What the colours mean: a bar from `low` to `high` and a sentence.

    `ends` are low and high for each input, where each has a scale of its own.
    """

    text: Said
    gradient: Gradient = ""
    low: Words = ""
    high: Words = ""
    ends: Sequence[tuple[Words, Words]] = ()


class KeptVariant(Kept, frozen=True):
    """One of several ways to draw the same."""

    name: Said
    panels: Annotated[list[KeptPicture | KeptDrawing], Meta(min_length=1)]
    legends: list[Legend]

    @property
    def pictures(self) -> list[KeptPicture]:
        """Those of its panels that are pictures."""
        return [panel for panel in self.panels if isinstance(panel, KeptPicture)]


class KeptFigure(Kept, frozen=True):
    """A figure, as in cnnviz.figure.figure; one that is drawn in one way has one variant.

    Attributes:
        scope: what its words are looked for by, such as "relu.before_after".
        source: the function that drew it, as file and line.
        weights: network that it shows → passport.
    """

    alt: Said
    layout: Layout
    chosen: Count
    scrub: Said | None
    columns: Annotated[int, Meta(ge=0, le=100)]
    notes: list[Message]
    variants: Annotated[list[KeptVariant], Meta(min_length=1, max_length=1000)]
    scope: Scope
    source: Source
    weights: dict[Name, Passport]

    def __post_init__(self) -> None:
        if self.chosen >= len(self.variants):
            raise ValueError("expected 'chosen' to be the number of a variant")

    @property
    def shown(self) -> KeptVariant:
        """The variant that is shown first."""
        return self.variants[self.chosen]


# --- Chapters -----------------------------------------------------------------------------------


class Chapter(Struct, forbid_unknown_fields=True):
    """The rendered figures and numbers of one chapter.

    Attributes:
        key: what it was made from.
        figures: name → figure.
        numbers: name → value, for the prose.
        files: PNG file name → digest of its content.
        weights: network that it used → digest of its file, "" if there was none.
        drawn_words: words inside its drawings: language → scope of a figure and key, with a colon
            between → digest of the sentence.
    """

    key: Digest
    figures: dict[Name, KeptFigure] = {}
    numbers: dict[str, Any] = {}
    files: dict[PictureFile, Digest] = {}
    weights: dict[str, DigestOrNone] = {}
    drawn_words: dict[Language, dict[Asked, Digest]] = {}


class _Sealed(Struct, forbid_unknown_fields=True):
    """A chapter's file."""

    digest: str
    chapter: Raw


def sealed(chapter: Chapter) -> bytes:
    """A chapter as one JSON object of two lines: the digest of the second line, and the chapter.

    Raises:
        CnnvizError: something in it is not as the types above say, so it could not be read again.
    """
    try:
        second = b'"chapter":' + msgspec.json.encode(chapter) + b"}\n"
    except (TypeError, UnicodeError) as error:  # such as a number of numpy's
        raise CnnvizError(f"is no description of a chapter: {printable(str(error))}") from error
    content = f'{{"digest":"{digest([second], 64)}",\n'.encode() + second
    opened(content)
    return content


def opened(content: bytes) -> Chapter:
    """The chapter that `sealed` wrote.

    Raises:
        DamagedError: it differs from what was written.
        CnnvizError: it is as it was written, and no chapter; says where.
    """
    try:
        written = msgspec.json.decode(content, type=_Sealed)
        if written.digest != digest([content.partition(b"\n")[2]], 64):
            raise DamagedError("differs from what was written")
        return msgspec.json.decode(written.chapter, type=Chapter)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        reason = printable(str(error))[:300]
        raise CnnvizError(f"is no description of a chapter: {reason}") from error
