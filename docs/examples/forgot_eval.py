"""One digit among different neighbours: in training mode its answer depends on them."""

import torch

import cnnviz
from cnnviz import named, to_input, trained

model = trained(named("sgd-lenet-batchnorm-0")).model()
digits = cnnviz.load("digits", "test")
images = to_input(digits.images)
one = images[:1]
companies = {
    "alone": one,
    "among 31 others": torch.cat([one, images[1:32]]),
    "among 31 ones": torch.cat([one, images[digits.labels == 1][:31]]),
}
for mode in (False, True):  # in this order: training mode changes the running averages
    model.train(mode)  # model.train(False) is model.eval()
    print("training mode" if mode else "evaluation mode")
    for name, batch in companies.items():
        with torch.no_grad():
            logits = model(batch)[0]
        first = ", ".join(f"{z:+.2f}" for z in logits[:3])
        print(f"  {name:15} logits {first}, …")
