"""The lab's networks and samples in a bundle: scripts in form, since a page on disk can load no
other file, but in truth one assignment of data. A bundle's must be just that.
"""

from __future__ import annotations

import json
import re

from cnnviz.errors import CnnvizError

_NETWORK = re.compile(
    r'\(globalThis\.cnnvizNetworks \?\?= \{\}\)\["([\w-]+)"\] = (\{.*\});\n', re.A
)
_SAMPLES = re.compile(
    r'\(globalThis\.cnnvizSamples \?\?= \{\}\)\[(\d+)\] = "\d+ [\w-]*(?:\\n\d+ [\w-]*)*";\n', re.A
)


def check_script(name: str, content: bytes) -> None:
    """A file as gen.lab.files or gen.lab.samples writes it, and nothing else.

    Args:
        name: of the file, without its ending.

    Raises:
        CnnvizError: it would do more than hold data.
    """
    try:
        text = content.decode()
        if network := _NETWORK.fullmatch(text):
            json.loads(network[2])
            fits = network[1] == name
        else:
            samples = _SAMPLES.fullmatch(text)
            fits = samples is not None and name == f"samples-{samples[1]}"
    except (ValueError, RecursionError):
        fits = False
    if not fits:
        raise CnnvizError(f"'{name}.js' is not the data of a network or of samples.")
