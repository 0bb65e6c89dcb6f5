"""Three 3x3 convolutions against one of 7x7: weights and receptive field."""

from torch import nn

from cnnviz import parameter_count, receptive_fields

C = 64
small = [nn.Conv2d(C, C, 3, padding=1, bias=False) for _ in range(3)]
large = [nn.Conv2d(C, C, 7, padding=3, bias=False)]

for name, layers in (("three 3x3", small), ("one 7x7", large)):
    net = nn.Sequential(*layers)
    side = list(receptive_fields(net, (32, 32)).values())[-1].size[0]
    count = parameter_count(net)
    print(f"{name:9}: {count:,} weights, field {side}x{side}")
