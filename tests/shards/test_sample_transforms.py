from __future__ import annotations

import numpy as np
import torch

from augkit.shards.sample_transforms import to_tensors


def test_planes_are_those_of_the_photo_whatever_its_mask() -> None:
    photo = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    sample = to_tensors(photo, np.full((4, 5), 255, np.uint8))
    assert sample["image"].is_contiguous() and torch.equal(sample["image"], torch.from_numpy(photo).permute(2, 0, 1))
    assert sample["mask"].dtype == torch.int64 and sample["mask"].unique().tolist() == [255]
