"""The search of the built site is mended once, and nothing else is taken for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnviz.errors import CnnvizError
from gen.settings import ROOT
from gen.site.search_worker import FAULTY, MENDED, mend_search


@pytest.fixture
def worker(tmp_path: Path) -> Path:
    path = tmp_path / "assets" / "javascripts" / "workers" / "search.0a1b.min.js"
    path.parent.mkdir(parents=True)
    return path


def test_mends_once(worker: Path) -> None:
    worker.write_text(f"before;{FAULTY};after")
    for _ in range(2):
        mend_search(worker.parents[3])
        assert worker.read_text() == f"before;{MENDED};after"


@pytest.mark.parametrize("code", ["another search", FAULTY + FAULTY])
def test_another_search_is_named(worker: Path, code: str) -> None:
    worker.write_text(code)
    with pytest.raises(CnnvizError, match="another version of Material"):
        mend_search(worker.parents[3])
    assert worker.read_text() == code


def test_no_search_is_named(tmp_path: Path) -> None:
    with pytest.raises(CnnvizError, match="another version of Material"):
        mend_search(tmp_path)


def test_the_site_is_mended() -> None:
    workers = list((ROOT / "site").rglob("javascripts/workers/search.*.min.js"))
    assert len(workers) >= 2  # one a language
    assert all(MENDED in path.read_text(encoding="utf-8") for path in workers)
