"""Figures of the atlas: one page a layer."""

from __future__ import annotations

from typing import Any

from gen.context import Context
from gen.figure import Figure


def generated(context: Context) -> dict[str, Figure]:
    """One figure a layer."""
    return {}


def numbers(context: Context) -> dict[str, Any]:
    """Facts of each layer."""
    return {"nets": {}}
