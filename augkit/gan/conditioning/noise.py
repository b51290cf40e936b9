"""A noise vector spread over the picture: OASIS's 3-D noise (Schönfeld et al. 2021, section 3.3)."""

from __future__ import annotations

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from augkit.gan.conditioning import CONDITIONERS, Conditioner
from augkit.gan.conditioning.conditioning import Conditioning


@CONDITIONERS.register("noise")
class NoiseConditioner(Conditioner):
    """64 channels, the same numbers at every place of a picture."""

    channels = 64
    reads_exemplar: ClassVar[bool] = False

    def __init__(self, parts: int) -> None:
        super().__init__()
        del parts

    def forward(self, conditioning: Conditioning) -> Float[Tensor, "n 64 h w"]:
        """See the class."""
        drawn = conditioning.noise("guide", self.channels).to(conditioning.exemplars.photos)
        return drawn[:, :, None, None].expand(-1, -1, *conditioning.masks.shape[1:])
