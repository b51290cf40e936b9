"""What becomes of a made photo's background."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Int, UInt8
from numpy.typing import NDArray
from torch import Tensor, nn

from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.parts import Mask
from augkit.core.seeds import derive
from augkit.data.crop import Photo
from augkit.sources.backdrops import ANY
from augkit.sources.backdrops.chroma_key import cut_out


class PhotoBackground(nn.Module):
    """(N, S, S, 3) photos made for (N, S, S) masks of a class, with a seed each -> photos; here as they are."""

    def forward(self, photos: Photo, masks: Mask, car_class: CarClass, seeds: Sequence[int]) -> Photo:
        """See the class."""
        del masks, car_class, seeds
        return photos


class CompositeBackground(PhotoBackground):
    """Cars on green, cut out and composited over a scene that the seed picks.

    A scene is one of the class, of its orientation where there is none of the class, of any where there is none of
    either, or one for all classes. Among these it is one whose in-painted hole the car covers best: at least ``CHOICE``
    are left to choose from.
    """

    CHOICE = 12

    photos: Tensor
    holes: Tensor
    classes: Tensor

    def __init__(
        self, photos: UInt8[Tensor, "m s s 3"], holes: Bool[Tensor, "m s s"], classes: Int[Tensor, " m"]
    ) -> None:
        super().__init__()
        self.register_buffer("photos", photos)
        self.register_buffer("holes", holes)
        self.register_buffer("classes", classes)

    @classmethod
    def of(cls, photos: Photo, holes: NDArray[np.bool_], classes: NDArray[np.int64]) -> CompositeBackground:
        """Over scenes (M, S, S, 3), what of them (M, S, S) is in-painted, and the numbers (M,) of their classes."""
        return cls(torch.from_numpy(photos), torch.from_numpy(holes), torch.from_numpy(classes))

    def forward(self, photos: Photo, masks: Mask, car_class: CarClass, seeds: Sequence[int]) -> Photo:
        """See the class."""
        pool = self._pool(car_class)
        made = []
        for photo, mask, seed in zip(photos, masks, seeds, strict=True):
            car = cut_out(photo, mask)
            scene = self._scene(pool, car.opacity > 0.5, seed)
            fitted = cv2.resize(scene, mask.shape[::-1], interpolation=cv2.INTER_AREA)
            made.append(car.over(np.asarray(fitted, np.uint8)))
        return np.stack(made)

    def _pool(self, car_class: CarClass) -> Int[Tensor, " p"]:
        alike = [c.number for c in ALL_CLASSES if c.orientation == car_class.orientation]
        everywhere = self.classes == ANY
        for suits in (self.classes == car_class.number, torch.isin(self.classes, torch.tensor(alike))):
            if (suits | everywhere).any():
                return torch.nonzero(suits | everywhere).flatten()
        return torch.arange(len(self.classes))

    def _scene(self, pool: Int[Tensor, " p"], car: NDArray[np.bool_], seed: int) -> Photo:
        side = self.holes.shape[1]
        shown = cv2.resize(car.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST) > 0
        bare = (self.holes[pool] & ~torch.from_numpy(shown)).flatten(1).sum(1)
        worst = bare.sort().values[min(self.CHOICE, len(pool)) - 1]
        fitting = pool[bare <= worst]
        generator = torch.Generator().manual_seed(derive(seed, "backdrop") % 2**63)
        pick = torch.randint(len(fitting), (), generator=generator)
        return np.asarray(self.photos[fitting[pick]].numpy(), np.uint8)
