"""Cars that stage I draws with the body: painted with it, judged and trained on without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from augkit.balance.plain_options import open_references
from augkit.core.classes import CarClass
from augkit.core.parts import Mask
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.data.whole_car import without_body
from augkit.gan.generated import GeneratedPhotos, MaskDraw
from augkit.gan.photo_sampler import PhotoSampler
from augkit.gan.samplers import MaskSampler
from augkit.gate.judge_again import judge_again
from augkit.settings import Settings
from augkit.settings import changed as settings_with
from augkit.shards.codec import decode_mask
from augkit.shards.index import load_index
from augkit.shards.reader import read_stored
from augkit.shards.verify import verify
from tests.balance.conftest import run_job


def test_bodies_are_kept_in_exact_masks_alone(
    trained: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample, paint, painted = MaskSampler.sample, PhotoSampler.paint, []

    def with_roof(self: MaskSampler, car_class: CarClass, seeds: Sequence[int], size: int) -> MaskDraw:
        draw = sample(self, car_class, seeds, size)
        masks = draw.masks.copy()
        masks[:, :12][masks[:, :12] == 0] = self.schema.channels
        return replace(draw, masks=masks)

    def as_trained(self: PhotoSampler, masks: Mask, *rest: Any) -> GeneratedPhotos:
        painted.append(masks.max())
        return paint(self, without_body(masks, self.bank.schema.channels), *rest)

    monkeypatch.setattr(MaskSampler, "sample", with_roof)
    monkeypatch.setattr(PhotoSampler, "paint", as_trained)
    assert not run_job(trained, settings, 9, only=("front-left-5",)).failures
    storage = open_storage(trained.shards)
    assert verify(storage) == []
    rows = [row for row in load_index(storage).to_pylist() if row["source"] == "generated" and row["shard"]]
    assert rows
    for row in rows:
        stored = read_stored(storage, row)
        mask, full = decode_mask(stored.mask), decode_mask(stored.full)
        channels = len(row["histogram"])
        assert mask.max() < channels == full.max() and (full[:6] == channels).any()
        assert np.array_equal(mask, without_body(full, channels))
        assert sum(row["histogram"]) == mask.size and channels in painted
    again = judge_again(open_references(trained, settings_with(settings, ["gate.slack=5"])), refit=False)
    assert verify(storage) == [] and again["changed"] == {}
