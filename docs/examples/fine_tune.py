"""Fine-tuning: first a new output on frozen blocks, then the last of these blocks learn on."""

from copy import deepcopy

import torch
from torch import nn
from torch.nn import functional as F

import cnnviz
from cnnviz import fit_probe, open_model, record

network = open_model("efficientnet-lite0").model  # stays in evaluation mode
digits = cnnviz.load("digits", "test")
images, labels = digits.images[:500] / 255, digits.labels[:500]
images = F.interpolate(images, size=48).expand(-1, 3, -1, -1)  # (500, 3, 48, 48)
known = 200  # the first have labels, the others are the test
maps = record(network, images, layers=["block5"])["block5"]  # computed once


class Upper(nn.Sequential):
    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return super().forward(maps).mean((2, 3))  # (N, 40, 6, 6) → (N, 80)


borrowed = Upper(network.block6, network.block7, network.block8)
probe = fit_probe(borrowed(maps[:known]), labels[:known], classes=10)
output = nn.Linear(80, 10)
output.load_state_dict({"weight": 10 * probe.weight.T, "bias": 10 * probe.bias})

for rate in (0, 1e-4, 3e-3):
    torch.manual_seed(0)
    model = nn.Sequential(deepcopy(borrowed), deepcopy(output))
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0)
    for _ in range(20 if rate else 0):
        batch = torch.randint(known, (16,))
        loss = F.cross_entropy(model(maps[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        right = model(maps[known:]).argmax(1) == labels[known:]
    print(f"learning rate {rate:6}: {right.double().mean():.0%} right")
