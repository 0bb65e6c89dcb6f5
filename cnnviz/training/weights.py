"""Weights by themselves, without the training that they come from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor

from cnnviz.files import digest


def weights_digest(weights: Mapping[str, Tensor]) -> str:
    """Digest of the bytes of all weights in order of their names: says which weights these are."""
    parts: Iterable[bytes] = (weights[n].contiguous().numpy().tobytes() for n in sorted(weights))
    return digest(parts)
