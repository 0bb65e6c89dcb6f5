"""What tests share: a small data set, and the real digits where they are given."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from cnnviz.data import digits
from cnnviz.data.datasets import Dataset

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew", action="store_true", help="write tests/golden anew")


@pytest.fixture(scope="session")
def small_digits() -> Dataset:
    """500 made digits."""
    made = digits.generate(500, seed=7)
    images = torch.from_numpy(made.images)[:, None]
    return Dataset("digits", "train", images, torch.from_numpy(made.labels), tuple("0123456789"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests: Playwright runs once in a process."""
    serving = pytest.importorskip("tests.browser.serving")
    if serving.CHROMIUM is None:
        pytest.skip("there is no Chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        browser = serving.launch(running)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def real_digits_dir() -> Path:
    """Folder with MNIST/raw: REAL_DIGITS, or shared/data beside the project."""
    folder = Path(os.environ.get("REAL_DIGITS") or ROOT.parent / "shared" / "data")
    if not (folder / "MNIST" / "raw" / "t10k-images-idx3-ubyte").exists():
        pytest.skip(f"no real digits in {folder}; set REAL_DIGITS to a folder with MNIST/raw")
    return folder
