"""Recording against forward hooks: every family of torchvision's classifiers, and the zoo."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn

from cnnviz.inside.naming import is_torch_layer, tensors_in
from cnnviz.inside.recording import record
from tests.nets import zoo

SMALL = {
    "alexnet": 64, "convnext_tiny": 32, "densenet121": 32, "efficientnet_b0": 32,
    "efficientnet_v2_s": 32, "googlenet": 64, "inception_v3": 96,
    "mnasnet0_5": 32, "mobilenet_v2": 32, "mobilenet_v3_small": 32, "regnet_x_400mf": 32,
    "regnet_y_400mf": 32, "resnet18": 32, "resnext50_32x4d": 32, "shufflenet_v2_x0_5": 32,
    "squeezenet1_1": 64, "swin_t": 64, "swin_v2_t": 64, "vit_b_16": 32,
}  # fmt: skip
"""Side of an image on which a network runs, in pixels. (VGG: test_recording.py.)"""


def build(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[nn.Module, Tensor]:
    """With random weights; torchvision's own start takes seconds."""
    for function in dir(nn.init):
        if function.endswith("_") and not function.startswith("_"):
            monkeypatch.setattr(nn.init, function, lambda tensor, *_, **__: tensor)
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    options |= {"image_size": 32} if name == "vit_b_16" else {}
    model = torchvision.models.get_model(name, weights=None, **options).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            scale = weight[0].numel() ** -0.5 if weight.dim() > 1 else 1.0
            weight.uniform_(-scale, scale, generator=generator)
    return model, torch.randn(2, 3, SMALL[name], SMALL[name], generator=generator)


def hooked(model: nn.Module, x: Tensor) -> tuple[list[tuple[str, Tensor]], Tensor]:
    """Name and a copy of the output of each layer, in order, and the answer."""
    seen: list[tuple[str, Tensor]] = []
    uses: dict[str, int] = {}
    handles = []
    names = {module: name for name, module in model.named_modules()}
    inside = {inner for m in names if is_torch_layer(m) for inner in list(m.modules())[1:]}

    def note(module: nn.Module, inputs: object, output: object) -> None:
        name = names[module]
        number = uses[name] = uses.get(name, -1) + 1
        key = f"{name}_{number}" if number else name
        seen.extend((key + index, part.clone()) for index, part in tensors_in(output))

    for module in names:
        leaf = not list(module.children()) or is_torch_layer(module)
        if leaf and module not in inside and module is not model:
            handles.append(module.register_forward_hook(note))
    with torch.no_grad():
        answer = model(x)
    for handle in handles:
        handle.remove()
    return seen, answer


def check(model: nn.Module, x: Tensor) -> None:
    given, state = x.clone(), [value.clone() for value in model.state_dict().values()]
    attributes = [sorted(vars(module)) for module in model.modules()]
    expected, answer = hooked(model, x)
    recorded = record(model, x, functional=False)
    assert list(recorded) == [name for name, _ in expected]
    for name, value in expected:
        assert torch.equal(recorded[name], value), name
    whole = record(model, x)
    assert [name for name in whole if name in recorded] == list(recorded)
    assert any(torch.equal(value, answer) for value in list(whole.values())[-1:])
    assert torch.equal(x, given)
    for before, now in zip(state, model.state_dict().values(), strict=True):
        assert torch.equal(before, now)
    assert [sorted(vars(module)) for module in model.modules()] == attributes


@pytest.mark.parametrize("name", SMALL)
def test_families_of_torchvision(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(*build(name, monkeypatch))


def test_a_small_maxvit() -> None:
    torch.manual_seed(0)
    model = torchvision.models.MaxVit((64, 64), 8, 2, [8, 16], [1, 1], 4, 0.1).eval()
    check(model, torch.randn(2, 3, 64, 64))


@pytest.mark.parametrize("name", zoo.ZOO)
def test_the_zoo(name: str) -> None:
    check(*zoo.make(name))
