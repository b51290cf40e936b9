from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from augkit.core.parts import PartSchema
from augkit.core.storage import open_storage
from augkit.report.embedding_map import HEIGHT, MARGIN, MOST, WIDTH, draw_map, project
from augkit.report.image_cache import ImageCache


def test_what_lies_in_a_plane_keeps_its_distances() -> None:
    random = np.random.default_rng(0)
    plane, _ = np.linalg.qr(random.normal(size=(7, 2)))
    points = random.normal(size=(20, 2)) * (5, 1)
    found, explained = project((points @ plane.T + 3).astype(np.float32))
    expected = np.linalg.norm(points[:, None] - points, axis=-1)
    np.testing.assert_allclose(np.linalg.norm(found[:, None] - found, axis=-1), expected, atol=1e-4)
    assert explained == pytest.approx(1) and found[:, 0].var() > found[:, 1].var()


def test_noise_in_many_directions_is_said_to_be_left_out() -> None:
    random = np.random.default_rng(1)
    _, explained = project(random.normal(size=(400, 40)).astype(np.float32))
    assert 2 / 40 < explained < 0.2


def row(key: str, source: str, split: str = "train") -> dict[str, Any]:
    return {"key": key, "source": source, "split": split, "class": "front-left-5"}


@pytest.fixture
def images(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> ImageCache:
    monkeypatch.setattr(ImageCache, "thumbnail", lambda self, row: "picture of " + row["key"])
    return ImageCache(open_storage(tmp_path), PartSchema.from_names(["hood"]))


def test_points_say_what_they_are_and_fit_the_picture(images: ImageCache) -> None:
    rows = [row("a", "real"), row("b", "real", "val"), row("c", "generated"), row("unseen", "generated")]
    features = {key: np.array(place, np.float32) for key, place in {"a": (0, 0), "b": (10, 0), "c": (10, 1)}.items()}
    found = draw_map(rows, features, images)
    assert found is not None
    assert [(p.key, p.kind) for p in found.points] == [("a", "real"), ("b", "held-out"), ("c", "generated")]
    assert found.points[2].class_name == "front-left-5" and found.points[0].picture == "picture of a"
    assert all(MARGIN <= p.x <= WIDTH - MARGIN and MARGIN <= p.y <= HEIGHT - MARGIN for p in found.points)
    assert max(p.x for p in found.points) - min(p.x for p in found.points) == WIDTH - 2 * MARGIN


def test_two_points_are_no_map_and_too_many_real_ones_are_thinned(images: ImageCache) -> None:
    rows = [row(f"{n}", "real") for n in range(2 * MOST + 1)]
    features = {own["key"]: np.array([n, 0], np.float32) for n, own in enumerate(rows)}
    assert draw_map(rows[:2], features, images) is None
    found = draw_map(rows, features, images)
    assert found is not None and MOST / 2 < len(found.points) <= MOST
