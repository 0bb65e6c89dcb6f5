"""How much of a first kernel asks for brightness, and how much compares colours."""

import torch

from cnnviz import open_model

network = open_model("efficientnet-lite0")
trained = network.model.stem.weight.detach()  # (32, 3, 3, 3)
torch.manual_seed(0)
random = torch.randn_like(trained)

for name, kernels in {"trained": trained, "random": random}.items():
    alive = kernels[kernels.flatten(1).norm(dim=1) > 1e-5]
    mean = alive.mean(1, keepdim=True).expand_as(alive)  # (N, 3, 3, 3)
    shares = mean.square().sum((1, 2, 3)) / alive.square().sum((1, 2, 3))
    few = int((shares < 0.1).sum())
    print(f"{name}: {len(alive)} kernels, brightness {shares.mean():.0%},")
    print(f"    and in {few} of them less than 10%")
