"""Networks that the site does not know, for tests of the atlas."""

from __future__ import annotations

from pathlib import Path

from cnnviz.training.fit import Trained
from cnnviz.training.recipe import Recipe
from gen.context import Context
from gen.settings import Settings

DOTTED = '''
import torch
from torch import nn

class Net(nn.Module):
    """Names with dots, ReLU in its own code, a layer of one unit, a dead unit, a grouped layer."""

    def __init__(self):
        super().__init__()
        self.features = nn.ModuleDict({
            "a": nn.Conv2d(1, 4, 5, stride=2),
            "b": nn.Conv2d(4, 4, 3, groups=2),
            "c": nn.Conv2d(4, 1, 3),
        })
        self.head = nn.Sequential(nn.Linear(64, 30), nn.ReLU(), nn.Linear(30, 10))

    def forward(self, x):
        for part in self.features.values():
            x = torch.relu(part(x))
        return self.head(x.flatten(1))

def load():
    torch.manual_seed(1)
    net = Net()
    with torch.no_grad():
        net.features["c"].bias += 0.5
        net.head[0].bias += 2
        net.head[0].weight[3] = 0
        net.head[0].bias[3] = -1
    return net
'''

PLAIN = """
import torch
from torch import nn

def load():
    torch.manual_seed(2)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
"""


class AtlasContext(Context):
    """A context whose atlas shows the first images, so that no network need be trained for it."""

    @property
    def atlas_indices(self) -> list[int]:  # type: ignore[override]
        return list(range(14))


def context_of(folder: Path, **sources: str) -> AtlasContext:
    """A context whose atlas holds networks from outside only, given by their source."""
    files = {}
    for name, source in sources.items():
        (folder / name).mkdir(parents=True)
        files[name] = folder / name / "net.py"
        files[name].write_text(source, "utf-8")
    settings = Settings(build_dir=folder / "build", atlas_files=files)
    return AtlasContext(settings, {}, _no_training)


def _no_training(recipe: Recipe) -> Trained:
    raise AssertionError(f"these tests train nothing, and {recipe} was asked for")
