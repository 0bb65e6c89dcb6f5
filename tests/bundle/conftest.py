"""A small build, and the same as a bundle, for each test of this room."""

import pytest

from gen.bundle import bundle as prebuilt
from gen.draw import keys
from tests import small_bundle


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A small build."""
    monkeypatch.setattr(keys, "all_names", lambda settings: small_bundle.CHAPTERS)
    return small_bundle.make(tmp_path / "build")


@pytest.fixture
def bundle(built, tmp_path):
    """The same as a bundle."""
    prebuilt.pack(built, tmp_path / "bundle.zip")
    return (tmp_path / "bundle.zip").read_bytes()
