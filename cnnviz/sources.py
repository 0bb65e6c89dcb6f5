"""Which files a piece of code is made of: its own, and those that it imports, transitively.

What was trained or drawn by code is stale when one of these files has changed. They are read from
the import statements, so nothing is imported and no list has to be kept.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path

from cnnviz.errors import CnnvizError
from cnnviz.files import digest

_FILE_NAME = re.compile(r"""(?<=["'])[\w-][\w.-]*\.\w+(?=["'])""")
"""A string that may name a file beside a module."""

HOME = Path(__file__).parent.parent
"""The folder that `cnnviz` lies in: a checkout, or site-packages."""


def sources(
    *start: str | Path, root: Path = HOME, packages: Sequence[str] = ("cnnviz",)
) -> list[Path]:
    """The files that `start` is made of, sorted.

    Followed are imports anywhere in a file, also inside functions, but not those for type checkers
    alone. A name that a package hands on (`from cnnviz import record`, `cnnviz.record`) is followed
    to the module that it comes from; the `__init__.py` itself is left out, since ours hold nothing
    but names. A file that a module names by a string, such as a style sheet beside it, is one of
    its sources.

    Args:
        start: dotted names of modules, or paths of programs.
        root: the folder that the packages lie in.
        packages: those that are followed; all others are known by their versions.

    Raises:
        CnnvizError: no such module; a file that is not Python.
    """
    found: set[Path] = set()
    pending = [_file(name, root) if isinstance(name, str) else name for name in start]
    while pending:
        path = pending.pop()
        if path in found:
            continue
        found.add(path)
        if path.suffix == ".py":
            pending += _needed(path, path.stat().st_mtime_ns, root, tuple(packages))
    return sorted(found)


def source_digest(
    *start: str | Path, root: Path = HOME, packages: Sequence[str] = ("cnnviz",)
) -> str:
    """Digest of the files that `start` is made of, with their places below `root`."""
    files = sources(*start, root=root, packages=packages)
    return digest(_digest(path, path.stat().st_mtime_ns, root) for path in files)


@lru_cache(maxsize=2000)
def _digest(path: Path, changed: int, root: Path) -> bytes:
    return digest([path.relative_to(root).as_posix().encode(), path.read_bytes()]).encode()


@cache
def package_version(name: str) -> str:
    """The version of an installed package; reading it takes milliseconds."""
    return version(name)


def _file(module: str, root: Path) -> Path:
    path = root / f"{module.replace('.', '/')}.py"
    if not path.is_file():
        raise CnnvizError(f"There is no module '{module}' in '{root}'.")
    return path


def _home(package: str, name: str, root: Path) -> list[Path]:
    """The file that `from package import name` takes it from."""
    folder = root / package.replace(".", "/")
    if folder.with_suffix(".py").is_file():
        return [folder.with_suffix(".py")]
    if (module := folder / f"{name}.py").is_file():
        return [module]
    if not (handed_on := folder / "__init__.py").is_file():
        return []
    return [
        path
        for statement in _statements(ast.parse(handed_on.read_bytes()), all_of_them=True)
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
        if name == (alias.asname or alias.name)
        for path in _home(statement.module or "", alias.name, root)
    ]


@lru_cache(maxsize=2000)
def _needed(path: Path, changed: int, root: Path, packages: tuple[str, ...]) -> list[Path]:
    """The files that one file imports or names; read again once it has changed."""
    names, beside = _read(path, packages)
    for package, name in names:
        if package.partition(".")[0] in packages:
            beside += _home(package, name, root)
    return beside


def _read(path: Path, packages: tuple[str, ...]) -> tuple[set[tuple[str, str]], list[Path]]:
    """Pairs (package, name) that a file imports, and files beside it that it names."""
    content = path.read_bytes()
    try:
        tree = ast.parse(content)
    except SyntaxError as error:
        raise CnnvizError(f"{path}:{error.lineno}: this is not Python ({error.msg}).") from error
    names: set[tuple[str, str]] = set()
    for statement in _statements(tree):
        if isinstance(statement, ast.ImportFrom):
            if statement.level:
                raise CnnvizError(f"{path}:{statement.lineno}: write imports in full.")
            names |= {(statement.module or "", alias.name) for alias in statement.names}
        else:
            names |= {(alias.name, "") for alias in statement.names}
    # Of `import cnnviz`, what is used of it.
    whole = {package for package, name in names if not name and package in packages}
    for node in ast.walk(tree) if whole else ():
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names |= {(node.value.id, node.attr)} if node.value.id in whole else set()
    beside = (_beside(path, text) for text in set(_FILE_NAME.findall(content.decode())))
    return names, [file for file in beside if file]


def _beside(path: Path, name: str) -> Path | None:
    """The file of that name in the folder of `path`, or among the templates of it or above it."""
    folders = (path.parent, path.parent / "templates", path.parent.parent / "templates")
    found = (folder / name for folder in folders)
    return next((file for file in found if file.suffix != ".py" and file.is_file()), None)


def _statements(node: ast.AST, all_of_them: bool = False) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements that can run; `all_of_them`: also those for type checkers alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.expr):  # holds no statement
            continue
        elif all_of_them or not _for_type_checkers(child):
            yield from _statements(child, all_of_them)


def _for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
