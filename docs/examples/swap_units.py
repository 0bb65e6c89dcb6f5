"""Two units of a hidden layer change places, and nothing else changes."""

from cnnviz import load, named, to_input, trained

model = trained(named("mlp")).model()
images = to_input(load("digits", "test").images[:100])
before = model(images)

a, b = 3, 400
for values in model.fc1.weight.data, model.fc1.bias.data, model.fc2.weight.data.T:
    values[[a, b]] = values[[b, a]]  # rows of fc1, columns of fc2

swapped = trained(named("mlp")).model().fc1.weight[b] == model.fc1.weight[a]
off = (model(images) - before).abs().max()
print(f"unit {a} has the weights that unit {b} had: {bool(swapped.all())}")
print(f"logits off by less than 0.0001: {bool(off < 1e-4)}")
