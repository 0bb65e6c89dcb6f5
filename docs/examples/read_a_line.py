"""A line of digits, read window by window: between two digits the network answers as well."""

import torch

from cnnviz import load, named, to_input, trained

model, test = trained(named("lenet")).model(), load("digits", "test")
images = to_input(test.images[:4])  # (4, 1, 28, 28)
line = torch.cat(list(images), dim=2)  # (1, 28, 112)
print("written:", test.labels[:4].tolist())

for step in (28, 14):
    windows = line.unfold(2, 28, step).permute(2, 0, 1, 3)  # (windows, 1, 28, 28)
    shares, answers = model(windows).softmax(1).max(1)
    read = [f"{a} ({s:.0%})" for a, s in zip(answers.tolist(), shares.tolist(), strict=True)]
    print(f"every {step} pixels:", ", ".join(read))
