"""Twenty equally good networks on few or on many images: the best looks better than it is."""

import torch

torch.manual_seed(0)
for images in (100, 1000, 10_000):
    right = torch.rand(20, images) < 0.8  # each of 20 is right with a chance of 80%
    scores = right.float().mean(1)  # (20,)
    print(f"{images:6} images: mean {scores.mean():.1%}, best of 20 {scores.max():.1%}")
