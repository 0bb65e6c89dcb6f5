"""The layers of the atlas in this site: pages, navigation, and which chapter explains them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnviz.atlas.facts import AtlasFacts
from cnnviz.atlas.pages import Explained, pages
from gen.texts.words import SITE

# net → the section of its chapter for each layer; others link to the top of the chapter, which
# "explained" of docs/<language>/atlas.yml names.
_SECTIONS: dict[str, dict[str, str]] = {
    "lenet": {
        "conv1": "conv1",
        **dict.fromkeys(("relu1", "pool1"), "conv1-maps"),
        **dict.fromkeys(("conv2", "relu2", "pool2"), "conv2"),
        **dict.fromkeys(("flatten", "fc1", "relu3", "fc2", "relu4"), "fully-connected"),
        "output": "output",
    },
    "mlp": {
        **dict.fromkeys(("flatten", "fc2", "dropout1", "dropout2"), "layers"),
        "fc1": "neuron",
        **dict.fromkeys(("relu1", "relu2"), "relu"),
        "output": "softmax",
    },
}


def layer_pages(facts: AtlasFacts, language: str) -> dict[str, str]:
    """Path → Markdown of every layer's page."""
    return pages(facts, SITE.catalogue(language, "layer"), explained(language))


def explained(language: str) -> Explained:
    """Which chapter of this site explains a layer, as a sentence with a link."""
    say = SITE.catalogue(language, "explained")

    def sentence(net: str, layer: str) -> str:
        if net not in _SECTIONS:
            return ""
        section = _SECTIONS[net].get(layer)
        return say(net, section=f"#{section}" if section else "")

    return sentence


def atlas_nav(nav: list[Any] | None, atlas: Mapping[str, Any]) -> list[Any] | None:
    """The navigation with every layer, net by net, in the section that holds atlas/index.md.

    Args:
        atlas: numbers of that chapter.
    """
    if nav is None:
        return None
    added = [
        {atlas["titles"][net]: [{x["name"]: f"atlas/{net}/{x['name']}.md"} for x in layers]}
        for net, layers in atlas["nets"].items()
    ]

    def extended(item: Any) -> Any:
        if not isinstance(item, dict):
            return item
        title, inside = next(iter(item.items()))
        if not isinstance(inside, list):
            return item
        here = any("atlas/index.md" in _paths(entry) for entry in inside)
        return {title: [*inside, *added] if here else [extended(entry) for entry in inside]}

    return [extended(item) for item in nav]


def _paths(entry: Any) -> list[Any]:
    return list(entry.values()) if isinstance(entry, dict) else [entry]
