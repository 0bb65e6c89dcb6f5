"""Ten labelled crops of each photograph, a network that learned other things, a linear layer."""

import torch

from cnnviz import fit_probe, open_model, photos, record

network = open_model("efficientnet-lite0").model
names = ["chelsea", "china", "coffee", "flower"]


def crops(right: bool) -> torch.Tensor:
    """Ten squares of 64×64 from one half of each photograph, (40, 3, 64, 64)."""
    cut = []
    for name in names:
        pixels = torch.from_numpy(photos.load(name)) / 255  # (H, W, 3)
        half = pixels.permute(2, 0, 1).chunk(2, dim=2)[int(right)]
        for _ in range(10):
            top = torch.randint(half.shape[1] - 63, ())
            left = torch.randint(half.shape[2] - 63, ())
            cut.append(half[:, top : top + 64, left : left + 64])
    return torch.stack(cut)


torch.manual_seed(0)
labelled, test = crops(right=False), crops(right=True)
labels = torch.arange(len(names)).repeat_interleave(10)


def borrow(x: torch.Tensor) -> torch.Tensor:
    """The mean of each map of block 8, (N, 80)."""
    return record(network, x, layers=["block8"])["block8"].mean((2, 3))


borrowed = borrow(labelled), borrow(test)
for what, known, new in ("pixels", labelled, test), ("block 8", *borrowed):
    output = fit_probe(known, labels, classes=len(names))
    right = (output.scores(new).argmax(1) == labels).double().mean()
    print(f"{what:8} {known[0].numel():6} numbers, {right:.0%} right")
