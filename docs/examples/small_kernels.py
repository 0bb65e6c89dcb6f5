"""Three 3x3 convolutions against one of 7x7: weights and receptive field."""

from torch import nn

from cnnviz import receptive_fields
from cnnviz.models import parameter_count

C = 64
stack = nn.Sequential(
    *(nn.Conv2d(C, C, 3, padding=1, bias=False) for _ in range(3)),
)
one = nn.Conv2d(C, C, 7, padding=3, bias=False)

for name, net in (("three 3x3", stack), ("one 7x7", nn.Sequential(one))):
    last = list(receptive_fields(net, (32, 32)).values())[-1]
    print(f"{name}: {parameter_count(net):,} weights, field {last.size[0]}x{last.size[1]}")
