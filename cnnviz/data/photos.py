"""Photographs that installed packages ship: scikit-image and scikit-learn.

Files are read from the packages' own folders; nothing is downloaded, and neither package is
imported. Only photographs whose free licence the package itself states are offered, so the
stereo pair of a motorcycle, for one, is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnviz.errors import CnnvizError, unknown_name

Photo = NDArray[np.uint8]  # (H, W, 3), RGB


@dataclass(frozen=True)
class Credit:
    """Whose photograph it is and under which licence, in the words of the package's own files."""

    title: str
    author: str
    licence: str
    package: str
    source: str = ""  # where the package says it has it from

    def __str__(self) -> str:
        return f"{self.title} · {self.author} · {self.licence} · {self.package}"


def _scikit_image(title: str, author: str, licence: str, source: str = "") -> Credit:
    return Credit(title, author, licence, "scikit-image", source)


_CC0 = "CC0"
_CC_BY = "CC BY 2.0"
_FILES = {
    "scikit-image": ("skimage", "data"),
    "scikit-learn": ("sklearn", "datasets/images"),
}
# name → file, credit. From the docstrings of skimage.data (scikit-image 0.26) and from
# sklearn/datasets/images/README.txt (scikit-learn 1.9).
_PHOTOS: dict[str, tuple[str, Credit]] = {
    "astronaut": (
        "astronaut.png",
        _scikit_image(
            "Astronaut Eileen Collins",
            "NASA",
            "public domain, no known copyright restrictions",
            "https://flic.kr/p/r9qvLn",
        ),
    ),
    "chelsea": ("chelsea.png", _scikit_image("Chelsea the cat", "Stefan van der Walt", _CC0)),
    "coffee": (
        "coffee.png",
        _scikit_image("Coffee cup, courtesy of Pikolo Espresso Bar", "Rachel Michetti", _CC0),
    ),
    "hubble_deep_field": (
        "hubble_deep_field.jpg",
        _scikit_image(
            "Hubble eXtreme Deep Field",
            "NASA",
            "public domain",
            "http://hubblesite.org/newscenter/archive/releases/2012/37/image/a/",
        ),
    ),
    "immunohistochemistry": (
        "ihc.png",
        _scikit_image(
            "Immunohistochemical staining of colonic glands",
            "Center for Microscopy And Molecular Imaging (CMMI)",
            "no known copyright restrictions",
        ),
    ),
    "retina": (
        "retina.jpg",
        _scikit_image(
            "Human retina",
            "Mikael Häggström",
            "CC0 1.0",
            "https://commons.wikimedia.org/wiki/File:Fundus_photograph_of_normal_left_eye.jpg",
        ),
    ),
    "rocket": (
        "rocket.jpg",
        _scikit_image(
            "Launch of DSCOVR on Falcon 9",
            "SpaceX",
            "public domain",
            "https://www.flickr.com/photos/spacexphotos/16511594820/in/photostream/",
        ),
    ),
    "china": (
        "china.jpg",
        Credit(
            "china.jpg",
            "danielbuechele",
            _CC_BY,
            "scikit-learn",
            "https://www.flickr.com/photos/danielbuechele/6061409035/sizes/z/in/photostream/",
        ),
    ),
    "flower": (
        "flower.jpg",
        Credit(
            "flower.jpg",
            "vultilion (the README names danielbuechele, but links to vultilion)",
            _CC_BY,
            "scikit-learn",
            "https://www.flickr.com/photos/vultilion/6056698931/sizes/z/in/photostream/",
        ),
    ),
    # Grey ones:
    "brick": (
        "brick.png",
        _scikit_image(
            "Brick wall", "CC0Textures", _CC0, "https://cc0textures.com/view.php?tex=Bricks25"
        ),
    ),
    "camera": ("camera.png", _scikit_image("Camera", "Lav Varshney", _CC0)),
    "clock": (
        "clock_motion.png",
        _scikit_image("Motion blurred clock", "Stefan van der Walt", "public domain"),
    ),
    "grass": (
        "grass.png",
        _scikit_image(
            "Grass",
            "linolafett",
            _CC0,
            "https://www.deviantart.com/linolafett/art/Grass-01-434853879",
        ),
    ),
    "gravel": (
        "gravel.png",
        _scikit_image(
            "Gravel", "CC0Textures", _CC0, "https://cc0textures.com/view.php?tex=Gravel04"
        ),
    ),
}
_GREY = frozenset({"brick", "camera", "clock", "grass", "gravel"})


def names(*, colour_only: bool = False) -> list[str]:
    """Names that `load` knows; fourteen, of which nine are in colour."""
    return [name for name in _PHOTOS if not (colour_only and name in _GREY)]


def credit(name: str) -> Credit:
    """Whose photograph this is, and under which licence.

    Raises:
        CnnvizError: no photograph of that name.
    """
    return _entry(name)[1]


def load(name: str) -> Photo:
    """The photograph, (H, W, 3) uint8 RGB; a grey one has three equal channels.

    Raises:
        CnnvizError: no photograph of that name; the package that ships it is not installed.
    """
    file, described = _entry(name)
    path = _folder(described.package) / file
    if not path.is_file():
        raise CnnvizError(
            f"The installed {described.package} does not ship the photograph '{name}'. "
            "Install a version that does: pip install --upgrade 'cnnviz[photos]'"
        )
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


def grey(image: Photo) -> NDArray[np.float64]:
    """Luma by Rec. 601, 0.299 R + 0.587 G + 0.114 B, from (H, W, 3) uint8 to (H, W) in 0…1.

    It is taken of the values as they are stored (gamma-encoded), as television and JPEG do.
    """
    weights = np.array([0.299, 0.587, 0.114])
    return image @ weights / 255


def crop(image: Photo, top: int, left: int, height: int, width: int) -> Photo:
    """The part of `image` that begins at row `top`, column `left`: (height, width, 3).

    Raises:
        CnnvizError: the part is empty or reaches beyond the image.
    """
    rows, columns = image.shape[:2]
    inside = 0 <= top < top + height <= rows and 0 <= left < left + width <= columns
    if not inside:
        raise CnnvizError(
            f"A part of {height}×{width} pixels at row {top}, column {left} does not lie in "
            f"an image of {rows}×{columns}. Choose a part inside it."
        )
    return image[top : top + height, left : left + width].copy()


def resize(image: Photo, height: int, width: int) -> Photo:
    """`image` made smaller by area averaging: (height, width, 3) uint8.

    Each new pixel is the mean of the area that it covers, rounded; the middle part is taken
    where the shape differs from height:width.

    Raises:
        CnnvizError: the result would not be smaller than the image, or would be empty.
    """
    rows, columns = image.shape[:2]
    if not (0 < height <= rows and 0 < width <= columns):
        raise CnnvizError(
            f"Cannot average an image of {rows}×{columns} pixels to {height}×{width}. "
            "Ask for at least 1 pixel and at most as many as it has each way."
        )
    scale = min(rows / height, columns / width)
    by_row = _coverage(rows, height, scale)  # (height, H)
    by_column = _coverage(columns, width, scale)  # (width, W)
    averaged = np.tensordot(by_row, image, axes=1)  # (height, W, 3)
    averaged = np.tensordot(by_column, averaged, axes=(1, 1))  # (width, height, 3)
    return np.rint(averaged.swapaxes(0, 1)).astype(np.uint8)


def _coverage(pixels: int, cells: int, scale: float) -> NDArray[np.float64]:
    """Share of each pixel in the mean of each cell of `scale` pixels, cells in the middle.

    (cells, pixels); rows sum to 1. Pillow's box filter takes whole pixels only.
    """
    left = (pixels - cells * scale) / 2 + scale * np.arange(cells)[:, None]  # (cells, 1)
    pixel = np.arange(pixels)  # (pixels,)
    overlap = np.minimum(left + scale, pixel + 1) - np.maximum(left, pixel)
    return np.maximum(overlap, 0) / scale


def _entry(name: str) -> tuple[str, Credit]:
    if name not in _PHOTOS:
        raise unknown_name("photograph", name, _PHOTOS)
    return _PHOTOS[name]


def _folder(package: str) -> Path:
    module, folder = _FILES[package]
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise CnnvizError(
            f"The photographs of {package} need that package, which is not installed. "
            "Install it: pip install 'cnnviz[photos]'"
        )
    return Path(spec.submodule_search_locations[0], folder)
