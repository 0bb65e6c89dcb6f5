"""The gradient of one unit of the trained LeNet: where it is not zero, the unit was looking."""

import torch

import cnnviz
from cnnviz import named, receptive_fields, to_input, trained

digits = cnnviz.load("digits", "test").images[:500]
x = to_input(digits).requires_grad_()
model = trained(named("lenet")).model()

conv2 = cnnviz.record(model, x, gradients=True)["conv2"]  # (500, 16, 10, 10)
one_unit = conv2[:, 3, 5, 5].sum()  # the same unit on all digits
(gradient,) = torch.autograd.grad(one_unit, x)
rows, columns = gradient.abs().sum((0, 1)).nonzero(as_tuple=True)
box = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
print("gradient reaches", [int(edge) for edge in box])
field = receptive_fields(model, (28, 28))["conv2"]
print("the field is    ", list(field.box(5, 5)))
