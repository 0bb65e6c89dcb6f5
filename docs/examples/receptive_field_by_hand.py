"""Size, jump and start of LeNet's receptive fields: three lines of arithmetic a layer."""

import torch

from cnnviz import LeNet, receptive_fields

layers = [  # name, kernel, stride, padding
    ("conv1", 5, 1, 2),
    ("pool1", 2, 2, 0),
    ("conv2", 5, 1, 0),
    ("pool2", 2, 2, 0),
]
size, jump, start = 1, 1, 0.5  # a pixel sees itself; its centre is at 0.5
for name, kernel, stride, padding in layers:
    size += (kernel - 1) * jump
    start += ((kernel - 1) / 2 - padding) * jump
    jump *= stride
    print(f"{name}  size {size:2}  jump {jump}  start {start}")

field = receptive_fields(LeNet(), (28, 28))["pool2"]
same = (field.size[0], field.jump[0], field.start[0]) == (size, jump, start)
print("the package agrees:", same)

image = torch.rand(1, 1, 28, 28)
top, left, bottom, right = field.box(2, 2)  # the middle unit of 5×5
print("unit (2, 2) sees", image[..., top:bottom, left:right].shape)
