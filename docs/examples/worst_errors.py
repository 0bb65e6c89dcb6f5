"""The five errors of which the network is most sure."""

from cnnviz import datasets, named, predict, trained

model = trained(named("lenet")).model()
test = datasets.load("digits", "test")
logits = predict(model, datasets.to_input(test.images))  # (N, 10)

sure, answer = logits.softmax(1).max(1)
wrong = (answer != test.labels).nonzero()[:, 0]
print(f"{len(wrong)} errors in {len(test)} images")
for i in wrong[sure[wrong].argsort(descending=True)][:5].tolist():
    true, read, p = test.labels[i], answer[i], sure[i]
    print(f"image {i:4}: a {true}, read as {read} with {p:.1%}")
