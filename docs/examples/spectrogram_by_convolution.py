"""A spectrogram is a convolution with fixed kernels."""

import torch
from torch.nn import functional as F

sound = torch.randn(4000)  # any second of sound
window = torch.hann_window(128)
# 0, 1, ... 64 waves in 128 numbers
waves = torch.arange(65)[:, None] * torch.arange(128) / 128
cosines = window * torch.cos(2 * torch.pi * waves)  # (65, 128)
sines = window * torch.sin(2 * torch.pi * waves)

x = sound[None, None]  # (1, 1, 4000)
one = F.conv1d(x, cosines[:, None], stride=32)[0]  # (65, 122)
other = F.conv1d(x, sines[:, None], stride=32)[0]
picture = (one**2 + other**2).sqrt()  # frequency, time

options = {"window": window, "center": False, "return_complex": True}
same = torch.stft(sound, 128, 32, **options).abs()
print(tuple(picture.shape))
print("as torch.stft has it:", torch.allclose(picture, same, atol=1e-3))
