"""What the chapters on sound and text learn from: nothing that they are tested on."""

from __future__ import annotations

import torch

from gen.figures import calls, phrases


def test_calls_stand_where_they_begin_and_late_ones_later() -> None:
    early, late = calls.made(50, 1), calls.made(50, 1, late=True)
    room = (calls.LENGTH - calls.CALL) // 2
    assert early.starts.max() < room <= late.starts.min()
    for clean, start in zip(late.clean[:, 0], late.starts.tolist(), strict=True):
        heard = clean.nonzero()[:, 0]
        assert start <= heard.min()
        assert heard.max() < start + calls.CALL


def test_a_seed_makes_the_same_clips_and_another_others() -> None:
    one, same, other = calls.made(5, 1), calls.made(5, 1), calls.made(5, 2)
    assert torch.equal(one.sounds, same.sounds)
    assert not torch.equal(one.sounds, other.sounds)


def test_words_are_plain_and_none_is_there_twice() -> None:
    every = [word for of_language in phrases.words() for word in of_language]
    assert len(phrases.words()) == len(phrases.LANGUAGES)
    assert len(set(every)) == len(every)
    assert set("".join(every)) <= set(phrases.LETTERS) - {" "}
    longest = max(map(len, every))
    assert 2 * longest + 3 <= phrases.LENGTH


def test_phrases_of_the_test_have_no_word_to_learn_from() -> None:
    learned, others = phrases.divided(0)
    seen = {word for of_language in learned for word in of_language}
    made = phrases.made(others, 100, 3)
    assert not seen & {word for text in made.texts for word in text.split()}


def test_mixed_letters_are_the_same_letters_in_words_as_long() -> None:
    learned, _ = phrases.divided(0)
    for text in phrases.made(learned, 20, 3, mixed=True).texts:
        first, second = text.split()
        assert text == f" {first} {second} "
    plain, mixed = ["ab"], phrases.made([["abc"]], 1, 0, mixed=True).texts[0]
    assert sorted(mixed) == sorted(" abc abc ")
    assert phrases.encoded(plain).sum(1).eq(1).all()  # one letter a place
