"""The lab's files: modules joined into one script, weights packed into scripts."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnviz.data import datasets
from cnnviz.data.datasets import Dataset
from cnnviz.errors import CnnvizError
from cnnviz.nets.models import MLP, LeNet
from cnnviz.training import checkpoints
from cnnviz.training.runs import named
from gen.lab import files as lab_files
from gen.lab.files import BASE_64, DIGITS, join_modules, layers_of, pack, pack_exactly
from gen.lab.words import words_script
from gen.settings import Settings, from_environment


def test_modules_are_joined_in_order_of_need_and_once() -> None:
    script = join_modules(
        "a",
        {
            "a": 'import { two as b, three } from "./b.js";\n'
            'import {\n  one,\n} from "./c-d.js";\n'
            "export const four = b + one + three;\n",
            "b": '// A comment.\nimport { one } from "./c-d.js";\n'
            "/** Twice. */\nexport const two = 2 * one;\nexport function three() {}\n",
            "c-d": "export class one {}\nconst own = 1;\nexport async function wait() {}\n",
            "unused": "export const nothing = 0;\n",
        },
    )
    assert script.endswith(
        """
// --- c-d.js
const $c_d = (() => {
class one {}
const own = 1;
async function wait() {}
return { one, wait };
})();
// --- b.js
const $b = (() => {
const { one } = $c_d;
const two = 2 * one;
function three() {}
return { two, three };
})();
// --- a.js
const $a = (() => {
const { two: b, three } = $b;
const { one } = $c_d;
const four = b + one + three;
return { four };
})();
globalThis.cnnvizLab = $a;
})();
"""
    )


def test_exports_of_another_module_are_passed_on() -> None:
    script = join_modules("a", {"a": 'export * from "./b.js";\n', "b": "export const one = 1;\n"})
    assert "return { ...$b };" in script


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({"a": 'import { b } from "./b.js";\n'}, r"a.js imports './b.js', which is not there"),
        (
            {
                "a": 'import { b } from "./b.js";\nexport const a = 1;\n',
                "b": 'import { a } from "./a.js";\nexport const b = 1;\n',
            },
            "in a circle: a → b → a",
        ),
        ({"a": "export default 3;\n"}, "lab/a.js: 'export default 3;' is not understood"),
        ({"a": "export let a = 3;\n"}, "not understood"),
        ({"a": "const a = 1;\nexport { a };\n"}, "not understood"),
        ({"a": 'import * as b from "./b.js";\n'}, "not understood"),
        ({"a": 'import "./b.js";\n'}, "not understood"),
    ],
)
def test_what_cannot_be_joined_is_said(sources: dict[str, str], message: str) -> None:
    with pytest.raises(CnnvizError, match=message):
        join_modules("a", sources)


@pytest.mark.parametrize("bits", [14, 24])
def test_packed_numbers_are_the_nearest_that_the_digits_can_say(bits: int) -> None:
    tensor = torch.randn(7, 31, generator=torch.Generator().manual_seed(0))
    packed = pack(tensor, bits)
    digits = np.array([BASE_64.index(d) for d in packed["digits"]]).reshape(DIGITS, -1)
    whole = (digits[0] * 64 + digits[1]) * 64 + digits[2] - 64**3 // 2
    found = whole / 2.0 ** packed["bits"]
    assert packed["bits"] == min(bits, 15)  # the largest is between 2 and 4
    assert np.abs(found - tensor.numpy().ravel()).max() <= 0.5 / 2 ** packed["bits"] + 1e-9


def test_a_tensor_of_zeros_and_an_exact_one() -> None:
    assert pack(torch.zeros(2), 14) == {"size": 2, "bits": 14, "digits": "ggAAAA"}
    assert pack_exactly(torch.tensor([1.0])) == {"size": 1, "float32": "AACAPw=="}


def test_layers_are_named_as_in_the_text() -> None:
    kinds = {layer["name"]: layer["kind"] for layer in layers_of(LeNet().eval())}
    assert list(kinds.values()) == [
        *("pixels", "centre"),
        *("conv", "relu", "pool") * 2,
        "flatten",
        *("linear", "relu") * 2,
        *("linear", "softmax"),
    ]
    shapes = {layer["name"]: layer["shape"] for layer in layers_of(MLP().eval())}
    assert shapes["pixels"] == [1, 28, 28]
    assert shapes["relu2"] == [512, 1, 1]
    assert "dropout1" not in shapes
    with pytest.raises(CnnvizError, match="cannot compute Sigmoid"):
        layers_of(torch.nn.Sequential(torch.nn.Sigmoid()))


def test_a_reader_waits_for_at_most_150_kilobytes() -> None:
    settings = from_environment()
    lab_files.make_files(settings)
    files = lab_files.site_files(settings)
    first = [files[f"{lab_files.FOLDER}/{name}.js"] for name in ("lab", "lenet")]
    for language in ("zh", "en"):
        page = [*first, words_script(language).encode()]
        assert sum(len(gzip.compress(file, 9)) for file in page) <= 150_000
    trained = checkpoints.trained(named("lenet"), build_dir=settings.build_dir)
    names = {Path(name).stem for name in files if "samples" not in name}
    assert names == {"lab", "lenet", "mlp"} | {
        f"lenet-{step}" for step in trained.snapshots if step != trained.recipe.steps
    }


def test_digits_that_people_wrote_come_last(
    small_digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "load", lambda name, split, **options: small_digits)
    _, samples, scripts = lab_files._samples(Settings())
    assert samples == {"count": 500, "written": 0, "each": 250}
    assert len(scripts) == 2
    there = Settings(data_dir=tmp_path)
    _, samples, scripts = lab_files._samples(there)
    assert samples == {"count": 500, "written": 250, "each": 250}
    assert scripts["samples-2.js"].split(" = ")[1] == scripts["samples-0.js"].split(" = ")[1]
    assert lab_files.key(there) != lab_files.key(Settings())
    clothes = Settings("fashion-mnist", tmp_path)
    assert lab_files._samples(clothes)[1]["written"] == 0


def test_files_are_made_once_and_again_when_one_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = from_environment()
    monkeypatch.setattr(lab_files, "folder", lambda settings: tmp_path)
    assert lab_files.stale(settings)
    lab_files.make_files(settings)
    assert not lab_files.stale(settings)
    (tmp_path / "lenet-4.js").write_text("half a fi")
    (tmp_path / "lenet-5.js").write_text("left over from a longer training")
    assert lab_files.stale(settings)
    lab_files.make_files(settings)
    assert not lab_files.stale(settings)
    assert not (tmp_path / "lenet-5.js").exists()
    (tmp_path / "mlp.js").unlink()
    assert lab_files.stale(settings)


def test_mkdocs_needs_no_torch_for_them() -> None:
    code = "import sys, gen.lab.files; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
