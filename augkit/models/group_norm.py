"""Group normalisation whose backward pass is fast on CPUs: torch's own is not where channels are last in memory."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class PictureNorm(nn.GroupNorm):
    """``nn.GroupNorm``, fast in both directions for channels-last maps on a CPU."""

    def forward(self, input: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """See the class."""
        if input.device.type != "cpu" or not input.is_contiguous(memory_format=torch.channels_last):
            return super().forward(input)
        made: Tensor = _GroupNorm.apply(input, self.weight, self.bias, self.num_groups, self.eps)
        return made


class _GroupNorm(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917  # as torch calls it
        context: Any, maps: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float
    ) -> Tensor:
        n, c, h, w = maps.shape
        made, mean, rate = torch.native_group_norm(maps, weight, bias, n, c, h * w, groups, eps)
        context.save_for_backward(maps, weight, bias, mean, rate)
        context.groups, context.eps = groups, eps
        return made

    @staticmethod
    def backward(context: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """With y = weight * z + bias and z = (x - mean) * rate, over the m numbers of a group

            dx = rate * (weight * dy - mean(weight * dy) - z * mean(weight * dy * z))

        which is a * dy + b * x + c with numbers a, b, c of a picture and a channel.
        """
        maps, weight, bias, mean, rate = context.saved_tensors
        if torch.is_grad_enabled():  # a gradient of the gradient is asked for, and mean and rate depend on the maps
            made = functional.group_norm(maps, context.groups, weight, bias, context.eps)
            return *torch.autograd.grad(made, (maps, weight, bias), grads[0], create_graph=True), None, None
        n, c, h, w = maps.shape
        slopes, values = (each.permute(0, 2, 3, 1).reshape(n, h * w, c).float() for each in (grads[0], maps))
        mean, rate = (_spread(each, c) for each in (mean.view(n, -1), rate.view(n, -1)))
        summed = slopes.sum(1)
        along = ((slopes * values).sum(1) - mean * summed) * rate  # of dy * z
        share = context.groups / (c * h * w)
        of_slopes, of_both = (_spread(_by_group(weight * each, context.groups), c) * share for each in (summed, along))
        slope = -rate.square() * of_both
        level = -slope * mean - rate * of_slopes
        found = torch.addcmul(level[:, None], slopes, (weight * rate)[:, None]).addcmul_(values, slope[:, None])
        return found.to(maps.dtype).view(n, h, w, c).permute(0, 3, 1, 2), along.sum(0), summed.sum(0), None, None


def _by_group(each: Float[Tensor, "n c"], groups: int) -> Float[Tensor, "n g"]:
    return each.view(len(each), groups, -1).sum(2)


def _spread(groups: Float[Tensor, "n g"], channels: int) -> Float[Tensor, "n c"]:
    return groups.repeat_interleave(channels // groups.shape[1], 1)
