"""The legend of signed pictures whose scales are their own."""

from cnnviz.drawing import palettes
from cnnviz.figure.figure import Legend
from cnnviz.words import Message


def own_scales(meaning: Message) -> Legend:
    """The legend of signed pictures whose scales are their own and written above them."""
    return Legend(meaning, palettes.css_gradient("diverging"), "−max", "+max")
