"""Phrases of the chapter on text: two words of one of three languages, letters as channels."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

LANGUAGES = ("pinyin", "english", "german")
LETTERS = " abcdefghijklmnopqrstuvwxyz"
LENGTH = 32
"""Places in a phrase; behind its end stand spaces."""

LEARNED_FROM = 105
"""Words of each language that phrases for training are made of; the others are for testing."""


@cache
def words() -> tuple[tuple[str, ...], ...]:
    """The words of each language in the order of the list."""
    text = Path(__file__).with_name("phrases.txt").read_text("utf-8")
    parts = text.split("\n\n")[1:]  # above the first is a comment
    return tuple(tuple(part.split()) for part in parts)


def divided(seed: int) -> tuple[list[list[str]], list[list[str]]]:
    """The words of each language to learn from and those to test with, drawn by lot."""
    chance = random.Random(seed)
    drawn = [chance.sample(of_language, len(of_language)) for of_language in words()]
    return [w[:LEARNED_FROM] for w in drawn], [w[LEARNED_FROM:] for w in drawn]


@dataclass(frozen=True)
class Phrases:
    """Texts, as (N, 27, LENGTH), a channel for each letter, and their languages (N,)."""

    texts: Sequence[str]
    inputs: Tensor
    languages: Tensor


def encoded(texts: Sequence[str]) -> Tensor:
    """(N, 27, LENGTH): 1 in the channel of the letter that stands at a place, 0 in the others."""
    places = [[LETTERS.index(letter) for letter in text.ljust(LENGTH)] for text in texts]
    return F.one_hot(torch.tensor(places), len(LETTERS)).transpose(1, 2).float()


def made(lists: Sequence[Sequence[str]], count: int, seed: int, mixed: bool = False) -> Phrases:
    """So many phrases of two words, a space before, between and behind.

    `mixed`: the letters of each phrase have changed places among themselves; spaces stay.
    """
    chance = random.Random(seed)
    texts, languages = [], []
    for _ in range(count):
        language = chance.randrange(len(lists))
        first, second = chance.choice(lists[language]), chance.choice(lists[language])
        if mixed:
            letters = chance.sample(first + second, len(first + second))
            first, second = "".join(letters[: len(first)]), "".join(letters[len(first) :])
        texts.append(f" {first} {second} ")
        languages.append(language)
    return Phrases(texts, encoded(texts), torch.tensor(languages))
