"""A network of one's own: written, trained briefly, recorded, drawn."""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

import cnnviz


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, kernel_size=5, padding=2)
        self.head = nn.Linear(8 * 7 * 7, 10)

    def forward(self, x):  # (N, 1, 28, 28)
        x = F.max_pool2d(self.conv(x).relu(), 4)  # (N, 8, 7, 7)
        return self.head(x.flatten(1))


torch.manual_seed(0)
digits = cnnviz.load("digits", "train")
images, labels = cnnviz.to_input(digits.images[:3840]), digits.labels[:3840]
model = Network()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for step in range(60):
    batch = slice(64 * step, 64 * (step + 1))
    loss = F.cross_entropy(model(images[batch]), labels[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss of the last batch {loss:.2f}")

outputs = cnnviz.record(model, images[:1])
for name, output in outputs.items():
    print(f"{name:11} {tuple(output.shape)}")
picture = cnnviz.mosaic(outputs["conv"][0], scale="layer")  # 8 tiles
Path("conv.png").write_bytes(picture.png())
