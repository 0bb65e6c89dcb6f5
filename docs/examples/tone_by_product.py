"""A kernel that is a piece of a tone finds that tone."""

import torch
from torch.nn import functional as F

# 8,000 numbers a second: half a second of 440 Hz, then of 660 Hz
turns = 2 * torch.pi * torch.arange(4000) / 8000
low, high = torch.sin(440 * turns), torch.sin(660 * turns)
sound = torch.cat([low, high])  # (8000,)
kernels = torch.stack([low[:400], high[:400]])  # (2, 400)

answers = F.conv1d(sound[None, None], kernels[:, None] / 200)[0]
print(answers.shape)  # one row for each kernel, one number a place
for name, row in ("440 Hz", answers[0]), ("660 Hz", answers[1]):
    first, second = row[:3600].max(), row[4000:].max()
    print(f"{name}: {first:.2f} in the first half, {second:.2f} later")
