"""Stages keyed by content: what changes makes stale exactly what depends on it."""

import json
from shutil import copytree, ignore_patterns

import pytest

from cnnviz.errors import CnnvizError
from cnnviz.files import digest
from gen import manifest
from gen.manifest import Chapter
from gen.settings import Settings, from_environment


@pytest.fixture
def settings(tmp_path):
    return Settings(build_dir=tmp_path)


@pytest.fixture
def rendered(settings):
    """Every chapter rendered and up to date, each with one picture."""
    for name, key in manifest.keys(settings).items():
        file = f"{name}/picture-1.png"
        path = settings.figures_dir / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
        chapter = Chapter(key, numbers={"n": 1}, files={file: digest([name.encode()])})
        manifest.write(name, chapter, settings)
    return settings


def test_nothing_is_stale_after_rendering(rendered):
    assert manifest.stale(rendered) == {}


def test_all_is_stale_before_rendering(settings):
    assert list(manifest.stale(settings)) == manifest.all_names(settings)


def test_a_changed_generator_makes_its_chapter_stale(rendered, monkeypatch, tmp_path):
    changed = manifest.keys(rendered) | {"lenet": "another key"}
    monkeypatch.setattr(manifest, "keys", lambda settings: changed)
    assert manifest.stale(rendered) == {"lenet": "another key"}


def test_changed_weights_make_all_stale(rendered):
    path = manifest.weights_files(rendered)[0]
    path.parent.mkdir(parents=True)
    path.write_bytes(b"other weights")
    assert set(manifest.stale(rendered)) == set(manifest.all_names(rendered))


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("gen/figures/relu.py", {"relu"}),
        ("gen/figures/learning.py", {"learning", "learning_choices", "learning_filters"}),
        ("docs/examples/chain_rule.py", {"examples"}),
        ("cnnviz/drawing/charts.py", set(manifest.all_names(Settings()))),
        ("gen/figure.py", set(manifest.all_names(Settings()))),
        ("gen/units.py", {"units-lenet", "units-mlp"}),
        ("gen/unit_pages.py", set()),
        ("gen/prose.py", set()),  # pages, hooks and prose only assemble
        ("gen/words.py", set()),
        ("docs/zh/relu.md", set()),
        ("docs/glossary.yml", set()),
    ],
)
def test_a_change_makes_stale_what_depends_on_it(settings, monkeypatch, tmp_path, changed, stale):
    tree = tmp_path / "tree"
    for folder in ("cnnviz", "gen", "docs"):
        copytree(manifest.ROOT / folder, tree / folder, ignore=ignore_patterns("__pycache__"))
    monkeypatch.setattr(manifest, "ROOT", tree)
    before = manifest.keys(settings)
    with (tree / changed).open("a") as file:
        file.write("# changed")
    after = manifest.keys(settings)
    assert {name for name in after if after[name] != before[name]} == stale


@pytest.mark.parametrize("damage", ["picture", "missing picture", "description"])
def test_damage_is_said_and_makes_the_chapter_stale(rendered, capsys, damage):
    picture = rendered.figures_dir / "lenet" / "picture-1.png"
    if damage == "picture":
        picture.write_bytes(b"x")
    elif damage == "missing picture":
        picture.unlink()
    else:
        (rendered.figures_dir / "lenet.json").write_text('{"key": ')
    assert list(manifest.stale(rendered)) == ["lenet"]
    assert "figures of 'lenet' are damaged" in capsys.readouterr().err


def test_the_description_is_readable_json(rendered):
    text = (rendered.figures_dir / "lenet.json").read_text("utf-8")
    assert json.loads(text)["numbers"] == {"n": 1}


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("DATASET", "mnist")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DEVICE", "")
    settings = from_environment()
    assert (settings.dataset, settings.data_dir, settings.device) == ("mnist", tmp_path, "cpu")
    monkeypatch.setenv("DATASET", "mnits")
    with pytest.raises(CnnvizError, match="Did you mean 'mnist'"):
        from_environment()
