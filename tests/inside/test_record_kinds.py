"""What other people's networks do: each way to overwrite, to wrap, to take and to return."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.optim.swa_utils import AveragedModel

from cnnviz.errors import CnnvizError
from cnnviz.inside.naming import module_of, output_of
from cnnviz.inside.recording import calls, record
from cnnviz.inside.replacing import replaced
from cnnviz.inside.tracing import trace

X = torch.tensor([[-1.0, 2.0]])


class Applied(nn.Module):
    """A module of the user's that computes `function`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def behind_a_layer(module: nn.Module) -> nn.Module:
    """A layer that answers its input, and a module after it, which overwrites that."""
    model = nn.Sequential(nn.Linear(2, 2, bias=False), module)
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(2))
    return model


def statement(code: str) -> Callable[[Tensor], Tensor]:
    """A function that runs `code` on `y` and returns it."""

    def function(y: Tensor) -> Tensor:
        space = {"y": y, "torch": torch, "F": F, "np": np}
        exec(code, space)
        answer: Any = space["y"]
        return answer

    return function


STATEMENTS = [
    "y += 1", "y -= 1", "y *= 3", "y /= 2", "y //= 2", "y **= 2", "y %= 2",
    "y.add_(1)", "torch.relu_(y)", "torch.relu_(input=y)", "torch.add(y, 1, out=y)",
    "torch.exp(y, out=y)", "y[0] = 5", "y[:, 1] *= 3", "y[y < 0] = 0", "y.view(-1)[0] = 7",
    "y.data = y.data * 10", "y.data.mul_(10)", "y.detach().mul_(10)", "y.copy_(y * 2)",
    "y.fill_(3)", "y.zero_()", "y.masked_fill_(y > 0, 9)", "y.t().mul_(2)", "y.clamp_(0)",
    "torch._foreach_mul_([y], 3)", "torch._foreach_mul_((y, y.clone()), 3)",
    "F.relu(y, inplace=True)", "F.relu(y, True)", "F.leaky_relu(y, 0.1, True)",
    "F.hardtanh(y, 0.0, 1.0, inplace=True)", "F.dropout(y, 0.0, True, True)",
    "torch.ops.aten.relu_.default(y)", "torch.ops.aten.mul_(y, 3)",
    "torch.ops.aten.add.out(y, y, out=y)", "torch.nn.init.constant_(y, 4.0)",
    "with torch.no_grad(): y.mul_(4)", "y.unsqueeze_(0); y.mul_(2); y.squeeze_(0)",
    "y.index_fill_(1, torch.tensor([0]), 3.0)", "y.index_add_(1, torch.arange(2), y.clone())",
    "y.real.mul_(2)", "y.transpose_(0, 1); y.transpose_(0, 1); y.neg_()",
    "y.set_(torch.full((1, 2), 3.0))",
    "y = y.resize_(1, 2).mul_(3)",
    "for part in y.chunk(2, 1): part.mul_(2)", "list(y.unbind(1))[0].add_(4)",
    "y.numpy()[:] = 8", "np.asarray(y)[:] = 8", "torch.from_dlpack(y).mul_(3)",
]  # fmt: skip
ONLY_WITHOUT_GRADIENTS = ("numpy", "asarray", "out",
                          "set_", "resize", "dlpack", "detach", "chunk",
                          "unbind", "transpose", "unsqueeze", "%=", "//=", "_foreach")  # fmt: skip


@pytest.mark.parametrize("inference", [False, True])
@pytest.mark.parametrize("code", STATEMENTS)
def test_a_record_survives_every_statement_in_place(code: str, inference: bool) -> None:
    model = behind_a_layer(Applied(statement(code)))
    with torch.inference_mode(inference), torch.no_grad():
        answer = model(X)
        recorded = record(model, X)
    assert recorded["0"].tolist() == X.tolist()
    assert torch.equal(recorded["1"], answer)


@pytest.mark.parametrize("code", [s for s in STATEMENTS if not any(
    word in s for word in ONLY_WITHOUT_GRADIENTS)])  # fmt: skip
def test_a_record_survives_with_gradients(code: str) -> None:
    model = behind_a_layer(Applied(statement(code)))
    recorded = record(model, X, gradients=True)
    assert recorded["0"].tolist() == X.tolist()
    with torch.no_grad():
        assert torch.equal(recorded["1"], model(X))


@pytest.mark.parametrize("code", ["y &= 6", "y |= 8", "y ^= 1", "y <<= 2", "y >>= 1", "y //= 2"])
def test_a_record_survives_operators_on_integers(code: str) -> None:
    model = nn.Sequential(nn.Identity(), Applied(statement(code)))
    given = torch.tensor([[7, 12]])
    recorded = record(model, given)
    assert recorded["0"].tolist() == given.tolist() == [[7, 12]]
    assert torch.equal(recorded["1"], model(given.clone()))


@pytest.mark.parametrize("code", ["y += 1", "y.zero_()", "y.data = y * 2", "y.numpy()[:] = 8"])
def test_what_is_given_is_not_overwritten(code: str) -> None:
    given = X.clone()
    record(Applied(statement(code)), given)
    trace(Applied(statement(code)), given)
    calls(Applied(statement(code)), given)
    assert given.tolist() == X.tolist()


@torch.library.custom_op("cnnviz_test::negate", mutates_args=("y",))
def negate(y: Tensor) -> None:
    y.neg_()


def test_an_operation_of_the_users_says_what_it_overwrites() -> None:
    model = behind_a_layer(Applied(lambda y: (negate(y), y + 0)[1]))
    with torch.no_grad():
        recorded = record(model, X)
    assert recorded["0"].tolist() == X.tolist()
    assert recorded["1"].tolist() == [[1.0, -2.0]]


def test_hooks_that_overwrite() -> None:
    model = nn.Sequential(*behind_a_layer(nn.ReLU()), nn.Identity())
    model[1].register_forward_pre_hook(lambda module, args: args[0].mul_(10) is None or None)
    model[1].register_forward_hook(lambda module, args, output: output.add_(1) is None or None)
    model[2].register_forward_hook(lambda module, args, output: output * 2)
    model[2].register_forward_hook(lambda module, args, output: output.neg_())
    recorded = record(model, X)
    assert [recorded[name].tolist() for name in recorded] == [
        [[-1.0, 2.0]], [[1.0, 21.0]], [[-2.0, -42.0]],
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_torchscript_inside_a_model() -> None:
    """A function is noticed after the fact, also in inference mode; a module is one layer."""
    act = torch.jit.trace(lambda y: y.relu_(), torch.zeros(1, 2))
    model = behind_a_layer(Applied(lambda y: act(y) + 1))
    for inference in (False, True):
        with torch.inference_mode(inference):
            recorded = record(model, X)
        assert {name: v.tolist() for name, v in recorded.items()} == {
            "0": [[-1.0, 2.0]], "1.add": [[1.0, 3.0]], "1": [[1.0, 3.0]],
        }  # fmt: skip
    scripted = torch.jit.trace(nn.ReLU(inplace=True), torch.zeros(1, 2))
    recorded = record(behind_a_layer(scripted), X)
    assert {name: v.tolist() for name, v in recorded.items()} == {
        "0": [[-1.0, 2.0]], "1": [[0.0, 2.0]],
    }  # fmt: skip
    with pytest.raises(CnnvizError, match="layers of a TorchScript model"):
        record(scripted, X)


def test_what_lives_only_in_a_transform_is_not_recorded() -> None:
    model = behind_a_layer(Applied(lambda y: torch.vmap(lambda row: row.relu() * 2)(y) + 1))
    recorded = record(model, X)
    assert {name: value.tolist() for name, value in recorded.items()} == {
        "0": [[-1.0, 2.0]], "1.add": [[1.0, 5.0]], "1": [[1.0, 5.0]],
    }  # fmt: skip
    jacobian = torch.func.jacrev(lambda x: record(model, x, gradients=True)["1"])(X)
    assert jacobian.flatten().tolist() == [0.0, 0.0, 0.0, 2.0]


def test_the_modes_are_as_before_though_the_model_changes_them() -> None:
    """And what normalisation in training does to its running mean."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm1d(2)

        def forward(self, x: Tensor) -> Any:
            return self.norm.train()(x)

    model = Net().eval()
    record(model, torch.randn(5, 2))
    assert not model.norm.training
    assert model.norm.running_mean.tolist() == [0.0, 0.0]
    assert model.norm.num_batches_tracked == 0


def test_what_is_no_module() -> None:
    with pytest.raises(CnnvizError, match=r"A model is an nn\.Module, not a function"):
        record(lambda x: x, X)  # type: ignore[arg-type]


def test_exported_and_traced_graphs() -> None:
    model = behind_a_layer(nn.ReLU(inplace=True)).eval()
    exported = record(torch.export.export(model, (X,)).module(), X)
    assert [name for name in exported if "guard" not in name] == ["linear", "relu"]
    assert exported["linear"].tolist() == X.tolist()
    graph = record(fx.symbolic_trace(model), X)
    assert list(graph) == ["0", "1"]
    assert graph["0"].tolist() == X.tolist()


def test_wrappers() -> None:
    """Each wrapped model answers as without, under the names of its modules."""
    model = behind_a_layer(nn.ReLU()).eval()
    compiled = torch.compile(model, backend="eager")
    compiled(X)
    inside = nn.Sequential(torch.compile(nn.Linear(2, 2), backend="eager"), nn.ReLU())
    itself = behind_a_layer(nn.ReLU())
    itself.compile(backend="eager")
    itself[1].compile(backend="eager")
    itself(X)
    for wrapped, names in (
        (nn.DataParallel(model), ["module.0", "module.1"]),
        (AveragedModel(model), ["module.0", "module.1"]),
        (compiled, ["_orig_mod.0", "_orig_mod.1"]),
        (inside, ["0._orig_mod", "1"]),
        (itself, ["0", "1"]),
        (copy.deepcopy(model), ["0", "1"]),
    ):
        recorded = record(wrapped, X)
        assert list(recorded) == names == calls(wrapped, X)
        assert torch.equal(recorded[names[-1]], wrapped(X))
        with replaced(wrapped, {names[0]: lambda output: output * 0 + 5}):
            assert wrapped(X).tolist() == [[5.0, 5.0]]


@pytest.mark.parametrize(
    "make", [copy.deepcopy, lambda layer: layer._replicate_for_data_parallel()]
)
def test_copies_and_replicas_of_a_module_run_themselves(
    make: Callable[[nn.Module], nn.Module],
) -> None:
    model = behind_a_layer(nn.Identity())

    def forward(x: Tensor) -> Any:
        other: Any = make(model[0])
        other.__dict__.pop("_parameters")
        other.__dict__["_parameters"] = {"weight": nn.Parameter(5 * torch.eye(2)), "bias": None}
        return other(x)

    model.forward = forward  # type: ignore[method-assign]
    assert record(model, X)["0"].tolist() == [[-5.0, 10.0]]
    assert "forward" not in vars(model[0])


def test_a_call_of_forward_itself() -> None:
    model = behind_a_layer(nn.ReLU())
    model.forward = lambda x: model[1].forward(model[0].forward(x))
    assert list(record(model, X)) == ["0", "1"]


def test_a_module_and_an_operation_of_one_name() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.add, self.mul = nn.Linear(2, 2), nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            return self.add(x + 1)

    assert list(record(Net(), X)) == ["add_1", "add"]
    assert list(record(Net(), X, layers=["add_1"])) == ["add_1"]
    with pytest.raises(CnnvizError, match="'mul' was not recorded: it did not run"):
        record(Net(), X, layers=["mul"])


def test_a_second_name_of_a_module_is_explained() -> None:
    shared = nn.ReLU()
    model = nn.ModuleDict({"act": shared, "again": shared})
    model.forward = lambda x: model["again"](model["act"](x) - 1)  # type: ignore[method-assign]
    assert list(record(model, X)) == ["act", "sub", "act_1"]
    with pytest.raises(CnnvizError, match="'again' is the module 'act' under a second name"):
        record(model, X, layers=["again"])
    assert all(module_of(model, name) is shared for name in ("act", "act_1", "again"))
    assert module_of(model, "sub") is None


def test_parametrised_weights() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.eye(2))

        def forward(self, x: Tensor) -> Tensor:
            return F.linear(F.relu(x, inplace=True), self.weight)

    for parametrise in (nn.utils.parametrizations.weight_norm,
                        nn.utils.parametrizations.spectral_norm):  # fmt: skip
        model = behind_a_layer(parametrise(Block()))
        recorded = record(model, X)
        assert list(recorded) == ["0", "1.relu", "1.linear", "1"]
        assert recorded["0"].tolist() == X.tolist()


@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_quantised_layers_are_layers() -> None:
    if "fbgemm" not in torch.backends.quantized.supported_engines:
        pytest.skip("this processor has no quantised layers")
    from torch.ao.nn.quantized import Linear, Quantize

    model = nn.Sequential(Quantize(0.1, 0, torch.quint8), Linear(2, 3), nn.ReLU())
    assert list(record(model, X.abs())) == ["0", "1", "2"]


def test_buffers_and_parameters_are_as_before() -> None:
    """Also what the model overwrites itself, replaces or normalises in training, or fails."""

    class Counting(nn.Module):
        def __init__(self, fails: bool) -> None:
            super().__init__()
            self.fails = fails
            self.fc = nn.Linear(2, 2)
            self.register_buffer("count", torch.zeros(1))
            self.register_buffer("last", torch.zeros(1))
            self.register_buffer("mean", torch.zeros(2))
            self.register_buffer("var", torch.ones(2))

        def forward(self, x: Tensor) -> Tensor:
            self.count += 1
            self.last = x.mean()
            self.fc.weight.data.clamp_(-0.01, 0.01)
            x = F.batch_norm(self.fc(x), self.mean, self.var, training=True)
            if self.fails:
                raise ZeroDivisionError
            return x

    for fails in (False, True):
        model = Counting(fails).train()
        model.fc.weight.requires_grad_(False)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        buffers = dict(model.named_buffers())
        try:
            record(model, torch.randn(4, 2))
        except ZeroDivisionError:
            assert fails
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        assert all(model.get_buffer(name) is value for name, value in buffers.items())
        assert model.fc.training
        assert [p.requires_grad for p in model.parameters()] == [False, True]
        assert torch.is_grad_enabled()


def test_lazy_layers_are_made_by_the_pass() -> None:
    model = nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d(), nn.LazyLinear(2))
    recorded = record(model, torch.randn(4, 5))
    assert list(recorded) == ["0", "1", "2"]
    assert torch.equal(
        recorded["2"], model.eval()(torch.zeros(0, 5)).new_tensor(recorded["2"].tolist())
    )
    assert model[1].running_var.tolist() == [1.0, 1.0, 1.0]
    assert type(model[0]) is nn.Linear


@dataclass
class Answer:
    logits: Tensor
    size: int


@pytest.mark.parametrize(
    ("function", "given", "names"),
    [
        (lambda x, y: x + y, (X, X), ["add"]),
        (lambda x, y: x + y, [X, X], ["add"]),
        (lambda x, *, y=None: x + y, {"x": X, "y": X}, ["add"]),
        (lambda x, y=None: x * 2, X, ["mul"]),
        (lambda both: both[0] - both[1], [X, X], ["sub"]),
        (lambda both: both["a"] - both["b"], {"a": X, "b": X}, ["sub"]),
        (lambda x, y: torch.cat(tensors=[x, y["z"]]), (X, {"z": X}), ["cat"]),
        (lambda x: torch.flatten(input=x), nn.Parameter(X), ["flatten"]),
        (lambda x: {"a": Answer(x * 1, 3)}, X, ["mul"]),
        (lambda x: x.abs(), X.to(torch.complex64), ["abs"]),
        (lambda x: x + 1, X.to(torch.bfloat16), ["add"]),
        (lambda x: x + 1, X[0], ["add"]),
    ],
)
def test_inputs_of_all_sorts(function: Callable[..., Any], given: Any, names: list[str]) -> None:
    class Net(nn.Module):
        forward = staticmethod(function)

    assert list(record(Net(), given)) == names == list(trace(Net(), given)) == calls(Net(), given)


def test_a_list_of_images_as_detectors_take_it() -> None:
    class Detector(nn.Module):
        def forward(self, images: list[Tensor], targets: Any = None) -> Tensor:
            return torch.stack(images)

    assert record(Detector(), [X, X])["stack"].shape == (2, 1, 2)


def test_gradients_reach_several_inputs() -> None:
    first, second = X.clone().requires_grad_(), nn.Parameter(2 * X)
    model = Applied(lambda x, y: x * y)
    recorded = record(model, first, second, gradients=True)
    recorded["mul"].sum().backward()
    assert first.grad is not None
    assert second.grad is not None
    assert (first.grad.tolist(), second.grad.tolist()) == ((2 * X).tolist(), X.tolist())


def test_outputs_of_all_sorts() -> None:
    inner = Applied(lambda x: (x, Answer(x + 1, 3), {"a": [x]}))
    model = nn.Sequential(inner, Applied(lambda outputs: outputs[1].logits))
    outputs = record(model, X)
    assert list(outputs) == ["0.add", "0[0]", "0[1][logits]", "0[2][a][0]", "1"]
    assert output_of(outputs, "1").tolist() == [[0.0, 3.0]]
    with pytest.raises(CnnvizError, match=r"'0' returns several tensors. Ask for one: '0\[0\]'"):
        output_of(outputs, "0")
    with replaced(model, {"0[1][logits]": lambda y: y * 7}):
        assert model(X).tolist() == [[0.0, 21.0]]


class Marked(Tensor):
    """A subclass of Tensor that goes through a network."""


def test_a_subclass_of_tensor_stays_one() -> None:
    model = behind_a_layer(nn.ReLU(inplace=True))
    with torch.no_grad():
        assert type(model(X.as_subclass(Marked))) is Marked
        recorded = record(model, X.as_subclass(Marked))
    assert [type(value) for value in recorded.values()] == [Marked, Marked]
    assert [value.tolist() for value in recorded.values()] == [[[-1.0, 2.0]], [[0.0, 2.0]]]


def test_one_name_as_text() -> None:
    model = nn.Sequential(*(nn.Identity() for _ in range(13)))
    assert list(record(model, X, layers="12")) == ["12"]
