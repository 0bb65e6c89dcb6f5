"""Training LeNet: ours, a loop that only runs the model, and a DataLoader with transforms.

All three do the same number of steps on the same batch size with the same optimiser, in turns, in
one process. Prints the time of each and the ratios.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset
from torchvision import transforms

from cnnviz.data import digits
from cnnviz.data.datasets import Dataset
from cnnviz.data.inputs import to_input
from cnnviz.nets import networks
from cnnviz.training.fit import fit
from cnnviz.training.recipe import Recipe
from cnnviz.training.runs import RECIPES

STEPS = 600
ROUNDS = 4


class _PerSample(TorchDataset[tuple[Tensor, int]]):
    """The usual way: one Python call a sample."""

    def __init__(self, data: Dataset) -> None:
        self.images = data.images[:, 0].numpy()
        self.labels = data.labels
        self.transform = transforms.Compose(
            [
                transforms.ToPILImage(),
                transforms.RandomAffine(0, translate=(1 / 28, 1 / 28)),
                transforms.ToTensor(),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(self.images[index][:, :, None]), int(self.labels[index])


def _bare_step(recipe: Recipe) -> Callable[[Tensor, Tensor], None]:
    """Forward, backward and update, as `fit` does them, and nothing else."""
    model = networks.build("lenet").to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=recipe.weight_decay, fused=True)

    def step(images: Tensor, labels: Tensor) -> None:
        loss = F.cross_entropy(model(images), labels, label_smoothing=recipe.label_smoothing)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()

    return step


def _plain_step() -> Callable[[Tensor, Tensor], None]:
    """What a tutorial writes: default layout, default optimiser."""
    model: nn.Module = networks.build("lenet")
    optimizer = torch.optim.AdamW(model.parameters())

    def step(images: Tensor, labels: Tensor) -> None:
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        loss.item()

    return step


def main() -> list[dict[str, float]]:
    """Measure and print; returns one row a way."""
    recipe = replace(RECIPES["lenet"], steps=STEPS)
    made = digits.generate(STEPS * recipe.batch_size // 2, seed=3)
    data = Dataset(
        "digits", "train", torch.from_numpy(made.images)[:, None],
        torch.from_numpy(made.labels), tuple("0123456789"),
    )  # fmt: skip
    few = replace(data, images=data.images[:1], labels=data.labels[:1])
    batches = [
        (to_input(data.images[i : i + recipe.batch_size]), data.labels[i : i + recipe.batch_size])
        for i in range(0, len(data) - recipe.batch_size, recipe.batch_size)
    ]
    loader = DataLoader(_PerSample(data), batch_size=recipe.batch_size, shuffle=True)
    torch.set_num_threads(recipe.threads)

    def ours() -> None:
        fit(recipe, data, few, progress=False)

    def bare() -> None:
        step = _bare_step(recipe)
        for i in range(STEPS):
            step(*batches[i % len(batches)])

    def with_loader() -> None:
        step, done = _plain_step(), 0
        while done < STEPS:
            for images, labels in loader:
                step(images, labels)
                done += 1
                if done == STEPS:
                    break

    ways = {"fit": ours, "model only": bare, "DataLoader": with_loader}
    times: dict[str, list[float]] = {name: [] for name in ways}
    bare()  # warm up
    for _ in range(ROUNDS):
        for name, run in ways.items():
            started = time.process_time()
            run()
            times[name].append(time.process_time() - started)
    seconds = {name: min(values) for name, values in times.items()}
    print(f"training LeNet, {STEPS} steps of {recipe.batch_size}, least CPU time of {ROUNDS} runs")
    for name, value in seconds.items():
        print(f"  {name:12} {value:6.2f} s   {value / seconds['fit']:.2f} × fit")
    return [{"seconds": value, "ratio": value / seconds["fit"]} for name, value in seconds.items()]


if __name__ == "__main__":
    main()
