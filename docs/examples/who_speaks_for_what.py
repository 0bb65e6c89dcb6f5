"""The difference of two logits is a sum over the 84 units before them, and nothing else."""

import torch

from cnnviz import datasets, named, record, trained

model = trained(named("lenet")).model()
test = datasets.load("digits", "test")
threes = test.images[test.labels == 3]
image = datasets.to_input(threes[:1])  # (1, 1, 28, 28)

outputs = record(model, image, layers=["relu4", "output"])
h, logits = outputs["relu4"][0], outputs["output"][0]  # (84,), (10,)

weight, bias = model.output.weight, model.output.bias  # (10, 84), (10,)
with torch.no_grad():
    contributions = (weight[8] - weight[3]) * h  # (84,)
    total = contributions.sum() + bias[8] - bias[3]

print(f"added up:          {total:+.4f}")
print(f"logit 8 - logit 3: {logits[8] - logits[3]:+.4f}")
for unit in contributions.abs().topk(5).indices.tolist():
    side = 8 if contributions[unit] > 0 else 3
    print(f"unit {unit:2}: {contributions[unit]:+.3f}, speaks for {side}")
