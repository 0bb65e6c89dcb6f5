"""The template language of texts: `[[= value ]]`, `[[% call … %]]`, `[[# comment #]]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cnnviz.numbers import fixed, percent, signed, thousands


class _Environment(ImmutableSandboxedEnvironment):
    """A text sees its numbers and helpers, nothing of Python behind them, and changes none.

    `net.values` is the number of that name, not the method of the dictionary.
    """

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def sandbox(undefined: type[Undefined] = StrictUndefined) -> ImmutableSandboxedEnvironment:
    """The template engine, with delimiters that do not meet LaTeX and the ways to write a number."""
    environment = _Environment(
        block_start_string="[[%",
        block_end_string="%]]",
        variable_start_string="[[=",
        variable_end_string="]]",
        comment_start_string="[[#",
        comment_end_string="#]]",
        undefined=undefined,
        autoescape=False,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "percent": percent,
        "thousands": thousands,
        "fixed": fixed,
        "signed": signed,
    }
    return environment
