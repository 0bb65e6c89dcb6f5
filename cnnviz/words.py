"""What is said to readers: Python names a key and gives values, a file of each language says it.

A words file is YAML, sentences under names that may be nested. In double brackets stand values and
how they are written, as `[[= share | percent ]]`; `[[= say("signs") ]]` is another sentence.
English is said where a language is silent.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Protocol

import yaml
from jinja2 import StrictUndefined, Template, TemplateError, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from msgspec import Meta, Struct

from cnnviz import numbers
from cnnviz.errors import CnnvizError
from cnnviz.files import digest

FALLBACK = "en"

# --- Messages -----------------------------------------------------------------------------------

Key = Annotated[str, Meta(pattern=r"\A\w[\w .-]{0,99}\Z")]
# What ends a line, turns the writing round or is none has no place among words.
Word = Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]{0,500}\Z")]


class Message(Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence that is still to be said: its key in the words files, and its values."""

    key: Key
    values: dict[Key, _Value] = {}


_One = Word | int | float | bool | None | Message
_Value = _One | list[_One | list[_One]]


def message(key: str, **values: Any) -> Message:
    """A sentence to be said later, with plain values: numbers of numpy's become Python's.

    >>> message("alt", share=0.5, layers=("conv1", "conv2"))
    Message(key='alt', values={'share': 0.5, 'layers': ['conv1', 'conv2']})
    """
    return Message(key, {name: _plain(value) for name, value in values.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value.item() if hasattr(value, "item") else value


class Say(Protocol):
    """Says a sentence at once, in one language."""

    def __call__(self, key: str | Message, **values: Any) -> str: ...


# --- The template language ----------------------------------------------------------------------


class _Environment(ImmutableSandboxedEnvironment):
    """A text sees its numbers and helpers, nothing of Python behind them, and changes none.

    `net.values` is the number of that name, not the method of the dictionary.
    """

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def sandbox(
    undefined: type[Undefined] = StrictUndefined, escape: bool = False
) -> ImmutableSandboxedEnvironment:
    """The template engine of all texts, with the ways to write a number as filters.

    Its delimiters, `[[= value ]]`, `[[% call … %]]`, `[[# comment #]]`, do not meet LaTeX.
    """
    environment = _Environment(
        block_start_string="[[%",
        block_end_string="%]]",
        variable_start_string="[[=",
        variable_end_string="]]",
        comment_start_string="[[#",
        comment_end_string="#]]",
        undefined=undefined,
        autoescape=escape,
        keep_trailing_newline=True,
    )
    ways = ("percent", "whole_percent", "thousands", "millions", "fixed", "fixed_or_zero", "signed",
            "significant", "small", "shortest")  # fmt: skip
    environment.filters |= {name: getattr(numbers, name) for name in ways}
    return environment


_PLAIN, _ESCAPED = sandbox(), sandbox(escape=True)

_DEEPEST, _LONGEST = 4, 20_000
"""Sentences inside one another, and characters of what is said; a bundle may ask for more."""

_LINK = r'a href="(?:\.\./)+\w[\w.#-]*(?:/[\w.#-]+)*/?"'
_NO_TAG = re.compile(rf"<(?!/?(?:b|code|em)>|/a>|{_LINK}>)[^>]*>?")
"""A tag that no sentence holds, whatever its values are."""


@lru_cache(maxsize=8192)
def _template(text: str, escape: bool) -> Template:
    return (_ESCAPED if escape else _PLAIN).from_string(text)


# --- Words files --------------------------------------------------------------------------------


class Sentence(Struct, frozen=True):
    """Something that a words file says.

    Attributes:
        key: in its file, with a dot between nested names.
    """

    file: Path
    key: str
    text: Any


class Catalogue:
    """The sentences of one language, as they stand now: what is found is remembered.

    Args:
        files: its words files. If several have a key, the first says it.
        english: the same in English, for what they lack.
        scope: what is being said, such as "relu.before_after". A key is looked for there first,
            then in "relu", then at the top of a file.
        escape: put values in as HTML text, since the sentences are HTML.
        heard: is told the key of each sentence that is said, and the sentence.
    """

    def __init__(
        self,
        files: Sequence[Path],
        english: Sequence[Path],
        scope: str = "",
        escape: bool = False,
        heard: Callable[[str, Sentence], None] | None = None,
    ) -> None:
        self._files, self._english = files, english
        self._escape, self._heard = escape, heard
        self._found: dict[str, Sentence] = {}

        def say(key: str, **values: Any) -> str:
            return self(key, **values)

        # What sentences see; behind a catalogue they would see files.
        self._function = say
        parts = scope.split(".") if scope else []
        self._places = [".".join([*parts[:n], ""]) if n else "" for n in range(len(parts), -1, -1)]

    def find(self, key: str) -> Sentence:
        """What stands under a key, as it is.

        Raises:
            CnnvizError: neither this language nor English has it.
        """
        if key in self._found:
            return self._found[key]
        for place in self._places:
            for file in (*self._files, *self._english):
                said = read(file)
                if place + key in said:
                    found = Sentence(file, place + key, said[place + key])
                    return self._found.setdefault(key, found)
        files = list(dict.fromkeys(map(shown, (*self._files[:1], *self._english[:1]))))
        raise CnnvizError(
            f"{', nor has '.join([f'{files[0]} has no {self._places[0] + key!r}', *files[1:]])}. "
            f"Write the line '{key}: …' into the file of each language."
        )

    def __getitem__(self, key: str) -> Any:
        """What stands under a key, as it is; see `find`."""
        return self.find(key).text

    def __call__(self, key: str | Message, **values: Any) -> str:
        """A sentence with its values put in.

        Raises:
            CnnvizError: no such key; or the sentence names a value that is not given.
        """
        if isinstance(key, Message):
            values, key = key.values, key.key
        return self._say(key, values, 0)

    def _say(self, key: str, values: Mapping[str, Any], depth: int) -> str:
        sentence = self.find(key)
        if self._heard:
            self._heard(key, sentence)
        if not isinstance(sentence.text, str | int | float) or depth > _DEEPEST:
            raise CnnvizError(
                f"{shown(sentence.file)}: '{sentence.key}' cannot be said: expected one sentence, "
                "in quotes, and not too many inside one another."
            )
        text = str(sentence.text)
        if "[[" not in text:
            return self._checked(sentence, text)
        given = {name: self._spoken(value, depth + 1) for name, value in values.items()}
        try:
            said = _template(text, self._escape).render(given, say=self._function)
        except (TemplateError, ArithmeticError, TypeError, ValueError, RecursionError) as error:
            raise CnnvizError(
                f"{shown(sentence.file)}: '{sentence.key}' cannot be said ({error}). "
                f"It may name: {', '.join(values) or 'no value'}."
            ) from error
        return self._checked(sentence, said)

    def _checked(self, sentence: Sentence, said: str) -> str:
        """What was said, if it is not endless and holds no more markup than a sentence may."""
        if len(said) > _LONGEST:
            raise CnnvizError(f"{shown(sentence.file)}: '{sentence.key}' becomes far too long.")
        if not self._escape:
            return said
        if "<" in said and (tag := _NO_TAG.search(said)):
            raise CnnvizError(
                f"{shown(sentence.file)}: '{sentence.key}' holds {tag[0][:60]!r}. Expected no "
                'markup but <b>, <code>, <em> and <a href="../page/"> to a page of this site.'
            )
        return Markup(said)

    def said(self, text: Message | str) -> str:
        """A message said; a name, which is the same in every language, as it is."""
        return text if isinstance(text, str) else self(text)

    def _spoken(self, value: Any, depth: int) -> Any:
        if isinstance(value, Message):
            return self._say(value.key, value.values, depth)
        if isinstance(value, (list, tuple)):
            return [self._spoken(one, depth) for one in value]
        return value


class Library(ABC):
    """Where the words of figures and pages stand, in each language that there is."""

    @property
    @abstractmethod
    def languages(self) -> Sequence[str]:
        """The languages in which drawings are made."""

    @abstractmethod
    def files(self, language: str, scope: str) -> list[Path]:
        """The words files of a language that are looked into, whether they exist or not."""

    def catalogue(
        self,
        language: str,
        scope: str = "",
        escape: bool = False,
        heard: Callable[[str, Sentence], None] | None = None,
    ) -> Catalogue:
        """What is said in a language; the arguments are those of Catalogue."""
        own, english = (self.files(code, scope) for code in (language, FALLBACK))
        return Catalogue(own, english, scope, escape, heard)


_PACKAGE = Path(__file__).parent


def package_files(language: str) -> list[Path]:
    """The words files of this package itself."""
    return [_PACKAGE / room / "words" / f"{language}.yml" for room in ("atlas", "figure")]


class PackageWords(Library):
    """The words of this package: those of its figures and of the atlas."""

    @property
    def languages(self) -> Sequence[str]:
        """Those of the atlas."""
        return sorted(path.stem for path in (_PACKAGE / "atlas" / "words").glob("*.yml"))

    def files(self, language: str, scope: str) -> list[Path]:
        """The same for every scope."""
        return package_files(language)


def read(file: Path) -> Mapping[str, Any]:
    """The sentences of a words file by key, with a dot between nested names; none without a file.

    Raises:
        CnnvizError: it cannot be read, or is something else.
    """
    return _parsed(file, file.stat().st_mtime_ns) if file.is_file() else {}


def shown(file: Path) -> str:
    """How messages name a words file: docs/en/relu.yml."""
    return "/".join(file.parts[-3:])


class _Loader(yaml.CSafeLoader):
    """Refuses what stands twice under one name."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value]
        for (key, _), name in zip(node.value, names, strict=True):
            if names.count(name) > 1:
                raise yaml.MarkedYAMLError(problem=f"'{name}' twice", problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


def text_digest(sentence: Sentence) -> str:
    """Differs for sentences that differ."""
    return digest([str(sentence.text).encode()])


@lru_cache(maxsize=256)
def _parsed(file: Path, changed: int) -> Mapping[str, Any]:
    try:
        words = yaml.load(file.read_text("utf-8"), _Loader)
    except (yaml.YAMLError, ValueError) as error:
        where = getattr(error, "problem_mark", None)
        line = f":{where.line + 1}" if where else ""
        raise CnnvizError(
            f"{shown(file)}{line}: this cannot be read ({_reason(error)}). "
            "Write each line as 'key: \"sentence\"'."
        ) from error
    flat: dict[str, Any] = {}
    if not _flattened(words, "", flat):
        raise CnnvizError(f"{shown(file)}: expected lines of the form 'key: \"sentence\"'.")
    return flat


def _reason(error: Exception) -> str:
    return str(getattr(error, "problem", None) or error).split("\n")[0]


def _flattened(words: Any, prefix: str, flat: dict[str, Any]) -> bool:
    """Whether `words` are names with sentences, which are now in `flat`."""
    if not isinstance(words, dict) or not all(isinstance(key, str) for key in words):
        return False
    for key, said in words.items():
        if isinstance(said, dict):
            if not _flattened(said, f"{prefix}{key}.", flat):
                return False
        else:
            flat[prefix + key] = said
    return True
