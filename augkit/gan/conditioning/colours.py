"""Every part in its mean colour in the exemplar: paint and light, without texture."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from augkit.gan.conditioning import CONDITIONERS, Conditioner
from augkit.gan.conditioning.conditioning import Conditioning
from augkit.gan.label_map import paint_by_part, part_colours


@CONDITIONERS.register("colours")
class ColourConditioner(Conditioner):
    """3 channels; a part that the exemplar does not show has the mean colour of its car."""

    channels = 3

    def __init__(self, parts: int) -> None:
        super().__init__()
        self.parts = parts

    def forward(self, conditioning: Conditioning) -> Float[Tensor, "n 3 h w"]:
        """See the class."""
        masks, exemplars = conditioning.masks, conditioning.exemplars
        return paint_by_part(masks, part_colours(exemplars.photos, masks, self.parts, exemplars.valid))
