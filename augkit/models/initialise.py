"""Initial weights."""

from __future__ import annotations

from torch import nn


def normal(module: nn.Module, std: float = 0.02) -> nn.Module:
    """DCGAN's initialisation (Radford et al. 2016): convolutions N(0, .02), norm weights N(1, .02), biases 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d) and layer.affine:
            nn.init.normal_(layer.weight, 1.0, std)
            nn.init.zeros_(layer.bias)
    return module
