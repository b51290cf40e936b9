"""The exemplar itself: a real photo of the class, part-warped onto the mask (after Zhang et al. 2020, CoCosNet)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from augkit.gan.conditioning import CONDITIONERS, Conditioner
from augkit.gan.conditioning.conditioning import Conditioning
from augkit.gan.label_map import stacked


@CONDITIONERS.register("exemplar")
class ExemplarConditioner(Conditioner):
    """4 channels: the warped photo, and where it is valid."""

    channels = 4
    wants_cycle_warp = True

    def __init__(self, parts: int) -> None:
        super().__init__()
        del parts

    def forward(self, conditioning: Conditioning) -> Float[Tensor, "n 4 h w"]:
        """See the class."""
        return stacked([conditioning.exemplars.photos, conditioning.exemplars.valid])
