"""Where the warp of the exemplar is unsure: G may keep what was only moved, and has to repair what was torn."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from augkit.gan.conditioning import CONDITIONERS, Conditioner
from augkit.gan.conditioning.conditioning import Conditioning


@CONDITIONERS.register("confidence")
class ConfidenceConditioner(Conditioner):
    """1 channel: the trust in each pixel of the warped exemplar, in 0..1."""

    channels = 1
    wants_cycle_warp = True
    reads_exemplar = False

    def __init__(self, parts: int) -> None:
        super().__init__()
        del parts

    def forward(self, conditioning: Conditioning) -> Float[Tensor, "n 1 h w"]:
        """See the class."""
        return conditioning.exemplars.trust
