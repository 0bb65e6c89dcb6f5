"""Handwritten digits made from strokes, in the form of MNIST: the data set that ships.

A sample is made as a person would write it. A style of the digit is chosen, the hand-placed
templates of that style (`cnnviz.data.digit_templates`) are blended with random weights, the control
points jitter, a smooth curve goes through them, the sheet is bent, slanted and stretched, and a
round pen of varying pressure inks the path. The form is MNIST's: the ink fills a 20×20 box, whose
centre of mass is put in the middle of 28×28 pixels (LeCun, Bottou, Bengio and Haffner 1998,
section III.A). These are not MNIST's images, and no real image is part of them; how hands differ
was set by looking at real digits and at their mean ink and width of line.

Arrays keep the samples on their last axis: every step is then one operation on long rows. Nothing
here depends on BLAS or on the number of threads, so a seed gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnviz.data.digit_paths import Floats, Path, path_of
from cnnviz.data.digit_templates import STYLES, Style
from cnnviz.errors import CnnvizError, unknown_name

SIDE = 28  # pixels of an image
BOX = 20  # pixels of the box that the ink fills
CHUNK = 128  # samples drawn together; part of what a seed means, so never change it lightly

# How hands differ. Lengths in template units unless said otherwise.
BLEND = 0.7  # concentration of the Dirichlet weights of the templates
JITTER = 2.5  # of control points; twice that where a stroke starts or ends
STROKE_JITTER = 2.5  # of whole strokes
MESSY_SHARE, MESSY = 0.25, 2.0  # share of messy samples, and how many times as much they jitter
ROUND = 0.7  # how far corners may be rounded
WAVES, WAVE_FREQUENCY, WARP = 3, 0.7, 2.5  # bending of the sheet: waves a digit, height
ASPECT = 0.3  # spread of log width / height
SHEAR = 0.1, 0.3  # mean and spread; positive leans to the right
TURN = 0.1  # spread of the turn, radians
PROPORTION = 0.8  # spread of taper and lift, times how far hands are exaggerated
PEN = 1.25, 0.3  # half the width of the line in pixels: median, spread of its logarithm
PRESSURE = 0.1  # spread of log width along the path
BOLD = {0: 1.1, 1: 1.16}  # plain digits are written with a firmer hand: factor on the pen
EDGE = 0.95, 1.7  # width of the soft edge in pixels, least and most


@dataclass(frozen=True)
class Digits:
    """Made digits.

    Attributes:
        images: (N, 28, 28) uint8, white (255) on black (0).
        labels: (N,) int64.
        styles: (N,) names such as "7 barred".
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    styles: NDArray[np.str_]


@dataclass(frozen=True)
class Example:
    """One sample with the steps that led to it; each step is a list of strokes, (P, 2) as x, y.

    Attributes:
        blended: the weighted mean of the templates, 100 units high.
        warped: after jitter, bending, slant and stretch, about 100 units high.
        placed: in pixels of the final image (pixel i spans i to i + 1).
        ink: (20, 20) uint8, the inked box before it is centred by mass.
        image: (28, 28) uint8.
    """

    digit: int
    style: str
    blended: list[Floats]
    warped: list[Floats]
    placed: list[Floats]
    ink: NDArray[np.uint8]
    image: NDArray[np.uint8]


def style_names() -> dict[int, list[str]]:
    """The styles of each digit, as `Digits.styles` names them."""
    names: dict[int, list[str]] = {digit: [] for digit in range(10)}
    for style in STYLES:
        names[style.digit].append(_name(style))
    return names


def generate(count: int, seed: int, spread: float = 1.0) -> Digits:
    """Make `count` digits, classes balanced (to within one) and in shuffled order.

    The same arguments give the same bytes, whatever the number of cores.

    Args:
        spread: how far hands differ; 1 is as in real ones, about, and 1.25 makes slant, jitter,
            bending and the distance between shapes a quarter larger. Above 1 proportions change
            too.

    Raises:
        CnnvizError: `count` below 1, `seed` below 0, or `spread` below 0 or not a number.
    """
    _check("count", count, 1)
    _check("seed", seed, 0)
    if not 0 <= spread < np.inf:
        raise CnnvizError(f"Bad spread {spread!r}. Expected a number from 0 up; 1 is as in life.")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count, dtype=np.int64) % 10)
    style_of = np.zeros(count, np.int64)
    for digit in range(10):
        of_digit = [i for i, style in enumerate(STYLES) if style.digit == digit]
        shares = np.array([STYLES[i].share for i in of_digit], float)
        where = np.flatnonzero(labels == digit)
        style_of[where] = rng.choice(of_digit, where.size, p=shares / shares.sum())

    images = np.zeros((count, SIDE, SIDE), np.uint8)

    def draw(job: tuple[int, int, NDArray[np.int64]]) -> None:
        style, chunk, where = job
        chunk_rng = np.random.default_rng([seed, style, chunk])
        images[where] = _draw(style, where.size, chunk_rng, spread).images

    with ThreadPoolExecutor(2) as pool:  # numpy lets go of the interpreter lock while it computes
        list(pool.map(draw, _jobs(style_of)))
    names = np.array([_name(style) for style in STYLES])
    return Digits(images, labels, names[style_of])


def example(digit: int, style: str, seed: int) -> Example:
    """One sample of a style with its intermediate steps, for a figure.

    Raises:
        CnnvizError: no such digit or style (the nearest is suggested), or `seed` below 0.
    """
    _check("seed", seed, 0)
    names = style_names()
    if digit not in names:
        raise CnnvizError(f"Unknown digit {digit!r}. Expected a whole number from 0 to 9.")
    if style not in names[digit]:
        raise unknown_name("style", str(style), names[digit])
    index = [_name(s) for s in STYLES].index(style)
    drawn = _draw(index, 1, np.random.default_rng([seed, index]), spread=1)
    cuts = np.flatnonzero(np.diff(path_of(index).stroke)) + 1

    def strokes(points: Floats) -> list[Floats]:
        return np.split(points[:, :, 0], cuts)

    return Example(
        digit,
        style,
        strokes(drawn.blended),
        strokes(drawn.warped),
        strokes(drawn.placed),
        drawn.ink[0],
        drawn.images[0],
    )


def _check(what: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise CnnvizError(f"Bad {what} {value!r}. Expected a whole number of at least {least}.")


def _name(style: Style) -> str:
    return f"{style.digit} {style.name}"


def _jobs(style_of: NDArray[np.int64]) -> Iterator[tuple[int, int, NDArray[np.int64]]]:
    """(style, number of the chunk, which samples), together every sample once."""
    for style in range(len(STYLES)):
        where = np.flatnonzero(style_of == style)
        for chunk, start in enumerate(range(0, where.size, CHUNK)):
            yield style, chunk, where[start : start + CHUNK]


# --- From curves to ink -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Drawn:
    """A chunk of n samples of one style; P inked points. Points are (P, 2, n), pictures (n, …)."""

    blended: Floats
    warped: Floats
    placed: Floats
    ink: NDArray[np.uint8]
    images: NDArray[np.uint8]


def _draw(index: int, n: int, rng: np.random.Generator, spread: float) -> _Drawn:
    path = path_of(index)
    blended, warped = _write(path, n, rng, spread)
    radius = _pen(STYLES[index].digit, len(warped), n, rng)  # (P, n) pixels
    edge = EDGE[0] + (EDGE[1] - EDGE[0]) * rng.random(
        n, np.float32
    )  # width of the soft edge, pixels
    boxed = _fit_box(warped, radius)
    ink = _ink(boxed, radius, edge)  # (20, 20, n) from 0 to 1
    ink *= ink * (3 - 2 * ink)  # as in scans: more black and white, less grey
    corner = _centring(ink)  # (2, n) x, y of the box in the image
    box = np.rint(255 * ink).astype(np.uint8).transpose(2, 0, 1)
    rows = corner[1][:, None, None] + np.arange(BOX)[:, None]
    columns = corner[0][:, None, None] + np.arange(BOX)
    images = np.zeros((n, SIDE, SIDE), np.uint8)
    images[np.arange(n)[:, None, None], rows, columns] = box
    return _Drawn(blended, warped, boxed + corner.astype(np.float32), box, images)


def _normal(rng: np.random.Generator, *shape: int) -> Floats:
    return rng.standard_normal(shape, np.float32)


def _phase(rng: np.random.Generator, n: int) -> Floats:
    return np.float32(2 * np.pi) * rng.random(n, np.float32)


def _write(path: Path, n: int, rng: np.random.Generator, spread: float) -> tuple[Floats, Floats]:
    """The path of the pen for n samples: as blended, and as a hand would write it, (P, 2, n)."""
    count = len(path.templates)
    weights = rng.standard_gamma(BLEND, (count, n)).astype(np.float32) + np.float32(1e-6)
    weights /= weights.sum(0)  # Dirichlet: (T, n)
    weights += (spread - 1) * (weights - np.float32(1 / count))  # on from the templates' mean
    control = np.einsum("tkc,tn->kcn", path.templates, weights)  # (K, 2, n)
    blended = np.einsum("pk,kcn->pcn", path.sharp, control)
    messy = np.where(rng.random(n) < MESSY_SHARE, MESSY, 1).astype(np.float32)
    messy *= path.wobble * np.exp(0.3 * _normal(rng, n))

    loose = 1 + path.ends.astype(np.float32)  # the pen lands and leaves less exactly
    control += spread * JITTER * messy * loose[:, None, None] * _normal(rng, *control.shape)
    drift = spread * STROKE_JITTER * messy * _normal(rng, int(path.stroke[-1]) + 1, 2, n)
    control += drift[path.stroke_of_control]
    soft = ROUND * rng.random(n, np.float32) ** 2  # how far corners are rounded
    points = np.einsum("pk,kcn->pcn", path.sharp, control * (1 - soft))
    points += np.einsum("pk,kcn->pcn", path.round, control * soft)

    points -= points.mean(0)
    if spread > 1:
        points = _change_proportions(points, spread - 1, rng)
    return blended, _slant(points + spread * _bend(points, messy, rng), n, rng, spread)


def _bend(points: Floats, messy: Floats, rng: np.random.Generator) -> Floats:
    """A smooth displacement of the sheet: some long waves in random directions."""
    n = points.shape[2]
    bend = np.zeros_like(points)
    for _ in range(WAVES):
        wave = _normal(rng, 2, n) * np.float32(2 * np.pi * WAVE_FREQUENCY / 100)
        phase = _phase(rng, n)
        height = WARP * np.sqrt(messy) * _normal(rng, 2, n)
        bend += height * np.sin(points[:, :1] * wave[0] + points[:, 1:] * wave[1] + phase)
    return bend


def _change_proportions(points: Floats, share: float, rng: np.random.Generator) -> Floats:
    """Top wider and bottom narrower, and the middle lower or higher, or the reverse."""
    taper, lift = share * PROPORTION * _normal(rng, 2, points.shape[2])
    x, y = points[:, 0], points[:, 1]
    height = np.clip(y / 50, -1.3, 1.3)  # about -1 at the top, 1 at the bottom
    return np.stack([x * (1 + taper * height), y + 25 * lift * (1 - height**2)], 1)


def _slant(points: Floats, n: int, rng: np.random.Generator, spread: float) -> Floats:
    """Stretch, shear and turn the sheet."""
    stretch = np.exp(spread * ASPECT * _normal(rng, n))
    shear = SHEAR[0] + spread * SHEAR[1] * _normal(rng, n)
    turn = spread * TURN * _normal(rng, n)
    x, y = points[:, 0] * stretch, points[:, 1]
    x = x - shear * y  # y points down: a positive shear leans to the right
    cosine, sine = np.cos(turn), np.sin(turn)
    return np.stack([x * cosine - y * sine, x * sine + y * cosine], 1)


def _pen(digit: int, steps: int, n: int, rng: np.random.Generator) -> Floats:
    """Half the width of the line at each point of the path, (P, n), in pixels."""
    mean = np.float32(PEN[0] * BOLD.get(digit, 1)) * np.exp(PEN[1] * _normal(rng, n))
    along = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
    pressure = np.zeros((steps, n), np.float32)
    for waves in (0.5, 1.5, 3.0):
        phase = _phase(rng, n)
        pressure += _normal(rng, n) * np.sin(np.float32(2 * np.pi * waves) * along + phase)
    radius: Floats = np.clip(mean * np.exp(PRESSURE * pressure), 0.45, 3.2)
    return radius


def _fit_box(points: Floats, radius: Floats) -> Floats:
    """Scale and move so that the ink just fits the 20×20 box, about in its middle, aspect kept."""
    width = radius.mean(0)  # (n,)
    low, high = points.min(0), points.max(0)  # (2, n)
    size = high - low
    scale = (BOX - 2 * width) / size.max(0)
    spare = np.floor((BOX - size * scale) / 2 - width + np.float32(0.01))  # whole pixels, (2, n)
    boxed: Floats = (points - low) * scale + width + spare
    return boxed


def _ink(points: Floats, radius: Floats, edge: Floats) -> Floats:
    """Ink in each pixel of the box, (20, 20, n) from 0 to 1.

    The squared distance to a disc's centre minus its squared radius (the power of the point) is
    a sum of a term in x and a term in y: no square root per disc, one minimum over all discs.
    """
    n = points.shape[2]
    centre = np.arange(BOX, dtype=np.float32)[:, None] + np.float32(0.5)
    power = np.full((BOX, BOX, n), np.float32(1e6))
    one = np.empty_like(power)
    across = (points[:, :1] - centre) ** 2  # (P, 20, n)
    down = (points[:, 1:] - centre) ** 2 - (radius**2)[:, None]  # (P, 20, n)
    for x, y in zip(across, down, strict=True):
        np.add(y[:, None], x[None], out=one)
        np.minimum(power, one, out=power)
    mean = radius.mean(0)
    distance = np.sqrt(np.maximum(power + mean**2, 0)) - mean  # to the edge of the line, about
    return np.clip(np.float32(0.5) - distance / edge, 0, 1)


def _centring(ink: Floats) -> NDArray[np.int64]:
    """Where the box goes in the image so that the centre of mass is in the middle, (2, n) x, y."""
    pixel = np.arange(BOX, dtype=np.float32)[:, None]
    mass = ink.sum((0, 1))
    x = (ink.sum(0) * pixel).sum(0) / mass
    y = (ink.sum(1) * pixel).sum(0) / mass
    return np.clip(np.rint(SIDE / 2 - np.stack([x, y])), 0, SIDE - BOX).astype(np.int64)
