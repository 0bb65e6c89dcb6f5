import random

import pytest

from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.files import (
    DamagedError,
    digest,
    holds,
    remove,
    seal,
    write_atomically,
    write_sealed,
)


def test_writes_and_replaces(tmp_path):
    path = tmp_path / "new" / "file"
    write_atomically(path, b"one")
    write_atomically(path, lambda file: file.write(b"two"))
    assert path.read_bytes() == b"two"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(CnnvizError, match="No space left on device.*disk has space"):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CnnvizError, match="Cannot write.*Check that the folder is writable"):
        write_atomically(tmp_path / "file" / "below", b"x")


def test_what_the_system_said_below_another_error_is_said(tmp_path):
    """torch.save raises an error of its own, which tells nobody that the disk is full."""

    def fail(file):
        try:
            raise OSError(28, "No space left on device")
        finally:
            raise RuntimeError("[enforce fail at inline_container.cc:671] . unexpected pos")

    with pytest.raises(CnnvizError, match="No space left on device.*disk has space"):
        write_atomically(tmp_path / "file", fail)
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_of_ours_is_no_full_disk(tmp_path):
    def fail(file):
        raise RuntimeError("a mistake")

    with pytest.raises(RuntimeError, match="a mistake"):
        write_atomically(tmp_path / "file", fail)


def test_a_folder_in_the_place_of_a_file_is_left_alone(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(CnnvizError, match=r"folder is in the place of that file\. Move it away"):
        write_atomically(tmp_path / "file", b"x")
    with pytest.raises(CnnvizError, match=r"Cannot delete.*Move it away"):
        remove(tmp_path / "file")
    assert not holds(tmp_path / "file", digest([b""]))


def test_removing_what_is_there_and_what_is_not(tmp_path):
    (tmp_path / "file").touch()
    remove(tmp_path / "file")
    remove(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def sealed(tmp_path):
    """A sealed file of more bytes than are read at once."""
    path = tmp_path / "file"
    content = random.Random(0).randbytes(2**20 + 1000)
    write_sealed(path, lambda file: file.write(content))
    assert path.read_bytes().startswith(content)
    return path


def test_every_changed_byte_breaks_the_seal(sealed):
    whole, chance = sealed.read_bytes(), random.Random(1)
    assert seal(sealed) == seal(sealed)
    places = chance.sample(range(len(whole)), 60)
    for place in [0, *places, *range(len(whole) - 75, len(whole))]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << chance.randrange(8)
        sealed.write_bytes(damaged)
        with pytest.raises(DamagedError, match="its digest differs"):
            seal(sealed)


@pytest.mark.parametrize("length", [0, 1, 71, 72, 1000, 2**20, -100, -1])
def test_a_cut_file_has_no_seal(sealed, length):
    sealed.write_bytes(sealed.read_bytes()[:length])
    with pytest.raises(DamagedError):
        seal(sealed)


def test_bytes_behind_the_seal_are_damage(sealed):
    sealed.write_bytes(sealed.read_bytes() + b"\n")
    with pytest.raises(DamagedError):
        seal(sealed)


def test_digest_counts_lengths():
    assert digest([b"ab", b"c"]) != digest([b"a", b"bc"])
    assert digest([b"a"]) == digest([b"a"])


def test_nearest_name_is_suggested():
    assert "Did you mean 'conv1'?" in str(unknown_name("layer", "conv11", ["conv1", "fc1"]))
    assert "Did you mean" not in str(unknown_name("layer", "zzz", ["conv1", "fc1"]))
