"""Pairs, records, shards and a small data set for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from augkit.core.parts import PartSchema
from augkit.core.storage import Storage
from augkit.shards.codec import Mask, Photo, encode_mask, encode_photo
from augkit.shards.index import Manifest, finish
from augkit.shards.writer import PairRecord, ShardWriter

SCHEMA = PartSchema.from_names(["hood", "left_door", "right_door"])
SHARDS = ["shard-000000", "shard-000001", "shard-000002"]
Pairs = dict[str, tuple[Photo, Mask]]


def make_pair(seed: int, height: int = 24, width: int = 32) -> tuple[Photo, Mask]:
    random = np.random.default_rng(seed)
    photo = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return photo, random.integers(0, SCHEMA.channels, (height, width), dtype=np.uint8)


def make_record(key: str, mask: Mask | None = None, **changes: Any) -> PairRecord:
    height, width = (0, 0) if mask is None else mask.shape
    histogram = [] if mask is None else np.bincount(mask.reshape(-1), minlength=SCHEMA.channels).tolist()
    values: dict[str, Any] = {
        "key": key,
        "split": "train",
        "source": "generated",
        "orientation": "A",
        "doors": "5",
        "seed": 7,
        "mask_model": "m" * 8,
        "image_model": "i" * 8,
        "width": width,
        "height": height,
        "histogram": histogram,
        "scores": {},
        "reasons": [],
    }
    return PairRecord(**(values | changes))


def write_shard(storage: Storage, name: str, pairs: Pairs, lossless: bool = False, **changes: Any) -> ShardWriter:
    writer = ShardWriter(storage, name)
    for key, (photo, mask) in pairs.items():
        data, extension = encode_photo(photo, lossless=lossless)
        writer.add(make_record(key, mask, **changes), data, extension, encode_mask(mask))
    return writer


def exact_mask() -> Mask:
    """What the mask of made-0 was before pixels of it were ignored."""
    return make_pair(30)[1]


def rejected_pair() -> tuple[Photo, Mask]:
    """The pair made-20."""
    return make_pair(31)


def write_dataset(storage: Storage) -> tuple[Manifest, Pairs]:
    """Five real pairs of front-left-5; three generated of back-right-3 with scores, one reject; a shard of rejects.

    The first generated pair ignores pixels of its exact mask, and the last reject was painted: both are aside.
    """
    real = {f"real-{number}": make_pair(number) for number in range(5)}
    write_shard(storage, SHARDS[0], real, source="real", seed=0, mask_model="", image_model="").commit("row-0")
    made = {f"made-{number}": make_pair(10 + number) for number in range(3)}
    car = {"orientation": "C", "doors": "3"}
    writer = ShardWriter(storage, SHARDS[1])
    for key, (photo, mask) in made.items():
        full = encode_mask(exact_mask()) if key == "made-0" else None
        record = make_record(key, mask, **car, scores={"share": 0.5, "edges": 2.0}, exemplar="real-1")
        writer.add(record, *encode_photo(photo), encode_mask(mask), full)
    writer.reject(make_record("made-9", accepted=False, reasons=["specks"], scores={"late": 1.0}, **car))
    writer.commit("row-1")
    writer = ShardWriter(storage, SHARDS[2])
    photo, mask = rejected_pair()
    record = make_record("made-20", mask, accepted=False, reasons=["specks", "no hood"])
    writer.add(record, *encode_photo(photo), encode_mask(mask))
    writer.commit("row-2")
    return finish(storage, SHARDS, SCHEMA, "plan", {"augkit": "0"}), real | made
