"""`make site` puts pages together only if something that they are made from has changed."""

import pytest

from gen import site
from gen.settings import Settings


@pytest.fixture
def repository(tmp_path, monkeypatch):
    for folder in ("cnnviz", "docs/en", "gen"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "constraints.txt").touch()
    (tmp_path / "docs/en/index.md").write_text("# Title\n", "utf-8")
    monkeypatch.setattr(site, "ROOT", tmp_path)
    return tmp_path


def test_the_same_twice(repository):
    assert site.made_from(Settings()) == site.made_from(Settings())


@pytest.mark.parametrize("change", ["text", "name", "code", "settings", "address"])
def test_whatever_changes_is_seen(repository, monkeypatch, change):
    before, settings = site.made_from(Settings()), Settings()
    page = repository / "docs/en/index.md"
    match change:
        case "text":
            page.write_text("# Another title\n", "utf-8")
        case "name":
            page.rename(page.with_name("home.md"))
        case "code":
            (repository / "gen/hooks.py").write_text("x = 1\n", "utf-8")
        case "settings":
            settings = Settings(build_dir=repository / "elsewhere")
        case "address":
            monkeypatch.setenv("SITE_URL", "https://example.org/there/")
    assert site.made_from(settings) != before


def test_nothing_is_built_twice(repository, monkeypatch, capsys):
    built = []
    monkeypatch.setattr(site, "SITE", repository / "site")
    monkeypatch.setattr(site, "STAMP", repository / "site.digest")
    monkeypatch.setattr(site.build, "ensure", lambda settings: None)

    def assemble(settings):
        built.append(settings)
        (repository / "site").mkdir(exist_ok=True)

    monkeypatch.setattr(site, "assemble", assemble)
    assert [site.main(), site.main()] == [0, 0]
    assert len(built) == 1
    assert "up to date" in capsys.readouterr().out
