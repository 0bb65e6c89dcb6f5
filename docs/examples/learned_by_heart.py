"""Five hundred images learned by heart: all of them right, and far fewer of the others."""

import torch
from torch import nn
from torch.nn import functional as F

import cnnviz
from cnnviz import to_input

digits = cnnviz.load("digits", "train")
images, labels = to_input(digits.images[:4500]).flatten(1), digits.labels[:4500]  # (4500, 784)
seen, unseen = slice(0, 500), slice(2500, 4500)

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0)
for step in range(513):
    if step in (0, 8, 32, 128, 512):
        right = model(images).argmax(1) == labels
        print(
            f"step {step:3}: seen {right[seen].float().mean():5.1%}, "
            f"unseen {right[unseen].float().mean():5.1%} right"
        )
    batch = torch.randint(500, (32,))  # only of the first 500
    loss = F.cross_entropy(model(images[batch]), labels[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
