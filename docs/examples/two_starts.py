"""One channel, two starts: equally strong, and hardly alike pixel by pixel."""

import torch

import cnnviz

network = cnnviz.open_model("efficientnet-lite0")
made = cnnviz.maximise(
    network.model, "block6", [0], (3, 64, 64),
    starts=2, steps=32, parameters="fourier", target="channel",
)  # fmt: skip
first, second = made.images[0]  # (3, 64, 64) each
print("mean of the map:", [round(value, 1) for value in made.value[0].tolist()])
alike = torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1]
print(f"correlation of the pixels: {alike:.2f}")
