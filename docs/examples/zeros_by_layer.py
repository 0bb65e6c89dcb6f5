"""Share of zeros after each ReLU of a trained LeNet, and units that never answer."""

import cnnviz
from cnnviz import named, to_input, trained

model = trained(named("lenet")).model()
images = to_input(cnnviz.load("digits", "test").images[:2000])

outputs = cnnviz.record(model, images)
for name in ("relu1", "relu2", "relu3", "relu4"):
    values = outputs[name]  # (images, channels, H, W) or (images, units)
    zeros = (values == 0).float().mean()
    if values.ndim == 4:
        values = values.amax((2, 3))  # the strongest answer of each map
    dead = (values.amax(0) == 0).sum()  # no answer to any image
    print(f"{name}: {zeros:.0%} zeros, {dead} of {values.shape[1]} units dead")
