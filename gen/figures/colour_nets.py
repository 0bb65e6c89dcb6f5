"""The small networks that tell from which photograph a patch is, for all who look into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnviz.data import photo_patches
from cnnviz.data.photo_patches import NAMES, PhotoPatches
from cnnviz.nets.colour_net import ColourNet
from cnnviz.threads import one_thread
from cnnviz.training.brief import train_on
from gen.context import Context, shared

PHASES = ((200, 0.006), (60, 0.001))
"""Steps and their learning rate: large ones, then small ones, so that less is left to luck."""

STEPS = sum(steps for steps, _ in PHASES)
BATCH, DECAY = 32, 0.01
SEEDS = range(3)
TRAINED, TESTED = 300, 100
"""Patches of each photograph."""

MOMENTS = (0, 3, 6, 12, 25, 50, 100, STEPS)
"""Steps at which the first kernels, and all weights, are kept."""

_LUMA = torch.tensor([0.299, 0.587, 0.114])


def in_colour(images: Tensor) -> Tensor:
    """Patches as they are."""
    return images


def in_grey(images: Tensor) -> Tensor:
    """Images (N, 3, H, W) whose three channels are all the luma of Rec. 601."""
    grey = torch.einsum("nchw,c->nhw", images, _LUMA)
    return grey[:, None].expand_as(images)


def without_mean(images: Tensor) -> Tensor:
    """Images (N, 3, H, W) of 0 to 1, each shifted so that its mean colour is mid-grey."""
    return images - images.mean((2, 3), keepdim=True) + 0.5


@dataclass(frozen=True)
class Way:
    """What a network is fed, and whether its labels are those of the patches or drawn by lot."""

    prepare: Callable[[Tensor], Tensor] = in_colour
    by_lot: bool = False


WAYS: Mapping[str, Way] = {
    "colour": Way(),
    "lots": Way(by_lot=True),
    "without_mean": Way(without_mean),
    "grey": Way(in_grey),
}


@dataclass(frozen=True)
class Run:
    """A trained network and its way there.

    Attributes:
        model: in evaluation mode.
        states: step → weights at MOMENTS.
    """

    model: ColourNet
    states: dict[int, dict[str, Tensor]]

    def kernels(self, step: int = STEPS) -> Tensor:
        """Weights of conv1 after some steps, (16, 3, 7, 7)."""
        return self.states[step]["conv1.weight"]


@shared
def patches(context: Context, part: str) -> PhotoPatches:
    """Patches of all nine photographs: of their left parts "train", of the rest "test"."""
    each, seed = (TRAINED, 1) if part == "train" else (TESTED, 2)
    return photo_patches.load(part, each, seed)


@shared
def fed(context: Context, part: str, way: str = "colour") -> Tensor:
    """The patches as a network of some way gets them, (N, 3, 32, 32)."""
    return WAYS[way].prepare(patches(context, part).images.float() / 255)


@shared
def trained(context: Context, way: str = "colour", seed: int = 0) -> Run:
    """A network of one of WAYS; those of one seed have the same first weights."""
    inputs, labels = fed(context, "train", way), patches(context, "train").labels
    if WAYS[way].by_lot:
        generator = torch.Generator().manual_seed(seed)
        labels = labels[torch.randperm(len(labels), generator=generator)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = ColourNet(len(NAMES))
    states = {0: _copied(model)}
    before = 0

    def keep(step: int) -> None:
        if before + step in MOMENTS:
            states[before + step] = _copied(model)

    for number, (steps, rate) in enumerate(PHASES):
        with one_thread():
            train_on(
                model, inputs, labels, steps, rate, weight_decay=DECAY, batch_size=BATCH,
                seed=len(PHASES) * seed + number, after=keep,
            )  # fmt: skip
        before += steps
    return Run(model, states)


def _copied(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


@shared
def accuracy(context: Context, way: str = "colour", seed: int = 0, step: int = STEPS) -> float:
    """Share of the test patches that a network gets right after some steps."""
    model = ColourNet(len(NAMES)).eval()
    model.load_state_dict(trained(context, way, seed).states[step])
    with torch.no_grad(), one_thread():
        parts = fed(context, "test", way).split(500)
        answers = torch.cat([model(part).argmax(1) for part in parts])
    return float((answers == patches(context, "test").labels).double().mean())


def network(context: Context) -> ColourNet:
    """The network that the pages show: of true labels, in colour, seed 0."""
    return trained(context).model


def right_by_mean(seen: Tensor, labels: Tensor, unseen: Tensor, true: Tensor) -> float:
    """How often the nearest mean colour tells the photograph, without any network.

    Args:
        seen: (N, 3, H, W) with labels (N,); each of `unseen` (M, 3, H, W) gets the label of the one
            whose mean colour is nearest.
        true: (M,) what would be right.
    """
    nearest = torch.cdist(unseen.mean((2, 3)), seen.mean((2, 3))).argmin(1)  # (M,)
    return float((labels[nearest] == true).double().mean())
