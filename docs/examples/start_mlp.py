"""An MLP 784-512-512-10 with dropout, on a graphics card if there is one."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(
    nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.2),
    nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.2),
    nn.Linear(512, 10),
)  # fmt: skip
print("parameters", sum(p.numel() for p in model.parameters()))

device = "cuda" if torch.cuda.is_available() else "cpu"
model.to(device)  # a module moves itself …
images = torch.rand(32, 784)
images = images.to(device)  # … of a tensor you get a moved copy
print("logits", tuple(model(images).shape), "on", device)

for training in (True, False):  # with dropout, and without
    model.train(training)  # model.train(False) is model.eval()
    same = torch.equal(model(images), model(images))
    print(f"training mode {training}: twice the same answer {same}")
