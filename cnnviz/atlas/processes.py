"""Processes that share a piece of work, as PyTorch's launcher starts them.

`torchrun --nproc-per-node N -m cnnviz …` tells each process by its environment who it is. What they
tell each other is small and lies in memory, so it goes by gloo, also where models are on GPUs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, TypeVar

import torch.distributed as dist

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """Those that share the work.

    Attributes:
        rank: which of them this one is; 0 collects.
        count: how many they are.
    """

    rank: int = 0
    count: int = 1
    group: Any = None

    def gather(self, own: T) -> list[T] | None:
        """What each has, in the order of their ranks, for rank 0; None for the others."""
        if self.count == 1:
            return [own]
        found: list[Any] | None = [None] * self.count if self.rank == 0 else None
        dist.gather_object(own, found, dst=0, group=self.group)
        return found

    def share(self, own: T) -> T:
        """What rank 0 has, for all."""
        if self.count == 1:
            return own
        box = [own if self.rank == 0 else None]
        dist.broadcast_object_list(box, src=0, group=self.group)
        shared: Any = box[0]
        return shared


def processes() -> Processes:
    """The processes that the launcher started, this one among them; alone where there is none."""
    if not dist.is_available() or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return Processes()
    if not dist.is_initialized():
        dist.init_process_group("gloo")
    group = None if dist.get_backend() == "gloo" else dist.new_group(backend="gloo")
    return Processes(dist.get_rank(), dist.get_world_size(), group)
