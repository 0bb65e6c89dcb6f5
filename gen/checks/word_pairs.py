"""What the words files of one language have and those of another lack: files, keys and values.

A language of somebody else's may be silent where it likes: English is said in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cnnviz.words import FALLBACK
from gen.checks import word_templates
from gen.checks.word_files import Entry, WordsFile, file_of
from gen.texts.finding import Finding, name

Keys = Mapping[str, list[Entry]]


def pairs(files: Sequence[WordsFile]) -> list[tuple[WordsFile, WordsFile]]:
    """Each words file with the English one, where both are there and can be read."""
    english = {words.name: words for words in files if words.language == FALLBACK}
    return [
        (words, english[words.name])
        for words in files
        if words.language != FALLBACK
        and words.name in english
        and not (words.faults or english[words.name].faults)
    ]


def differences(files: Sequence[WordsFile]) -> list[Finding]:
    """What zh and en do not both say, and what a third language says beyond English.

    A file that cannot be read is compared with none; `make prose` says why.
    """
    present = {(words.name, words.language) for words in files}
    found = []
    for words in files:
        other = "zh" if words.language == FALLBACK else FALLBACK
        if (words.name, other) not in present:
            found.append(_alone(words, other))
    for words, english in pairs(files):
        mine, theirs = _keys(words), _keys(english)
        if words.language == "zh":
            found += _missing(words, mine, english, theirs)
        found += _missing(english, theirs, words, mine)
        for key in mine.keys() & theirs.keys():
            found += _values(words, mine[key], english, theirs[key])
    return found


def _keys(words: WordsFile) -> Keys:
    found: dict[str, list[Entry]] = {}
    for entry in words.entries:
        found.setdefault(entry.key, []).append(entry)
    return found


def _alone(words: WordsFile, other: str) -> Finding:
    file, own = file_of(words.name, other), name(other)
    return Finding(
        words.file,
        0,
        f"没有{own[0]}的 {file}。怎么办：新建这个文件，名字照抄，句子用{own[0]}写；不会{own[0]}也没"
        "关系，在拉取请求里说一声，会有人接着译。",
        f"there is no {file}, its {own[1]} version. What to do: add that file with the same names, "
        f"its sentences in {own[1]}. If you do not write {own[1]}, say so in the pull request: "
        "somebody else can go on.",
    )


def _missing(words: WordsFile, mine: Keys, other: WordsFile, theirs: Keys) -> Iterator[Finding]:
    """What `words` lacks and the other file has; a block of which nothing is there, once."""
    said = set()
    for key, (first, *_) in theirs.items():
        if key in mine:
            continue
        parts = key.split(".")
        blocks = (".".join(parts[:n]) for n in range(1, len(parts)))
        what = next((b for b in blocks if not any(_within(k, b) for k in mine)), key)
        if what not in said:
            said.add(what)
            yield _lacks(words, what, other, first.line)


def _within(key: str, block: str) -> bool:
    return key == block or key.startswith(f"{block}.")


def _lacks(words: WordsFile, what: str, other: WordsFile, line: int) -> Finding:
    own, theirs, place = name(words.language), name(other.language), f"{other.file}:{line}"
    if words.language == FALLBACK and other.language != "zh":
        return Finding(
            other.file,
            line,
            f"{words.file} 里没有“{what}”，没有谁会说这一句。怎么办：照 {words.file} 改它的名字，或者删掉。",
            f"{words.file} has no '{what}', so nobody says this. What to do: name it as "
            f"{words.file} does, or delete it.",
        )
    return Finding(
        words.file,
        0,
        f"缺少“{what}”，{theirs[0]}里有（{place}）。怎么办：在同样的位置补上，用{own[0]}写；"
        f"不会{own[0]}也没关系，在拉取请求里说一声。",
        f"'{what}' is missing, and {theirs[1]} has it ({place}). What to do: add it at the same "
        f"place, in {own[1]}; if you do not write {own[1]}, say so in the pull request.",
    )


def _values(
    words: WordsFile, mine: Sequence[Entry], english: WordsFile, theirs: Sequence[Entry]
) -> Iterator[Finding]:
    """Both sentences name the same values."""
    here, there = _named(mine), _named(theirs)
    if here is None or there is None or here == there:
        return
    more, less = sorted(here - there), sorted(there - here)
    key = mine[0].key
    if more and less:
        yield _renamed(words, mine[0], more, f"{english.file}:{theirs[0].line}", less)
    elif less:
        yield _hidden(words, mine[0], english, less)
    elif words.language == "zh":
        yield _hidden(english, theirs[0], words, more)
    else:
        yield Finding(
            words.file,
            mine[0].line,
            f"“{key}”用了 {'、'.join(more)}，英文没有用，程序也不会给。怎么办：照英文的那一句改。",
            f"'{key}' shows {', '.join(more)}, which English does not and no program gives. What "
            "to do: name what the English sentence names.",
        )


def _named(entries: Sequence[Entry]) -> set[str] | None:
    """All values of the sentences under a key; None if one cannot be read."""
    found: set[str] = set()
    for entry in entries:
        values = word_templates.values(entry.text) if entry.sentence else frozenset()
        if values is None:
            return None
        found |= values
    return found


def _renamed(
    words: WordsFile, entry: Entry, more: list[str], place: str, less: list[str]
) -> Finding:
    return Finding(
        words.file,
        entry.line,
        f"“{entry.key}”用的值是 {'、'.join(more)}，{place} 用的是 {'、'.join(less)}。怎么办：两边写成"
        "一样的；如果你只改了一边，就改回去。",
        f"'{entry.key}' shows {', '.join(more)}, and {place} shows {', '.join(less)}. What to do: "
        "name the same values in both; change back what you changed alone.",
    )


def _hidden(words: WordsFile, entry: Entry, other: WordsFile, less: list[str]) -> Finding:
    zh, en = name(other.language)
    return Finding(
        words.file,
        entry.line,
        f"“{entry.key}”里没有用到 {'、'.join(less)}，{zh}用了。怎么办：把它放进句子里。",
        f"'{entry.key}' does not show {', '.join(less)}, which {en} does. What to do: put it into "
        "the sentence.",
    )
