import pytest

from cnnviz.errors import CnnvizError, unknown_name
from cnnviz.files import digest, write_atomically


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


def test_digest_counts_lengths():
    assert digest([b"ab", b"c"]) != digest([b"a", b"bc"])
    assert digest([b"a"]) == digest([b"a"])


def test_nearest_name_is_suggested():
    assert "Did you mean 'conv1'?" in str(unknown_name("layer", "conv11", ["conv1", "fc1"]))
    assert "Did you mean" not in str(unknown_name("layer", "zzz", ["conv1", "fc1"]))
