"""Search as for photographs: the digit whose list of numbers is the most alike."""

import torch
from torch.nn import functional as F

from cnnviz import LeNet, load, named, record, to_input, trained

test = load("digits", "test")
images, labels = to_input(test.images[:1000]), test.labels[:1000]

torch.manual_seed(0)
lists = {"pixels": images.flatten(1)}
for name, net in (("untrained LeNet", LeNet()), ("LeNet", trained(named("lenet")).model())):
    lists[name] = record(net.eval(), images, layers=["relu4"])["relu4"]  # (1000, 84)

for name, values in lists.items():
    alike = F.normalize(values) @ F.normalize(values).T  # (1000, 1000) cosines
    alike.fill_diagonal_(-1)  # not itself
    found = labels[alike.argmax(1)]
    print(f"{name:15} {values.shape[1]:3} numbers: {(found == labels).double().mean():.1%} alike")
