"""Self-attention over the pixels of a feature map (SAGAN, Zhang et al. 2019; the pooled form of Brock et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from augkit.core.errors import ConfigError


class SelfAttention(nn.Module):
    """x + gamma * attention(x), (N, C, H, W) -> the same; H and W even.

    Queries and keys have C/8 channels and values C/2; keys and values are max-pooled 2 x 2, so that each of the H*W
    pixels attends to H*W/4 places. All four 1 x 1 convolutions are spectrally normalised. gamma starts at 0: a fresh
    layer is the identity. The softmax is written out, because fused attention kernels have no second derivative.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        narrow, half = max(width // 8, 1), max(width // 2, 1)
        self.query, self.key = _pointwise(width, narrow), _pointwise(width, narrow)
        self.value, self.back = _pointwise(width, half), _pointwise(half, width)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """See the class."""
        queries = self.query(x).flatten(2)
        keys = functional.max_pool2d(self.key(x), 2).flatten(2)
        values = functional.max_pool2d(self.value(x), 2).flatten(2)
        weights = torch.softmax(queries.transpose(1, 2) @ keys, 2)
        seen = (values @ weights.transpose(1, 2)).reshape(len(x), -1, *x.shape[2:])
        out: Tensor = x + self.gamma * self.back(seen)
        return out


class Block(NamedTuple):
    """A part of a network, with the channels and the side (px) of what comes out of it."""

    module: nn.Module
    width: int
    side: int


def attend(blocks: Sequence[Block], side: int) -> list[nn.Module]:
    """The blocks' modules, self-attention behind the last one that ends at this side; side 0 adds none.

    Raises ConfigError where no block ends there.
    """
    sides = sorted({block.side for block in blocks if block.side > 1})
    if side and side not in sides:
        raise ConfigError(
            f"self-attention at {side} px", f"a side of the feature maps: one of {', '.join(map(str, sides))}",
            "set the option attention to one that both networks have (32 always is one from 64 px), or to 0",
        )  # fmt: skip
    last = max((index for index, block in enumerate(blocks) if block.side == side), default=-1)
    return [
        nn.Sequential(block.module, SelfAttention(block.width)) if index == last else block.module
        for index, block in enumerate(blocks)
    ]


def _pointwise(inside: int, outside: int) -> nn.Module:
    return spectral_norm(nn.Conv2d(inside, outside, 1, bias=False))
