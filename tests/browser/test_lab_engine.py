"""The lab's engine in Chromium, from disk, against PyTorch and against cnnviz.digits."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from playwright.sync_api import Browser, Page
from torch import Tensor, nn

from cnnviz import checkpoints, datasets
from cnnviz.datasets import Dataset, to_input
from cnnviz.recipes import named
from cnnviz.recording import record
from cnnviz.training import Trained
from gen import lab_files
from gen.settings import from_environment

pytestmark = pytest.mark.browser

IMAGES = 200
Floats = npt.NDArray[np.float32]

# All values of all layers for many images, as the bytes of one long Float32Array.
_VALUES = """
async ([name, pixels, layers]) => {
  const { load, forward } = cnnvizLab;
  const network = await load(name);
  const bytes = Uint8Array.from(atob(pixels), (c) => c.charCodeAt(0));
  const all = [];
  for (let i = 0; i < bytes.length; i += 784) {
    const run = forward(network, Array.from(bytes.subarray(i, i + 784), (byte) => byte / 255));
    for (const layer of layers) all.push(run.values[layer]);
  }
  const url = await new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.readAsDataURL(new Blob(all));
  });
  return url.slice(url.indexOf(",") + 1);
}
"""


@pytest.fixture(scope="module")
def test_digits() -> Dataset:
    return datasets.load("digits", "test", build_dir=from_environment().build_dir)


def trained(name: str) -> Trained:
    settings = from_environment()
    return checkpoints.trained(named(name), build_dir=settings.build_dir)


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with the engine, opened from disk; weights are loaded when they are asked for."""
    folder = tmp_path_factory.mktemp("lab")
    settings = from_environment()
    lab_files.make_files(settings)
    for path, content in lab_files.site_files(settings).items():
        (folder / Path(path).name).write_bytes(content)
    for name in ("lenet", "mlp"):
        exact = lab_files.network_script(f"{name}-exact", trained(name), exact=True)
        (folder / f"{name}-exact.js").write_text(exact)
    (folder / "engine.js").write_text(lab_files.script(settings, entry="engine"))
    (folder / "index.html").write_text('<meta charset="utf-8"><script src="engine.js"></script>')
    page = browser.new_page()
    page.goto(f"file://{folder}/index.html")
    yield page
    page.close()


def by_torch(model: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """Layers as the lab names them → values, (N, …)."""
    x = to_input(images)
    found = {"pixels": x, **record(model, x)}
    if "div" in found:  # what `forward` does first
        del found["sub"]
        found["centred"] = found.pop("div")
    found = {name: values for name, values in found.items() if "dropout" not in name}
    return {**found, "probabilities": found["output"].softmax(1)}


def by_lab(lab: Page, name: str, images: Tensor, layers: list[str], sizes: list[int]) -> Floats:
    """(N, values of all layers)."""
    pixels = base64.b64encode(images.numpy().tobytes()).decode()
    answer = lab.evaluate(_VALUES, [name, pixels, layers])
    return np.frombuffer(base64.b64decode(answer), np.float32).reshape(-1, sum(sizes))


@pytest.mark.parametrize(
    ("file", "model", "step", "tolerance"),
    [
        ("lenet", "lenet", None, 1e-3),
        ("lenet-exact", "lenet", None, 1e-5),
        ("lenet-0", "lenet", 0, 1e-3),
        ("lenet-512", "lenet", 512, 1e-3),
        ("mlp", "mlp", None, 1e-3),
        ("mlp-exact", "mlp", None, 1e-5),
    ],
)
def test_every_activation_is_that_of_pytorch(
    lab: Page, test_digits: Dataset, file: str, model: str, step: int | None, tolerance: float
) -> None:
    images = test_digits.images[:IMAGES]
    expected = by_torch(trained(model).model(step), images)
    layers = lab.evaluate("async (name) => (await cnnvizLab.load(name)).layers", file)
    assert [layer["name"] for layer in layers] == [
        *("pixels", "centred")[: 2 if "centred" in expected else 1],
        *(name for name in expected if name not in ("pixels", "centred")),
    ]
    for layer in layers:
        shape = tuple(expected[layer["name"]].shape[1:])
        assert tuple(layer["shape"]) == (*shape, 1, 1)[:3]
    sizes = [expected[layer["name"]][0].numel() for layer in layers]
    names = [layer["name"] for layer in layers]
    found = np.split(by_lab(lab, file, images, names, sizes), np.cumsum(sizes)[:-1], axis=1)
    largest = float(expected["output"].abs().max())
    errors = {
        name: float(np.abs(values - expected[name].flatten(1).numpy()).max()) / largest
        for name, values in zip(names, found, strict=True)
    }
    print(file, "largest logit", largest, "errors over it:", errors)
    assert max(errors.values()) <= tolerance, errors
    logits = found[names.index("output")]
    assert (logits.argmax(1) == expected["output"].argmax(1).numpy()).all()
