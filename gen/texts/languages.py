"""The languages of the site: a folder of docs and a MkDocs file each.

Chinese is at the root (docs/zh, mkdocs.yml); any other language `xx` is at xx/ and has docs/xx and
mkdocs.xx.yml, which inherits mkdocs.yml. Nothing else names the languages: adding those two is all.

A third language need not have all pages: those that are missing are shown in English, with a
notice. Words files may be silent, too: English is said in their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gen.texts.sections import pages

ROOT_LANGUAGE = "zh"
FALLBACK = "en"


@dataclass(frozen=True)
class Language:
    """A language of the site.

    Attributes:
        code: such as "en"; the name of its folder in docs and, but for Chinese, in the site.
        config: its MkDocs file.
        words: `extra.words` of that file: what the frame of a page says in this language.
    """

    code: str
    config: Path
    words: dict[str, str]

    @property
    def folder(self) -> str:
        """Its folder in the site, "" or with a slash at the end."""
        return "" if self.code == ROOT_LANGUAGE else f"{self.code}/"


def read(root: Path) -> list[Language]:
    """The languages of a repository, Chinese first."""
    others = sorted(
        root.glob("mkdocs.*.yml"), key=lambda path: (path.name != "mkdocs.en.yml", path)
    )
    configs = {ROOT_LANGUAGE: root / "mkdocs.yml"}
    configs |= {path.name.split(".")[1]: path for path in others}
    return [
        Language(code, path, _load(path).get("extra", {}).get("words", {}))
        for code, path in configs.items()
    ]


def code_of(docs_dir: str) -> str:
    """The language of a MkDocs build, from its folder of pages."""
    return Path(docs_dir).name


def having(languages: list[Language], docs: Path, page: str) -> list[Language]:
    """The languages that have a page: all, if it is made by the build."""
    written = [language for language in languages if page in pages(docs, language.code)]
    return written or languages


def untranslated(docs: Path, code: str) -> dict[str, Path]:
    """The pages that a third language lacks, with the English file shown in their place."""
    if code in (ROOT_LANGUAGE, FALLBACK):
        return {}
    mine = pages(docs, code)
    return {page: path for page, path in pages(docs, FALLBACK).items() if page not in mine}


def _load(path: Path) -> dict[str, Any]:
    """A MkDocs file without its tags such as !ENV, which ask the environment."""
    loaded: dict[str, Any] = yaml.load(path.read_text("utf-8"), _Loader)
    return loaded


class _Loader(yaml.SafeLoader):
    """Reads what has a tag as nothing."""


_Loader.add_multi_constructor("", lambda *_: None)
