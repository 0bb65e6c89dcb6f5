"""Stages keyed by content: what changes makes stale exactly what depends on it."""

import json
import random

import pytest

from cnnviz.errors import CnnvizError
from cnnviz.files import digest, write_sealed
from gen import weights
from gen.draw import build, keys, manifest
from cnnviz.figure.kept import Chapter
from gen.settings import Settings, from_environment


@pytest.fixture
def settings(tmp_path):
    return Settings(build_dir=tmp_path)


@pytest.fixture
def rendered(settings):
    """Every chapter rendered and up to date, each with one picture."""
    for name, key in keys.keys(settings).items():
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
    assert list(manifest.stale(settings)) == keys.all_names(settings)


def test_a_changed_generator_makes_its_chapter_stale(rendered, monkeypatch, tmp_path):
    changed = keys.keys(rendered) | {"lenet": "another key"}
    monkeypatch.setattr(keys, "keys", lambda settings: changed)
    assert manifest.stale(rendered) == {"lenet": "another key"}


def test_changed_weights_make_stale_what_used_them(rendered):
    path = weights.files(rendered)["lenet"]
    write_sealed(path, lambda file: file.write(b"weights"))
    for name in ("lenet", "relu"):
        chapter = manifest.read(name, rendered)
        chapter.weights = weights.digests(["lenet"], rendered)
        manifest.write(name, chapter, rendered)
    assert manifest.stale(rendered) == {}
    write_sealed(path, lambda file: file.write(b"other weights"))
    assert set(manifest.stale(rendered)) == {"lenet", "relu"}
    path.unlink()
    assert set(manifest.stale(rendered)) == {"lenet", "relu"}


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
    assert json.loads(text)["chapter"]["numbers"] == {"n": 1}


def test_any_flipped_byte_of_a_description_is_noticed(rendered, capsys):
    path = rendered.figures_dir / "lenet.json"
    whole, chance = path.read_bytes(), random.Random(0)
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        assert manifest.read("lenet", rendered) is None
        assert len(capsys.readouterr().err.splitlines()) == 1
    path.write_bytes(whole)
    assert manifest.read("lenet", rendered).numbers == {"n": 1}


OTHER_FILES = {
    "a changed number": lambda text: text.replace(b'"n":1', b'"n":2'),
    "empty": lambda text: b"",
    "cut": lambda text: text[:-10],
    "a list": lambda text: b"[]",
    "a number": lambda text: b"3",
    "nested": lambda text: b"[" * 100_000,
    "no UTF-8": lambda text: b"\xff" + text,
    "as it was before there were digests": lambda text: json.dumps(
        json.loads(text)["chapter"]
    ).encode(),
    "a right digest of something else": lambda text: (
        b'{"digest":"' + digest([b'"chapter":{}}\n'], 64).encode() + b'",\n"chapter":{}}\n'
    ),
}


@pytest.mark.parametrize("other", OTHER_FILES)
def test_a_description_of_another_kind(rendered, capsys, other):
    path = rendered.figures_dir / "lenet.json"
    path.write_bytes(OTHER_FILES[other](path.read_bytes()))
    assert list(manifest.stale(rendered)) == ["lenet"]
    said = capsys.readouterr().err
    assert said.startswith("figures of 'lenet' are damaged (lenet.json ")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("file", ["lenet.json", "lenet/picture-1.png"])
def test_a_folder_in_the_place_of_a_file(rendered, capsys, file):
    path = rendered.figures_dir / file
    path.unlink()
    path.mkdir()
    assert list(manifest.stale(rendered)) == ["lenet"]
    assert len(capsys.readouterr().err.splitlines()) == 1
    if file.endswith("json"):
        with pytest.raises(CnnvizError, match="a folder is in the place of that file"):
            manifest.write("lenet", Chapter("0123456789ab"), rendered)


def test_damage_is_said_once_in_a_build(rendered, capsys, monkeypatch):
    (rendered.figures_dir / "lenet.json").write_text("damaged")
    drawn = []
    monkeypatch.setattr(build, "_train", lambda settings: None)
    monkeypatch.setattr(build.lab_files, "make_files", lambda settings: None)
    monkeypatch.setattr(build, "_render", lambda settings, stale: drawn.append(list(stale)))
    build.ensure(rendered)
    assert drawn == [["lenet"]]
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_damaged_checkpoint_is_trained_again_before_anything_is_drawn(settings, monkeypatch):
    """Or all keys would be made from the damaged bytes, and everything drawn twice."""
    calls = []
    monkeypatch.setattr("cnnviz.cli.main", lambda command: calls.append(command[0]) or 0)
    for path in weights.files(settings).values():
        write_sealed(path, lambda file: file.write(b"weights"))
    build._train(settings)
    assert not calls
    assert not weights.untrained(settings)
    whole_ones = weights.digests(["lenet"], settings)
    path = weights.file("lenet", settings)
    whole = path.read_bytes()
    for damaged in (b"", whole[:-1], whole.replace(b"weights", b"Weights!"), b"PK" + whole):
        path.write_bytes(damaged)
        assert weights.untrained(settings)
        assert weights.digests(["lenet"], settings) != whole_ones
        build._train(settings)
    path.unlink()
    path.mkdir()
    build._train(settings)
    assert calls == ["train"] * 5


def test_ctrl_c_in_training_is_no_failed_training(settings, monkeypatch):
    monkeypatch.setattr("cnnviz.cli.main", lambda command: 130)
    with pytest.raises(KeyboardInterrupt):
        build._train(settings)


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("DATASET", "mnist")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DEVICE", "")
    settings = from_environment()
    assert (settings.dataset, settings.data_dir, settings.device) == ("mnist", tmp_path, "cpu")
    monkeypatch.setenv("DATASET", "mnits")
    with pytest.raises(CnnvizError, match="Did you mean 'mnist'"):
        from_environment()
