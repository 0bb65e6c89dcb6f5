"""Replacing what a call puts out: any name that `record` gives, in place or not."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from cnnviz.errors import CnnvizError
from cnnviz.inside.recording import record
from cnnviz.inside.replacing import replaced


class Net(nn.Module):
    """3 · relu(relu(2x) + 2x); in place, it does not look at what its second relu returns."""

    def __init__(self, inplace: bool) -> None:
        super().__init__()
        self.twice = nn.Linear(2, 2, bias=False)
        self.relu = nn.ReLU(inplace=inplace)
        with torch.no_grad():
            self.twice.weight.copy_(2 * torch.eye(2))

    def forward(self, x: Tensor) -> Tensor:
        y = self.twice(x)
        z = self.relu(y.clone())
        z += y
        if self.relu.inplace:
            self.relu(z)
        else:
            z = self.relu(z)
        return z * 3


X = torch.tensor([[-1.0, 2.0]])


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("twice", [0.0, 240.0]),  # (−20, 40) + relu of it = (−20, 80)
        ("clone", [0.0, 132.0]),  # relu(−20, 40) + (−2, 4) = (−2, 44)
        ("relu", [30.0 - 6, 132.0]),  # (10, 40) + (−2, 4)
        ("add", [0.0, 240.0]),  # ten times (−2, 8)
        ("relu_1", [30.0, 240.0]),
        ("mul", [10.0, 240.0]),
    ],
)
def test_layers_and_operations(
    name: str, answer: list[float], gradients: bool, inplace: bool
) -> None:
    """Ten times as much comes out, and 10 in place of 0."""
    model = Net(inplace)
    with torch.set_grad_enabled(gradients):
        plain = model(X)
        assert plain.tolist() == [[0.0, 24.0]]
        with replaced(model, {name: lambda output: output * 10 + 10 * (output == 0)}):
            assert model(X).tolist() == [answer]
            assert model(X).tolist() == [answer]  # names count anew in every pass
        assert torch.equal(model(X), plain)


@pytest.mark.parametrize("gradients", [False, True])
def test_every_name_of_a_residual_net_and_another_batch_size(gradients: bool) -> None:
    """Twice the same batch behind a layer gives twice the same answer."""
    torch.manual_seed(0)
    model, x = torchvision.models.resnet18().eval(), torch.randn(2, 3, 32, 32)
    names = ["maxpool", "layer1", "layer2.0.add", "layer2.0.relu_1", "layer4.1.add", "flatten"]
    with torch.set_grad_enabled(gradients):
        plain = model(x)
        for name in [*names, "fc"]:
            with replaced(model, {name: lambda output: torch.cat([output, output])}):
                twice = model(x)
            torch.testing.assert_close(twice, torch.cat([plain, plain]), msg=name)


def test_same_as_running_the_rest_alone() -> None:
    torch.manual_seed(0)
    model, x = torchvision.models.vgg11().eval(), torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        for number in (0, 1, 2, 9):
            output = model.features[: number + 1](x).mul(0.5)
            expected = model.classifier(
                model.avgpool(model.features[number + 1 :](output)).flatten(1)
            )
            with replaced(model, {f"features.{number}": lambda output: output * 0.5}):
                assert torch.equal(model(x), expected)


def test_record_sees_what_takes_the_place() -> None:
    model = Net(inplace=True)
    with replaced(model, {"add": lambda output: -output}):
        recorded = record(model, X)
    assert {name: value[0].tolist() for name, value in recorded.items()} == {
        "twice": [-2.0, 4.0],
        "clone": [-2.0, 4.0],
        "relu": [0.0, 4.0],
        "add": [2.0, -8.0],
        "relu_1": [2.0, 0.0],
        "mul": [6.0, 0.0],
    }


def test_gradients_pass_through_the_function() -> None:
    """y = 3·relu(2x)·m summed, m = (0, 5): its derivative is 30 for the second x."""
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(inplace=True))
    nn.init.eye_(model[0].weight)
    x = torch.tensor([[-1.0, 2.0]], requires_grad=True)
    with replaced(model, {"1": lambda output: output * torch.tensor([0.0, 5.0])}):
        model(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[0.0, 5.0]]


class Rows(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.fc = nn.LSTM(2, 3, batch_first=True), nn.Linear(3, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        y, (h, _) = self.lstm(x)
        return {"y": self.fc(y), "h": h}


def test_parts_of_what_a_layer_returns() -> None:
    model = Rows()
    with replaced(model, {"lstm[1][0]": lambda h: h * 0, "lstm[0]": lambda y: y * 0}):
        answer = model(torch.ones(2, 4, 2))
    assert answer["h"].abs().sum() == 0
    assert torch.equal(answer["y"], model.fc.bias.expand(2, 4, 1))
    names = r"'lstm\[0\]', 'lstm\[1\]\[0\]', 'lstm\[1\]\[1\]'"
    with (
        pytest.raises(CnnvizError, match=f"'lstm' returns several tensors. Ask for one: {names}"),
        replaced(model, {"lstm": lambda y: y}),
    ):
        model(torch.ones(2, 4, 2))


def test_a_container_in_front_of_a_skip() -> None:
    """What is replaced is not written into the input that the layer hands through."""

    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = nn.Sequential(nn.Dropout(0.5, inplace=True), nn.Identity())

        def forward(self, x: Tensor) -> Tensor:
            return torch.add(self.block(x), x)

    model, x = Skip().eval(), torch.ones(1, 2)
    for name in ("block", "block.0", "block.1"):
        with torch.no_grad(), replaced(model, {name: lambda output: output * 5}):
            assert model(x).tolist() == [[6.0, 6.0]]
    assert x.tolist() == [[1.0, 1.0]]


def test_unknown_names_and_what_does_not_run() -> None:
    model = Net(inplace=False)
    with (
        pytest.raises(CnnvizError, match=r"Unknown layer 'twicee'\. Did you mean 'twice'\?"),
        replaced(model, {"twicee": F.relu}),
    ):
        model(X)
    with (
        pytest.raises(CnnvizError, match=r"'relu_3' was not recorded: it did not run"),
        replaced(model, {"relu_3": F.relu}),
    ):
        model(X)


def test_nothing_is_left_behind_after_an_error() -> None:
    model = Net(inplace=True)
    before = [sorted(vars(module)) for module in model.modules()]

    def fail(output: Tensor) -> Tensor:
        raise ZeroDivisionError("on purpose")

    with pytest.raises(ZeroDivisionError), replaced(model, {"relu": fail}):
        model(X)
    assert [sorted(vars(module)) for module in model.modules()] == before
