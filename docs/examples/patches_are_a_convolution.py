"""The patch embedding of a Vision Transformer: one matrix for every patch, or a convolution."""

import torch
from torch.nn import functional as F
from torchvision.models import VisionTransformer

torch.manual_seed(0)
vit = VisionTransformer(64, 16, 2, 4, 32, 64)  # patches of 16x16
print(vit.conv_proj)

x = torch.rand(1, 3, 64, 64)
patches = F.unfold(x, 16, stride=16)  # (1, 3*16*16, 16): the patches as columns
matrix = vit.conv_proj.weight.flatten(1)  # (32, 3*16*16)
by_matrix = matrix @ patches + vit.conv_proj.bias[:, None]

print("patches:", tuple(patches.shape))
print("same:", torch.allclose(vit.conv_proj(x).flatten(2), by_matrix, atol=1e-5))
