"""Which sections and words a branch has changed in one language and not in the others; asks git."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

from cnnviz.words import Message, message
from gen.checks import word_files
from gen.checks.word_files import WordsFile, file_of
from gen.texts.finding import Finding, name
from gen.texts.sections import Section, pages, sections, source
from gen.texts.words import languages


@dataclass(frozen=True)
class PageChange:
    """A page of which some sections were changed.

    Attributes:
        changed: language → the sections that were.
        present: language → the anchors that it has; what it lacks, gen.checks.parity says.
    """

    page: str
    changed: dict[str, list[Section]]
    present: dict[str, set[str]]

    def findings(self) -> dict[str, list[Finding]]:
        """page#anchor → a sentence for each language in which that section was not changed."""
        found: dict[str, list[Finding]] = {}
        anchors = {s.anchor: s for of in self.changed.values() for s in of}
        for anchor, section in anchors.items():
            ahead = [k for k in self.changed if anchor in {s.anchor for s in self.changed[k]}]
            key = f"{self.page}#{anchor}"
            for other in (k for k in self.present if k not in ahead and anchor in self.present[k]):
                found.setdefault(key, []).append(self._finding(section, ahead[0], other))
        return found

    def _finding(self, section: Section, ahead: str, behind: str) -> Finding:
        values = {
            "title": section.title,
            "changed": name(ahead),
            "own": name(behind),
            "file": file_of(self.page, behind),
            "record": f"{self.page}#{section.anchor}",
        }
        if self.page.endswith(".yml"):
            what = message("since.words", **values)
        else:
            what = message("since.section", **values, anchor=section.anchor)
        return Finding(file_of(self.page, ahead), section.line, what)


@dataclass(frozen=True)
class Changes:
    """What has changed since a commit; `problem` says why that is not known."""

    base: str
    pages: list[PageChange] = field(default_factory=list)
    problem: Message | None = None

    def findings(self) -> dict[str, list[Finding]]:
        """page#anchor → sentences, for each section that was changed in some languages only."""
        return {key: said for page in self.pages for key, said in page.findings().items()}


def changes(docs: Path, base: str = "") -> Changes:
    """Compare the texts on disk with those of a commit.

    Args:
        base: a commit; "" for the branch that the pull request goes to, the main branch, or the
            last commit, whichever there is first.
    """
    root = docs.parent
    asked = base or os.environ.get("GITHUB_BASE_REF", "")
    names = [asked, f"origin/{asked}"] if asked else ["origin/main", "main", "HEAD"]
    commit = next((c for n in names if (c := _git(root, "merge-base", n, "HEAD").strip())), "")
    if not commit:  # a shallow clone may know the commit, but not where the branches parted
        commit = next(
            (n for n in names if _git(root, "rev-parse", "--verify", f"{n}^{{commit}}")), ""
        )
    if not commit:
        unknown = message("since.no commit", commit=asked) if asked else message("since.no git")
        return Changes(asked or "HEAD", problem=unknown)
    listed = _git(root, "diff", "--name-only", commit, "--", docs.name, word_files.PACKAGE)
    changed = set(listed.splitlines())
    found: dict[str, dict[str, list[Section]]] = {}
    present: dict[str, dict[str, set[str]]] = {}

    def note(page: str, language: str, now: list[Section], new: list[Section]) -> None:
        present.setdefault(page, {})[language] = {s.anchor for s in now}
        if new:
            found.setdefault(page, {})[language] = new

    for language in languages(docs):
        for page, path in pages(docs, language).items():
            now, file = sections(source(path)), path.relative_to(root).as_posix()
            before = sections(_git(root, "show", f"{commit}:{file}")) if file in changed else now
            note(page, language, now, _new(now, before))
    for words in word_files.read_all(docs):
        now = word_files.passages(words)
        old = words
        if words.file in changed:
            text = _git(root, "show", f"{commit}:{words.file}")
            old = word_files.read(words.language, words.name, text)
        new = [_pointed(s, words, old) for s in _new(now, word_files.passages(old))]
        note(words.name, words.language, now, new)
    return Changes(
        asked or commit[:9], [PageChange(page, of, present[page]) for page, of in found.items()]
    )


def _new(now: list[Section], before: list[Section]) -> list[Section]:
    """The sections that were not there, or not as they are."""
    digests = {section.anchor: section.digest for section in before}
    return [section for section in now if digests.get(section.anchor) != section.digest]


def _pointed(passage: Section, words: WordsFile, before: WordsFile) -> Section:
    """A passage of a words file, with the names and the line of the sentences that are new in it."""
    old = {(entry.key, entry.text) for entry in before.entries}
    new = [
        entry
        for entry in words.entries
        if word_files.anchor(entry.key) == passage.anchor and (entry.key, entry.text) not in old
    ]
    keys = list(dict.fromkeys(entry.key for entry in new))[:3]
    return replace(passage, title=", ".join(keys), line=new[0].line) if new else passage


def _git(root: Path, *arguments: str) -> str:
    """What git prints; "" if it fails or is not there."""
    command = ["git", "-C", str(root), "-c", "core.quotePath=false", *arguments]
    try:
        run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    except OSError:
        return ""
    return run.stdout if run.returncode == 0 else ""
