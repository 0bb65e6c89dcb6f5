"""What a tensor is: numbers along axes, and where its gradient comes from."""

import torch

batch = torch.rand(32, 1, 28, 28)  # images, channels, height, width
print("shape", tuple(batch.shape), "type", batch.dtype)
print("one image", tuple(batch[0].shape))
print("its first row", tuple(batch[0, 0, 0].shape))
print("as rows of pixels", tuple(batch.flatten(1).shape))
print("mean of each image", tuple(batch.mean((1, 2, 3)).shape))
