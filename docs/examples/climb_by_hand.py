"""Change the pixels until a class answers more: gradient ascent on the image, by hand."""

import torch

from cnnviz import open_model

torch.manual_seed(0)
network = open_model("efficientnet-lite0")
wanted = network.classes.index("daisy")
x = 0.5 + 0.01 * torch.randn(1, 3, 64, 64)  # grey with a little noise
for step in range(33):
    x.requires_grad_()
    logits = network.model(x)[0]  # (1000,)
    if step % 8 == 0:
        share = logits.softmax(0)[wanted].item()
        print(f"step {step:2}: logit {logits[wanted].item():6.2f}, probability {share:6.1%}")
    (uphill,) = torch.autograd.grad(logits[wanted], x)
    x = (x.detach() + 0.02 * uphill / uphill.std()).clamp(0, 1)
