"""Instance normalisation that keeps a CPU's memory layout."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

LARGE = 64 * 64
"""Pixels of a map from which on bringing it back into its layout is dearer than rounding otherwise than torch does."""


class PlaneNorm(nn.InstanceNorm2d):
    """``nn.InstanceNorm2d`` without weights that leaves channels-last maps on a CPU as they are laid out.

    Torch's own brings them into the other layout and leaves them there, which costs several times what the norm does,
    and again what the next layers do to bring them back. A batch norm of one picture is the same norm, and keeps the
    layout: large maps are normed by that.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels)

    def forward(self, maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Each channel of each picture at mean 0 and variance 1."""
        there = maps.device.type == "cpu" and maps.is_contiguous(memory_format=torch.channels_last)
        if not there:
            return super().forward(maps)
        if maps.shape[2] * maps.shape[3] < LARGE:
            return super().forward(maps).contiguous(memory_format=torch.channels_last)
        each = [functional.batch_norm(own, None, None, training=True, eps=self.eps) for own in torch.split(maps, 1)]
        return each[0] if len(each) == 1 else torch.cat(each)
