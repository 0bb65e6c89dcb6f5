"""Two words of the same letters: when counted they are one, to a kernel of three letters two."""

import torch
from torch.nn import functional as F

letters = " abcdefghijklmnopqrstuvwxyz"
words = ["silent", "listen"]
x = torch.stack([F.one_hot(torch.tensor([letters.index(c) for c in w]), 27).T for w in words])
x = x.float()  # (2, 27 letters, 6 places)

print("counted, the same:", bool(torch.equal(x.sum(2)[0], x.sum(2)[1])))

kernel = torch.zeros(1, 27, 3)  # asks for "ten"
for place, letter in enumerate("ten"):
    kernel[0, letters.index(letter), place] = 1
for word, scores in zip(words, F.conv1d(x, kernel)[:, 0], strict=True):
    print(f"{word}: {[int(s) for s in scores]}, largest {int(scores.max())}")
