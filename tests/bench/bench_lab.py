"""The lab's engine beside onnxruntime-web and TensorFlow.js: `python -m tests.bench.bench_lab`.

Three pages do the same: load a runtime and LeNet's weights, compute every layer of one digit, have
all values in typed arrays. Each is opened in a fresh browser profile, in turn, from a server on
this machine that compresses what it sends: as fast as it goes, and over a line of 10 Mbit/s with
40 ms to the other end. Time per pass is the least of many batches, the three in turn. Needs npm.
"""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

import torch
from playwright.sync_api import Browser, Page, sync_playwright
from torch import Tensor

from cnnviz.data import datasets
from cnnviz.data.inputs import to_input
from cnnviz.nets.models import PIXEL_MEAN, PIXEL_STD
from cnnviz.training import checkpoints
from cnnviz.training.fit import Weights
from cnnviz.training.runs import named
from gen.lab import files as lab_files
from gen.settings import Settings, from_environment
from tests.browser.serving import launch

PAGES = {
    "lab": "ours.html",
    "onnxruntime-web": "onnx.html",
    "tfjs-wasm": "tfjs.html",
}
HERE = Path(__file__).parent / "lab"
OPENINGS, ROUNDS, PASSES = 5, 60, 30
LINE = {"latency": 40, "downloadThroughput": 10e6 / 8, "uploadThroughput": 10e6 / 8}

# --- An ONNX file, written by hand: protobuf's wire format is all that it takes -------------------


def _field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _node(kind: str, inputs: list[str], output: str, **attributes: int | list[int]) -> bytes:
    node = b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(4, kind)
    for name, value in attributes.items():
        if isinstance(value, int):
            attribute = _field(1, name) + _field(3, value) + _field(20, 2)
        else:
            attribute = _field(1, name) + b"".join(_field(8, v) for v in value) + _field(20, 7)
        node += _field(5, attribute)
    return node


def _value(name: str, shape: list[int]) -> bytes:
    sides = b"".join(_field(1, _field(1, side)) for side in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, sides)))


def onnx_lenet(weights: Weights) -> bytes:
    """LeNet with every layer as an output."""
    tensors = {**weights, "mean": torch.tensor(PIXEL_MEAN), "std": torch.tensor(PIXEL_STD)}
    initial = [
        b"".join(_field(1, side) for side in tensor.shape)
        + _field(2, 1)
        + _field(8, name)
        + _field(9, tensor.numpy().astype("<f4").tobytes())
        for name, tensor in tensors.items()
    ]
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}

    def layer(kind: str, x: str, name: str, **attributes: int | list[int]) -> bytes:
        return _node(kind, [x, f"{name}.weight", f"{name}.bias"], name, **attributes)

    chain = [
        (_node("Sub", ["pixels", "mean"], "shifted"), None),
        (_node("Div", ["shifted", "std"], "centred"), [1, 1, 28, 28]),
        (layer("Conv", "centred", "conv1", pads=[2, 2, 2, 2]), [1, 6, 28, 28]),
        (_node("Relu", ["conv1"], "relu1"), [1, 6, 28, 28]),
        (_node("MaxPool", ["relu1"], "pool1", **pool), [1, 6, 14, 14]),
        (layer("Conv", "pool1", "conv2"), [1, 16, 10, 10]),
        (_node("Relu", ["conv2"], "relu2"), [1, 16, 10, 10]),
        (_node("MaxPool", ["relu2"], "pool2", **pool), [1, 16, 5, 5]),
        (_node("Flatten", ["pool2"], "flatten", axis=1), None),
        (layer("Gemm", "flatten", "fc1", transB=1), [1, 120]),
        (_node("Relu", ["fc1"], "relu3"), [1, 120]),
        (layer("Gemm", "relu3", "fc2", transB=1), [1, 84]),
        (_node("Relu", ["fc2"], "relu4"), [1, 84]),
        (layer("Gemm", "relu4", "output", transB=1), [1, 10]),
        (_node("Softmax", ["output"], "probabilities", axis=1), [1, 10]),
    ]
    names = ["shifted", "centred", "conv1", "relu1", "pool1", "conv2", "relu2", "pool2"]
    names += ["flatten", "fc1", "relu3", "fc2", "relu4", "output", "probabilities"]
    graph = b"".join(_field(1, node) for node, _ in chain) + _field(2, "lenet")
    graph += b"".join(_field(5, tensor) for tensor in initial)
    graph += _field(11, _value("pixels", [1, 1, 28, 28]))
    graph += b"".join(
        _field(12, _value(name, shape))
        for name, (_, shape) in zip(names, chain, strict=True)
        if shape
    )
    return _field(1, 8) + _field(7, graph) + _field(8, _field(2, 17))


def tfjs_lenet(weights: Weights) -> bytes:
    """The weights in the order that TensorFlow.js wants: channels last."""
    parts: list[Tensor] = []
    for name, tensor in weights.items():
        if name == "fc1.weight":  # its inputs come as rows × columns × channels
            parts.append(tensor.view(120, 16, 5, 5).permute(2, 3, 1, 0))
        else:
            parts.append(tensor.permute(2, 3, 1, 0) if tensor.dim() == 4 else tensor.t())
    return b"".join(part.contiguous().numpy().astype("<f4").tobytes() for part in parts)


# --- Server ---------------------------------------------------------------------------------------


@cache
def _sent(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), 9, mtime=0)


_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",  # else it is not compiled while it comes in
}


class _Host(SimpleHTTPRequestHandler):
    """Files of two folders, compressed; counts what it sends."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments: Any, folders: list[Path], sent: list[int], **more: Any) -> None:
        self.folders, self.sent = folders, sent
        super().__init__(*arguments, **more)

    def do_GET(self) -> None:
        name = self.path.lstrip("/").split("?")[0]
        found = [folder / name for folder in self.folders if (folder / name).is_file()]
        body = _sent(found[0]) if found else b""
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", _TYPES.get(Path(name).suffix, "application/octet-stream"))
        self.send_header("Content-Encoding", "gzip") if found else None
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.sent.append(len(body))

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


@contextmanager
def _served(folders: list[Path], sent: list[int]) -> Iterator[str]:
    host = partial(_Host, folders=folders, sent=sent)
    with ThreadingHTTPServer(("127.0.0.1", 0), host) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


# --- Measuring ------------------------------------------------------------------------------------

_BATCH = """
async (passes) => {
  const start = performance.now();
  for (let i = 0; i < passes; i++) await run();
  return (performance.now() - start) / passes;
}
"""


@contextmanager
def _opened(browser: Browser, address: str, slow: bool = False) -> Iterator[Page]:
    """A page in a profile of its own, after its first answer."""
    context = browser.new_context()
    page = context.new_page()
    if slow:
        session = context.new_cdp_session(page)
        session.send("Network.emulateNetworkConditions", {"offline": False, **LINE})
    page.goto(address)
    page.wait_for_function("() => window.answered", timeout=60_000)
    yield page
    context.close()


def _prepare(folder: Path, settings: Settings) -> Tensor:
    """Write what the pages load; the logits that they should give."""
    trained = checkpoints.trained(named("lenet"), build_dir=settings.build_dir)
    lab_files.make_files(settings)
    image = to_input(datasets.load("digits", "test", build_dir=settings.build_dir).images[:1])
    shutil.copy(lab_files.folder(settings) / "lenet.js", folder)
    (folder / "engine.js").write_text(lab_files.script(settings, entry="engine"))
    (folder / "digit.js").write_text(
        f"globalThis.digit = new Float32Array({json.dumps(image.flatten().tolist())});"
    )
    (folder / "lenet.onnx").write_bytes(onnx_lenet(trained.weights))
    (folder / "lenet.bin").write_bytes(tfjs_lenet(trained.weights))
    return trained.model()(image)[0].detach()


def main() -> None:
    if not shutil.which("npm"):
        print("lab: not measured, npm is missing (Debian, Ubuntu: apt install nodejs npm)")
        return
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=HERE, check=True)
    sent: list[int] = []
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        expected = _prepare(folder, from_environment())
        browser = launch(playwright)
        print(f"LeNet with every layer's values, Chromium {browser.version}, one thread")
        with _served([folder, HERE, HERE / "node_modules"], sent) as root:
            size: dict[str, int] = {}
            first: dict[tuple[str, bool], list[float]] = {}
            for number in range(OPENINGS + 1):
                for name, file in PAGES.items():
                    for slow in (False, True):
                        sent.clear()
                        with _opened(browser, root + file, slow) as page:
                            size[name] = sum(sent)
                            if number:  # the very first time fills the server's memory
                                answered = page.evaluate("() => window.answered")
                                first.setdefault((name, slow), []).append(answered)
            each = _seconds_each(browser, root, expected)
        browser.close()
    print(f"{'':18} {'kB sent':>8} {'first answer ms':>16} {'at 10 Mbit/s':>13} {'ms a pass':>10}")
    for name in PAGES:
        here, far = median(first[name, False]), median(first[name, True])
        print(f"{name:18} {size[name] / 1000:8.0f} {here:16.0f} {far:13.0f} {each[name]:10.3f}")


def _seconds_each(browser: Browser, root: str, expected: Tensor) -> dict[str, float]:
    """Milliseconds of one pass, after checking that the page gives PyTorch's logits."""
    with (
        _opened(browser, root + PAGES["lab"]) as lab,
        _opened(browser, root + PAGES["onnxruntime-web"]) as onnx,
        _opened(browser, root + PAGES["tfjs-wasm"]) as tfjs,
    ):
        pages = dict(zip(PAGES, (lab, onnx, tfjs), strict=True))
        for name, page in pages.items():
            logits = torch.tensor(page.evaluate("() => window.logits"))
            assert torch.allclose(logits, expected, atol=5e-3), (name, logits, expected)
        times: dict[str, list[float]] = {name: [] for name in PAGES}
        for _ in range(ROUNDS):
            for name, page in pages.items():
                page.bring_to_front()
                times[name].append(page.evaluate(_BATCH, PASSES))
    return {name: min(of_page) for name, of_page in times.items()}


if __name__ == "__main__":
    main()
