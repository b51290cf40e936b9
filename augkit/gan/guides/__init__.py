"""What a stage-II generator reads besides the label map. One file a guide; ``image.guides`` names those of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from augkit.gan.brief import Brief
from augkit.registry import Registry


class Guide(nn.Module):
    """``channels`` maps (N, channels, H, W) made of a brief. What a guide learns is learnt with G.

    ``wants_other`` says that in training the source must not be the very photo that is to be painted: it would be
    copied. Then it is that photo laid onto another mask of its class and back, with all that the laying breaks.
    """

    channels: int
    wants_other: ClassVar[bool] = False

    def forward(self, brief: Brief) -> Float[Tensor, "n c h w"]:
        """See the class."""
        raise NotImplementedError


GUIDES: Registry[Callable[[int], Guide]] = Registry("guide", "augkit.gan.guides")
"""``(mask channels K) -> guide``."""
