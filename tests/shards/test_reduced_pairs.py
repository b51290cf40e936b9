"""Pairs that are decoded smaller than they are stored."""

from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from augkit.core.errors import ConfigError, ShardError
from augkit.core.storage import LocalStorage
from augkit.shards.codec import decode_photo, encode_photo
from augkit.shards.index import finish
from augkit.shards.reader import ShardDataset

from .pairs import SCHEMA, SHARDS, make_pair, write_shard


@pytest.mark.parametrize("reduce", [2, 8])
@pytest.mark.parametrize("lossless", [False, True])
def test_a_pair_is_reduced_while_it_is_decoded(reduce: int, lossless: bool, tmp_path: Path) -> None:
    shades = cv2.resize(np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8), (48, 32))
    mask = np.arange(32 * 48, dtype=np.uint8).reshape(32, 48) % SCHEMA.channels
    storage, photo = LocalStorage(tmp_path), encode_photo(shades, lossless=lossless)
    write_shard(storage, SHARDS[0], {"one": (shades, mask)}, lossless).commit("row")
    finish(storage, SHARDS[:1], SCHEMA, "plan", {})
    sample = pickle.loads(pickle.dumps(ShardDataset(tmp_path, reduce=reduce)))[0]
    small = cv2.resize(decode_photo(photo[0]), (48 // reduce, 32 // reduce), interpolation=cv2.INTER_AREA)
    assert np.abs(sample["image"].permute(1, 2, 0).numpy().astype(int) - small).mean() < 3
    np.testing.assert_array_equal(sample["mask"], mask[reduce // 2 :: reduce, reduce // 2 :: reduce])


def test_what_cannot_be_reduced_is_said(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    write_shard(storage, SHARDS[0], {"one": make_pair(0, 24, 36)}).commit("row")
    finish(storage, SHARDS[:1], SCHEMA, "plan", {})
    with pytest.raises(ConfigError, match="reduce=3\nexpected: one of 1, 2, 4, 8"):
        ShardDataset(tmp_path, reduce=3)
    assert ShardDataset(tmp_path, reduce=4)[0]["mask"].shape == (6, 9)
    with pytest.raises(ShardError, match=r"shard-000000, pair one: a pair of 36 x 24 pixels\nexpected: .* of reduce=8"):
        assert ShardDataset(tmp_path, reduce=8)[0]
