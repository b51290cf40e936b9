"""Rendered cars as shards beside a workspace's photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from augkit import ShardDataset
from augkit.core.classes import CarClass
from augkit.core.errors import DataError, ShardError
from augkit.core.parts import IGNORE, PartSchema
from augkit.core.storage import open_storage
from augkit.shards.codec import decode_mask, decode_photo
from augkit.shards.verify import verify
from augkit.sources.render import rendered_shards as module
from augkit.sources.render.rendered_samples import even_counts
from augkit.sources.render.rendered_shards import RenderRequest, write_rendered

SCHEMA = PartSchema.from_names(["wheel", "hood"])


def request(size: int = 32, **counts: int) -> RenderRequest:
    return RenderRequest({CarClass.parse(name.replace("_", "-")): n for name, n in counts.items()}, size, 0)


def write(root: Path, own: RenderRequest, schema: PartSchema = SCHEMA) -> int:
    return write_rendered(root / "rendered", root / "rendered", own, schema)


def test_cars_that_are_there_stay_and_others_are_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PER_SHARD", 2)
    place = tmp_path
    assert write(place, request(back_left_3=3)) == 3
    before = {path.name: path.read_bytes() for path in tmp_path.glob("rendered/*.tar")}
    assert len(before) == 2
    assert write(place, request(back_left_3=3)) == 0
    assert write(place, request(back_left_3=3, front_left_5=1)) == 1
    assert {name: (tmp_path / "rendered" / name).read_bytes() for name in before} == before
    data = ShardDataset(place / "rendered", where=[("source", "==", "rendered"), ("split", "==", "train")])
    assert sorted(data.classes) == ["back-left-3"] * 3 + ["front-left-5"]
    assert verify(open_storage(place / "rendered")) == []


def test_cars_of_all_known_classes_with_exact_masks(tmp_path: Path) -> None:
    write(tmp_path, RenderRequest(even_counts(8), 32, 0))
    data = ShardDataset(tmp_path / "rendered")
    assert len(data) == 8 and len(set(data.classes)) == 8
    for number in range(8):
        photo, ids = (decode(own) for decode, own in zip((decode_photo, decode_mask), data.raw(number), strict=True))
        assert photo.shape == (32, 32, 3) and set(np.unique(ids).tolist()) <= {0, 1, 2, IGNORE} and ids.any()
        assert data.index["histogram"][number].as_py() == [int((ids == id).sum()) for id in range(3)]


def test_another_size_and_parts_that_no_car_shows_are_refused(tmp_path: Path) -> None:
    place = tmp_path
    write(place, request(back_left_3=1))
    with pytest.raises(ShardError, match=r"rendered cars of 32 px(.|\n)*48 px and the workspace's parts"):
        write(place, request(48, back_left_3=1))
    with pytest.raises(ShardError, match="and 2 parts"):
        write(place, request(back_left_3=1), PartSchema.from_names(["wheel"]))
    with pytest.raises(DataError, match="no rendered car shows roof"):
        write(tmp_path / "other", request(back_left_3=1), PartSchema.from_names(["roof"]))
    assert not (tmp_path / "other" / "rendered").exists()
