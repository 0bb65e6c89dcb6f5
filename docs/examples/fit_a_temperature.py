"""Fit a temperature on half of the test images and see on the other half what it does."""

from cnnviz import datasets, fit_temperature, named, predict, reliability, trained

model = trained(named("lenet")).model()
test = datasets.load("digits", "test")
logits = predict(model, datasets.to_input(test.images))

half = len(logits) // 2
T = fit_temperature(logits[:half], test.labels[:half])
z, labels = logits[half:], test.labels[half:]
print(f"T = {T:.3f}")
print(f"calibration error before {reliability(z, labels).error:.4f}")
print(f"                   after {reliability(z / T, labels).error:.4f}")
print("answers changed:", (z.argmax(1) != (z / T).argmax(1)).sum().item())
