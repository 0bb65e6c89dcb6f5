"""What a network of a thousand classes answers to a photograph; its weights come with a package."""

import torch

from cnnviz import open_model, photos

network = open_model("efficientnet-lite0")
image = photos.resize(photos.load("coffee"), 224, 224)  # (224, 224, 3), bytes
x = torch.from_numpy(image).permute(2, 0, 1)[None] / 255  # (1, 3, 224, 224)
with torch.no_grad():
    shares = network.model(x).softmax(1)[0]  # (1000,)
for index in shares.argsort(descending=True)[:3].tolist():
    print(f"{shares[index]:6.1%}  {network.classes[index]}")
