"""`python -m gen claims SEED …`: a lucky claim is found; the usual build knows nothing of it."""

import os
import subprocess
import sys

import pytest

from cnnviz.errors import CnnvizError
from cnnviz.figure.kept import Chapter
from cnnviz.sources import sources
from gen import __main__ as command
from gen.claims import claims
from gen.claims.found import Tried, tried
from gen.draw import keys, manifest
from gen.settings import ROOT, Settings, from_environment

PAGE = """
[[% set net = of.net %]]
It reads well.[[= claim(net.right[1] > 0.9, "it reads well") ]]
So it is.[[= claim(of.values["a b"].values() | max < 3, "nothing above 3") ]]
"""


def chapters(right, highest=2):
    numbers = {"net": {"right": [0, right]}, "values": {"a b": {"x": 1, "y": highest}}}
    return {"of": Chapter("", numbers=numbers), keys.EXAMPLES: Chapter("", numbers={"p": "1"})}


@pytest.fixture
def pages(tmp_path, monkeypatch):
    for language in ("zh", "en"):
        folder = tmp_path / "docs" / language
        folder.mkdir(parents=True)
        (folder / "page.md").write_text(PAGE, "utf-8")
    monkeypatch.setattr(claims, "ROOT", tmp_path)


def test_each_claim_says_whether_it_holds_and_what_it_has_seen():
    found = tried({"page": PAGE}, chapters(0.5), "en", Settings())
    assert found == {
        ("page", "it reads well"): Tried(False, {"net.right[1]": "0.5"}),
        ("page", "nothing above 3"): Tried(True, {"of.values['a b']": "{x: 1, y: 2}"}),
    }


def test_a_claim_in_a_loop_holds_if_it_does_each_time():
    text = '[[% for n in of.net.right %]][[= claim(n > 0, "positive") ]][[% endfor %]]'
    assert not tried({"page": text}, chapters(0.5), "en", Settings())["page", "positive"].holds


def test_a_page_that_cannot_be_filled_in_counts_as_fallen():
    found = tried({"page": "[[= of.nothing ]]", "next": PAGE}, chapters(0.95), "en", Settings())
    assert [t.holds for t in found.values()] == [False, True, True]
    assert "there is no number 'nothing'" in next(iter(found))[1]


def test_a_lucky_claim_is_found(monkeypatch, capsys, pages):
    builds = {"1000": chapters(0.95), "2000": chapters(0.8)}
    monkeypatch.setattr(claims, "built", lambda seed, settings: builds[seed])
    assert command.main(["claims", "1000", "2000"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "1000 holds, 2000 holds  page: nothing above 3",
        "    of.values['a b'] = {x: 1, y: 2}  {x: 1, y: 2}",
        "1000 holds, 2000 FALLS  page: it reads well",
        "    net.right[1] = 0.95  0.8",
        "1 of 2 claims do not hold with every seed.",
    ]
    assert command.main(["claims", "1000"]) == 0
    assert capsys.readouterr().out.endswith("0 of 2 claims do not hold with every seed.\n")


def test_what_falls_in_one_language_falls():
    table = {}
    claims.add(table, "1", {("page", "so it is"): Tried(False, {})})
    claims.add(table, "1", {("page", "so it is"): Tried(True, {"of.n": "3"})})
    assert table == {("page", "so it is"): {"1": Tried(False, {"of.n": "3"})}}


@pytest.mark.parametrize("arguments", [[], ["0"], ["-1"], ["one"], ["1", "x"]])
def test_a_slip_is_said(arguments, capsys):
    assert command.main(["claims", *arguments]) == 2
    assert "expected python -m gen claims SEED" in capsys.readouterr().err


def test_a_seed_is_built_in_a_folder_of_its_own(monkeypatch, tmp_path):
    runs = []

    def run(arguments, **options):
        runs.append((arguments, options["env"]))
        return subprocess.CompletedProcess(arguments, len(runs) - 1)

    monkeypatch.setattr(claims.subprocess, "run", run)
    before, settings = dict(os.environ), Settings(build_dir=tmp_path)
    assert claims.built("7", settings) == {}
    ((drawn, environment),) = runs
    assert drawn[2:6] == ["gen", "draw", "about", "atlas"]
    assert not [name for name in drawn if name.startswith(keys.UNITS)]
    assert environment["CNNVIZ_BUILD"] == str(tmp_path / "seeds" / "7")
    assert environment["CNNVIZ_SEED"] == "7"
    assert os.environ == before
    with pytest.raises(CnnvizError, match="With seed 7 there is no build"):
        claims.built("7", settings)  # the second run of this test ends with 1
    monkeypatch.setattr(manifest, "stale", lambda settings: {"units-lenet": ""})
    claims.built("7", settings)
    assert len(runs) == 2, "units alone are not drawn"


SEEDS = """
import numpy as np, torch
torch.manual_seed(3)
print(torch.initial_seed(), torch.Generator().manual_seed(4).initial_seed())
print(torch.rand(2, generator=torch.Generator().manual_seed(4)).tolist())
print([float(np.random.default_rng(seed).random()) for seed in (5, [5, 6])])
"""


def seeds(code, **environment):
    run = [sys.executable, "-c", code]
    env = {**os.environ, **environment}
    return subprocess.run(run, env=env, check=True, capture_output=True, text=True).stdout


def test_every_seed_is_another_one_and_only_there():
    reseeded = seeds(SEEDS, PYTHONPATH=str(claims.RESEEDED), CNNVIZ_SEED="10")
    assert reseeded == seeds(
        SEEDS.replace("(3)", "(13)").replace("(4)", "(14)").replace("(5, [5, 6])", "(15, [15, 6])")
    )
    assert reseeded != seeds(SEEDS, CNNVIZ_SEED="10")


def test_what_is_drawn_is_not_made_of_this():
    """So no seed, and no change of this, makes a figure or a network of the usual build stale."""
    started = [*keys.modules().values(), "gen.draw.render", "cnnviz.training.fit"]
    used = sources(*started, root=ROOT, packages=("cnnviz", "gen"))
    assert not [path for path in used if "claims" in path.parts]
    assert not hasattr(from_environment(), "seed")
