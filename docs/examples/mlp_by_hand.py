"""The whole MLP as three matrices: sums, ReLU, softmax."""

import torch

from cnnviz import load, named, to_input, trained

net = trained(named("mlp")).weights  # name → numbers
x = to_input(load("digits", "test").images[:1]).flatten()  # (784,) from 0 to 1

h1 = torch.relu(net["fc1.weight"] @ x + net["fc1.bias"])  # (512,)
h2 = torch.relu(net["fc2.weight"] @ h1 + net["fc2.bias"])  # (512,)
z = net["output.weight"] @ h2 + net["output.bias"]  # (10,) logits

p = z.exp() / z.exp().sum()  # softmax
for digit in p.argsort(descending=True)[:3]:
    print(f"{digit}: logit {z[digit]:+.2f}, probability {p[digit]:.1%}")

model = trained(named("mlp")).model()
off = (model(x[None])[0] - z).abs().max()
print(f"off from the network by less than 0.0001: {bool(off < 1e-4)}")
