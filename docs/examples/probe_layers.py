"""What a linear probe can read off each layer of LeNet."""

from cnnviz import datasets, fit_probe, named, record, trained

model = trained(named("lenet")).model()
test = datasets.load("digits", "test")
images, labels = datasets.to_input(test.images), test.labels
outputs = {"input": images} | record(model, images, functional=False)

half = len(images) // 2  # fitted on one half, tested on the other
for layer in ("input", "pool1", "pool2", "relu3", "relu4", "output"):
    features = outputs[layer]
    probe = fit_probe(features[:half], labels[:half], classes=10)
    right = probe.scores(features[half:]).argmax(1) == labels[half:]
    size, share = features[0].numel(), right.double().mean()
    print(f"{layer:7} {size:5} numbers, {share:.1%} right")
