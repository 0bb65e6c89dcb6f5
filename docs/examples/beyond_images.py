"""Convolution over sound and over text, with kernels written by hand."""

import torch
from torch.nn import functional as F

# Sound: 8,000 numbers a second. First half a second of 440 Hz, then of 660 Hz.
time = torch.arange(4000) / 8000
sound = torch.cat([torch.sin(2 * torch.pi * pitch * time) for pitch in (440, 660)])  # (8000,)
kernels = torch.stack([torch.sin(2 * torch.pi * pitch * time[:400]) for pitch in (440, 660)])
answers = F.conv1d(sound[None, None], kernels[:, None] / 200)[0]  # (2, 7601)
for number, name in enumerate(("440 Hz", "660 Hz")):
    first, last = answers[number, :3600].max(), answers[number, 4000:].max()
    print(f"kernel of {name}: at most {first:.2f} in the first half, {last:.2f} in the second")

# Text: a channel for each letter; the kernel has a 1 for "c", then for "a", then for "t".
text, letters = "the cat sat on the mat with the catalogue", "abcdefghijklmnopqrstuvwxyz "
rows = F.one_hot(torch.tensor([letters.index(c) for c in text]), 27).T.float()  # (27, 41)
word = F.one_hot(torch.tensor([letters.index(c) for c in "cat"]), 27).T.float()  # (27, 3)
found = F.conv1d(rows[None], word[None])[0, 0]  # (39,)
print(
    "'cat' begins at", (found == 3).nonzero()[:, 0].tolist(), "and 'mat' reaches", found[19].item()
)
