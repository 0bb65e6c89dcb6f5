"""The whole training loop: draw a batch, compute the gradient, take a step."""

import torch
from torch.nn import functional as F

from cnnviz import LeNet, load, to_input

torch.manual_seed(0)
model, train = LeNet(), load("digits", "train")
optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

for step in range(1, 101):
    batch = torch.randint(len(train), (64,))
    logits = model(to_input(train.images[batch]))
    loss = F.cross_entropy(logits, train.labels[batch])
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    if step in (1, 25, 50, 100):
        right = (logits.argmax(1) == train.labels[batch]).float().mean()
        print(f"step {step:3}: loss {loss:.2f}, {right:.0%} of the batch right")
