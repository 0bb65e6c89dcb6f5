"""Colour palettes of 255 levels and one gap, made from a few anchor colours.

A palette is a read-only (256, 3) uint8 array of sRGB colours, ready to be a PNG palette. Row 0 is
the gap between tiles (drawn transparent); rows 1 to 255 are the levels, row 128 is their middle.

The anchors are joined in OKLab (Ottosson, "A perceptual color space for image processing", 2020),
in which equal steps of lightness look equal: SEQUENTIAL and DIVERGING show no edge that is not in
the numbers, and SEQUENTIAL can be read without seeing hues.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cnnviz.errors import CnnvizError, unknown_name

Palette = npt.NDArray[np.uint8]

GAP = 0
LOWEST, CENTRE, HIGHEST = 1, 128, 255

# Ottosson (2020): linear sRGB → cone responses, whose cube roots → (lightness, a, b).
_RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _linear(colours: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Light (0 to 1) of sRGB codes (0 to 255)."""
    srgb = np.asarray(colours, dtype=np.float64) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def oklab(colours: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """OKLab (lightness 0 to 1, a, b) of sRGB colours (..., 3) given in 0 to 255."""
    lab: npt.NDArray[np.float64] = np.cbrt(_linear(colours) @ _RGB_TO_LMS.T) @ _LMS_TO_LAB.T
    return lab


def ink_on(colour: npt.ArrayLike) -> str:
    """Black or white, whichever is easier to read on a colour (3,): 4.5:1 or more on any."""
    luminance = float(_linear(colour) @ [0.2126, 0.7152, 0.0722])  # WCAG 2.2
    return "#000000" if luminance > 0.179 else "#ffffff"


def _srgb(lab: npt.NDArray[np.float64]) -> Palette:
    """The nearest sRGB bytes (..., 3) of OKLab colours, the inverse of `oklab`."""
    lms = (lab @ np.linalg.inv(_LMS_TO_LAB).T) ** 3
    linear = np.clip(lms @ np.linalg.inv(_RGB_TO_LMS).T, 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(srgb * 255).astype(np.uint8)


def hex_colour(colour: npt.ArrayLike) -> str:
    """`#rrggbb` of one colour (3,) in 0 to 255."""
    red, green, blue = (int(value) for value in np.asarray(colour))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _ramp(anchors: str, levels: int) -> npt.NDArray[np.float64]:
    """OKLab colours (levels, 3) through hex anchors, in equal steps of lightness."""
    lab = oklab([list(bytes.fromhex(anchor)) for anchor in anchors.split()])
    lightness = np.linspace(lab[0, 0], lab[-1, 0], levels)
    order = np.argsort(lab[:, 0])  # np.interp wants rising positions
    a, b = (np.interp(lightness, lab[order, 0], lab[order, axis]) for axis in (1, 2))
    return np.stack([lightness, a, b], axis=1)


def _with_gap(levels: Palette) -> Palette:
    """The palette (256, 3) of 255 sRGB levels; its gap is white where nothing is transparent."""
    colours = np.concatenate([np.full((1, 3), 255, dtype=np.uint8), levels])
    colours.flags.writeable = False
    return colours


def _diverging(negative: str, positive: str) -> Palette:
    """From the middle outwards along both ramps, with the same lightness at the same distance."""
    below, above = _ramp(negative, 128), _ramp(positive, 128)
    below[:, 0] = above[:, 0]
    return _with_gap(_srgb(np.concatenate([below[:0:-1], above])))


SEQUENTIAL = _with_gap(_srgb(_ramp("0a0c2b 23306f 1f6a8f 2a9d8a 8fc968 fbf3ae", 255)))
"""Values from zero up: dark blue, teal, green, pale yellow; brighter is more."""

DIVERGING = _diverging("f7f7f5 9cc3e6 3f83c4 154a8f", "f7f7f5 f3b48a d9682f 8f3410")
"""Signed values: blue is negative, near-white is zero, orange is positive; darker is farther."""

GREY = _with_gap(np.rint(np.linspace([0] * 3, [255] * 3, 255)).astype(np.uint8))
"""Images: black to white in steps of the sRGB code, as a photograph's own greys are."""

PALETTES = {"sequential": SEQUENTIAL, "diverging": DIVERGING, "grey": GREY}


def palette(name_or_array: str | Palette) -> Palette:
    """The palette of that name, or the given array after a check.

    Raises:
        CnnvizError: unknown name (the nearest is suggested), or not a (256, 3) uint8 array.
    """
    if isinstance(name_or_array, str):
        if name_or_array not in PALETTES:
            raise unknown_name("palette", name_or_array, PALETTES)
        return PALETTES[name_or_array]
    array = np.asarray(name_or_array)
    if array.shape != (256, 3) or array.dtype != np.uint8:
        raise CnnvizError(
            f"A palette of shape {array.shape} and type {array.dtype} was given; expected "
            f"(256, 3) and uint8 (row 0 the gap), or one of: {', '.join(PALETTES)}."
        )
    return array


def css_gradient(name_or_array: str | Palette, stops: int = 17) -> str:
    """A CSS `linear-gradient` of the 255 levels from left to right, for legends."""
    rows = np.rint(np.linspace(LOWEST, HIGHEST, stops)).astype(int)
    colours = ", ".join(hex_colour(colour) for colour in palette(name_or_array)[rows])
    return f"linear-gradient(to right, {colours})"
