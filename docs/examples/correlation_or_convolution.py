"""Does PyTorch turn the kernel? A single 1 in the input tells."""

import numpy as np
import torch
from torch.nn import functional as F

dot = torch.zeros(5, 5)
dot[2, 2] = 1
kernel = torch.arange(1.0, 10).reshape(3, 3)

by_torch = F.conv2d(dot[None, None], kernel[None, None])[0, 0]
turned = kernel.flip(0, 1)  # by 180 degrees
convolved = F.conv2d(dot[None, None], turned[None, None])[0, 0]
print("F.conv2d leaves the kernel turned:     ", torch.equal(by_torch, turned))
print("turned beforehand, it comes out upright:", torch.equal(convolved, kernel))

# NumPy has both, along one axis.
signal, weights = np.array([0, 0, 1, 0, 0]), np.array([1, 2, 3])
print("np.correlate", np.correlate(signal, weights, "valid"))
print("np.convolve ", np.convolve(signal, weights, "valid"))
