"""A 1x1 convolution that narrows the channels first makes a 3x3 convolution cheap."""

from torch import nn

from cnnviz import layer_costs

wide = nn.Conv2d(256, 192, 3, padding=1, bias=False)
narrow = nn.Sequential(
    nn.Conv2d(256, 128, 1, bias=False),  # the bottleneck: as in GoogLeNet
    nn.Conv2d(128, 192, 3, padding=1, bias=False),
)
for name, model in (("3x3 at once", wide), ("1x1, then 3x3", narrow)):
    costs = layer_costs(model, (256, 28, 28)).values()
    print(f"{name:13}: {sum(c.multiplications for c in costs):,}")
