"""Files that code is made of, read from its imports."""

import pytest

from cnnviz.errors import CnnvizError
from cnnviz.sources import HOME, source_digest, sources


@pytest.fixture
def tree(tmp_path):
    """A small package and a program that uses it."""

    def write(name, text=""):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    write("p/__init__.py", "if TYPE_CHECKING:\n    from p.inside.c import deep as deep\n")
    write("p/a.py", "from p import b\nimport os\n\ndef f():\n    from p.inside.c import deep\n")
    write("p/b.py", "STYLE = 'look.style'\nNO = 'absent.style'\n")
    write("p/look.style")
    write("p/inside/__init__.py")
    write("p/inside/c.py", "if TYPE_CHECKING:\n    from p import d\n")
    write("p/d.py", "import p.a\n")
    write("q/e.py", "from p.b import STYLE\n")
    write("lazy.py", "import p\np.deep()\n")
    write("handed_on.py", "from p import deep\n")
    return tmp_path


def made_of(tree, *start, packages=("p", "q")):
    files = sources(*start, root=tree, packages=packages)
    return [path.relative_to(tree).as_posix() for path in files]


@pytest.mark.parametrize(
    ("start", "files"),
    [
        ("p.b", ["p/b.py", "p/look.style"]),
        ("p.inside.c", ["p/inside/c.py"]),
        ("p.a", ["p/a.py", "p/b.py", "p/inside/c.py", "p/look.style"]),
        ("p.d", ["p/a.py", "p/b.py", "p/d.py", "p/inside/c.py", "p/look.style"]),
        ("q.e", ["p/b.py", "p/look.style", "q/e.py"]),
    ],
)
def test_a_module_is_made_of_what_it_imports(tree, start, files):
    assert made_of(tree, start) == files


@pytest.mark.parametrize("program", ["lazy.py", "handed_on.py"])
def test_a_name_that_a_package_hands_on_is_followed_home(tree, program):
    assert made_of(tree, tree / program) == [program, "p/inside/c.py"]


def test_only_the_packages_asked_for(tree):
    assert made_of(tree, "q.e", packages=("q",)) == ["q/e.py"]


def test_the_digest_follows_the_files(tree):
    def key(start):
        return source_digest(start, root=tree, packages=("p", "q"))

    before = {start: key(start) for start in ("p.a", "p.b", "p.inside.c", "q.e")}
    (tree / "p/look.style").write_text("wide")
    assert {start for start, digest in before.items() if key(start) != digest} == {
        "p.a", "p.b", "q.e",
    }  # fmt: skip
    with (tree / "p/inside/c.py").open("a") as file:
        file.write("# a comment\n")
    assert key("p.inside.c") != before["p.inside.c"]
    (tree / "p/d.py").write_text("")
    assert key("q.e") == key("q.e") != before["q.e"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("from . import b\n", "write imports in full"), ("def\n", "this is not Python")],
)
def test_what_cannot_be_followed(tree, text, words):
    (tree / "p/b.py").write_text(text)
    with pytest.raises(CnnvizError, match=words):
        made_of(tree, "p.a")


def test_an_unknown_module(tree):
    with pytest.raises(CnnvizError, match=r"no module 'p\.z'"):
        made_of(tree, "p.z")


def test_packages_of_ours_hold_nothing_but_names():
    """`__init__.py` files are not among the sources."""
    for path in HOME.glob("cnnviz/*/__init__.py"):
        assert len(path.read_text("utf-8").strip().splitlines()) <= 1, path
