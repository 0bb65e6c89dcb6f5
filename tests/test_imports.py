"""Who may import whom stands in pyproject.toml; here also what is imported before it is needed."""

import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "torchvision", "matplotlib", "mkdocs", "material", "skimage", "sklearn"}


def test_contracts(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    broken = lint_imports(no_cache=True)
    assert not broken, capsys.readouterr().out


def test_a_broken_contract_is_found(monkeypatch, tmp_path, capsys):
    """An import for type checkers alone counts, and one inside a function."""
    rules = (ROOT / "pyproject.toml").read_text("utf-8").partition("[[tool.importlinter")[0]
    circle = 'type = "acyclic_siblings"\nancestors = ["cnnviz"]\nname = "no circle"\n'
    config = tmp_path / "pyproject.toml"
    config.write_text(
        rules.replace(', "gen"]', "]") + "[[tool.importlinter.contracts]]\n" + circle, "utf-8"
    )
    package = tmp_path / "cnnviz"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "a.py").write_text("def f():\n    import cnnviz.b\n")
    (package / "b.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import cnnviz.a\n"
    )
    found = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "no circle BROKEN" in found.stdout, found.stdout + found.stderr
    assert found.returncode == 1


@pytest.mark.parametrize(
    "module",
    [
        "cnnviz",
        "cnnviz.cli",
        "cnnviz.data.digits",
        "cnnviz.data.photos",
        "cnnviz.errors",
        "cnnviz.training.runs",
        "gen.bundle.bundle",
        "gen.checks.parity",
        "gen.checks.writing",
        "gen.draw.build",
        "gen.publish.assemble",
        "gen.publish.offline",
        "gen.site.units",
        "gen.site.frame",
    ],
)
def test_importing_is_light(module):
    """Neither torch nor matplotlib, nor MkDocs, for what does not need them."""
    code = f"import sys, {module}; print(sorted({HEAVY} & set(sys.modules)))"
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"
