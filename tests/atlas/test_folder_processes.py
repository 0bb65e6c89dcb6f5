"""An atlas that two processes make together is that of one, byte for byte."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

NET = """
import torch
from torch import nn


def load():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2)
    )
"""


def photos_in(folder: Path) -> Path:
    """Twelve small pictures of two classes."""
    chance = np.random.default_rng(0)
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        for index in range(6):
            pixels = chance.integers(0, 256, (12, 12, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{index}.png")
    return folder


def files_in(folder: Path) -> dict[str, bytes]:
    """What is in it, but for what is kept to go on from and the command that made it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".kept" not in path.parts
    }


def test_two_processes_make_the_same_as_one(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    photos = photos_in(tmp_path / "photos")
    found = []
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
    for count in ("1", "2"):
        folder = tmp_path / count
        folder.mkdir()
        arguments = ["atlas", str(tmp_path / "net.py"), "--images", str(photos), "--size", "12"]
        arguments += ["--optimise", "none", "--lang", "en", "-o", "out"]
        done = subprocess.run(
            [*launcher, count, "-m", "cnnviz", *arguments],
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd())},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        assert done.stdout.count("is ready") == 1
        found.append(files_in(folder / "out"))
    one, two = found
    assert len(one) > 20
    assert {name for name in one if one[name] != two.get(name)} == set()
    assert one.keys() == two.keys()
