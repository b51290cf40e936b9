"""Outputs of a step with every field filled, for whoever tests terms."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from augkit.gan.players import StepOutputs


class Scorer(nn.Module):
    """A map of scores, (N, 1, H / 2, W / 2), with something to train."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.ones(()))

    def forward(self, pictures: Tensor) -> Tensor:
        return self.slope * pictures.square()[:, :1, ::2, ::2]


def step_outputs() -> StepOutputs:
    """Random, the same each time; what comes out of networks takes gradients."""
    torch.manual_seed(0)
    features = [[[torch.randn(2, 3, 4, 4), torch.randn(2, 1, 2, 2)] for _ in range(2)] for _ in range(2)]
    logits, masks = torch.randn(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4))
    outputs = StepOutputs(
        real=torch.randn(2, 3, 4, 4), fake=logits, masks=masks, classes=torch.tensor([0, 2]),
        real_features=features[0], fake_features=features[1], real_logits=torch.randn(2, 3),
        fake_logits=torch.randn(2, 3), mean=torch.randn(2, 5), log_variance=torch.randn(2, 5),
        moves=torch.randn(2, 5), chance=torch.rand(2), rebuilt=torch.randn(1, 3, 4, 4), places=torch.randperm(4),
        score=Scorer(),
    )  # fmt: skip
    for tensor in (
        outputs.fake, outputs.mean, outputs.log_variance, outputs.moves, outputs.rebuilt, outputs.real_logits,
        outputs.fake_logits, *(layer for side in features for scale in side for layer in scale),
    ):  # fmt: skip
        tensor.requires_grad_()
    return outputs
