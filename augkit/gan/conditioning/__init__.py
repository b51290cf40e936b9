"""What a stage-II generator reads besides the label map. One file a guide; ``image.guides`` names those of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from augkit.core.registry import Registry
from augkit.gan.conditioning.conditioning import Conditioning


class Conditioner(nn.Module):
    """``channels`` maps (N, channels, H, W) made of a brief. What a guide learns is learnt with G.

    ``wants_other`` says that in training the source must not be the very photo that is to be painted: it would be
    copied. Then it is that photo laid onto another mask of its class and back, with all that the laying breaks.
    ``reads_source`` says whether the source's look gets into it at all.
    ``divisor`` divides the sides of its pictures, which have at least ``smallest`` px.
    """

    channels: int
    divisor: ClassVar[int] = 1
    smallest: ClassVar[int] = 1
    wants_other: ClassVar[bool] = False
    reads_source: ClassVar[bool] = True

    def forward(self, conditioning: Conditioning) -> Float[Tensor, "n c h w"]:
        """See the class."""
        raise NotImplementedError

    def settle(self, conditionings: Sequence[Conditioning]) -> None:
        """Called after the training, with the training pairs: what a guide keeps of them for its use."""


CONDITIONERS: Registry[type[Conditioner]] = Registry("guide", "augkit.gan.conditioning")
"""``(mask channels K) -> guide``."""
