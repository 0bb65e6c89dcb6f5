"""Activations of LeNet's first and second layer for two inputs, written as pictures."""

from pathlib import Path

import cnnviz
from cnnviz import load, mosaic, named, to_input, trained

model = trained(named("lenet")).model()
test = load("digits", "test")
Path("build").mkdir(exist_ok=True)
for label in (4, 9):
    image = test.images[test.labels == label][:1]  # (1, 1, 28, 28)
    outputs = cnnviz.record(model, to_input(image), layers=["relu1", "relu2"])
    for layer, maps in outputs.items():
        picture = mosaic(maps[0].numpy(), scale="layer")  # all channels
        Path("build", f"{layer}-{label}.png").write_bytes(picture.png())
        brightest = maps[0].mean((1, 2)).argmax()
        print(label, layer, tuple(maps[0].shape), "brightest:", int(brightest))
