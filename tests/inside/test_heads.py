"""Choosing the scores among several outputs."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from cnnviz.errors import CnnvizError
from cnnviz.inside.heads import head

A, B, C = torch.ones(2, 10), torch.ones(2, 3), torch.ones(2, 4)
Named = namedtuple("Named", ["logits", "aux"])


@dataclass
class Made:
    loss: Tensor | None
    scores: Tensor


@pytest.mark.parametrize(
    ("output", "which", "expected"),
    [
        (A, None, A),
        ((A, B), None, A),
        ([None, (B, A)], None, B),
        ({"scores": A}, None, A),
        ({"aux": B, "out": A}, None, A),
        ({"loss": B, "logits": (A, C)}, None, A),
        (Named(A, B), None, A),
        (Named(A, B), "aux", B),
        (Named(A, B), "[1]", B),
        (Named(A, B), 1, B),
        (Made(None, A), None, A),
        (Made(B, A), "scores", A),
        ((A, B), 1, B),
        ((A, B), -1, B),
        ({"a": A, "b": B}, "b", B),
        ({"a": A, "b": B}, 1, B),
        ({"a": A, "b": (B, {"c": C})}, "[b][1][c]", C),
        ({"a": A, "b": {"out": B, "aux": C}}, "b", B),
    ],
)
def test_which_tensor(output: Any, which: str | int | None, expected: Tensor) -> None:
    assert head(output, which) is expected


@pytest.mark.parametrize(
    ("output", "which", "message"),
    [
        (A, "aux", "one tensor: leave output='aux' out"),
        ((A, B), 2, r"output=2 is not there. Choose one of '\[0\]' \(2, 10\), '\[1\]' \(2, 3\)"),
        ({"a": A, "b": B}, None, r"no output=… was given. Choose one of '\[a\]' \(2, 10\)"),
        ({"a": A, "b": B}, "c", "output='c' is not there"),
        ([], None, "list without a tensor"),
        (3, None, "int without a tensor"),
    ],
)
def test_what_is_not_there(output: Any, which: str | int | None, message: str) -> None:
    with pytest.raises(CnnvizError, match=message):
        head(output, which)
