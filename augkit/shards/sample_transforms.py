"""What becomes of a decoded pair before a training script gets it: tensors, or what the script's transform makes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch

from augkit.shards.codec import Mask, Photo

Sample = dict[str, Any]
Transform = Callable[..., Sample]


def adapted(transform: Transform | None) -> Transform:
    """What is called as ``transform(image=(H, W, 3) uint8, mask=(H, W) uint8)``: one of albumentations as it is, one of
    torchvision's v2 with its tensors, and plain tensors where there is none."""
    if transform is None:
        return to_tensors
    # Whoever made one has imported its package: nobody else pays for it.
    v2 = sys.modules.get("torchvision.transforms.v2")
    return _OnTensors(transform) if v2 is not None and isinstance(transform, v2.Transform) else transform


def to_tensors(image: Photo, mask: Mask) -> Sample:
    """(3, H, W) uint8 and (H, W) int64."""
    planes = np.empty((3, *image.shape[:2]), np.uint8)
    cv2.split(image, [*planes])  # a fifth of the time that torch takes to permute and copy
    return {"image": torch.from_numpy(planes), "mask": torch.from_numpy(mask).long()}


@dataclass(frozen=True)
class _OnTensors:
    """One of torchvision's v2 transforms, which tell photo and mask apart by their types."""

    transform: Transform

    def __call__(self, image: Photo, mask: Mask) -> Sample:
        from torchvision import tv_tensors

        plain = to_tensors(image, mask)
        typed = {"image": tv_tensors.Image(plain["image"]), "mask": tv_tensors.Mask(plain["mask"])}
        return dict(self.transform(typed))
