"""Networks and photographs as people bring them, written for the test."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnviz import cli

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, channels=3, classes=2):
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(4, classes)

    def forward(self, x):
        return self.fc(self.pool(torch.relu(self.conv(x))).flatten(1))
"""


@pytest.fixture
def write(tmp_path, request):
    """Writes a Python file of a name that no other test has; returns its path."""

    def written(source: str, name: str = "net") -> Path:
        stem = "".join(c if c.isalnum() else "_" for c in f"{name}_{request.node.name}")
        path = tmp_path / f"{stem}.py"
        path.write_text(textwrap.dedent(source), "utf-8")
        return path

    return written


@pytest.fixture
def photos(tmp_path):
    """A folder of six photographs, red and blue, of 20×16 pixels."""
    return photos_in(tmp_path / "photos", {"blue": 3, "red": 3})


def photos_in(folder: Path, classes: dict[str, int]) -> Path:
    """A folder for each class, of images in its colour, each a little brighter than the last."""
    for name, count in classes.items():
        (folder / name).mkdir(parents=True)
        for index in range(count):
            pixels = np.zeros((16, 20, 3), np.uint8)
            pixels[:, :, {"red": 0, "green": 1}.get(name, 2)] = 200 + index
            Image.fromarray(pixels).save(folder / name / f"{index}.png")
    return folder


@pytest.fixture
def fails(capsys):
    """Runs the command, which has to fail with one line; returns that line."""

    def failed(*command: object) -> str:
        status = cli.main([str(part) for part in command])
        error = capsys.readouterr().err.strip()
        assert status == 1, error
        assert len(error.splitlines()) == 1, error
        assert error.startswith("cnnviz: ")
        return error.removeprefix("cnnviz: ")

    return failed
