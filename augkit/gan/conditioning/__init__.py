"""What a stage-II generator reads besides the label map. A file each; ``image.conditioning`` names those of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from augkit.core.registry import Registry
from augkit.gan.conditioning.conditioning import Conditioning


class Conditioner(nn.Module):
    """``channels`` maps (N, channels, H, W) made of a conditioning. What it learns is learnt with G.

    ``wants_cycle_warp`` says that in training the exemplar must not be the very photo that is to be painted: it would
    be copied. Then it is that photo warped onto another mask of its class and back, with all the faults of the warp.
    ``reads_exemplar`` says whether the exemplar's appearance gets into it at all.
    ``divisor`` divides the sides of its pictures, which have at least ``smallest`` px.
    """

    channels: int
    divisor: ClassVar[int] = 1
    smallest: ClassVar[int] = 1
    wants_cycle_warp: ClassVar[bool] = False
    reads_exemplar: ClassVar[bool] = True

    def forward(self, conditioning: Conditioning) -> Float[Tensor, "n c h w"]:
        """See the class."""
        raise NotImplementedError

    def settle(self, conditionings: Sequence[Conditioning]) -> None:
        """Called after the training, with the training pairs: what it keeps of them for its use."""


CONDITIONERS: Registry[type[Conditioner]] = Registry("conditioner", "augkit.gan.conditioning")
"""``(mask channels K) -> conditioner``."""
