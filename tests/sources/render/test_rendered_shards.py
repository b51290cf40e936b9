"""Rendered cars as shards beside a workspace's photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from augkit import ShardDataset
from augkit.core.classes import CarClass
from augkit.core.errors import DataError, ShardError
from augkit.core.parts import PartSchema
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.shards.codec import decode_mask
from augkit.shards.verify import verify
from augkit.sources.render import rendered_shards as module
from augkit.sources.render.rendered_pairs import draw_pairs
from augkit.sources.render.rendered_shards import RenderRequest, write_rendered

SCHEMA = PartSchema.from_names(["wheel", "hood"])


def request(size: int = 32, **counts: int) -> RenderRequest:
    return RenderRequest({CarClass.parse(name.replace("_", "-")): n for name, n in counts.items()}, size, 0)


def test_cars_that_are_there_stay_and_others_are_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PER_SHARD", 2)
    place = Workspace(tmp_path)
    assert write_rendered(place, request(back_left_3=3), SCHEMA) == 3
    before = {path.name: path.read_bytes() for path in tmp_path.glob("rendered/*.tar")}
    assert len(before) == 2
    assert write_rendered(place, request(back_left_3=3), SCHEMA) == 0
    assert write_rendered(place, request(back_left_3=3, front_left_5=1), SCHEMA) == 1
    assert {name: (tmp_path / "rendered" / name).read_bytes() for name in before} == before
    data = ShardDataset(place.rendered, where=[("source", "==", "rendered"), ("split", "==", "train")])
    assert sorted(data.classes) == ["back-left-3"] * 3 + ["front-left-5"]
    assert verify(open_storage(place.rendered)) == []


def test_they_are_the_cars_that_a_segmenter_starts_from(tmp_path: Path) -> None:
    place, drawn = Workspace(tmp_path), draw_pairs(SCHEMA, 8, 32, 0)
    write_rendered(place, request(**{drawn["class"][2].as_py().replace("-", "_"): 1}), SCHEMA)
    [item] = ShardDataset(place.rendered)
    assert np.array_equal(item["mask"], decode_mask(drawn["mask"][2].as_py()))


def test_another_size_and_parts_that_no_car_shows_are_refused(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    write_rendered(place, request(back_left_3=1), SCHEMA)
    with pytest.raises(ShardError, match=r"rendered cars of 32 px(.|\n)*48 px and the workspace's parts"):
        write_rendered(place, request(48, back_left_3=1), SCHEMA)
    with pytest.raises(ShardError, match="and 2 parts"):
        write_rendered(place, request(back_left_3=1), PartSchema.from_names(["wheel"]))
    with pytest.raises(DataError, match="no rendered car shows roof"):
        write_rendered(Workspace(tmp_path / "other"), request(back_left_3=1), PartSchema.from_names(["roof"]))
    assert not (tmp_path / "other" / "rendered").exists()
