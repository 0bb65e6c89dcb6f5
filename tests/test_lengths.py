"""No module is longer than can be read at a sitting, no function than fits on a screen."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULE, FUNCTION = 400, 60
MODULES = sorted(p for room in ("cnnviz", "gen") for p in (ROOT / room).rglob("*.py"))


def too_long(text: str) -> list[str]:
    """What of a module has more lines than it may."""
    lines = len(text.splitlines())
    found = [f"the module has {lines} lines"] if lines > MODULE else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = node.end_lineno - node.lineno + 1
            found += [f"{node.name} has {lines} lines"] if lines > FUNCTION else []
    return found


def test_lengths_are_seen():
    long = "class A:\n  def f(self):\n" + "    1\n" * FUNCTION
    assert too_long(long) == [f"f has {FUNCTION + 1} lines"]
    assert too_long("1\n" * (MODULE + 1)) == [f"the module has {MODULE + 1} lines"]
    assert too_long("1\n" * MODULE) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_lengths(path):
    assert too_long(path.read_text("utf-8")) == []
