"""The gradients of a tiny network by hand, checked against autograd."""

import torch

x, t = 2.0, 2.0  # input and target
w, b, v = (torch.tensor(value, requires_grad=True) for value in (0.5, -0.2, 1.5))

a = w * x + b  # forward: keep every value on the way
h = torch.relu(a)
z = v * h
loss = (z - t) ** 2

dz = 2 * (z - t)  # backward: from the loss up, one factor a step
dv, dh = dz * h, dz * v
da = dh * (a > 0)
dw, db = da * x, da

loss.backward()  # autograd does the same for any network
for name, ours, weight in (("w", dw, w), ("b", db, b), ("v", dv, v)):
    print(f"d{name}: by hand {ours:.4f}, autograd {weight.grad:.4f}")
