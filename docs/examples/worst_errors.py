"""The five errors of which the network is most sure."""

from cnnviz import datasets
from cnnviz.checkpoints import trained
from cnnviz.evaluation import predict
from cnnviz.recipes import named

model = trained(named("lenet")).model()
test = datasets.load("digits", "test")
probabilities = predict(model, datasets.to_input(test.images)).softmax(1)  # (N, 10)

sure, answer = probabilities.max(1)
wrong = (answer != test.labels).nonzero()[:, 0]
print(f"{len(wrong)} errors in {len(test)} images")
for i in wrong[sure[wrong].argsort(descending=True)][:5].tolist():
    print(f"image {i:4}: a {test.labels[i]}, read as {answer[i]} with {sure[i]:.1%}")
