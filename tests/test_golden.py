"""Pages of the atlas made of a few given facts, as they were when somebody last looked at them.

A wanted change: `pytest tests/test_golden.py --renew` writes the pages anew, and `git diff` shows
what became of them.
"""

from pathlib import Path

import msgspec
import pytest

from cnnviz.atlas.facts import AtlasFacts, NetUnits
from cnnviz.atlas.unit_page import UnitPages
from gen.site.atlas import layer_pages
from gen.texts.words import SITE
from tests.small_bundle import layer, unit_numbers

GOLDEN = Path(__file__).parent / "golden"
LAYERS = [layer("conv", "conv"), layer("relu", "relu"), layer("fc", "output", form="matrix")]
ATLAS = {
    "titles": {"net": "Net"}, "nets": {"net": LAYERS}, "misread": {"net": 1},
    "images": 10, "examples": 2, "inputs": 3, "steps": {"net": [0, 9]},
}  # fmt: skip
FACTS = msgspec.convert(ATLAS, AtlasFacts)


def pages(language):
    """File name → page: of the net, of each layer, of a unit."""
    made = {path.replace("/", "-"): text for path, text in layer_pages(FACTS, language).items()}
    units = msgspec.convert(unit_numbers("net/conv-0.png"), NetUnits)
    of_layer = UnitPages("net", units, FACTS.nets["net"], "conv", SITE, language)
    for index in (0, 1):
        made[f"atlas-net-conv-{index}.html"] = of_layer.page(index).html
    return made


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_are_as_they_were(language, request):
    folder, made = GOLDEN / language, pages(language)
    if request.config.getoption("renew"):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, text in made.items():
            (folder / name).write_text(text, "utf-8")
    kept = {path.name: path.read_text("utf-8") for path in folder.iterdir()}
    assert sorted(made) == sorted(kept)
    changed = [name for name in made if made[name] != kept[name]]
    assert changed == [], "look at them; if they are as wanted: pytest tests/test_golden.py --renew"
