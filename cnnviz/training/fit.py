"""`fit`: from a recipe and images to weights, with the history of how they came about."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import OneCycleLR
from tqdm import tqdm

from cnnviz import kept
from cnnviz.data.inputs import pixel_permutation, scramble, to_input
from cnnviz.errors import CnnvizError
from cnnviz.files import DamagedError
from cnnviz.inside.evaluation import accuracy, predict
from cnnviz.memory import keep_freed_memory

if TYPE_CHECKING:
    # A run is told by its values, so a comment in these files makes no network stale.
    from cnnviz.data.datasets import Dataset
    from cnnviz.training.recipe import Recipe


BLOCK = 500
"""Steps between two points at which an interrupted run can go on."""

Weights = dict[str, Tensor]


@dataclass
class History:
    """How a training run went.

    Attributes:
        loss: mean loss of the batch at each step.
        step: the steps at which a snapshot was taken, 0 being the random start.
        accuracy: share of right answers on held-out images at those steps.
        seconds: wall time of the whole run.
    """

    loss: list[float] = field(default_factory=list)
    step: list[int] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Trained:
    """A trained network with its past.

    Attributes:
        recipe: what it was made from.
        weights: final state dict.
        snapshots: step → state dict, from the random start to the end.
        history: loss and accuracy along the way.
    """

    recipe: Recipe
    weights: Weights
    snapshots: dict[int, Weights]
    history: History

    def model(self, step: int | None = None) -> nn.Module:
        """The network in evaluation mode, as it was after `step` steps (default: at the end).

        Raises:
            CnnvizError: no snapshot was taken at that step.
        """
        if step is not None and step not in self.snapshots:
            known = ", ".join(map(str, self.snapshots))
            raise CnnvizError(f"No snapshot at step {step}. There are: {known}.")
        model = self.recipe.network()
        model.load_state_dict(self.weights if step is None else self.snapshots[step])
        return model.eval()


def snapshot_steps(total: int) -> list[int]:
    """Steps at which weights are kept, denser early: 0, powers of two, and the last.

    >>> snapshot_steps(100)
    [0, 1, 2, 4, 8, 16, 32, 64, 100]
    """
    powers = [2**i for i in range(total.bit_length()) if 2**i < total]
    return [0, *powers, total]


def resolve_device(name: str) -> torch.device:
    """The device of that name, if this machine has it; "auto" takes the best there is.

    Raises:
        CnnvizError: unknown or absent device.
    """
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.mps.is_available()}
    if name == "auto":
        name = next(device for device in ("cuda", "mps", "cpu") if present[device])
    if not present.get(name.split(":")[0], False):
        usable = ", ".join(device for device, there in present.items() if there)
        raise CnnvizError(f"Device '{name}' is not available here. Usable: {usable}, auto.")
    return torch.device(name)


def fit(
    recipe: Recipe,
    train: Dataset,
    held_out: Dataset,
    *,
    device: str = "cpu",
    resume_file: Path | None = None,
    progress: bool = True,
) -> Trained:
    """Train a network by a recipe.

    The images lie in memory as one uint8 tensor; each batch is gathered, shifted and scaled in
    a few tensor operations. Every block of steps starts from a seed of its own, so a run that was
    interrupted and resumed ends with the same bytes as one that was not.

    Args:
        train: images to learn from.
        held_out: images never trained on; the first 2,000 give `History.accuracy`.
        device: "cpu", "cuda", "mps" or "auto".
        resume_file: where unfinished work is kept after each block, and looked for at the start.
            Delete it once the result is saved.
        progress: show a bar (or lines, where there is no terminal).

    Raises:
        CnnvizError: device not available, images of a shape the model cannot take, or a loss
            that is no longer finite.
    """
    target = resolve_device(device)
    if tuple(train.images.shape[1:]) != (1, 28, 28):
        raise CnnvizError(
            f"'{train.name}' has images of shape {tuple(train.images.shape[1:])}; "
            f"'{recipe.model}' expects (1, 28, 28)."
        )
    keep_freed_memory()
    with _repeatable(recipe.threads, target):
        run = _Run(recipe, train, held_out, target, resume_file)
        if resume_file and resume_file.exists():
            try:
                run.resume(kept.read(resume_file, target))
            except Exception as error:  # a state of another kind fails in many ways
                why = error if isinstance(error, DamagedError) else type(error).__name__
                print(f"{resume_file} is damaged ({why}); starting again.", file=sys.stderr)
                # A part may have been taken over.
                run = _Run(recipe, train, held_out, target, resume_file)
        return run.go(progress)


class _Run:
    """The state of one training run."""

    def __init__(
        self,
        recipe: Recipe,
        train: Dataset,
        held_out: Dataset,
        device: torch.device,
        resume_file: Path | None,
    ) -> None:
        self.recipe, self.device, self.resume_file = recipe, device, resume_file
        torch.manual_seed(recipe.seed)
        # Channels last: a third faster on a CPU for the small kernels of LeNet.
        self.model = recipe.network().to(memory_format=torch.channels_last).to(device)
        self.optimizer = _optimizer(recipe, self.model)
        self.schedule = OneCycleLR(
            self.optimizer, recipe.peak_learning_rate, total_steps=recipe.steps + 1
        )
        shift = recipe.max_shift
        self.width = 28 + 2 * shift  # of an image with its margin
        padded = F.pad(train.images[:, 0], (shift,) * 4).flatten()  # (N·width²,)
        # The 28 rows that begin at any pixel, as a view: a shifted image is one of these less its
        # margin, and lies in one piece, which is twice as fast to fetch as 28 pieces.
        self.rows = F.pad(padded, (0, 2 * shift)).to(device).unfold(0, 28 * self.width, 1)
        self.labels = train.labels.to(device)
        self.order = pixel_permutation(28 * 28).to(device) if recipe.scramble else None
        images = to_input(held_out.images[:2000])
        self.check_images = (scramble(images) if recipe.scramble else images).to(device)
        self.check_labels = held_out.labels[:2000].to(device)
        self.step, self.history = 0, History()
        self.snapshots: dict[int, Weights] = {}

    def go(self, progress: bool) -> Trained:
        recipe, keep = self.recipe, set(snapshot_steps(self.recipe.steps))
        if self.step == 0:
            self._snapshot()
        bar = _progress_bar(recipe, self.step, progress)
        while self.step < recipe.steps:
            started, losses = time.perf_counter(), []
            for images, labels in self._block():
                losses.append(self._update(images, labels))
                self.step += 1
                bar.update()
                if self.step in keep:
                    self._snapshot()
            self._end_block(torch.stack(losses), time.perf_counter() - started)
            if progress and not sys.stderr.isatty():
                loss = self.history.loss[-1]
                print(f"{recipe.model}: step {self.step}/{recipe.steps}, loss {loss:.3f}",
                      file=sys.stderr, flush=True)  # fmt: skip
        bar.close()
        return Trained(recipe, self.snapshots[recipe.steps], self.snapshots, self.history)

    def _block(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches up to the next resuming point: float (B, 1, 28, 28) and labels (B,)."""
        recipe, count = self.recipe, len(self.labels)
        steps = min(BLOCK, recipe.steps - self.step)
        generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + self.step)
        torch.manual_seed(recipe.seed * 1_000_003 + self.step)  # for dropout
        passes = -(-steps * recipe.batch_size // count)
        order = torch.cat([torch.randperm(count, generator=generator) for _ in range(passes)])
        shifts = torch.randint(2 * recipe.max_shift + 1, (2, steps * recipe.batch_size),
                               generator=generator)  # fmt: skip
        order = order[: steps * recipe.batch_size]
        corners = ((order * self.width + shifts[0]) * self.width + shifts[1]).to(self.device)
        labels = self.labels[order.to(self.device)]
        for start in range(0, steps * recipe.batch_size, recipe.batch_size):
            batch = slice(start, start + recipe.batch_size)
            rows = self.rows.index_select(0, corners[batch])  # (B, 28·width)
            pixels = rows.view(-1, 28, self.width)[:, :, :28]  # (B, 28, 28)
            images = to_input(pixels)[:, None]  # (B, 1, 28, 28)
            if self.order is not None:
                images = images.flatten(1)[:, self.order].view_as(images)
            yield images, labels[batch]

    def _update(self, images: Tensor, labels: Tensor) -> Tensor:
        logits = self.model(images)  # (B, 10)
        loss = F.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        self.schedule.step()
        return loss.detach()

    def _snapshot(self) -> None:
        if self.recipe.snapshots or self.step in (0, self.recipe.steps):
            weights = {k: v.detach().cpu().clone() for k, v in self.model.state_dict().items()}
            self.snapshots[self.step] = {k: v.contiguous() for k, v in weights.items()}
        right = accuracy(predict(self.model, self.check_images), self.check_labels)
        self.history.step.append(self.step)
        self.history.accuracy.append(right)

    def _end_block(self, losses: Tensor, seconds: float) -> None:
        if not losses.isfinite().all():
            raise CnnvizError(
                f"The loss of '{self.recipe.model}' is no longer finite by step {self.step}. "
                f"Lower peak_learning_rate (now {self.recipe.peak_learning_rate})."
            )
        self.history.loss += losses.tolist()
        self.history.seconds += seconds
        if self.resume_file and self.step < self.recipe.steps:
            state = {
                "recipe": asdict(self.recipe),
                "step": self.step,
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "schedule": self.schedule.state_dict(),
                "history": asdict(self.history),
                "snapshots": self.snapshots,
            }
            kept.write(self.resume_file, state)

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from what was kept, unless it is of another recipe."""
        if state["recipe"] != asdict(self.recipe):
            return
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.step, self.history = state["step"], History(**state["history"])
        self.snapshots = {
            step: {name: tensor.cpu() for name, tensor in weights.items()}
            for step, weights in state["snapshots"].items()
        }


def _optimizer(recipe: Recipe, model: nn.Module) -> torch.optim.Optimizer:
    # Fused: one kernel for all weights, twice as fast on nets of this size.
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            model.parameters(),
            lr=recipe.peak_learning_rate,
            momentum=0.9,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
    return torch.optim.AdamW(model.parameters(), weight_decay=recipe.weight_decay, fused=True)


@contextmanager
def _repeatable(threads: int, device: torch.device) -> Iterator[None]:
    """Same bytes each time, leaving the caller's torch settings and random state as they were."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it
    deterministic, threads_before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.get_num_threads(),
    )
    options: Any = torch.utils.deterministic
    filled = options.fill_uninitialized_memory
    with torch.random.fork_rng():
        # One CPU thread always adds in the same order; asking for more costs it some 5 %.
        torch.use_deterministic_algorithms(device.type != "cpu" or threads > 1)
        # Filling every new tensor with NaN helps to find bugs in kernels; it costs some 5 %.
        options.fill_uninitialized_memory = False
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(deterministic)
            options.fill_uninitialized_memory = filled
            torch.set_num_threads(threads_before)


def _progress_bar(recipe: Recipe, step: int, progress: bool) -> Any:
    what = f"{recipe.model}{' (scrambled)' if recipe.scramble else ''} on {recipe.dataset}"
    shown = progress and sys.stderr.isatty()
    return tqdm(total=recipe.steps, initial=step, desc=f"training {what}", disable=not shown)
