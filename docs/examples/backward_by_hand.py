"""Back through convolution, ReLU, max pooling and a linear layer by hand."""

import torch
from torch.nn import functional as F

torch.manual_seed(0)
shapes = (1, 1, 6, 6), (1, 1, 3, 3), (4,)
x, k, v = (torch.randn(shape, requires_grad=True) for shape in shapes)

y = F.conv2d(x, k)  # forward, (1, 1, 4, 4)
h = F.relu(y)
p, winners = F.max_pool2d(h, 2, return_indices=True)  # both (1, 1, 2, 2)
z = v @ p.flatten()
loss = (z - 1) ** 2
loss.backward()

with torch.no_grad():
    dz = 2 * (z - 1)
    dv, dp = dz * p.flatten(), (dz * v).view_as(p)
    dh = F.max_unpool2d(dp, winners, 2)  # to the winners, 0 to the others
    dy = dh * (y > 0)
    dk = F.conv2d(x, dy)
    dx = F.conv2d(F.pad(dy, (2, 2, 2, 2)), k.flip(2, 3))
    for name, ours, tensor in (("v", dv, v), ("k", dk, k), ("x", dx, x)):
        same = torch.allclose(ours, tensor.grad, atol=1e-5)
        print(f"d{name} as autograd has it:", same)
