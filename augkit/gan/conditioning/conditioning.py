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

    ``valid`` (N, 1, H, W) is 1 where a photo shows the part that the mask has there, else 0;
    ``trust`` (N, 1, H, W) says in 0..1 how sure the warp is there.
    """

    photos: Float[Tensor, "n 3 h w"]
    valid: Float[Tensor, "n 1 h w"]
    trust: Float[Tensor, "n 1 h w"]

    @classmethod
    def whole(cls, photos: Float[Tensor, "n 3 h w"]) -> WarpedExemplars:
        """Photos that lie on masks of their own."""
        ones = torch.ones_like(photos[:, :1])
        return cls(photos, ones, ones)

    @classmethod
    def stack(cls, warped: Sequence[WarpedPhoto]) -> WarpedExemplars:
        """Photos warped onto masks, as one batch."""
        valid = torch.from_numpy(np.stack([one.valid for one in warped]))[:, None].float()
        trust = torch.from_numpy(np.stack([one.trust for one in warped]))[:, None]
        return cls(photos_to_tensor([one.photo for one in warped]), valid, trust)

    def to(self, device: torch.device) -> WarpedExemplars:
        """The same on another device."""
        return WarpedExemplars(*(each.to(device, non_blocking=True) for each in self._all))

    def joined(self, other: WarpedExemplars) -> WarpedExemplars:
        """These, and the other's below them."""
        return WarpedExemplars(*(torch.cat(both) for both in zip(self._all, other._all, strict=True)))

    def __getitem__(self, rows: slice) -> WarpedExemplars:
        return WarpedExemplars(*(each[rows] for each in self._all))

    @property
    def _all(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.photos, self.valid, self.trust


@dataclass(frozen=True)
class Conditioning:
    """``masks`` (N, H, W) part ids, the exemplars that lie on them, and noise by name."""

    masks: Int[Tensor, "n h w"]
    exemplars: WarpedExemplars
    noise: Noise
