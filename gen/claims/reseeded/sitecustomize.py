"""Python runs this file when it starts, if its folder is on PYTHONPATH: every seed is another one.

CNNVIZ_SEED is added to each seed that anything in the process gives to torch, numpy or random: for
the digits that are made, the networks, and the experiments of chapters. The processes that
it starts inherit it. A build without it (`gen.claims.claims` sets it) knows nothing of this file.
"""

import os
import random
from typing import Any

import numpy as np
import torch

ADDED = int(os.environ["CNNVIZ_SEED"])
_set_seed, _rng = torch.manual_seed, np.random.default_rng


class Reseeded(torch.Generator):
    """A generator of torch's that begins elsewhere."""

    def manual_seed(self, seed: int) -> torch.Generator:
        """Begin at another seed than the one given."""
        return super().manual_seed(seed + ADDED)


def manual_seed(seed: int) -> torch.Generator:
    """Let torch begin at another seed than the one given."""
    return _set_seed(seed + ADDED)


def default_rng(seed: Any = None) -> np.random.Generator:
    """A generator of numpy's that begins elsewhere; of several numbers, the first is the seed."""
    if isinstance(seed, int):
        return _rng(seed + ADDED)
    if isinstance(seed, list):
        return _rng([seed[0] + ADDED, *seed[1:]])
    return _rng(seed)


class Chance(random.Random):
    """Python's own chance, which begins elsewhere if it is given a number."""

    def __init__(self, seed: Any = None) -> None:
        super().__init__(seed + ADDED if isinstance(seed, int) else seed)


# Who uses them takes no part in it.
random.Random = Chance  # type: ignore[misc, assignment]
torch.Generator, torch.manual_seed = Reseeded, manual_seed  # type: ignore[misc]
np.random.default_rng = default_rng
