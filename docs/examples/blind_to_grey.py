"""A kernel that compares colours answers nothing to greys; one that looks for edges does."""

import torch
from torch.nn import functional as F

from cnnviz import open_model, photos

stem = open_model("efficientnet-lite0").model.stem
pixels = photos.resize(photos.load("astronaut"), 224, 224)
colour = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255
grey = colour.mean(1, keepdim=True).expand_as(colour)  # (1, 3, 224, 224)

for number in (20, 21):
    kernel = stem.weight.detach()[[number]]  # (1, 3, 3, 3)
    sizes = []
    for image in (colour, grey):
        answer = F.conv2d(image, kernel, stride=2)  # (1, 1, 111, 111)
        sizes.append(answer.square().mean().sqrt())
    in_colour, in_grey = sizes
    print(f"kernel {number}: {in_colour:.3f} in colour, {in_grey:.3f} in grey")
