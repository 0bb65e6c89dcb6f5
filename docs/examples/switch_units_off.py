"""Which kernel of conv1 is missed most, and what two at once cost."""

from cnnviz import ablate, datasets, named, silenced, to_input, trained

model = trained(named("lenet")).model()
test = datasets.load("digits", "test")
images, labels = to_input(test.images[:500]), test.labels[:500]

print(f"all kernels: {(model(images).argmax(1) == labels).float().mean():.1%} right")
loss = ablate(model, "conv1", images, labels, classes=10).loss.mean(1)  # (6,)
for kernel in loss.argsort(descending=True).tolist():
    print(f"without kernel {kernel}: mean loss {loss[kernel]:.3f}")

two = loss.argsort()[:2].tolist()  # the two that are missed least
with silenced(model, {"conv1": two}):
    right = (model(images).argmax(1) == labels).float().mean()
print(f"without {two[0]} and {two[1]}: {right:.1%} right")
