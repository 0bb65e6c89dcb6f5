"""Recording: every layer, the right values, and nothing left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn
from torchvision.models import feature_extraction
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

from cnnviz.errors import CnnvizError
from cnnviz.inside.recording import record
from cnnviz.nets.models import MLP, LeNet


class Doubler(nn.Module):
    """y = relu(2x − 1) by one ReLU used twice: relu(x), then relu(2·relu(x) − 1)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.scale = nn.Identity()
        self.relu = nn.ReLU(inplace=inplace)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.scale(x))
        return self.relu(2 * x - 1)


class Functional(nn.Module):
    """conv(x) = 2x (1×1), then F.relu, F.max_pool2d, += 1, flatten, 1 − …"""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1, bias=False)
        nn.init.constant_(self.conv.weight, 2.0)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv(x), inplace=True), 2)
        x += 1
        return 1 - torch.flatten(x, 1)


class Wrapped(nn.Module):
    """One module under the name `inner`, whose output can be anything."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> object:
        return self.inner(x)


class Applied(nn.Module):
    """A module of the user's that computes `function`."""

    def __init__(self, function: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> object:
        return self.function(x)


NETWORKS = {
    "lenet": (LeNet, (2, 1, 28, 28)),
    "mlp": (MLP, (2, 1, 28, 28)),
    "resnet18": (torchvision.models.resnet18, (2, 3, 64, 64)),
    "vgg16": (torchvision.models.vgg16, (1, 3, 32, 32)),
    "googlenet": (
        lambda: torchvision.models.googlenet(weights=None, init_weights=False),
        (2, 3, 64, 64),
    ),
    "mobilenet_v3_small": (torchvision.models.mobilenet_v3_small, (2, 3, 64, 64)),
}


def state(model: nn.Module) -> list[object]:
    """All that a recording must leave as it was."""
    return [
        [(sorted(vars(m)), m.training, len(m._forward_hooks), len(m._forward_pre_hooks))
         for m in model.modules()],
        [(p.requires_grad, p.grad, p._version) for p in model.parameters()],
        [(b._version, b.sum().item()) for b in model.buffers()],
        torch.is_grad_enabled(),
    ]  # fmt: skip


@cache
def network(name: str) -> tuple[nn.Module, Tensor]:
    """A network with random weights, and an input for it (made once: VGG-16 takes seconds)."""
    torch.manual_seed(0)
    build, shape = NETWORKS[name]
    return build(), torch.randn(shape)


@contextmanager
def nothing_in_place(model: nn.Module) -> Iterator[None]:
    modules = [module for module in model.modules() if getattr(module, "inplace", False)]
    for module in modules:
        module.inplace = False
    yield
    for module in modules:
        module.inplace = True


@pytest.mark.parametrize("name", NETWORKS)
def test_same_layers_and_values_as_torchvision_extracts(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against create_feature_extractor, an independent way (tracing) to the same tensors.

    It does not save what is overwritten in place, so for it everything is made out of place;
    and it would take torchvision's own blocks for single layers.
    """
    monkeypatch.setattr(feature_extraction, "_get_leaf_modules_for_ops", list)
    model, x = network(name)
    model.eval()
    recorded = record(model, x)

    with nothing_in_place(model), torch.no_grad():
        nodes = get_graph_node_names(model, suppress_diff_warning=True)[1]
        extractor = create_feature_extractor(
            model, [node for node in nodes if node != "x"], suppress_diff_warning=True
        )
        for node in extractor.graph.nodes:
            if node.kwargs.get("inplace"):
                node.update_kwarg("inplace", False)
        extractor.recompile()
        expected = extractor(x)
    expected = {layer: value for layer, value in expected.items() if isinstance(value, Tensor)}

    assert list(recorded) == list(expected)
    for layer, value in expected.items():
        assert torch.equal(recorded[layer], value), layer
    assert torch.equal(list(recorded.values())[-1], model(x))


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_changes_in_the_model(name: str) -> None:
    model, x = network(name)
    model.train()
    next(iter(model.children())).eval()  # a mixture of modes must come back as a mixture
    next(model.parameters()).requires_grad_(False)
    before = state(model)
    record(model, x)
    assert state(model) == before


def test_runs_in_eval_mode_without_gradients() -> None:
    """Dropout in eval mode passes its input on; in training mode it would zero a fifth."""
    recorded = record(MLP().train(), torch.rand(4, 1, 28, 28))
    assert torch.equal(recorded["dropout1"], recorded["relu1"])
    assert not any(value.requires_grad for value in recorded.values())


@pytest.mark.parametrize("inplace", [False, True])
def test_module_used_twice_and_in_place(inplace: bool) -> None:
    """x = (−3, 0.25, 2): relu gives (0, 0.25, 2), 2x − 1 = (−1, −0.5, 3), relu (0, 0, 3)."""
    model = nn.Sequential(Doubler(inplace))
    recorded = record(model, torch.tensor([-3.0, 0.25, 2.0]))
    assert {name: value.tolist() for name, value in recorded.items()} == {
        "0.scale": [-3.0, 0.25, 2.0],
        "0.relu": [0.0, 0.25, 2.0],
        "0.mul": [0.0, 0.5, 4.0],
        "0.sub": [-1.0, -0.5, 3.0],
        "0.relu_1": [0.0, 0.0, 3.0],
    }


def test_functional_operations() -> None:
    """[[−1, 1], [2, 0]] → conv ×2 → relu → max 4 → += 1 → 5 → flatten → 1 − 5 = −4."""
    recorded = record(Functional(), torch.tensor([[[[-1.0, 1.0], [2.0, 0.0]]]]))
    assert {name: value.flatten().tolist() for name, value in recorded.items()} == {
        "conv": [-2.0, 2.0, 4.0, 0.0],
        "relu": [0.0, 2.0, 4.0, 0.0],
        "max_pool2d": [4.0],
        "add": [5.0],
        "flatten": [5.0],
        "sub": [-4.0],
    }
    assert recorded["flatten"].shape == (1, 1)


def test_without_functional_operations_values_are_still_those_before_overwriting() -> None:
    x = torch.tensor([[[[-1.0, 1.0], [2.0, 0.0]]]])
    recorded = record(Functional(), x, functional=False)
    assert list(recorded) == ["conv"]
    assert recorded["conv"].flatten().tolist() == [-2.0, 2.0, 4.0, 0.0]


def overwrite_slice(x: Tensor) -> Tensor:
    x[0] = 9.0
    return x


def overwrite_through_view(x: Tensor) -> Tensor:
    x.view(-1).mul_(2)
    return x


def overwrite_and_reuse(x: Tensor) -> Tensor:
    F.relu_(x)
    return x + x  # must see the overwritten values


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize(
    ("overwrite", "result"),
    [
        (overwrite_slice, [9.0, 2.0]),
        (overwrite_through_view, [-2.0, 4.0]),
        (overwrite_and_reuse, [0.0, 4.0]),
        (lambda x: F.hardswish(x, inplace=True), [-1 / 3, 5 / 3]),
    ],
)
def test_recorded_values_survive_every_way_of_overwriting(
    overwrite: Callable[[Tensor], Tensor], result: list[float], gradients: bool
) -> None:
    """x = (−1, 2) passes an identity, whose record is overwritten by what follows."""
    model = nn.Sequential(nn.Linear(2, 2, bias=False), Applied(overwrite))
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(2))
    recorded = record(model, torch.tensor([-1.0, 2.0]), gradients=gradients)
    assert recorded["0"].tolist() == [-1.0, 2.0]
    assert recorded["1"].tolist() == pytest.approx(result)
    assert recorded["1"].requires_grad == gradients
    with torch.no_grad():
        assert torch.equal(recorded["1"], model(torch.tensor([-1.0, 2.0])))


def test_recorded_values_survive_overwriting_by_out() -> None:
    """x = (−1, 2) is overwritten with x + x."""
    model = Wrapped(nn.Sequential(nn.Identity(), Applied(lambda x: torch.add(x, x, out=x))))
    recorded = record(model, torch.tensor([-1.0, 2.0]))
    assert recorded["inner.0"].tolist() == [-1.0, 2.0]
    assert recorded["inner.1"].tolist() == [-2.0, 4.0]


@pytest.mark.parametrize("gradients", [False, True])
def test_recorded_aliases_survive(gradients: bool) -> None:
    """One tensor under three names, and a view of it; then all its memory is overwritten."""
    model = nn.Sequential(
        nn.Linear(2, 2, bias=False),
        nn.Dropout(0.5, inplace=True),  # in eval mode it returns its input, unchanged
        nn.Identity(),
        nn.Unflatten(-1, (1, 2)),
        nn.ReLU(inplace=True),
        nn.Linear(2, 1),
    )
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(2))
    recorded = record(model, torch.tensor([-1.0, 2.0]), gradients=gradients)
    for name in "0123":
        assert recorded[name].flatten().tolist() == [-1.0, 2.0]
    assert recorded["4"].flatten().tolist() == [0.0, 2.0]


def test_in_place_operation_that_only_works_in_place() -> None:
    """x.div_(2) of integers is refused; out of place it would give another type."""
    model = nn.Sequential(nn.Identity(), Applied(lambda x: x.div_(2)))
    with pytest.raises(RuntimeError, match="can't be cast"):
        record(model, torch.tensor([3]))


def test_gradients_reach_what_is_overwritten_in_place() -> None:
    """loss = Σ relu(wx) with wx = (−1, 2): its gradient with respect to wx is (0, 1)."""
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(inplace=True))
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(2))
    recorded = record(model, torch.tensor([-1.0, 2.0]), gradients=True)
    (gradient,) = torch.autograd.grad(recorded["1"].sum(), recorded["0"])
    assert recorded["0"].tolist() == [-1.0, 2.0]
    assert gradient.tolist() == [0.0, 1.0]


def test_gradients_in_resnet_equal_those_of_its_out_of_place_twin() -> None:
    torch.manual_seed(0)
    model, x = torchvision.models.resnet18().double().eval(), torch.randn(1, 3, 64, 64).double()
    layers = ["bn1", "layer1.0.bn2", "layer2.1.relu", "layer4.1.bn2", "layer4.1.add"]

    def gradients() -> tuple[Tensor, ...]:
        recorded = record(model, x, gradients=True)
        return torch.autograd.grad(recorded["fc"][0, 7], [recorded[name] for name in layers])

    in_place = gradients()
    with nothing_in_place(model):
        twin = gradients()
    for name, ours, theirs in zip(layers, in_place, twin, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12, msg=name)
        assert ours.abs().sum() > 0


def test_tuples_and_dicts() -> None:
    """An LSTM returns (output, (h, c)); a head returns a dict."""
    lstm = nn.LSTM(input_size=2, hidden_size=3, batch_first=True)
    recorded = record(Wrapped(lstm), torch.zeros(4, 5, 2))
    assert {name: tuple(value.shape) for name, value in recorded.items()} == {
        "inner[0]": (4, 5, 3),
        "inner[1][0]": (1, 4, 3),
        "inner[1][1]": (1, 4, 3),
    }
    head = Applied(lambda x: {"logits": x + 1, "size": 3, "more": [x]})
    recorded = record(Wrapped(head), torch.zeros(2))
    assert list(recorded) == ["inner.add", "inner[logits]", "inner[more][0]"]


def test_chosen_layers_containers_and_parts() -> None:
    model, x = network("resnet18")
    recorded = record(model, x, layers=["layer1", "layer1.0.add", "fc"])
    assert {name: tuple(value.shape) for name, value in recorded.items()} == {
        "layer1.0.add": (2, 64, 16, 16),
        "layer1": (2, 64, 16, 16),
        "fc": (2, 1000),
    }
    lstm = Wrapped(nn.LSTM(2, 3))
    assert list(record(lstm, torch.zeros(5, 2), layers=["inner[1][0]"])) == ["inner[1][0]"]
    assert len(record(lstm, torch.zeros(5, 2), layers=["inner"])) == 3


def test_unknown_layer_suggests_the_nearest() -> None:
    with pytest.raises(CnnvizError, match=r"Unknown layer 'conv3'\. Did you mean 'conv\d'\?"):
        record(LeNet(), torch.zeros(1, 1, 28, 28), layers=["conv1", "conv3"])


def test_layer_that_does_not_run_in_eval_mode() -> None:
    model, x = network("googlenet")
    with pytest.raises(CnnvizError, match=r"'aux1' was not recorded: it did not run"):
        record(model, x, layers=["aux1"])


def test_everything_is_restored_after_an_error_in_forward() -> None:
    def fail(x: Tensor) -> Tensor:
        raise ZeroDivisionError("on purpose")

    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), Applied(fail)).train()
    before = state(model)
    with pytest.raises(ZeroDivisionError, match="on purpose"):
        record(model, torch.zeros(1, 1, 4, 4))
    assert state(model) == before
    assert model[0](torch.zeros(1, 1, 3, 3)).requires_grad


def test_control_flow_that_depends_on_the_data() -> None:
    """No tracer can follow this; the larger the sum, the more layers run."""
    model = Applied(lambda x: x + 1 if x.sum() > 0 else x * 2)
    assert "add" in record(model, torch.ones(1))
    assert "mul" in record(model, -torch.ones(1))


def test_module_replaced_or_hooked_between_recordings() -> None:
    """A hook of the user's is part of the model: here it switches a layer off."""
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    model[1] = nn.Sigmoid()
    model[0].register_forward_hook(lambda module, args, output: output * 0)
    recorded = record(model, torch.ones(1))
    assert recorded["0"].item() == 0.0
    assert recorded["1"].item() == 0.5


def test_one_module_under_two_names_and_names_that_look_like_numbers() -> None:
    shared = nn.ReLU()
    model = nn.Sequential()
    for name, module in {"relu": shared, "again": shared, "relu_1": nn.Identity()}.items():
        model.add_module(name, module)
    assert list(record(model, torch.ones(1))) == ["relu", "relu_2", "relu_1"]


def test_attention_and_parametrised_weights_are_single_layers() -> None:
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 4)))
    assert list(record(model, torch.ones(1, 4))) == ["0"]
    model = Wrapped(nn.MultiheadAttention(4, 2, batch_first=True))
    model.forward = lambda x: model.inner(x, x, x)
    assert list(record(model, torch.ones(1, 3, 4))) == ["inner[0]", "inner[1]"]
