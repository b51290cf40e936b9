"""The source itself: a real photo of the class, laid part by part onto the mask (after Zhang et al. 2020, CoCosNet)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from augkit.gan.conditioning import CONDITIONERS, Conditioner
from augkit.gan.conditioning.conditioning import Conditioning


@CONDITIONERS.register("exemplar")
class ExemplarConditioner(Conditioner):
    """4 channels: the laid photo, and where it is known."""

    channels = 4
    wants_other = True

    def __init__(self, parts: int) -> None:
        super().__init__()
        del parts

    def forward(self, conditioning: Conditioning) -> Float[Tensor, "n 4 h w"]:
        """See the class."""
        return torch.cat([conditioning.source.photos, conditioning.source.known], 1)
