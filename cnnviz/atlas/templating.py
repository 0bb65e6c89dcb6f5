"""The templates of the atlas: HTML and Markdown stand in templates/, Python fills them in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cnnviz.figure.html import environment

TEMPLATES = Path(__file__).parent / "templates"
ASSETS = Path(__file__).parent / "assets"
"""Looks and scripts of figures and of the atlas; a site copies them to assets/."""
_ENVIRONMENT = environment(TEMPLATES)


def filled(name: str, **values: Any) -> str:
    """A template of cnnviz/atlas/templates with its values.

    All values are escaped that are not marked safe, so what `say` says is given as it is. Where a
    line of the template ends, nothing is written, or a space before a word.

    Args:
        name: of its file.

    Raises:
        jinja2.UndefinedError: the template asks for what is not given.
    """
    return _ENVIRONMENT.get_template(name).render(**values)
