"""The network that guesses the latent behind a picture."""

from __future__ import annotations

from typing import Any

import timm
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from augkit.models.conditioning import CONDITION, Conditioned, Unconditioned


class LatentEncoder(nn.Module):
    """ResNet18 (He et al. 2016): pictures (N, channels, S, S) and classes (N,) -> latents (N, latent).

    ``classes`` is the number of classes the encoder is told, 0 for none. The network predicts (z - ``centre``) /
    ``scale``: latents of a VAE are not standard normal. ``centre`` (latent,), ``scale`` a number.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, channels: int, centre: Float[Tensor, " latent"], scale: float, classes: int = 0) -> None:
        super().__init__()
        trunk: Any = timm.create_model("resnet18", pretrained=False, in_chans=channels, num_classes=0)
        features: int = trunk.num_features
        self.trunk = trunk
        self.join = Conditioned(classes, CONDITION) if classes else Unconditioned()
        self.head = nn.Linear(features + (CONDITION if classes else 0), len(centre))
        self.register_buffer("centre", centre)
        self.register_buffer("scale", torch.tensor(scale))

    def forward(self, pictures: Float[Tensor, "n c s s"], classes: Int[Tensor, " n"]) -> Float[Tensor, "n latent"]:
        """See the class."""
        predicted: Tensor = self.head(self.join(self.trunk(pictures), classes))
        return self.centre + self.scale * predicted.float()
