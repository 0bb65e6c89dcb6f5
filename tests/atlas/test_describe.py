"""What is said of units, held against the numbers that their pages show."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest

from cnnviz.atlas.describe import TUNED, summary, tuned
from cnnviz.atlas.facts import NetUnits
from cnnviz.figure.kept import opened
from cnnviz.words import PackageWords

BUILT = Path(__file__).parents[2] / "build" / "figures" / "digits"
WAVES = [4.0, 7.0, 14.0]


def test_the_stripes_named_are_those_that_it_answers_most_to():
    """Not those at which its values vary most: a curve may go far below zero."""
    curves = [[1.2, -3.3, -1, -1], [2.7, 2.5, 2.6, 2.5], [2.0, 1.5, 1.2, 3.2]]
    found = tuned(curves, WAVES)
    assert (found.wavelength, found.highest) == (14.0, 3.2)
    assert found.angle == pytest.approx(3 / 4 * math.pi)
    assert found.share == pytest.approx((3.2 - 1.2) / (3.2 + 1.2))


def test_a_unit_that_hardly_varies_prefers_nothing():
    found = tuned([[10.0, 10.1, 10.0, 10.05]], [4.0])
    assert found.share < 0.01
    assert tuned([[0.5, -2.0, 0.1, 0.1]], [4.0]).share == 1


@pytest.mark.parametrize("net", ["lenet", "mlp"])
def test_every_unit_of_the_build_is_as_its_page_says(net):
    """The sentences that name stripes or classes, for all units, from the facts beside them."""
    file = BUILT / f"units-{net}.json"
    if not file.is_file():
        pytest.skip("no build here: `make site` draws the units")
    units = msgspec.convert(opened(file.read_bytes()).numbers, NetUnits)
    language = PackageWords().catalogue("en")
    for name, layer in units.layers.items():
        for index, unit in enumerate(layer.units):
            said = {m.key.removeprefix("describe."): m.values for m in summary(units, layer, index)}
            where = (name, index)
            assert_stripes(said, unit, units.wavelengths, where)
            assert_classes(said, unit, units.classes, where)
            assert all(said_in(language, m) for m in summary(units, layer, index)), where


def said_in(language, message):
    return language(message.key, **message.values)


def assert_stripes(said, unit, waves, where):
    if "choosy" not in said:
        return
    curves = np.array(unit.tuning)  # (wavelengths, directions)
    wave, direction = np.unravel_index(curves.argmax(), curves.shape)
    assert said["choosy"]["wavelength"] == waves[wave], where
    assert curves[wave].min() <= curves.max() * (1 - TUNED) / (1 + TUNED) + 1e-9, where
    # y points down: brightness that varies to the lower right is that of rising stripes.
    ways = ("upright", "rising", "level", "falling")
    named = said["choosy"]["stripes"].key.rpartition(".")[2]
    assert named == ways[round(4 * direction / curves.shape[1]) % 4], where


def assert_classes(said, unit, classes, where):
    means = unit.means
    for key in ("class", "no class", "seldom", "highest", "score"):
        if key in said:
            assert means[classes.index(said[key]["name"])] == max(means), where
    strongest = {classes[place.label] for place in unit.most}
    first = classes[means.index(max(means))]
    about = said.keys() & {"class", "no class", "seldom", "highest", "score"}
    if about:
        assert ("others" in said) == (first not in strongest), where
    if "others" in said:
        assert set(said["others"]["names"]) == strongest, where
