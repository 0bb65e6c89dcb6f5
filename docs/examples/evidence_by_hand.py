"""A mean and then a linear layer: the same as a linear layer at each place, and then the mean."""

import torch

from cnnviz import open_model, photos, record

network = open_model("efficientnet-lite0")
image = photos.resize(photos.load("chelsea"), 224, 224)  # (224, 224, 3)
x = torch.from_numpy(image).permute(2, 0, 1)[None] / 255  # (1, 3, 224, 224)
with torch.no_grad():
    found = record(network.model, x, layers=["head_relu", "output"])
    maps = found["head_relu"][0]  # (1280, 7, 7)
    logits = found["output"][0]  # (1000,)
    best, last = int(logits.argmax()), network.model.output
    added = torch.einsum("c,chw->hw", last.weight[best], maps)  # (7, 7)
    print(f"{network.classes[best]}: logit {logits[best]:.3f}")
    print(f"mean of 49 places {added.mean():.3f} + bias {last.bias[best]:.3f}")
