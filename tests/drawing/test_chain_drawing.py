"""The drawing of a computation with its gradients."""

import xml.etree.ElementTree as ET

from cnnviz.drawing.chain import Stage, chain

STAGES = [
    Stage("x", 2.0),
    Stage("a = w·x", 1.0, -4.0, "× 1 (a > 0)", [("w", 0.5, -8.0, "−4 × 2")]),
    Stage("L = (a − t)²", 4.0, 1.0),
]
HEADINGS = ("values", "gradients", "weights")


def words(markup):
    return [element.text for element in ET.fromstring(markup).iter() if element.text]


def test_every_value_gradient_and_name_is_written_once():
    found = words(chain(STAGES, HEADINGS, title="title"))
    for word in (*HEADINGS, "x", "a = w·x", "−4", "× 1 (a > 0)", "w = 0.5", "−4 × 2 = −8"):
        assert found.count(word) == 1, word


def test_it_is_as_high_as_its_stages():
    heights = [
        float(ET.fromstring(chain(STAGES[:n], HEADINGS, title="t")).get("viewBox").split()[3])
        for n in (1, 2, 3)
    ]
    assert heights[2] - heights[1] == heights[1] - heights[0] > 0
