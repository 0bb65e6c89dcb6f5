"""The gradients of a network whose units have died: zero, except at the very end."""

from torch.nn import functional as F

import cnnviz
from cnnviz import named, to_input, trained

digits = cnnviz.load("digits", "test")
images, labels = to_input(digits.images[:500]), digits.labels[:500]

for name in ("sgd-lenet-0", "sgd-lenet-high-rate"):
    model = trained(named(name)).model()
    F.cross_entropy(model(images), labels).backward()
    print(name)
    for layer in ("conv1", "conv2", "fc1", "fc2", "output"):
        weights = model.get_submodule(layer).weight
        print(f"  {layer:6} largest gradient {weights.grad.abs().max():.3g}")
