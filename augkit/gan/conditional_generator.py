"""A stage-II generator with its conditioners: a conditioning in, a photo out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from augkit.gan.conditioning import Conditioner
from augkit.gan.conditioning.conditioning import Conditioning
from augkit.gan.label_map import label_map, stacked


class ConditionalGenerator(nn.Module):
    """``generator`` reads the label map (K + 1 channels) and after it the conditioners' channels, in order.

    With ``repair`` its output is not the photo but what is added to the exemplar: it starts from what is there.
    """

    def __init__(
        self, generator: nn.Module, conditioners: Sequence[Conditioner], parts: int, repair: bool = False
    ) -> None:
        super().__init__()
        self.generator, self.guides = generator, nn.ModuleList(conditioners)  # as in trained models
        self.parts, self.repair = parts, repair

    @property
    def wants_cycle_warp(self) -> bool:
        """Whether any conditioner does (see ``Conditioner``)."""
        return any(conditioner.wants_cycle_warp for conditioner in self.guides)

    def forward(self, conditioning: Conditioning) -> Float[Tensor, "n 3 h w"]:
        """Photos in [-1, 1]."""
        told = (conditioner(conditioning) for conditioner in self.guides)
        condition = stacked([label_map(conditioning.masks, self.parts), *told])
        dtype = next((weight.dtype for weight in self.generator.parameters()), condition.dtype)
        photos: Tensor = self.generator(condition.to(dtype, memory_format=torch.channels_last))
        # An exemplar in fp32 keeps all its levels: the sum is then in fp32, whatever G computes in.
        return (conditioning.exemplars.photos + photos).clamp(-1, 1) if self.repair else photos

    def settle(self, conditionings: Sequence[Conditioning]) -> None:
        """Gives the conditioners what they keep of the training pairs; see ``Conditioner``."""
        for conditioner in self.guides:
            assert isinstance(conditioner, Conditioner)
            conditioner.settle(conditionings)


def input_channels(parts: int, conditioners: Sequence[Conditioner]) -> int:
    """Channels that a generator with these conditioners reads; ``parts`` K counts the background."""
    return parts + 1 + sum(conditioner.channels for conditioner in conditioners)
