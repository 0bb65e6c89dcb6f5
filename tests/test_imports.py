"""The architecture's arrows, read from the import statements.

gen  →  cnnviz.drawing                        (arrays in, image out)
gen  →  the rest of cnnviz                    (models, recording, training, …)
drawing and the rest do not know each other, and nobody in cnnviz knows gen.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# What drawing may know of cnnviz, and what "the rest" is that it may not know.
COMMON = {"cnnviz", "cnnviz.errors", "cnnviz.files"}


def is_for_type_checkers_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import that can run, inside functions as well."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif not is_for_type_checkers_only(child):
            yield from statements(child)


def imported(source: str, modules: set[str]) -> set[str]:
    """Dotted names that `source` imports; of `from a import b` it is a.b if that is a module."""
    found: set[str] = set()
    for statement in statements(ast.parse(source)):
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
        else:
            assert statement.level == 0, "write imports in full: from cnnviz.… import …"
            package = statement.module or ""
            for alias in statement.names:
                name = f"{package}.{alias.name}"
                found.add(name if name in modules else package)
    return found


def sources() -> dict[str, str]:
    """Module name → text, of cnnviz and gen."""
    texts = {}
    for path in sorted([*ROOT.glob("cnnviz/**/*.py"), *ROOT.glob("gen/**/*.py")]):
        parts = path.relative_to(ROOT).with_suffix("").parts
        texts[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text()
    return texts


def arrows(texts: Mapping[str, str]) -> dict[str, set[str]]:
    return {name: imported(text, set(texts)) for name, text in texts.items()}


ARROWS = arrows(sources())
CNNVIZ = sorted(name for name in ARROWS if name.split(".")[0] == "cnnviz")
DRAWING = [name for name in CNNVIZ if name.startswith("cnnviz.drawing")]
REST = set(CNNVIZ) - set(DRAWING) - COMMON


def top(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def cycle(graph: Mapping[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle; empty if none do."""
    inner = {
        name: {other for other in targets if other in graph} for name, targets in graph.items()
    }
    try:
        TopologicalSorter(inner).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def reachable(name: str) -> set[str]:
    """All that `name` imports, itself or through modules of ours."""
    seen: set[str] = set()
    pending = [name]
    while pending:
        for target in ARROWS.get(pending.pop(), set()) - seen:
            seen.add(target)
            pending.append(target)
    return seen


def test_the_reader_of_imports_sees_what_it_should() -> None:
    texts = {
        "a": "from b import c\nimport os.path\ndef f():\n    from b import d\n",
        "b": "if TYPE_CHECKING:\n    import a\n",
        "b.c": "import a\n",
    }
    assert arrows(texts) == {"a": {"b.c", "b", "os.path"}, "b": set(), "b.c": {"a"}}
    assert set(cycle(arrows(texts))) == {"a", "b.c"}
    assert cycle({"a": {"b"}, "b": set()}) == []


def test_there_is_something_to_test() -> None:
    assert {"cnnviz.inside.recording", "cnnviz.drawing", "gen"} <= set(ARROWS)


@pytest.mark.parametrize("module", CNNVIZ)
def test_cnnviz_does_not_know_the_site(module: str) -> None:
    assert not top(ARROWS[module]) & {"gen", "mkdocs", "mkdocs_gen_files", "material", "ziamath"}


@pytest.mark.parametrize("module", DRAWING)
def test_drawing_takes_arrays(module: str) -> None:
    known = reachable(module)
    assert not top(known) & {"torch", "torchvision"}
    assert not known & REST


def test_only_gen_knows_both_drawing_and_models() -> None:
    both = [name for name, known in ARROWS.items() if known & set(DRAWING) and known & REST]
    assert [name for name in both if not name.startswith("gen")] == []


def test_no_circles() -> None:
    assert cycle(ARROWS) == []


@pytest.mark.parametrize(
    "module", ["cnnviz", "cnnviz.errors", "cnnviz.data.photos", "cnnviz.data.digits"]
)
def test_importing_is_light(module: str) -> None:
    """Neither torch nor matplotlib, nor MkDocs, for what does not need them."""
    heavy = "{'torch', 'torchvision', 'matplotlib', 'mkdocs', 'material', 'skimage', 'sklearn'}"
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"
