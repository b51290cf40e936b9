"""What stage II is told of a mask: one-hot channels and boundaries; and the colours of parts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from augkit.core.parts import BACKGROUND, IGNORE

COLOUR_CHANNELS = 3
IDS = 256
"""Of a mask's bytes."""


def known(masks: Int[Tensor, "n h w"]) -> Int[Tensor, "n h w"]:
    """Part ids with what is ignored as background."""
    return masks.where(masks != IGNORE, torch.full_like(masks, BACKGROUND))


def one_hot(masks: Int[Tensor, "n h w"], channels: int) -> Float[Tensor, "n k h w"]:
    """Part ids -> K channels of 0 and 1, last in memory; ignore counts as background, ids from K on as nothing."""
    rows = torch.eye(IDS, channels, device=masks.device)
    rows[IGNORE] = rows[BACKGROUND]
    return functional.embedding(masks.long(), rows).permute(0, 3, 1, 2)  # several times as fast as torch's own one_hot


def boundaries(masks: Int[Tensor, "n h w"]) -> Float[Tensor, "n 1 h w"]:
    """1 where a 4-neighbour has another id (the boundary map of Wang et al. 2018, section 3.3)."""
    edge = torch.zeros_like(masks, dtype=torch.bool)
    across, down = masks[:, :, 1:] != masks[:, :, :-1], masks[:, 1:] != masks[:, :-1]
    edge[:, :, 1:] |= across
    edge[:, :, :-1] |= across
    edge[:, 1:] |= down
    edge[:, :-1] |= down
    return edge[:, None].float()


def label_map(masks: Int[Tensor, "n h w"], channels: int) -> Float[Tensor, "n k+1 h w"]:
    """One-hot channels and the boundary channel: what G and D both see."""
    return stacked([one_hot(masks, channels), boundaries(masks)])


def stacked(maps: Sequence[Float[Tensor, "n _ h w"]]) -> Float[Tensor, "n c h w"]:
    """The channels of all maps, last in memory, as convolutions on a CPU read them: to bring them into that order
    afterwards takes several times as long."""
    return torch.cat([each.permute(0, 2, 3, 1) for each in maps], 3).permute(0, 3, 1, 2)


def part_colours(
    photos: Float[Tensor, "n 3 h w"], masks: Int[Tensor, "n h w"], channels: int, valid: Float[Tensor, "n 1 h w"]
) -> Float[Tensor, "n k 3"]:
    """The mean colour of every part of every photo, background too.

    A part that a photo does not show gets the mean over all its parts, so that its colours suit any other mask.
    Ignored pixels do not count, nor do those where ``valid`` is 0.
    """
    counted = ((masks != IGNORE)[:, None] * valid).float()
    pixels = torch.cat([photos.float() * counted, counted.expand_as(photos[:, :1])], 1).flatten(2).transpose(1, 2)
    bins = masks.long().clamp(max=channels - 1).flatten(1)[..., None].expand(-1, -1, 4)
    totals = pixels.new_zeros(len(masks), channels, 4).scatter_add_(1, bins, pixels)  # float32 under autocast as well
    sums, counts = totals[..., :3], totals[..., 3]
    car = sums[:, 1:].sum(1, keepdim=True) / counts[:, 1:].sum(1)[:, None, None].clamp_min(1)
    return torch.where(counts[..., None] > 0, sums / counts[..., None].clamp_min(1), car)


def paint_by_part(masks: Int[Tensor, "n h w"], colours: Float[Tensor, "n k 3"]) -> Float[Tensor, "n 3 h w"]:
    """Every pixel in the colour of its part."""
    picked = colours.gather(1, known(masks).long().flatten(1)[..., None].expand(-1, -1, COLOUR_CHANNELS))
    return picked.reshape(*masks.shape, COLOUR_CHANNELS).permute(0, 3, 1, 2)
