"""A pair: one photo and its part mask. Nothing else holds the two; what adds to them composes a ``Pair``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from augkit.core.classes import CarClass
from augkit.core.parts import Mask, PartSchema, histogram
from augkit.core.pixels import normalise
from augkit.data.crop import Photo, resize_mask, resize_photo

if TYPE_CHECKING:  # most readers of pairs never ask for tensors, and torch takes seconds to import
    from jaxtyping import Float, Int
    from torch import Tensor


@dataclass(frozen=True)
class Pair:
    """``photo`` (H, W, 3) RGB, ``mask`` (H, W) part ids, and the class that they show."""

    photo: Photo
    mask: Mask
    car_class: CarClass

    def flip(self, schema: PartSchema) -> Pair:
        """The horizontal mirror image: left and right parts change places, and so does the class."""
        return Pair(np.ascontiguousarray(self.photo[:, ::-1]), schema.flip(self.mask), self.car_class.mirror)

    def resize(self, size: int) -> Pair:
        """A square pair at (size, size); see ``resize_photo`` and ``resize_mask``."""
        return Pair(resize_photo(self.photo, size), resize_mask(self.mask, size), self.car_class)

    def to_tensor(self) -> tuple[Float[Tensor, "3 h w"], Int[Tensor, "h w"]]:
        """The photo in [-1, 1], and the mask's ids as long."""
        import torch

        return photo_to_tensor(self.photo), torch.from_numpy(np.ascontiguousarray(self.mask)).long()

    def histogram(self, parts: int) -> NDArray[np.int64]:
        """(parts,) pixels by part id, background first; ignored pixels are left out."""
        return histogram(self.mask, parts)


@dataclass(frozen=True)
class UnpaintedMask:
    """A mask (H, W) that has no photo yet, or never got one, and the class that it is to show."""

    mask: Mask
    car_class: CarClass

    def flip(self, schema: PartSchema) -> UnpaintedMask:
        """As a pair's."""
        return UnpaintedMask(schema.flip(self.mask), self.car_class.mirror)


def photo_to_tensor(photo: Photo) -> Float[Tensor, "3 h w"]:
    """(H, W, 3) bytes -> [-1, 1]."""
    import torch

    return normalise(torch.from_numpy(np.ascontiguousarray(photo)).permute(2, 0, 1))


def photos_to_tensor(photos: Sequence[Photo]) -> Float[Tensor, "n 3 h w"]:
    """N (H, W, 3) bytes of one size -> [-1, 1]."""
    import torch

    return normalise(torch.from_numpy(np.stack(photos)).permute(0, 3, 1, 2))
