"""What a photo is painted from: a mask, an exemplar warped onto it, and noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from augkit.data.pair import photos_to_tensor

if TYPE_CHECKING:
    from augkit.data.warp.part_warp import WarpedPhoto

Noise = Callable[..., Tensor]
"""``(name of the draw, *shape) -> (N, *shape)`` standard normal noise, a function of each row's seed."""


@dataclass(frozen=True)
class WarpedExemplars:
    """Exemplars (N, 3, H, W) in [-1, 1], warped onto the masks of the photos that take over their appearance.

    ``valid`` (N, 1, H, W) is 1 where a photo shows the part that the mask has there, else 0.
    """

    photos: Float[Tensor, "n 3 h w"]
    valid: Float[Tensor, "n 1 h w"]

    @classmethod
    def whole(cls, photos: Float[Tensor, "n 3 h w"]) -> WarpedExemplars:
        """Photos that lie on masks of their own."""
        return cls(photos, torch.ones_like(photos[:, :1]))

    @classmethod
    def stack(cls, warped: Sequence[WarpedPhoto]) -> WarpedExemplars:
        """Photos warped onto masks, as one batch."""
        valid = torch.from_numpy(np.stack([one.valid for one in warped]))[:, None].float()
        return cls(photos_to_tensor([one.photo for one in warped]), valid)

    def to(self, device: torch.device) -> WarpedExemplars:
        """The same on another device."""
        return WarpedExemplars(self.photos.to(device, non_blocking=True), self.valid.to(device, non_blocking=True))

    def joined(self, other: WarpedExemplars) -> WarpedExemplars:
        """These, and the other's below them."""
        return WarpedExemplars(torch.cat([self.photos, other.photos]), torch.cat([self.valid, other.valid]))

    def __getitem__(self, rows: slice) -> WarpedExemplars:
        return WarpedExemplars(self.photos[rows], self.valid[rows])


@dataclass(frozen=True)
class Conditioning:
    """``masks`` (N, H, W) part ids, the exemplars that lie on them, and noise by name."""

    masks: Int[Tensor, "n h w"]
    exemplars: WarpedExemplars
    noise: Noise
