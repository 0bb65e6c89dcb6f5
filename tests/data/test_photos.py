"""Photographs: all are there, credited, free, and measured right; nothing is downloaded."""

from __future__ import annotations

import importlib.util
import inspect
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnnviz.data import photos
from cnnviz.errors import CnnvizError

FREE = {"CC0", "CC0 1.0", "CC BY 2.0", "public domain"}


@pytest.mark.parametrize("name", photos.names())
def test_every_photograph_loads_without_network(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("tried to open a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    image = photos.load(name)
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3
    assert min(image.shape[:2]) >= 300
    assert image.std() > 10  # a picture, not a blank
    is_grey = bool((image == image[..., :1]).all())
    assert is_grey == (name not in photos.names(colour_only=True))


def test_same_pixels_as_the_packages_give() -> None:
    """scikit-image's and scikit-learn's own functions are the reference."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    assert np.array_equal(photos.load("chelsea"), data.chelsea())
    assert np.array_equal(photos.load("camera")[..., 0], data.camera())
    assert np.array_equal(photos.load("immunohistochemistry"), data.immunohistochemistry())
    assert np.array_equal(photos.load("china"), load_sample_image("china.jpg"))


def test_loading_imports_neither_package() -> None:
    code = (
        "import sys; from cnnviz import photos; photos.load('chelsea'); photos.load('flower');"
        "print(sorted({'skimage', 'sklearn', 'pooch', 'torch'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("name", photos.names())
def test_every_photograph_is_credited_and_free(name: str) -> None:
    credit = photos.credit(name)
    assert credit.title
    assert credit.author
    assert credit.package in {"scikit-image", "scikit-learn"}
    assert any(credit.licence.startswith(free) for free in FREE) or (
        credit.licence == "no known copyright restrictions"
    )
    assert credit.author in str(credit)


def skimage_docstrings() -> str:
    from skimage import data

    functions = [getattr(data, name) for name in photos.names() if hasattr(data, name)]
    return " ".join(" ".join((inspect.getdoc(function) or "").split()) for function in functions)


def test_credits_stand_in_the_packages_own_texts() -> None:
    """Authors and sources are found, letter for letter, where the package credits them."""
    spec = importlib.util.find_spec("sklearn")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    readme = Path(spec.submodule_search_locations[0], "datasets/images/README.txt").read_text()
    texts = {"scikit-image": skimage_docstrings(), "scikit-learn": readme}
    for name in photos.names():
        credit = photos.credit(name)
        text = texts[credit.package]
        assert credit.author.split(" (")[0] in text, name
        assert credit.source in text, name
    assert "creativecommons.org/licenses/by/2.0" in readme


def test_grey_is_luma() -> None:
    """Rec. 601: pure red 0.299, green 0.587, blue 0.114, white 1, black 0."""
    image = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255] * 3, [0] * 3]], np.uint8)
    assert photos.grey(image) == pytest.approx(np.array([[0.299, 0.587, 0.114, 1, 0]]))


def test_crop() -> None:
    image = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    assert np.array_equal(photos.crop(image, 1, 2, 3, 3), image[1:4, 2:5])


@pytest.mark.parametrize("part", [(0, 0, 5, 1), (-1, 0, 2, 2), (0, 4, 1, 2), (0, 0, 0, 1)])
def test_crop_beyond_the_image(part: tuple[int, int, int, int]) -> None:
    with pytest.raises(CnnvizError, match=r"does not lie in an image of 4×5"):
        photos.crop(np.zeros((4, 5, 3), np.uint8), *part)


def test_resize_averages_areas() -> None:
    """2×2 blocks of (0, 100; 20, 80) have the mean 50; 3 pixels to 2 share the middle one.

    (0, 90, 180) → ((0 + 90/2) / 1.5, (90/2 + 180) / 1.5) = (30, 150).
    """
    block = np.array([[0, 100], [20, 80]], np.uint8)
    image = np.tile(block, (3, 2))[..., None].repeat(3, axis=2)  # (6, 4, 3)
    assert (photos.resize(image, 3, 2) == 50).all()
    row = np.array([[0, 90, 180]], np.uint8).repeat(3, axis=0)[..., None].repeat(3, axis=2)
    assert photos.resize(row, 2, 2)[0, :, 0].tolist() == [30, 150]


def test_resize_takes_the_middle_of_another_shape() -> None:
    """Of a row 0 … 5, two pixels high, a square is the columns 2 and 3."""
    image = np.arange(6, dtype=np.uint8)[None, :, None].repeat(2, axis=0).repeat(3, axis=2)
    assert photos.resize(image, 2, 2)[..., 0].tolist() == [[2, 3], [2, 3]]


@pytest.mark.parametrize("size", [(0, 1), (3, 2)])
def test_resize_to_an_impossible_size(size: tuple[int, int]) -> None:
    with pytest.raises(CnnvizError, match=r"image of 2×2 pixels to"):
        photos.resize(np.zeros((2, 2, 3), np.uint8), *size)


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(CnnvizError, match=r"Unknown photograph 'chelsey'.*'chelsea'"):
        photos.load("chelsey")


def test_package_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "find_spec", lambda name: None)
    with pytest.raises(CnnvizError, match=r"scikit-learn .* pip install 'cnnviz\[photos\]'"):
        photos.load("china")


def test_package_without_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos, "_folder", lambda package: tmp_path)
    with pytest.raises(CnnvizError, match=r"scikit-image does not ship the photograph 'camera'"):
        photos.load("camera")
