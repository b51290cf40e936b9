"""Cross-entropy and soft Dice of a segmenter in one: the chances are computed once, and so is their gradient.

Written out by hand because the two losses, each by autograd, took a third of a training step on a CPU.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from augkit.core.parts import IGNORE

TINY = 1e-6


def segmentation_loss(
    logits: Float[Tensor, "n k h w"], masks: Int[Tensor, "n h w"], weights: Float[Tensor, " k"], dice: float
) -> Float[Tensor, ""]:
    """``losses.likelihood.cross_entropy(logits, masks, weights)``, and ``dice`` times 1 - mean soft Dice over the parts
    that the batch shows (Milletari et al. 2016, eq. 3); ignore left out.

    Gradients flow to the logits alone. Fastest where these are channels-last.
    """
    loss: Tensor = _Segmentation.apply(logits, masks, weights, dice)
    return loss


class _Segmentation(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, logits: Tensor, masks: Tensor, weights: Tensor, dice: float) -> Tensor:
        context.shape, context.dtype = logits.shape, logits.dtype
        parts = logits.shape[1]
        chances = logits.permute(0, 2, 3, 1).reshape(-1, parts).float().softmax(1)
        seen = (masks != IGNORE).reshape(-1)
        shown, counted = masks.reshape(-1).where(seen, 0), seen.float()
        right = chances.gather(1, shown[:, None])[:, 0]
        each = weights[shown] * counted
        each = each / each.sum().clamp_min(TINY)
        count = _sums(shown, counted, parts)
        overlap, total = _sums(shown, right * counted, parts), (chances.T @ counted + count).clamp_min(TINY)
        share = (count > 0) / (count > 0).sum().clamp_min(1)  # each part that is shown counts as much
        context.save_for_backward(chances, shown, right, counted, each)
        context.slopes = dice * 2 * share * overlap / total.square(), -dice * 2 * share / total
        missed = torch.where(count.sum() > 0, 1 - (2 * overlap / total * share).sum(), 0.0)
        return dice * missed - (each * right.clamp_min(1e-12).log()).sum()

    @staticmethod
    def backward(context: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """With p the chances and d the loss's slope in them, that in the logits is p (d - sum(p d)), part by part.

        Of Dice, d is ``everywhere`` for every part, and ``there`` besides for the part that is shown; of the
        cross-entropy the slope in the logits is known: weight * (p - 1 for the part that is shown).
        """
        chances, shown, right, counted, each = context.saved_tensors
        everywhere, there = context.slopes
        own = there[shown] * right
        pixel = each - (chances @ everywhere + own) * counted
        found = torch.addcmul(chances * pixel[:, None], chances * counted[:, None], everywhere[None])
        found.scatter_add_(1, shown[:, None], (own * counted - each)[:, None])
        n, k, h, w = context.shape
        found = (found * grads[0]).to(context.dtype)
        return found.view(n, h, w, k).permute(0, 3, 1, 2), None, None, None


def _sums(parts: Tensor, values: Tensor, count: int) -> Tensor:
    """(count,) sums of the values by the part that is shown."""
    return torch.zeros(count, device=values.device).index_add_(0, parts, values)
