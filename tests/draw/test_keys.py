"""What a change of code draws or trains again: what uses it, and nothing else."""

from dataclasses import replace
from shutil import copytree, ignore_patterns

import pytest

from cnnviz import sources
from cnnviz.training import runs
from cnnviz.training.recipe import recipe_key
from gen import weights
from gen.draw import keys
from gen.settings import ROOT, Settings

ALL = set(keys.all_names(Settings()))
NAME_UNITS = {"atlas_ablation", "atlas_activations", "atlas_distribution", "atlas_overview"}
VARIANTS = {name for name, recipe in runs.RECIPES.items() if recipe.model.startswith("lenet-")}
assert len(VARIANTS) == 15


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the code, whose keys are asked for instead."""
    copy = tmp_path_factory.mktemp("tree")
    for folder in ("cnnviz", "gen", "docs/examples"):
        copytree(ROOT / folder, copy / folder, ignore=ignore_patterns("__pycache__"))
    for text in ("docs/zh/relu.md", "docs/glossary.yml"):
        (copy / text).parent.mkdir(exist_ok=True)
        (copy / text).write_text("")
    asked = sources.source_digest
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "ROOT", copy)
        # `sources` takes cnnviz from where it lies itself.
        for module in ("cnnviz.training.recipe", "cnnviz.data.catalogue"):
            patch.setattr(f"{module}.source_digest", lambda *start: asked(*start, root=copy))
        yield copy


def changed_by(path, ask):
    """Which of the keys that `ask` gives differ after a change of a file."""
    content, before = path.read_bytes(), ask()
    path.write_bytes(content + b"# changed\n")
    after = ask()
    path.write_bytes(content)
    return {name for name in after if after[name] != before[name]}


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("gen/figures/relu/relu.py", {"relu"}),
        ("gen/figures/learning/learning.py", {"learning", "learning_choices", "learning_filters"}),
        ("gen/figures/tower.py", {"convolution", "channels", "shapes"}),
        ("docs/examples/chain_rule.py", {"examples"}),
        ("cnnviz/inside/twins.py", {"atlas_twins", "examples"}),
        (
            "cnnviz/training/runs.py",  # they name seeds, or all runs there are
            {
                "about",
                "atlas_twins",
                "examples",
                "learning_choices",
                "lenet",
                "lenet_journey",
                "mistakes",
                "mistakes_probes",
                "output",
                "output_calibration",
                "why_not_mlp_scramble",
                "why_not_mlp_shifts",
            },
        ),
        ("cnnviz/atlas/units.py", {"units-lenet", "units-mlp"}),
        ("cnnviz/atlas/addresses.py", NAME_UNITS),
        ("cnnviz/atlas/unit_page.py", set()),
        ("cnnviz/atlas/describe.py", set()),
        ("cnnviz/atlas/templates/overview.html", {"atlas_overview"}),
        ("cnnviz/atlas/templates/unit.html", set()),
        ("cnnviz/atlas/words/en.yml", set()),
        ("cnnviz/figure/figure.py", ALL - {"examples"}),
        ("gen/context.py", ALL - {"examples"}),
        ("gen/draw/build.py", set()),
        ("gen/draw/keys.py", set()),
        ("gen/draw/render.py", set()),
        ("gen/texts/fill.py", set()),
        ("gen/site/hooks.py", set()),
        ("gen/site/build.py", set()),
        ("docs/zh/relu.md", set()),
        ("docs/glossary.yml", set()),
    ],
)
def test_a_change_draws_again_what_uses_it(tree, changed, stale):
    assert changed_by(tree / changed, lambda: keys.keys(Settings())) == stale


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("cnnviz/training/fit.py", set(runs.RECIPES)),
        ("cnnviz/nets/models.py", set(runs.RECIPES)),
        ("cnnviz/nets/variants.py", VARIANTS),
        ("cnnviz/data/digits.py", set(runs.RECIPES)),
        ("cnnviz/training/runs.py", set()),
        ("cnnviz/training/recipe.py", set()),
        ("cnnviz/training/checkpoints.py", set()),
        ("cnnviz/nets/networks.py", set()),
        ("cnnviz/inside/recording.py", set()),
        ("cnnviz/drawing/charts.py", set()),
    ],
)
def test_a_change_trains_again_what_uses_it(tree, changed, stale):
    def ask():
        return {name: recipe_key(recipe) for name, recipe in runs.RECIPES.items()}

    assert changed_by(tree / changed, ask) == stale


def test_a_new_recipe_trains_one_network(monkeypatch):
    settings = Settings()
    before = weights.files(settings), keys.keys(settings)
    new = replace(runs.RECIPES["lenet"], seed=7)
    monkeypatch.setitem(runs.RECIPES, "lenet-again", new)
    after = weights.files(settings), keys.keys(settings)
    assert set(after[0].values()) - set(before[0].values()) == {after[0]["lenet-again"]}
    assert after[1] == before[1], "and draws nothing"
