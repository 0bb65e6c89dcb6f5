"""The lab's engine in Chromium, from disk, against PyTorch and against cnnviz.data.digits."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Error, Page
from torch import Tensor, nn

from cnnviz.data import datasets, digits
from cnnviz.data.datasets import Dataset
from cnnviz.data.inputs import to_input
from cnnviz.inside.receptive_field import receptive_fields
from cnnviz.inside.recording import record
from cnnviz.training import checkpoints
from cnnviz.training.fit import Trained
from cnnviz.training.runs import named
from gen.lab import files as lab_files
from gen.settings import from_environment

pytestmark = pytest.mark.browser

IMAGES = 200
Floats = npt.NDArray[np.float32]

# All values of all layers for many images, as the bytes of one long Float32Array.
_VALUES = """
async ([name, pixels, layers, kernel]) => {
  const { load, forward } = cnnvizLab;
  const network = await load(name);
  const bytes = Uint8Array.from(atob(pixels), (c) => c.charCodeAt(0));
  const all = [];
  for (let i = 0; i < bytes.length; i += 784) {
    const image = Array.from(bytes.subarray(i, i + 784), (byte) => byte / 255);
    const run = forward(network, image, {}, cnnvizLab[kernel]);
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


def by_lab(lab: Page, name: str, images: Tensor, layers: list[str], kernel: str) -> Floats:
    """(N, values of all layers)."""
    pixels = base64.b64encode(images.numpy().tobytes()).decode()
    answer = lab.evaluate(_VALUES, [name, pixels, layers, kernel])
    return np.frombuffer(base64.b64decode(answer), np.float32).reshape(len(images), -1)


@pytest.mark.parametrize("kernel", ["fastest", "plain"])
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
    lab: Page,
    test_digits: Dataset,
    file: str,
    model: str,
    step: int | None,
    tolerance: float,
    kernel: str,
) -> None:
    assert lab.evaluate("cnnvizLab.fastest !== cnnvizLab.plain")  # this browser has SIMD
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
    values = by_lab(lab, file, images, names, kernel)
    found = np.split(values, np.cumsum(sizes)[:-1], axis=1)
    largest = float(expected["output"].abs().max())
    errors = {
        name: float(np.abs(values - expected[name].flatten(1).numpy()).max()) / largest
        for name, values in zip(names, found, strict=True)
    }
    print(file, kernel, "largest logit", largest, "errors over it:", errors)
    assert max(errors.values()) <= tolerance, errors
    logits = found[names.index("output")]
    assert (logits.argmax(1) == expected["output"].argmax(1).numpy()).all()


def test_a_pass_takes_less_than_two_milliseconds(lab: Page) -> None:
    milliseconds = lab.evaluate(
        """async () => {
          const { load, forward } = cnnvizLab;
          const network = await load("lenet");
          const pixels = Float32Array.from({ length: 784 }, (_, i) => (i % 29) / 28);
          const times = [];
          for (let batch = 0; batch < 20; batch++) {
            const start = performance.now();
            for (let i = 0; i < 50; i++) forward(network, pixels);
            times.push((performance.now() - start) / 50);
          }
          return Math.min(...times);
        }"""
    )
    assert milliseconds <= 2


# --- Where values come from ---------------------------------------------------------------------

# Of every unit: the largest difference between its value and the sum of its terms, and between a
# term's input and the value that the unit it names has. Some channels are switched off.
_TRACES = """
async ([name, pixels, off]) => {
  const { load, forward, trace, channelSums, indexOf, layerOf, unitAt } = cnnvizLab;
  const network = await load(name);
  const run = forward(network, pixels, off);
  const worst = {};
  for (const layer of network.layers) {
    let most = 0;
    const [channels, rows, columns] = layer.shape;
    for (let i = 0; i < channels * rows * columns; i++) {
      const traced = trace(run, unitAt(layer, i));
      const gaps = [traced.sum - traced.value, traced.value - run.values[layer.name][i]];
      for (const { unit, input, weight, product, padding } of traced.terms) {
        const from = layerOf(network, unit.layer);
        if (!padding) gaps.push(input - run.values[from.name][indexOf(from, unit)]);
        if (layer.kind !== "softmax") gaps.push(product - input * weight);
      }
      if (layer.kind === "conv" && !traced.off) {
        gaps.push(channelSums(traced).reduce((a, b) => a + b, traced.bias) - traced.value);
      }
      for (const gap of gaps) most = Math.max(most, Math.abs(gap));
    }
    worst[layer.name] = most;
  }
  return worst;
}
"""


@pytest.mark.parametrize(
    ("name", "off"),
    [
        ("lenet", {}),
        ("lenet", {"conv1": [1, 4], "relu2": [3], "pool2": [0], "relu4": [7, 8]}),
        ("mlp", {"relu1": [3, 400]}),
    ],
)
def test_the_terms_of_every_value_add_up_to_it(
    lab: Page, test_digits: Dataset, name: str, off: dict[str, list[int]]
) -> None:
    pixels = to_input(test_digits.images[7]).flatten().tolist()
    worst = lab.evaluate(_TRACES, [name, pixels, off])
    assert max(worst.values()) <= 1e-4, worst


# The box around all units that are met on all ways down, and what `fields` says.
_FIELDS = """
async (units) => {
  const { load, forward, trace, fields } = cnnvizLab;
  const network = await load("lenet");
  const run = forward(network, new Float32Array(784));
  const sides = { channels: "channel", rows: "row", columns: "column" };
  return units.map((unit) => {
    const met = {};
    for (let level = [unit]; level.length; ) {
      const box = (met[level[0].layer] = {});
      for (const [side, at] of Object.entries(sides)) {
        const places = level.map((one) => one[at]);
        box[side] = [Math.min(...places), Math.max(...places) + 1];
      }
      const below = new Map();
      for (const one of level) {
        for (const term of trace(run, one).terms) {
          if (!term.padding) below.set(JSON.stringify(term.unit), term.unit);
        }
      }
      level = [...below.values()];
    }
    const told = Object.entries(fields(network, unit));
    return [Object.fromEntries(told.map(([name, { padding, ...box }]) => [name, box])), met];
  });
}
"""


def unit(layer: str, channel: int, row: int = 0, column: int = 0) -> dict[str, str | int]:
    return {"layer": layer, "channel": channel, "row": row, "column": column}


def test_receptive_fields_hold_all_that_is_met_on_the_way_down(lab: Page) -> None:
    units = [
        *(unit("conv1", 5, row, column) for row, column in ((0, 0), (1, 27), (14, 3), (26, 26))),
        unit("relu1", 0, 27, 0),
        *(unit("pool1", 2, row, column) for row, column in ((0, 0), (13, 6), (5, 13))),
        *(unit("conv2", 9, row, column) for row, column in ((0, 0), (9, 9), (4, 7))),
        *(unit("pool2", 15, row, column) for row, column in ((0, 0), (4, 2), (2, 2))),
        unit("flatten", 137),
        unit("fc1", 3),
    ]
    for told, met in lab.evaluate(_FIELDS, units):
        assert told == met


def test_receptive_fields_are_those_of_the_chapter(lab: Page) -> None:
    expected = receptive_fields(trained("lenet").model(), (28, 28))
    for layer in ("conv1", "relu1", "pool1", "conv2", "relu2", "pool2"):
        rows, columns = expected[layer].units
        units = [unit(layer, 0, row, column) for row in range(rows) for column in range(columns)]
        found = lab.evaluate(
            """async (units) => {
              const network = await cnnvizLab.load("lenet");
              return units.map((unit) => cnnvizLab.fields(network, unit));
            }""",
            units,
        )
        for one, boxes in zip(units, found, strict=True):
            place = int(one["row"]), int(one["column"])
            top, left, bottom, right = expected[layer].box(*place, clip=True)
            assert boxes["pixels"]["rows"] == [top, bottom]
            assert boxes["pixels"]["columns"] == [left, right]
            cut = expected[layer].box(*place) != (top, left, bottom, right)
            assert any(box["padding"] for box in boxes.values()) == cut


def test_a_path_ends_at_a_pixel_and_pooling_leads_to_the_winner(
    lab: Page, test_digits: Dataset
) -> None:
    pixels = to_input(test_digits.images[3]).flatten().tolist()
    steps = lab.evaluate(
        """async (pixels) => {
          const { load, forward, path } = cnnvizLab;
          const run = forward(await load("lenet"), pixels);
          return path(run, { layer: "probabilities", channel: run.prediction, row: 0, column: 0 });
        }""",
        pixels,
    )
    kinds = ["softmax", *("linear", "relu") * 2, "linear", "flatten"]
    kinds += [*("pool", "relu", "conv") * 2, "centre", "pixels"]
    assert [step["kind"] for step in steps] == kinds
    for step in steps:
        if step["kind"] == "pool":
            passing = [term["input"] for term in step["terms"] if term["passes"]]
            assert passing == [max(term["input"] for term in step["terms"])] == [step["value"]]


# --- What speaks for a class, and what changes do -------------------------------------------------

_WHY = """
async ([many, off]) => {
  const { load, forward, gradients, unitContributions, channelContributions } = cnnvizLab;
  const network = await load("lenet-exact");
  return many.map((pixels) => {
    const run = forward(network, pixels, off);
    const units = unitContributions(run, run.prediction);
    const channels = channelContributions(run, run.prediction, "conv2");
    const gradient = gradients(run, run.prediction);
    return {
      logits: [...run.values.output],
      pixels: [...gradient.pixels], conv2: [...gradient.conv2], fc1: [...gradient.fc1],
      units: [...units.parts], unitsSum: units.sum, layer: units.layer,
      drops: [...channels.drops], parts: [...channels.parts], rest: channels.rest,
    };
  });
}
"""


def without(model: nn.Module, layer: str, channel: int) -> Any:
    """A hook that switches a channel off."""

    def off(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        output = output.clone()
        output[:, channel] = 0
        return output

    return model.get_submodule(layer).register_forward_hook(off)


@pytest.mark.parametrize("off", [{}, {"conv1": [2], "relu4": [5]}])
def test_gradients_and_contributions_are_those_of_pytorch(
    lab: Page, test_digits: Dataset, off: dict[str, list[int]]
) -> None:
    x = to_input(test_digits.images[:20])
    model = trained("lenet").model()
    for layer, channels in off.items():
        for channel in channels:
            without(model, layer, channel)
    inputs = x.clone().requires_grad_()
    kept = record(model, inputs, gradients=True)
    classes = kept["output"].argmax(1)
    logits = kept["output"].gather(1, classes[:, None])[:, 0]
    layers = [inputs, kept["conv2"], kept["fc1"]]
    gradients = torch.autograd.grad(logits.sum(), layers)
    found = lab.evaluate(_WHY, [x.flatten(1).tolist(), off])

    def told(name: str) -> Tensor:
        return torch.tensor([one[name] for one in found])

    assert torch.allclose(told("logits"), kept["output"], atol=1e-4)
    for name, expected in zip(("pixels", "conv2", "fc1"), gradients, strict=True):
        assert torch.allclose(told(name), expected.flatten(1), atol=1e-4), name
    # By unit of the last hidden layer: weight times activation, which with the bias is the logit.
    assert {one["layer"] for one in found} == {"relu4"}
    assert isinstance(model.output, nn.Linear)
    assert torch.allclose(told("units"), kept["relu4"] * model.output.weight[classes], atol=1e-4)
    assert torch.allclose(told("unitsSum"), logits, atol=1e-4)
    # By channel: gradient times activation, which with the rest is the logit; and ablation.
    parts = (gradients[1] * kept["conv2"]).sum((2, 3))
    assert torch.allclose(told("parts"), parts, atol=1e-3)
    assert torch.allclose(told("parts").sum(1) + told("rest"), logits, atol=1e-4)
    for channel in range(16):
        hook = without(model, "conv2", channel)
        left = model(x).gather(1, classes[:, None])[:, 0]
        assert torch.allclose(told("drops")[:, channel], logits - left, atol=1e-4)
        hook.remove()


def test_edited_weights_work_as_in_pytorch_and_leave_the_network_alone(
    lab: Page, test_digits: Dataset
) -> None:
    x = to_input(test_digits.images[:1])
    before, edited, after = lab.evaluate(
        """async (pixels) => {
          const { load, copy, forward, kernelOf } = cnnvizLab;
          const network = await load("lenet-exact");
          const logits = (net) => [...forward(net, pixels).values.output];
          const before = logits(network);
          const own = copy(network);
          kernelOf(own, "conv2", 3, 4)[7] = 1.5;
          kernelOf(own, "conv1", 2, 0).fill(-0.25);
          own.weights["fc1.bias"][11] = 2;
          return [before, logits(own), logits(network)];
        }""",
        x.flatten().tolist(),
    )
    assert before == after != edited
    model = trained("lenet").model()
    weights = model.state_dict()
    weights["conv2.weight"][3, 4, 1, 2] = 1.5
    weights["conv1.weight"][2] = -0.25
    weights["fc1.bias"][11] = 2
    model.load_state_dict(weights)
    assert torch.allclose(torch.tensor([edited]), model(x), atol=1e-4)


# --- Centring -------------------------------------------------------------------------------------


def dense(stroke: Floats) -> Floats:
    """Points no more than half a pixel apart on the same line."""
    pieces = []
    for start, stop in zip(stroke, [*stroke[1:], stroke[-1]], strict=True):
        steps = max(1, int(np.ceil(2 * np.hypot(*(stop - start)))))
        pieces.append(start + (stop - start) * np.arange(steps)[:, None] / steps)
    return np.concatenate(pieces)


def drawn_by_python(strokes: list[Floats], pen: float, edge: float) -> tuple[Floats, Any, Any]:
    """Box, corner and image of a drawing, by the functions that make the site's digits."""
    points = np.concatenate(strokes)[:, :, None].astype(np.float32)
    boxed = digits._fit_box(points, np.full((len(points), 1), pen, np.float32))
    cuts = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    inked = np.concatenate([dense(part) for part in np.split(boxed[:, :, 0], cuts)])[:, :, None]
    radius = np.full((len(inked), 1), pen, np.float32)
    ink = digits._ink(inked.astype(np.float32), radius, np.array([edge], np.float32))
    ink *= ink * (3 - 2 * ink)
    x, y = digits._centring(ink)[:, 0]
    image = np.zeros((digits.SIDE, digits.SIDE))
    image[y : y + digits.BOX, x : x + digits.BOX] = np.rint(255 * ink[:, :, 0]) / 255
    return ink[:, :, 0], (x, y), image


def test_a_drawing_is_centred_as_the_made_digits_are(lab: Page) -> None:
    pen, edge = digits.PEN[0], sum(digits.EDGE) / 2
    examples = [
        digits.example(digit, style, seed)
        for digit, styles in digits.style_names().items()
        for style in styles
        for seed in range(5)
    ]
    drawings = [example.warped for example in examples]
    answers = lab.evaluate(
        """(drawings) => drawings.map((strokes) => {
          const { box, corner, pixels } = cnnvizLab.centreStrokes(strokes);
          return [[...box], [corner.x, corner.y], [...pixels]];
        })""",
        [[stroke.tolist() for stroke in strokes] for strokes in drawings],
    )
    for strokes, (box, corner, pixels) in zip(drawings, answers, strict=True):
        expected_box, expected_corner, expected_image = drawn_by_python(strokes, pen, edge)
        assert np.abs(np.array(box).reshape(20, 20) - expected_box).max() < 1e-4
        assert tuple(corner) == expected_corner
        assert np.abs(np.array(pixels).reshape(28, 28) - expected_image).max() < 1.01 / 255


def test_the_box_goes_where_the_made_digits_put_it(lab: Page) -> None:
    rng = np.random.default_rng(0)
    boxes = [np.float32(rng.random((20, 20)) * rng.random((20, 1)) ** 4) for _ in range(500)]
    boxes += [np.float32(rng.random((20, 20)) < 0.01) for _ in range(500)]  # single dots: ties
    boxes = [box for box in boxes if box.any()]
    corners = lab.evaluate(
        "(boxes) => boxes.map((box) => cnnvizLab.centring(Float32Array.from(box)))",
        [box.ravel().tolist() for box in boxes],
    )
    expected = digits._centring(np.stack(boxes, 2))
    assert [(corner["x"], corner["y"]) for corner in corners] == list(zip(*expected, strict=True))


def test_a_dot_and_nothing(lab: Page) -> None:
    dot, none, black = lab.evaluate(
        """() => {
          const { centreStrokes, centreImage } = cnnvizLab;
          const dot = centreStrokes([[[3, 900]]]);
          return [[...dot.pixels], centreStrokes([]), centreImage(new Float32Array(100), 10, 10)];
        }"""
    )
    assert none is black is None
    image = np.array(dot).reshape(28, 28)
    assert image.max() == 1
    assert image.sum() > 3
    rows, columns = np.nonzero(image)
    assert 12 <= rows.mean() <= 15
    assert 12 <= columns.mean() <= 15


# --- Pictures -------------------------------------------------------------------------------------


def png(image: Image.Image) -> str:
    """A picture's file in base 64."""
    file = BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


_READ = """
async (files) => {
  const { load, forward, readPicture, centreImage } = cnnvizLab;
  const network = await load("lenet");
  const answers = [];
  for (const file of files) {
    const bytes = Uint8Array.from(atob(file), (c) => c.charCodeAt(0));
    const { grey, width, height, inverted } = await readPicture(new Blob([bytes]));
    const { pixels } = centreImage(grey, width, height);
    answers.push([inverted, forward(network, pixels).prediction, [...pixels]]);
  }
  return answers;
}
"""


def read_pictures(lab: Page, pictures: list[Image.Image]) -> tuple[set[bool], Tensor, Floats]:
    """Which were inverted, the classes, and the images that the network got."""
    answers = lab.evaluate(_READ, [png(picture) for picture in pictures])
    inverted, classes, pixels = zip(*answers, strict=True)
    return set(inverted), torch.tensor(classes), np.array(pixels, np.float32).reshape(-1, 28, 28)


def test_real_handwriting_is_read_as_in_pytorch(lab: Page, real_digits_dir: Path) -> None:
    real = datasets.load("mnist", "test", data_dir=real_digits_dir)
    images, labels = real.images[:300], real.labels[:300]
    expected = trained("lenet").model()(to_input(images)).argmax(1)
    pictures = [Image.fromarray(image[0].numpy()) for image in images]
    inverted, classes, pixels = read_pictures(lab, pictures)
    assert inverted == {False}
    assert (classes == expected).float().mean() >= 0.99
    same = np.isclose(pixels, images[:, 0].numpy() / 255).all((1, 2))
    assert same.mean() > 0.85  # MNIST's own centring, found again

    def on_paper(picture: Image.Image) -> Image.Image:
        """Blue ink on a large sheet, unevenly lit."""
        large = picture.resize((280, 280), Image.Resampling.BICUBIC)
        sheet = np.full((420, 380, 3), 235.0) + np.linspace(-8, 8, 380)[None, :, None]
        ink = np.asarray(large, float)[:, :, None] / 255 * np.array([200, 180, 120])
        sheet[90:370, 20:300] -= ink
        noise = np.random.default_rng(0).normal(0, 2, sheet.shape)
        return Image.fromarray(np.clip(sheet + noise, 0, 255).astype(np.uint8))

    some = slice(0, 40)
    inverted, classes, _ = read_pictures(lab, [on_paper(picture) for picture in pictures[some]])
    assert inverted == {True}
    right = int((expected[some] == labels[some]).sum())
    assert int((classes == labels[some]).sum()) >= right - 1


def test_reducing_undoes_enlarging(lab: Page, test_digits: Dataset) -> None:
    digits_as_they_are = [Image.fromarray(image[0].numpy()) for image in test_digits.images[:20]]
    large = [image.resize((252, 252), Image.Resampling.NEAREST) for image in digits_as_they_are]
    _, _, small = read_pictures(lab, digits_as_they_are)
    _, _, reduced = read_pictures(lab, large)
    assert np.abs(small - reduced).max() < 1.01 / 255


def test_pictures_of_all_kinds(lab: Page, test_digits: Dataset) -> None:
    """Transparent, tiny, huge and empty ones."""
    logits = trained("lenet").model()(to_input(test_digits.images[:50]))
    clear = int(logits.softmax(1).amax(1).argmax())  # nobody could mistake this one
    digit, label = (
        Image.fromarray(test_digits.images[clear, 0].numpy()),
        int(test_digits.labels[clear]),
    )
    ink = Image.new("RGBA", digit.size, (0, 0, 0, 0))
    ink.putalpha(digit)
    huge = digit.resize((2000, 2000), Image.Resampling.BICUBIC)
    tall = Image.new("L", (28, 60))
    tall.paste(digit, (0, 30))
    _, classes, _ = read_pictures(lab, [digit, ink, huge, tall])
    assert classes.tolist() == [label] * 4
    empty = lab.evaluate(
        """async (file) => {
          const bytes = Uint8Array.from(atob(file), (c) => c.charCodeAt(0));
          const { grey, width, height } = await cnnvizLab.readPicture(new Blob([bytes]));
          return cnnvizLab.centreImage(grey, width, height);
        }""",
        png(Image.new("L", (30, 30), 128)),
    )
    assert empty is None
    with pytest.raises(Error, match="EncodingError"):
        lab.evaluate("() => cnnvizLab.readPicture(new Blob(['no picture']))")


def test_missing_weights_are_said(lab: Page) -> None:
    with pytest.raises(Error, match='"lenet-7" could not be loaded'):
        lab.evaluate("() => cnnvizLab.load('lenet-7')")
