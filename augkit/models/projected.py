"""A projected discriminator (Sauer et al. 2021): light heads on what a frozen network sees, for small data.

Of the paper's it has the frozen features, the mixing of their channels (here learnt, there drawn) and one head a scale;
it has no mixing of scales.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from augkit.core.needs import D_LAYERS, DISCRIMINATOR, OWN_SCORE, Need
from augkit.models.patch import Features
from augkit.models.registries import PERCEPTUAL_NETWORKS, PHOTO_DISCRIMINATORS, PhotoDiscriminator

COLOURS = 3


class ProjectedHead(nn.Module):
    """Features (N, F, h, w) and what the mask says there (N, L, h, w) -> [what it makes of both, the scores]."""

    def __init__(self, features: int, labels: int, width: int) -> None:
        super().__init__()
        self.mix, self.told = nn.Conv2d(features, width, 1), nn.Conv2d(labels, width, 1)
        self.look = nn.Sequential(nn.LeakyReLU(0.2), nn.Conv2d(width, width, 3, 1, 1), nn.LeakyReLU(0.2))
        self.score = nn.Conv2d(width, 1, 1)

    def forward(self, features: Float[Tensor, "n f h w"], labels: Float[Tensor, "n l h w"]) -> list[Tensor]:
        """See the class."""
        size = features.float().square().mean((1, 2, 3), keepdim=True).sqrt()
        hidden = self.look(self.mix(features / size.clamp_min(1e-6)) + self.told(labels))
        return [hidden, self.score(hidden)]


@PHOTO_DISCRIMINATORS.register("projected")
class ProjectedDiscriminator(PhotoDiscriminator):
    """(N, C, H, W), a label map and after it a photo in [-1, 1] -> for each head its features, the scores last.

    The heads sit on Lite0's maps at strides 8, 16 and 32, of which each picture's are divided by their quadratic mean.
    What is wrong with a warped photo is how its parts go together, not its texture, which is a real photo's: a head at
    stride 4 hardly tells the two.
    """

    USED = slice(2, 5)
    WIDTHS = (40, 112, 320)
    """Channels of the maps."""

    def __init__(self, channels: int, width: int = 48) -> None:
        super().__init__()
        self.network = PERCEPTUAL_NETWORKS["lite0"](None)
        self.heads = nn.ModuleList(ProjectedHead(seen, channels - COLOURS, width) for seen in self.WIDTHS)

    @property
    def stacks(self) -> list[list[nn.Module]]:
        """The blocks of every head, from its input on."""
        heads = (head for head in self.heads if isinstance(head, ProjectedHead))
        return [[nn.ModuleList([head.mix, head.told]), head.look, head.score] for head in heads]

    @property
    def gives(self) -> frozenset[Need]:
        """What techniques may count on."""
        return frozenset({DISCRIMINATOR, OWN_SCORE, D_LAYERS})

    def forward(self, x: Float[Tensor, "n c h w"]) -> Features:
        """See the class."""
        labels, photos = (
            own.contiguous(memory_format=torch.channels_last) for own in (x[:, :-COLOURS], x[:, -COLOURS:])
        )
        maps: list[Tensor] = self.network(photos)[self.USED]
        return [
            head(seen, functional.adaptive_avg_pool2d(labels, (seen.shape[2], seen.shape[3])))
            for head, seen in zip(self.heads, maps, strict=True)
        ]
