"""Where a gradient gets to: the logits, conv1, and its kernels."""

import torch
from torch.nn import functional as F

from cnnviz import load, named, record, to_input, trained

run = trained(named("sgd-lenet-0"))
model = run.model(run.history.step[-4])  # as it was part of the way through
test = load("digits", "test")
image, label = to_input(test.images[:1]), test.labels[:1]

values = record(model, image, layers=["conv1", "output"], gradients=True)
loss = F.cross_entropy(values["output"], label)
wanted = [values["output"], values["conv1"], model.conv1.weight]
logits, places, kernels = torch.autograd.grad(loss, wanted)

answer = F.one_hot(label, 10)
off = (logits - (values["output"].softmax(1) - answer)).abs().max()
print(f"logits: probability minus answer, off by less than 0.00001: {bool(off < 1e-5)}")
print(f"conv1:  {(places != 0).float().mean():.0%} of {places.numel():,} places get a gradient")
print(f"kernels: {(kernels != 0).float().mean():.0%} of {kernels.numel()} weights get one")
