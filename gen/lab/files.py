"""The lab's files: its modules joined into one script, and weights as scripts of their own.

A page that is opened from disk may neither fetch nor import modules, but it may have scripts. So
the modules of docs/overrides/assets/lab become one classic script, each in a function of its own,
and each network becomes a script that puts it where lab/network.js looks for it.

`python -m gen lab FOLDER` writes all files into a folder, to try things out.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnviz.data.catalogue import data_key
from cnnviz.errors import CnnvizError
from cnnviz.files import digest, remove, write_atomically
from cnnviz.sources import source_digest
from cnnviz.training.runs import named
from gen.lab.samples import EACH, WRITTEN, sample_scripts
from gen.settings import ROOT, Settings, from_environment
from gen.weights import digests

if TYPE_CHECKING:  # MkDocs imports this module, and never torch
    import torch
    from torch import nn

    from cnnviz.training.fit import Trained

MODULES = ROOT / "docs" / "overrides" / "assets" / "lab"
FOLDER = "lab-files"
"""Where the site keeps the files."""

_NETWORKS = ("lenet", "mlp")
SETTINGS = "settings.json"
_MADE = "made.json"

# --- Modules to one script ----------------------------------------------------------------------

_IMPORT = re.compile(r"^import \{([^}]*)\} from \"\./([\w-]+)\.js\";\n", re.M)
_PASSED_ON = re.compile(r"^export \* from \"\./([\w-]+)\.js\";\n", re.M)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) \*?(\w+))", re.M)
_COMMENT = re.compile(r"^\s*(?://.*|/\*\*(?:[^*]|\*(?!/))*\*/)\n|/\*\* @type .*?\*/ ?", re.M)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.M)


def join_modules(entry: str, sources: Mapping[str, str]) -> str:
    """One classic script that does what the module `entry` does, with all that it imports.

    Each module becomes a function that is called once and returns its exports. What `entry`
    exports is afterwards at `globalThis.cnnvizLab`.

    Args:
        sources: module name (without ".js") → source.

    Raises:
        CnnvizError: a missing module, a circle of imports, or a form of import or export that is
            not understood here.
    """
    done: dict[str, str] = {}
    _join(entry, sources, done, ())
    body = "\n".join(done.values())
    return f"""// Joined from the modules in assets/lab, where they can be read with their comments.
"use strict";
(() => {{
{body}
globalThis.cnnvizLab = {_name(entry)};
}})();
"""


def _join(
    module: str, sources: Mapping[str, str], done: dict[str, str], on_the_way: tuple[str, ...]
) -> None:
    if module in done:
        return
    if module in on_the_way:
        raise CnnvizError(f"Lab modules import in a circle: {' → '.join([*on_the_way, module])}.")
    if module not in sources:
        raise CnnvizError(f"{on_the_way[-1]}.js imports './{module}.js', which is not there.")
    source = sources[module]
    passed_on = _PASSED_ON.findall(source)
    for needed in [*(name for _, name in _IMPORT.findall(source)), *passed_on]:
        _join(needed, sources, done, (*on_the_way, module))
    exports = [*(f"...{_name(name)}" for name in passed_on), *_EXPORT.findall(source)]
    body = _PASSED_ON.sub("", _IMPORT.sub(_as_constants, source))
    body = _COMMENT.sub("", _EXPORT.sub("", body))
    if left := _LEFT.search(body):
        raise CnnvizError(
            f"lab/{module}.js: '{left[0]}' is not understood when modules are joined. "
            'Write `import { a } from "./b.js";` and `export function|const|class`.'
        )
    done[module] = (
        f"// --- {module}.js\nconst {_name(module)} = (() => {{\n{body.strip()}\n"
        f"return {{ {', '.join(exports)} }};\n}})();"
    )


def _as_constants(found: re.Match[str]) -> str:
    names = " ".join(found[1].split()).rstrip(",").replace(" as ", ": ")
    return f"const {{ {names} }} = {_name(found[2])};\n"


def _name(module: str) -> str:
    return f"${module.replace('-', '_')}"


def script(settings: Settings, entry: str = "lab") -> str:
    """The lab's script, with the settings that `make_files` left."""
    sources = {path.stem: path.read_text("utf-8") for path in MODULES.glob("*.js")}
    shared = (folder(settings) / SETTINGS).read_text("utf-8").strip()
    sources["generated"] = f"export const settings = {shared};\n"
    return join_modules(entry if entry in sources else "engine", sources)


# --- Networks to scripts ------------------------------------------------------------------------

BASE_64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
DIGITS = 3
"""Base-64 digits of a packed number: whole numbers from −2¹⁷ to 2¹⁷ − 1."""


def pack(tensor: torch.Tensor, bits: int) -> dict[str, Any]:
    """A tensor as whole numbers, to be divided by 2 to the power of `bits` (fewer, if need be).

    First all numbers' first digits, then all second, then all third: the first ones are nearly
    all the same and compress to little, which the bytes of floats do not.
    """
    import numpy as np

    values = tensor.detach().double().numpy().ravel()
    half = len(BASE_64) ** DIGITS // 2
    while np.abs(values).max(initial=0) * 2**bits > half - 1:
        bits -= 1
    numbers = np.rint(values * 2.0**bits).astype(np.int64) + half
    letters = np.frombuffer(BASE_64.encode(), np.uint8)
    digits = [letters[numbers >> 6 * place & 63].tobytes() for place in reversed(range(DIGITS))]
    return {"size": values.size, "bits": bits, "digits": b"".join(digits).decode()}


def pack_exactly(tensor: torch.Tensor) -> dict[str, Any]:
    """A tensor as the bytes of its floats, little end first."""
    from base64 import b64encode

    values = tensor.detach().numpy().astype("<f4")
    return {"size": values.size, "float32": b64encode(values.tobytes()).decode()}


def _bits(size: int, brief: bool) -> int:
    """How exactly a tensor of that size is kept: as well as the digits can, or briefly.

    Large tensors are where the bytes are, and where the errors of single weights average out.
    """
    return 24 if not brief or size < 5_000 else 15 if size < 20_000 else 14


def layers_of(model: nn.Module) -> list[dict[str, Any]]:
    """The chain of layers of a network, as lab/network.js describes it."""
    import torch
    from torch import nn

    from cnnviz.inside.recording import record
    from cnnviz.nets.models import PIXEL_MEAN, PIXEL_STD, LeNet

    image = torch.zeros(1, 1, 28, 28)
    layers: list[dict[str, Any]] = [{"name": "pixels", "kind": "pixels", "shape": [1, 28, 28]}]
    if isinstance(model, LeNet):
        centre = {"mean": PIXEL_MEAN, "std": PIXEL_STD}
        layers.append({"name": "centred", "kind": "centre", "shape": [1, 28, 28], **centre})
    modules = dict(model.named_children())
    for name, output in record(model, image, functional=False).items():
        layer: dict[str, Any] = {"name": name, "shape": [*output.shape[1:], 1, 1][:3]}
        match modules[name]:
            case nn.Conv2d() as conv:
                side, padding = conv.kernel_size[0], conv.padding[0]
                layer.update(kind="conv", kernel=side, padding=padding)
            case nn.MaxPool2d() as pool:
                layer.update(kind="pool", kernel=pool.kernel_size)
            case nn.ReLU():
                layer["kind"] = "relu"
            case nn.Flatten():
                layer["kind"] = "flatten"
            case nn.Linear():
                layer["kind"] = "linear"
            case nn.Dropout():
                continue  # does nothing once trained
            case other:
                raise CnnvizError(f"The lab cannot compute {type(other).__name__} ('{name}').")
        layers.append(layer)
    return [*layers, {"name": "probabilities", "kind": "softmax", "shape": [10, 1, 1]}]


def network_script(
    name: str, trained: Trained, step: int | None = None, *, exact: bool = False
) -> str:
    """A script that puts a network where the lab looks for it.

    Args:
        name: under which it is kept.
        step: of a snapshot, which are packed well, since an early one has small logits; None: the
            end of training, packed briefly, since a reader waits for it.
        exact: keep all bits of the weights.
    """
    model = trained.model(step)
    tensors = {
        key: pack_exactly(tensor) if exact else pack(tensor, _bits(tensor.numel(), step is None))
        for key, tensor in model.state_dict().items()
    }
    packed = {
        "name": name,
        "model": trained.recipe.model,
        "layers": layers_of(model),
        "tensors": tensors,
    }
    return f'(globalThis.cnnvizNetworks ??= {{}})["{name}"] = {json.dumps(packed)};\n'


# --- Files of a build ---------------------------------------------------------------------------


def folder(settings: Settings) -> Path:
    """Where the networks' files of this build lie."""
    return settings.build_dir / "lab" / settings.dataset


def key(settings: Settings) -> str:
    """Digest of all that the networks' files are made from."""
    parts = [
        source_digest("gen.lab.files", root=ROOT, packages=("cnnviz", "gen")),
        *digests(_NETWORKS, settings).values(),
        data_key(settings.dataset, settings.data_dir),
        data_key("mnist", settings.data_dir) if _has_written(settings) else "",
    ]
    return digest(part.encode() for part in parts)


def _has_written(settings: Settings) -> bool:
    """Are there digits that people wrote, beside those that the networks learn from?"""
    return settings.dataset == "digits" and settings.data_dir is not None


def stale(settings: Settings) -> bool:
    """Are the networks' files missing, damaged or made from something else?"""
    made, target = folder(settings) / _MADE, folder(settings)
    try:
        files = {path.name: digest([path.read_bytes()]) for path in target.glob("*.js*")}
        del files[_MADE]
        return bool(json.loads(made.read_text()) != {"key": key(settings), "files": files})
    except (OSError, ValueError, KeyError):
        return True


def make_files(settings: Settings) -> None:
    """Write the networks' files and the shared settings, if they are not up to date."""
    if not stale(settings):
        return
    from cnnviz.data import digits
    from cnnviz.drawing.palettes import PALETTES
    from cnnviz.training import checkpoints
    from cnnviz.training.weights import weights_digest

    target, networks, files = folder(settings), [], {}

    def write(name: str, text: str) -> None:
        write_atomically(target / name, text.encode())
        files[name] = digest([text.encode()])

    for name in _NETWORKS:
        trained = checkpoints.trained(
            named(name, settings.dataset),
            build_dir=settings.build_dir,
            data_dir=settings.data_dir,
            download=settings.download,
            device=settings.device,
        )
        last = trained.recipe.steps
        early = [step for step in trained.snapshots if step != last] if name == "lenet" else []
        for step in [None, *early]:
            file = name if step is None else f"{name}-{step}"
            write(f"{file}.js", network_script(file, trained, step))
            at = last if step is None else step
            entry = {
                "name": file,
                "model": name,
                "step": at,
                "accuracy": trained.history.accuracy[trained.history.step.index(at)],
                "digest": weights_digest(trained.snapshots[at]),
            }
            networks.append(entry)
    class_names, samples, scripts = _samples(settings)
    shared = {
        "dataset": settings.dataset,
        "classNames": class_names,
        "side": digits.SIDE,
        "box": digits.BOX,
        "pen": digits.PEN[0],
        "edge": sum(digits.EDGE) / 2,
        "palettes": {name: colours.tobytes().hex() for name, colours in PALETTES.items()},
        "networks": networks,
        "samples": samples,
    }
    for name, text in scripts.items():
        write(name, text)
    write(SETTINGS, json.dumps(shared, ensure_ascii=False))
    for leftover in {path.name for path in target.iterdir()} - {*files, _MADE}:
        remove(target / leftover)
    made = {"key": key(settings), "files": files}
    write_atomically(target / _MADE, json.dumps(made).encode())  # last: all is there


def _samples(settings: Settings) -> tuple[list[str], dict[str, int], dict[str, str]]:
    """Names of the classes; what the lab must know of the images to load; the scripts with them.

    After the whole test set come digits that people wrote, if there are any.
    """
    import torch

    from cnnviz.data import datasets

    test = datasets.load(
        settings.dataset, "test", data_dir=settings.data_dir, build_dir=settings.build_dir
    )
    images, labels, written = test.images, test.labels, 0
    if _has_written(settings):
        real = datasets.load("mnist", "test", data_dir=settings.data_dir)
        written = min(WRITTEN, len(real))
        images = torch.cat([images, real.images[:written]])  # (N + written, 1, 28, 28)
        labels = torch.cat([labels, real.labels[:written]])  # (N + written,)
    samples = {"count": len(test), "written": written, "each": EACH}
    return list(test.class_names), samples, sample_scripts(images, labels)


def site_files(settings: Settings) -> dict[str, bytes]:
    """Path in the site → content."""
    files = {f"{FOLDER}/{p.name}": p.read_bytes() for p in sorted(folder(settings).glob("*.js"))}
    return {**files, f"{FOLDER}/lab.js": script(settings).encode()}


def main(arguments: Sequence[str]) -> int:
    """Write all files into the folder that is named."""
    if len(arguments) != 1:
        print("cnnviz: expected python -m gen lab FOLDER.", file=sys.stderr)
        return 2
    settings = from_environment()
    make_files(settings)
    for path, content in site_files(settings).items():
        write_atomically(Path(arguments[0]) / Path(path).name, content)
    return 0
