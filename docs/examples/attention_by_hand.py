"""Attention by hand: the weights of the mean are worked out from the input itself."""

import math

import torch
from torch.nn import functional as F


def attention(query, key, value):  # (tokens, d)
    scores = query @ key.T / math.sqrt(key.shape[1])
    weights = scores.softmax(dim=1)  # rows add up to 1
    return weights @ value, weights


torch.manual_seed(0)
to_query, to_key, to_value = torch.randn(3, 8, 8) / 3  # learned
for name in ("one image", "another"):
    tokens = torch.randn(4, 8)  # four patches, 8 numbers each
    q, k, v = tokens @ to_query, tokens @ to_key, tokens @ to_value
    out, weights = attention(q, k, v)
    print(f"{name:9}: token 0 takes", weights[0].numpy().round(2))

right = F.scaled_dot_product_attention(q[None], k[None], v[None])[0]
print("as PyTorch has it:", torch.allclose(out, right, atol=1e-5))
