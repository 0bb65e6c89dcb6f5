"""Without its positions a transformer does not notice that patches have changed places."""

import torch
from torch import nn
from torch.nn import functional as F
from torchvision import models

torch.manual_seed(0)
x = torch.rand(1, 3, 64, 64)
patches = F.unfold(x, 16, stride=16)[:, :, torch.randperm(16)]
shuffled = F.fold(patches, 64, 16, stride=16)  # the same patches, elsewhere

vit = models.VisionTransformer(64, 16, 2, 4, 32, 64)  # 2 layers, 4 heads
nn.init.normal_(vit.heads.head.weight)  # torchvision starts it at zero
cnn = models.resnet18()


def change(net):
    with torch.no_grad():
        return (net.eval()(shuffled) - net.eval()(x)).abs().max().item()


print("ResNet-18 notices:       ", change(cnn) > 1e-3)
print("transformer notices:     ", change(vit) > 1e-3)
nn.init.zeros_(vit.encoder.pos_embedding)
print("without positions, still:", change(vit) > 1e-3)
