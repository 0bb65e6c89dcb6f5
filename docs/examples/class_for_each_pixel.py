"""A class for each pixel: the strokes of a zero or a one are to say which it is."""

import torch
from torch import nn
from torch.nn import functional as F

import cnnviz
from cnnviz import to_input

digits = cnnviz.load("digits", "train")
chosen = (digits.labels < 2).nonzero()[:3000, 0]  # zeros and ones
images, labels = to_input(digits.images[chosen]), digits.labels[chosen]
# Bright pixels have the class of their digit, the others are background: class 2.
truth = torch.where(images[:, 0] > 0.5, labels[:, None, None], 2)  # (3000, 28, 28)

torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(1, 8, 4, stride=2, padding=1), nn.ReLU(),  # (N, 8, 14, 14)
    nn.Conv2d(8, 16, 4, stride=2, padding=1), nn.ReLU(),  # (N, 16, 7, 7)
    nn.ConvTranspose2d(16, 8, 2, stride=2), nn.ReLU(),  # (N, 8, 14, 14)
    nn.ConvTranspose2d(8, 3, 2, stride=2),  # (N, 3, 28, 28)
)  # fmt: skip
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
for _ in range(150):
    batch = torch.randint(2500, (32,))
    loss = F.cross_entropy(net(images[batch]), truth[batch])  # (32, 3, 28, 28), (32, 28, 28)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

answers, unseen = net(images[2500:]).argmax(1), truth[2500:]
stroke = unseen < 2
print(f"pixels right                {(answers == unseen).float().mean():.1%}")
print(f"strokes right               {(answers == unseen)[stroke].float().mean():.1%}")
print(f"all background would have   {(~stroke).float().mean():.1%} of the pixels right")
