"""Likelihood terms of VAEs and segmenters."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from augkit.core.parts import IGNORE


def gaussian_kl(mean: Float[Tensor, "n d"], log_variance: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """KL(N(mean, variance) || N(0, 1)), summed over d, averaged over n (Kingma and Welling 2014, appendix B)."""
    mean, log_variance = mean.float(), log_variance.float()
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()


def cross_entropy(
    logits: Float[Tensor, "n k h w"], masks: Int[Tensor, "n h w"], weights: Float[Tensor, " k"]
) -> Float[Tensor, ""]:
    """Class-weighted cross-entropy over pixels; ignore pixels do not count. A batch of ignore only gives 0."""
    if logits.is_contiguous(memory_format=torch.channels_last):  # a row a pixel as it is: nothing is moved in memory
        losses = _summed(logits.permute(0, 2, 3, 1).flatten(0, 2), masks.flatten(), weights)
    else:
        losses = _summed(logits, masks, weights)
    counted = masks[masks != IGNORE]
    return losses / weights[counted].sum().clamp_min(1e-6)


def _summed(logits: Tensor, masks: Tensor, weights: Tensor) -> Tensor:
    return functional.cross_entropy(logits.float(), masks, weights, ignore_index=IGNORE, reduction="sum")


def part_weights(pixels: Float[Tensor, " k"], power: float = 0.5, ceiling: float = 10.0) -> Float[Tensor, " k"]:
    """Weights that grow as a part gets rarer: (mean share / share)^power, between 1/ceiling and ceiling.

    A part without any pixel gets weight 0: nothing can be learnt about it.
    """
    share = pixels / pixels.sum().clamp_min(1)
    present = share > 0
    weights = (share[present].mean() / share.clamp_min(1e-12)).pow(power).clamp(1 / ceiling, ceiling)
    return torch.where(present, weights, torch.zeros_like(weights))
