"""The pages of the atlas, one a layer, as Markdown; and their place in the navigation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def atlas_pages(numbers: Mapping[str, Any], language: str) -> dict[str, str]:
    """Path → Markdown."""
    return {}


def atlas_nav(nav: list[Any] | None, numbers: Mapping[str, Any], language: str) -> list[Any] | None:
    """The navigation with the generated pages added after atlas/index.md."""
    return nav
