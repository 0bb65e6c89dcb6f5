"""Where the site may live, which build a page is, how it is cited."""

import json
import re
import subprocess
import tomllib
from datetime import date
from html import unescape

import pytest
import yaml

from cnnviz.errors import CnnvizError
from gen.bundle import bundle as prebuilt
from gen.draw import keys
from gen.settings import ROOT, Settings

SITE = ROOT / "site"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
_UNIT = re.compile(r"atlas/[^/]+/[^/]+/\d+/")
_ADDRESS = re.compile(r'<(?!link rel="(?:canonical|alternate ))[^>]*?\s(?:href|src)="([^"]+)"')


def pages():
    """Every page but the units, which share one template; one of them is enough."""
    found = sorted(SITE.rglob("index.html"))
    units = [p for p in found if _UNIT.search(f"{p.parent.relative_to(SITE).as_posix()}/")]
    return [*(p for p in found if p not in set(units)), *units[:1]]


def test_any_address_will_do():
    """Nothing inside the site is named from the root of its host, nor by its full address.

    So the same files work below a path, at the root of a domain and from disk. (Only the 404 page,
    which a host shows at any address, must name the root.)
    """
    home = (SITE / "index.html").read_text("utf-8")
    (root,) = re.findall(r'<link rel="canonical" href="([^"]+)"', home)
    wrong = {}
    for page in pages():
        inside = [
            address
            for address in _ADDRESS.findall(page.read_text("utf-8"))
            if address.startswith(("/", root))
        ]
        if inside:
            wrong[str(page.relative_to(SITE))] = inside[:3]
    assert wrong == {}
    assert len(pages()) > 40


@pytest.mark.parametrize(("folder", "word"), [("", "版本"), ("en", "Version")])
def test_each_page_says_which_build_it_is(folder, word):
    html = unescape((SITE / folder / "lenet" / "index.html").read_text("utf-8"))
    footer = re.sub(r"<[^>]+>|\s+", " ", html[html.index('class="md-copyright"') :])
    assert f"{word} {PROJECT['version']}" in " ".join(footer.split())


def test_citation():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert cited["version"] == PROJECT["version"]
    assert cited["license"] == PROJECT["license"]
    assert {"cff-version", "message", "title", "authors", "date-released"} <= set(cited)
    newest = re.search(r"^## (\d{4}-\d\d-\d\d)", (ROOT / "docs/en/changelog.md").read_text(), re.M)
    assert cited["date-released"] <= date.fromisoformat(newest[1])


def test_a_site_is_not_made_of_figures_older_than_the_code(tmp_path, monkeypatch):
    settings = Settings(build_dir=tmp_path)
    with pytest.raises(CnnvizError, match="No bundle is in use"):
        prebuilt.site(settings)
    sources = keys.code(settings) | {"relu": "0123456789ab"}
    about = {
        "format": prebuilt._FORMAT,
        "dataset": "digits",
        "commit": "",
        "sources": sources,
        "files": {},
    }
    (tmp_path / prebuilt.MANIFEST).write_text(json.dumps(about))
    monkeypatch.setattr(
        "gen.publish.assemble.assemble", lambda settings: pytest.fail("put together")
    )
    with pytest.raises(CnnvizError, match="older than what draws relu"):
        prebuilt.site(settings)


def test_a_site_of_given_figures_needs_no_large_environment():
    command = ["make", "--dry-run", "offline", "texts", "PREBUILT=x.zip"]
    plan = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert 'gen bundle use "x.zip"' in plan
    assert "gen bundle site" in plan
    assert "gen offline" in plan
    assert "tests/checks/test_hostile_text.py" in plan
    assert not re.search(r"gen (draw|site)\b", plan)
