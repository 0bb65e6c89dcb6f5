"""The picture that shows a page where its address is shared: its title over one of its figures.

1200×630 PNG, drawn once and kept in build/cards until title or figure change. Chinese needs a font
of the system; without one the card has the figure alone, since empty boxes would be worse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from cnnviz.figure.kept import KeptFigure, KeptPicture
from cnnviz.files import digest, holds, inside, write_atomically

WIDTH, HEIGHT = 1200, 630
LARGEST = 60_000
"""Bytes of a card; some that show cards refuse slow ones."""

_PAPER, _INK, _ACCENT = "#fdfcf9", "#20262e", "#0a6b67"
_MARGIN, _GAP, _STRIP = 60, 16, 300
_HAN_FONTS = (
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc", 2),  # the third face is for China
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-Bold.ttc", 2),
    ("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Bold.ttc", 2),
    ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", 0),
    ("/System/Library/Fonts/PingFang.ttc", 0),
    ("/System/Library/Fonts/Hiragino Sans GB.ttc", 0),
    ("C:/Windows/Fonts/msyhbd.ttc", 0),
)

Figures = Mapping[str, KeptFigure]


def figure_for(addresses: Sequence[str], figures: Figures) -> str:
    """The first of a page's figures that fills a card, else the first with pictures, else ""."""
    drawn = [a for a in addresses if a in figures and figures[a].shown.pictures]
    wide = (a for a in drawn if _row_width(figures[a].shown.pictures) >= WIDTH // 2)
    return next(wide, drawn[0] if drawn else "")


def card(
    title: str, site_name: str, address: str, figures: Figures, source: Path, kept: Path
) -> Path:
    """The file of a card, drawn now or before.

    Args:
        address: the figure it shows; "" for none.
        source: folder of the figures' files.
        kept: folder of cards.
    """
    panels = figures[address].shown.pictures if address else []
    files = [inside(source, panel.file).read_bytes() for panel in panels]
    font = _font_file(title + site_name)
    parts = [Path(__file__).read_bytes(), title.encode(), site_name.encode(), str(font).encode()]
    made_from = digest([*parts, *files])
    for path in kept.glob(f"{made_from}-*.png"):
        if holds(path, path.stem.rpartition("-")[2]):
            return path
    content = _small_enough(title, site_name, panels, files, font)
    path = kept / f"{made_from}-{digest([content])}.png"
    write_atomically(path, content)
    return path


def _enlarged(panels: Sequence[KeptPicture], strip: int = _STRIP) -> int:
    """How often each pixel is repeated so that the pictures fill a strip of some height."""
    return max(1, strip // max(panel.seen[1] for panel in panels))


def _row_width(panels: Sequence[KeptPicture]) -> int:
    return sum(panel.seen[0] for panel in panels) * _enlarged(panels)


def _small_enough(
    title: str,
    site_name: str,
    panels: Sequence[KeptPicture],
    files: Sequence[bytes],
    font: tuple[str, int] | None,
) -> bytes:
    """As large and with as many colours as fit into LARGEST bytes: photographs come out smaller."""
    content = b""
    for strip in (_STRIP, 200, 120):
        image = _draw(title, site_name, panels, files, font, strip)
        for colours in (256, 64, 32):
            file = BytesIO()
            image.quantize(colours, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
            content = file.getvalue()
            if len(content) <= LARGEST:
                return content
    return content


def _draw(
    title: str,
    site_name: str,
    panels: Sequence[KeptPicture],
    files: Sequence[bytes],
    font: tuple[str, int] | None,
    strip: int,
) -> Image.Image:
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, WIDTH, 12), fill=_ACCENT)
    if font:
        small, large = (ImageFont.truetype(font[0], size, index=font[1]) for size in (34, 68))
        pen.text((_MARGIN, 48), site_name, font=small, fill=_ACCENT)
        text = "\n".join(_lines(title, large, pen, WIDTH - 2 * _MARGIN)[:2])
        pen.multiline_text((_MARGIN, 104), text, font=large, fill=_INK, spacing=6)
    left, top = _MARGIN, HEIGHT - _MARGIN - _STRIP
    times = _enlarged(panels, strip) if panels else 1
    for panel, content in zip(panels, files, strict=True):
        picture = _picture(panel, content, times, strip)
        if left >= WIDTH - _MARGIN:
            break
        picture = picture.crop((0, 0, min(picture.width, WIDTH - _MARGIN - left), picture.height))
        image.paste(picture, (left, top + (_STRIP - picture.height) // 2), picture)
        left += picture.width + _GAP
    return image


def _picture(panel: KeptPicture, content: bytes, times: int, strip: int) -> Image.Image:
    """Enlarged so that each pixel is seen; one that is too high is made smaller."""
    width, height = panel.seen
    shown = min(width, WIDTH // times + 1)  # no card has more of it
    picture = Image.open(BytesIO(content), formats=("PNG",)).convert("RGBA")
    picture = picture.crop((0, 0, width if height > strip else shown, height))
    if picture.height > strip:
        width = max(1, picture.width * strip // picture.height)
        return picture.resize((width, strip), Image.Resampling.BOX)
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def _lines(
    text: str, font: ImageFont.FreeTypeFont, pen: ImageDraw.ImageDraw, width: int
) -> list[str]:
    """Break a title into lines: between words, or anywhere between Chinese characters."""
    pieces = text.split(" ") if text.isascii() else list(text)
    joint = " " if text.isascii() else ""
    lines = [""]
    for piece in pieces:
        longer = f"{lines[-1]}{joint}{piece}" if lines[-1] else piece
        if lines[-1] and pen.textlength(longer, font=font) > width:
            lines.append(piece)
        else:
            lines[-1] = longer
    return lines


def _font_file(text: str) -> tuple[str, int] | None:
    """A font that has the letters of a text, with the number of its face."""
    if any(letter >= "\u2e80" for letter in text):
        return next((font for font in _HAN_FONTS if Path(font[0]).exists()), None)
    return _latin_font()


@cache
def _latin_font() -> tuple[str, int] | None:
    """DejaVu: Latin, Greek and Cyrillic. matplotlib ships it; where it is not, the system may."""
    spec = find_spec("matplotlib")
    places = [Path("/usr/share/fonts/truetype/dejavu")]
    if spec and spec.origin:
        places.insert(0, Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf")
    files = (place / "DejaVuSans-Bold.ttf" for place in places)
    return next(((str(file), 0) for file in files if file.exists()), None)
