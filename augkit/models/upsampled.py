"""A convolution of maps that are upsampled to twice their side first, without upsampling them.

Nearest-neighbour upsampling and a 3 x 3 convolution are one transposed convolution of 4 x 4 and stride 2, whose weights
are sums of the convolution's: along one side

    y[o] = sum_t w[t] x[(o + t - 1) // 2]  =  sum_i v[o + 1 - 2 i] x[i],   v = (w2, w1 + w2, w0 + w1, w0)

It takes 16 multiplications where the two take 36 (the sub-pixel convolution of Shi et al. 2016, backwards).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from augkit.models.convolution import Convolution, KernelWalk, deconvolved

DOUBLING = KernelWalk(4, 2, 1)


class UpsampledConvolution(Convolution):
    """Maps (N, C, h, w) -> maps (N, K, 2 h, 2 w): a 3 x 3 convolution of the maps at twice their side."""

    def __init__(self, channels: int, outputs: int, bias: bool = True) -> None:
        super().__init__(channels, outputs, 3, 1, 1, bias=bias)

    def forward(self, maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k u v"]:
        """See the class."""
        if maps.device.type != "cpu":
            made: Tensor = super().forward(functional.interpolate(maps, scale_factor=2.0))
            return made
        return deconvolved(maps, doubled(self.weight), self.bias, DOUBLING)


class UpsampledJoin(Convolution):
    """Maps (N, C, h, w) and finer ones (N, D, 2 h, 2 w) -> (N, K, 2 h, 2 w): a 3 x 3 convolution of both beside each
    other, the first at twice their side."""

    def __init__(self, channels: int, finer: int, outputs: int) -> None:
        super().__init__(channels + finer, outputs, 3, 1, 1)
        self.channels = channels

    def forward(  # type: ignore[override]
        self, maps: Float[Tensor, "n c h w"], finer: Float[Tensor, "n d u v"]
    ) -> Float[Tensor, "n k u v"]:
        """See the class."""
        if maps.device.type != "cpu":
            made: Tensor = super().forward(torch.cat([functional.interpolate(maps, scale_factor=2.0), finer], 1))
            return made
        of_maps, of_finer = self.weight[:, : self.channels], self.weight[:, self.channels :]
        return deconvolved(maps, doubled(of_maps), None, DOUBLING) + self._conv_forward(finer, of_finer, self.bias)


SUMS = torch.tensor([[0, 0, 1], [0, 1, 1], [1, 1, 0], [1, 0, 0]])
"""v of w."""


def doubled(weight: Float[Tensor, "k c 3 3"]) -> Float[Tensor, "c k 4 4"]:
    """The transposed convolution's weights: each is the sum of those that read the same coarse pixel."""
    sums = torch.kron(SUMS, SUMS).to(weight)
    with torch.autocast(weight.device.type, enabled=False):  # rounded once, where they are used
        made = torch.matmul(sums, weight.flatten(2).transpose(1, 2))
    return made.view(len(weight), 4, 4, -1).permute(3, 0, 1, 2)


class Doubled(nn.Identity):
    """In the place of an upsampling that the convolution after it does."""
