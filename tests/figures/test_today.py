"""The chapter on networks since ResNet: what it computes, by hand or by another way."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision import models

from cnnviz.inside.costs import layer_costs
from cnnviz.inside.receptive_field import receptive_fields
from gen.figures import published_nets as published
from gen.figures.today import blocks, patches, scaling, speed, today


@pytest.mark.parametrize("key", published.NETS)
def test_our_counts_are_those_that_torchvision_states(key: str) -> None:
    meta = models.get_model_weights(published.NETS[key].entry).IMAGENET1K_V1.meta
    assert published.total(key).parameters == meta["num_params"]
    assert published.total(key).multiplications == pytest.approx(meta["_ops"] * 1e9, abs=5e5)


def test_accuracy_is_what_the_weights_state() -> None:
    assert published.quoted("resnet50") == pytest.approx(0.76130)
    assert published.quoted("resnet50", published.SECOND) == pytest.approx(0.80858)
    stated = models.ConvNeXt_Tiny_Weights.IMAGENET1K_V1.meta["_metrics"]["ImageNet-1K"]["acc@1"]
    assert published.quoted("convnext") == pytest.approx(stated / 100)
    assert not published.has("vgg", published.SECOND)


@pytest.mark.parametrize(
    ("key", "layers"),
    # As their names or their papers have it; a block of a transformer has four layers.
    [("alexnet", 8), ("vgg", 16), ("googlenet", 22), ("resnet18", 18), ("resnet50", 50),
     ("densenet", 121), ("vit", 1 + 12 * 4 + 1)],
)  # fmt: skip
def test_layers_on_the_longest_way(key: str, layers: int) -> None:
    assert published.depth(key) == layers


def test_of_two_ways_the_longer_counts() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.long = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU(), nn.Conv2d(1, 1, 1))
            self.short, self.last = nn.Conv2d(1, 1, 1), nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            mixed = (self.long(x) + self.short(x)).flatten(1)
            return self.last(mixed @ mixed.mT @ mixed)  # products without weights do not count

    assert published._longest(Two()(torch.zeros(1, 1, 2, 2)).grad_fn) == 3


@pytest.mark.parametrize("key", ["googlenet", "resnet18", "mobilenet"])
def test_the_field_does_not_depend_on_the_image(key: str) -> None:
    model = published.on_meta(key)
    *_, last = (name for name, m in model.named_modules() if isinstance(m, nn.Conv2d))
    side = receptive_fields(model, (224, 224), gates=False)[last].size[0]
    assert published.field(key) == side


def test_the_block_of_mobilenet_by_hand() -> None:
    numbers = blocks.numbers(None)["inverted"]  # type: ignore[arg-type]
    mixing, depthwise, ordinary = 2 * 24 * 144, 9 * 144, 9 * 144**2
    assert numbers["layer_saved"] == ordinary / depthwise == 144
    assert numbers["block_saved"] == pytest.approx((mixing + ordinary) / (mixing + depthwise))
    assert numbers["separable_saved"] == pytest.approx(9 * 144**2 / (9 * 144 + 144**2))


def test_blocks_have_the_channels_of_the_papers() -> None:
    chains = blocks.numbers(None)["chains"]  # type: ignore[arg-type]
    assert chains["resnet50"]["widths"] == [256, 64, 64, 256]
    assert chains["mobilenet"]["widths"] == [24, 144, 144, 24]
    assert chains["convnext"]["widths"] == [96, 96, 384, 96]
    assert chains["vit"]["widths"] == [768, 3072, 768]
    for chain in chains.values():
        assert sum(chain["shares"]) == pytest.approx(1)
    assert [step.apart for step in blocks.chain("mobilenet").steps] == [False, True, False]


def test_the_module_of_googlenet_by_hand() -> None:
    numbers = blocks.numbers(None)["inception"]  # type: ignore[arg-type]
    narrow = 256 * 128 + (256 * 128 + 9 * 128 * 192) + (256 * 32 + 9 * 32 * 96) + 256 * 64
    wide = 256 * 128 + 9 * 256 * 192 + 9 * 256 * 96 + 256 * 64
    assert numbers["saved"] == pytest.approx(wide / narrow)
    assert numbers["out"] == 128 + 192 + 96 + 64


def test_b0_scaled_by_one_is_b0() -> None:
    with torch.device("meta"):
        b0 = models.efficientnet_b0().eval()
    costs = layer_costs(b0, (3, 224, 224)).values()
    numbers = scaling.numbers(None)  # type: ignore[arg-type]
    assert numbers["base"]["multiplications"] == sum(cost.multiplications for cost in costs)
    assert {name: of["blocks"] for name, of in numbers.items()} == {
        "base": 16, "depth": 64, "width": 16, "resolution": 16, "all": 26
    }  # fmt: skip
    first = scaling.blocks(scaling.WAYS["base"])
    assert first[0] == (16, 112)
    assert first[-1] == (320, 7)


def test_attention_is_a_mean_and_the_patches_are_the_photograph() -> None:
    pixels = patches._square("china")
    rows = patches.patches(pixels)  # (196, 768)
    assert rows.shape == (196, 768)
    assert rows.mean(1).abs().max() < 1e-9
    weights = patches.attention(rows)
    assert torch.allclose(weights.sum(1), torch.ones(196, dtype=torch.float64))
    # Like finds like: the sky gives the ground next to nothing.
    row, column = patches.ASKING
    asked = weights[row * patches.GRID + column].view(patches.GRID, patches.GRID)
    assert asked[row, column] > 2 / patches.GRID**2
    assert asked[-3:].sum() < 0.01


def test_the_share_of_attention_by_hand() -> None:
    model = patches._bigger(224)
    whole, share = patches._attention_share(model, 224)
    assert whole == published.total("vit").multiplications
    assert share == pytest.approx(12 * 2 * 197**2 * 768 / whole)


def test_times_are_told_of_every_network_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {key: published.NETS[key] for key in ("resnet18", "mobilenet")}
    monkeypatch.setattr(speed, "NETS", kept)
    ratios = speed.ratios()
    assert ratios.keys() == kept.keys()
    assert ratios["resnet18"] == 1
    assert 0.05 < ratios["mobilenet"] < 5


def test_blocks_of_convnext_have_less_between_their_layers() -> None:
    assert today._in_block("resnet50", nn.ReLU) == 3
    assert today._in_block("resnet50", nn.BatchNorm2d) == 3
    assert today._in_block("convnext", nn.GELU) == 1
    assert today._in_block("convnext", nn.LayerNorm) == 1
