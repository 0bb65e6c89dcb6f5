"""MNIST is fetched where that was asked for and it is not there, and nowhere else."""

import pytest

from cnnviz.data import datasets
from gen.draw import build
from gen.settings import Settings


@pytest.mark.parametrize(
    ("dataset", "with_folder", "download", "there", "fetched"),
    [
        ("digits", True, True, False, True),
        ("digits", True, True, True, False),
        ("digits", True, False, False, False),
        ("digits", False, True, False, False),
        ("mnist", True, True, False, False),  # the training fetches it itself
    ],
)
def test_fetching(monkeypatch, tmp_path, dataset, with_folder, download, there, fetched):
    asked = []
    monkeypatch.setattr(datasets, "load", lambda *name, **options: asked.append((name, options)))
    if there:
        raw = tmp_path / "MNIST" / "raw"
        raw.mkdir(parents=True)
        (raw / "t10k-images-idx3-ubyte").touch()
    build._fetch(Settings(dataset, tmp_path if with_folder else None, download))
    one = (("mnist", "test"), {"data_dir": tmp_path, "download": True})
    assert asked == ([one] if fetched else [])
