"""Record a layer of the trained LeNet and count its zeros."""

import cnnviz
from cnnviz import load, named, to_input, trained

model = trained(named("lenet")).model()
images = to_input(load("digits", "test").images[:100])  # (100, 1, 28, 28)

relu1 = cnnviz.record(model, images)["relu1"]  # (100, 6, 28, 28)
zeros = (relu1 == 0).sum()
print(f"{zeros:,} of {relu1.numel():,} values are zero ({zeros / relu1.numel():.0%})")
