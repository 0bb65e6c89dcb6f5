"""A transposed convolution by hand: each value stamps the kernel; where stamps overlap they add."""

import torch
from torch.nn import functional as F

values = torch.tensor([[2.0, 1], [3, -1]])
kernel = torch.tensor([[1.0, 2, 1], [0, 1, 0], [-1, 0, 2]])
stride = 2

output = torch.zeros(5, 5)  # 2 · (2 − 1) + 3
for row in range(2):
    for column in range(2):
        top, left = stride * row, stride * column
        output[top : top + 3, left : left + 3] += values[row, column] * kernel

print(output)
maps, kernels = values[None, None], kernel[None, None]  # (1, 1, 2, 2), (1, 1, 3, 3)
by_torch = F.conv_transpose2d(maps, kernels, stride=stride)
print("as PyTorch:", torch.equal(output, by_torch[0, 0]))
