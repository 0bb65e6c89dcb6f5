"""The same LeNet on pixels in three units, trained briefly by two optimisers."""

import torch

from cnnviz import accuracy, load, networks, predict, to_input, train_briefly

train, test = load("digits", "train"), load("digits", "test")
images, labels = to_input(test.images[:2000]), test.labels[:2000]

for optimizer, rate in (("sgd", 0.05), ("adamw", 0.003)):
    for name in ("lenet", "lenet-uncentred", "lenet-bytes"):
        torch.manual_seed(0)  # the same random start each time
        model = networks.build(name)
        train_briefly(model, train, 60, rate, optimizer=optimizer)
        right = accuracy(predict(model, images), labels)
        print(f"{optimizer:5} {name:15} {right:.1%}")
