"""One digit as a tensor: shape, type, a few rows, and as a network is given it."""

import cnnviz
from cnnviz import to_input

test = cnnviz.load("digits", "test")
images = test.images
print(images.shape, images.dtype)

digit = images[test.labels == 3][0, 0]  # the first 3, (28, 28)
print(digit[4:8, 8:20])  # four rows, twelve columns

x = to_input(images[:1])
print(x.shape, x.dtype, f"from {x.min():g} to {x.max():g}")
print(x.flatten(1).shape)
