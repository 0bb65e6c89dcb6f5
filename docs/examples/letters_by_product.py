"""A convolution over letters: a kernel that looks for "cat"."""

import torch
from torch.nn import functional as F

text = "the cat sat on the mat with the catalogue"
letters = "abcdefghijklmnopqrstuvwxyz "


def channels(run):
    """1 in the channel of the letter at a place, else 0."""
    places = torch.tensor([letters.index(c) for c in run])
    return F.one_hot(places, 27).T.float()  # (27, length)


x, kernel = channels(text), channels("cat")
found = F.conv1d(x[None], kernel[None])[0, 0]  # (39,)
for place in found.topk(4).indices.sort().values.tolist():
    run = text[place : place + 3]
    print(f"place {place:2}: '{run}' gives {found[place]:.0f}")

table = torch.nn.Embedding(27, 27)
table.weight.data = torch.eye(27)
places = torch.tensor([letters.index(c) for c in text])
print("looked up, the same:", torch.equal(table(places).T, x))
