"""A build of a few small figures, in which everything occurs that a bundle can hold."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image

from cnnviz.figure.kept import Chapter, KeptFigure
from cnnviz.files import digest
from gen.bundle import bundle as prebuilt
from gen.draw import manifest
from gen.settings import Settings

CHAPTERS = ["atlas", "examples", "relu", "units-net"]
_GREY = "linear-gradient(to right, #000, #fff)"


def picture(width: int = 6, height: int = 4, colour: int = 200) -> bytes:
    """A grey PNG."""
    file = io.BytesIO()
    Image.new("L", (width, height), colour).save(file, "PNG")
    return file.getvalue()


def figure(file: str) -> dict:
    """One with all that a figure can have, as JSON: see cnnviz.figure.kept."""
    shown = {"file": file, "width": 6, "height": 4, "scale": 2.5, "photo": False}
    lines = "[[&quot;loss&quot;, &quot;1&quot;, &quot;10 4&quot;]]"
    chart = f'<svg data-lines="{lines}"><title>loss</title></svg>'
    sprite = {
        "type": "picture",
        "label": {"key": "signs", "values": {}},
        "alt": {"key": "named", "values": {"name": "maps", "what": 2}},
        "links": {"layer": "conv", "count": 2, "columns": 2},
        "bands": {"count": 2, "height": 1},
        **shown,
    }
    legends = [
        {
            "text": {"key": "signs are", "values": {}},
            "gradient": _GREY,
            "low": "−1",
            "high": "1",
            "ends": [],
        },
        {"text": "value", "gradient": "", "low": "", "high": "", "ends": [["0", "1"]]},
    ]
    drawing = {"type": "drawing", "label": None, "alt": None, "markup": {"zh": chart, "en": chart}}
    panels = [sprite, drawing]
    return {
        "alt": {"key": "alt", "values": {"relu1": 0.5, "relu2": 0.25, "digit": "5"}},
        "layout": "row",
        "chosen": 1,
        "scrub": "step",
        "columns": 0,
        "notes": [{"key": "named", "values": {"name": "a", "what": "b"}}],
        "variants": [
            {"name": "one", "panels": panels[1:], "legends": []},
            {"name": "two", "panels": panels, "legends": legends},
        ],
        "scope": "relu.before_after",
        "source": "gen/figures/relu/relu.py#L7",
        "weights": {"lenet": {"seed": 0, "digest": "0123456789ab"}},
    }


def layer(name: str, kind: str, **changes: object) -> dict:
    """Facts as in gen.figures.atlas.atlas."""
    shown = (
        {"weights": "relu/map"}
        if kind == "conv"
        else {"inputs": "relu/map", "activations": "relu/map"}
    )
    facts = {
        "name": name, "kind": kind, "code": "Conv2d(1, 2)", "before": "1×6×4", "after": "2×6×4",
        "spatial": True, "units": 2,
        "parameters": 20, "bias": True, "terms": 9, "sum": "2 × (9 + 1)", "field": "3×3",
        "zeros": 0.5, "dead": 0, "dead_strength": 1.0, "positive": 0.5, "low": -1.0, "high": 1.0,
        "form": "slices" if kind == "conv" else "", "window": "0×0", "rate": 0.0, "maps": [],
        "shown": shown, "owner": "conv", "compared": ["conv", "relu"], "padded": True,
        "trained_units": 2, "gradient_units": 2, "image": kind == "conv",
        "activated": "ReLU" if kind in ("conv", "relu") else "",
        "followed": ["relu"] if kind == "conv" else [],
    }  # fmt: skip
    return facts | changes


def unit(file: str) -> dict:
    """Facts as in cnnviz.atlas.facts.UnitFacts."""
    drawn = {"file": file, "width": 6, "height": 4}
    shape = {"kind": "edge", "angle": 0.5, "positive": True, "share": 0.5}
    weights = {"tiles": 1, "limit": 0.5, "bias": 0.1, "numbers": ["0.1 -0.2\n0.3 0.4"]}
    places = [[3, i % 2, 1, 1, 0.5 - i] for i in range(9)]
    return {
        "active": 0.5, "weights": {**drawn, **weights, "shapes": [shape]}, "patches": drawn,
        "most": places, "least": places, "optimum": [1.0, 2.0], "means": [0.5, 0.25],
        "accuracy": [0.1, -0.1], "loss": [0.5, -0.5], "tuning": [[0.1, 0.5, 0.2]], "low": -1.0,
        "high": 1.0, "maps": {**drawn, "limit": 1.0}, "answers": [0.5, 0.25, 0.1],
    }  # fmt: skip


def unit_numbers(file: str) -> dict:
    """Numbers of the chapter "units-net"."""
    links = [[[1, 0.5, 0.25]], [[0, 0.5, -0.25]]]
    units = {
        "kind": "conv", "shape": [2, 6, 4], "relu": "relu", "field": [3, 3], "side": 6,
        "units": [unit(file), unit(file)], "before": "conv", "after": "", "incoming": links,
        "outgoing": [],
    }  # fmt: skip
    inputs = {"file": file, "width": 6, "height": 4, "labels": [0, 1, 1], "answers": [0, 1, 0]}
    return {
        "title": "Net", "layers": {"conv": units}, "classes": ["a", "b"], "tested": 10, "all": 20,
        "wavelengths": [4.0], "inputs": inputs, "passport": {"seed": 0, "digest": "0123456789ab"},
    }  # fmt: skip


def make(build: Path) -> Settings:
    """Such a build in the folder `build`."""
    settings = Settings(build_dir=build)
    seen = {"relu": "relu/map.png", "atlas": "atlas/map.png", "units-net": "units/net/conv-0.png"}
    files = {}
    for chapter, file in seen.items():
        path = settings.figures_dir / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture())
        files[chapter] = {file: digest([picture()])}
    atlas = {
        "titles": {"net": "Net"}, "nets": {"net": [layer("conv", "conv"), layer("relu", "relu")]},
        "misread": {"net": 1}, "images": 10, "examples": 2, "inputs": 3, "steps": {"net": [0, 9]},
    }  # fmt: skip
    numbers = {
        "relu": {"n": 1, "share": 0.5, "written": "1 − 0.5", "names": ["a", {"en": "b"}]},
        "atlas": atlas,
        "units-net": unit_numbers(seen["units-net"]),
        "examples": {"count_zeros": "5 of 10\n[[1, 2]]"},
    }
    for name in CHAPTERS:
        described = {"map": figure(seen[name])} if name in {"relu", "atlas"} else {}
        figures = msgspec.convert(described, dict[str, KeptFigure])
        chapter = Chapter("0123456789ab", figures, numbers[name], files.get(name, {}))
        manifest.write(name, chapter, settings)
    lab = settings.build_dir / "lab" / "digits"
    lab.mkdir(parents=True)
    (lab / "settings.json").write_text('{"dataset": "digits"}')
    (lab / "net.js").write_text('(globalThis.cnnvizNetworks ??= {})["net"] = {};\n')
    return settings


def changed(bundle: bytes, files=(), leave_out=(), about=None) -> bytes:
    """The bundle with other files in it, and with a manifest that fits them.

    Args:
        about: called with the manifest, to change it at the end.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(bundle)) as old, zipfile.ZipFile(out, "w") as new:
        contents = {name: old.read(name) for name in old.namelist() if name not in leave_out}
        contents |= dict(files)
        if prebuilt.MANIFEST not in dict(files) and prebuilt.MANIFEST not in leave_out:
            said = json.loads(contents[prebuilt.MANIFEST])
            said["files"] = {
                name: digest([content], 64)
                for name, content in contents.items()
                if name != prebuilt.MANIFEST
            }
            if about:
                about(said)
            contents[prebuilt.MANIFEST] = json.dumps(said).encode()
        for name, content in contents.items():
            new.writestr(name, content)
    return out.getvalue()


def listing(folder: Path) -> dict[str, bytes]:
    """All files below a folder, with what they hold."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


def opened(content: bytes) -> dict[str, Any]:
    """What a chapter's file says, for a test to change; `sealed` makes a file of it again."""
    chapter: dict[str, Any] = json.loads(content)["chapter"]
    return chapter


def sealed(said: Any) -> bytes:
    """A chapter's file that says anything, with the right digest."""
    second = f'"chapter":{json.dumps(said)}}}\n'.encode()
    return f'{{"digest":"{digest([second], 64)}",\n'.encode() + second
