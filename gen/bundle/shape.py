"""What is special to a bundle: its manifest, and limits of its JSON.

It is checked before any page is made from it. What a chapter and its figures are,
cnnviz.figure.kept says, and the numbers of the atlas, cnnviz.atlas.facts, for bundles as for what
is drawn here. A field of a number that no type names is ignored, since nothing reads it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from cnnviz.data.catalogue import DATASETS
from cnnviz.errors import CnnvizError, printable, unknown_name
from cnnviz.figure.kept import Digest, Name

# --- The manifest -------------------------------------------------------------------------------


class Manifest(Struct):
    """bundle.json."""

    format: int
    dataset: str
    commit: Annotated[str, Meta(pattern=r"\A(?:[0-9a-f]{4,40}\+?)?\Z")]
    sources: dict[Name, Digest]
    files: dict[str, Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]]

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            raise ValueError(str(unknown_name("dataset", self.dataset, DATASETS)))


class Format(Struct):
    """As much of the manifest as any format has."""

    format: int


# --- Reading ------------------------------------------------------------------------------------


def parsed(content: bytes, largest: int) -> Any:
    """JSON of at most `largest` bytes in which nothing is said twice and all numbers are finite.

    No text in it has characters that end a line, turn the writing round or are none.

    Raises:
        CnnvizError: it is anything else.
    """
    if len(content) > largest:
        raise CnnvizError(f"it is larger than {largest / 1e6:.0f} MB")
    try:
        value = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_once,
            parse_float=_finite,
            parse_int=_exact,
            parse_constant=_finite,
        )
    except RecursionError as error:
        raise CnnvizError("it is nested too deep") from error
    except ValueError as error:
        raise CnnvizError(f"it is no JSON of ours: {printable(str(error))[:200]}") from error
    for text in _texts(value):
        if found := _NEVER.search(text):
            raise CnnvizError(f"a text in it holds {found[0]!a}, which no text of ours has")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text[:30]} is no finite number")
    return value


def _exact(text: str) -> int:
    if len(text) > 16:
        raise ValueError(f"{text[:30]} is larger than any number of ours")
    return int(text)


Shape = TypeVar("Shape")


def shaped(value: Any, shape: type[Shape]) -> Shape:
    """`value` as that type.

    Raises:
        CnnvizError: it has another shape; says where.
    """
    try:
        return msgspec.convert(value, shape)
    except msgspec.MsgspecError as error:
        raise CnnvizError(printable(str(error))[:300]) from error


_CONTROL = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_NEVER = re.compile(f"[{_CONTROL}]")
_NO_NUMBER = re.compile(rf'[\t\n<>"`\[\]{_CONTROL}]|&[#\w]|8<-|:::')
_DIGITS = re.compile(r"[-0-9.e+ \n]*")
_NOT_PRINTED = re.compile(rf"```|~~~|8<-|:::|[\t{_CONTROL}]")
"""What ends the box of a program's output, or is an instruction inside it."""


def check_numbers(value: Any) -> None:
    """Numbers for the prose: what is said in them is short, of one line, and no markup."""
    for text in _texts(value):
        long = len(text) > 2000 or _NO_NUMBER.search(text)
        if long and not _DIGITS.fullmatch(text):
            raise CnnvizError(f"{text[:60]!a} among the numbers is no short, plain text")


def check_printed(value: Any) -> None:
    """What the programs of docs/examples printed: stays in its box."""
    printed = shaped(value, dict[Annotated[str, Meta(pattern=r"(?a)\A\w{1,99}\Z")], str])
    for name, text in printed.items():
        if len(text) > 50_000 or _NOT_PRINTED.search(text):
            raise CnnvizError(f"what '{name}' printed is no plain text")


def _texts(value: Any, depth: int = 0) -> Iterable[str]:
    """All texts in a JSON value, names of fields among them."""
    if depth > 30:
        raise CnnvizError("it is nested too deep")
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _texts(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, depth + 1)
