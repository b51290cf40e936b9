"""Pictures to traits, with an extractor that can be told by hand and once with the real one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from augkit.core.errors import DataError, SchemaError
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.pair_files import read_mask
from augkit.evaluate.comparison import compare
from augkit.evaluate.extract import extract_masks, extract_photos
from augkit.models.extractors import EXTRACTORS

SCHEMA = PartSchema.from_names(["hood", "left_door", "right_door"])


class MeanColour:
    """Features: the mean of each colour."""

    name, dim, size, map_layer = "mean", 3, 8, "none"

    def __init__(self) -> None:
        self.batches: list[Tensor] = []

    def features(self, photos: Tensor) -> Tensor:
        self.batches.append(photos)
        return photos.float().mean((2, 3))

    def classify(self, features: Tensor) -> Tensor:
        return features.softmax(1)

    def probabilities(self, photos: Tensor) -> Tensor:
        return self.classify(self.features(photos))

    def maps(self, photos: Tensor) -> Tensor:
        return photos.float()


def test_photos_in_batches_with_progress() -> None:
    photos = np.random.default_rng(0).integers(0, 256, (7, 6, 5, 3), dtype=np.uint8)
    extractor, seen = MeanColour(), []
    found = extract_photos(photos, extractor, batch=3, progress=lambda *about: seen.append(about))
    assert seen == [("pictures", 3, 7), ("pictures", 6, 7), ("pictures", 7, 7)]
    assert [tuple(batch.shape) for batch in extractor.batches] == [(3, 3, 6, 5), (3, 3, 6, 5), (1, 3, 6, 5)]
    assert found.tables["features"] == pytest.approx(photos.mean((1, 2)), rel=1e-5)
    assert (found.extractor, found.kind, found.size, len(found)) == ("mean", "photos", (6, 5), 7)


def test_blank_pictures_are_marked() -> None:
    photos = [np.full((4, 4, 3), 7, np.uint8), np.arange(48, dtype=np.uint8).reshape(4, 4, 3)]
    assert extract_photos(photos, MeanColour()).blank.tolist() == [True, False]
    assert extract_masks([np.zeros((4, 4), np.uint8)], SCHEMA, MeanColour()).blank.tolist() == [True]


def test_masks_are_seen_in_their_colours_and_never_in_mixed_ones() -> None:
    mask = np.array([[1, 0, 2], [3, 3, 0], [1, 2, 2]], np.uint8)
    extractor = MeanColour()
    found = extract_masks(mask[None], SCHEMA, extractor)
    seen = extractor.batches[0][0].permute(1, 2, 0).reshape(-1, 3).unique(dim=0)
    palette = torch.from_numpy(SCHEMA.palette[:4]).unique(dim=0)
    assert torch.equal(seen, palette)
    assert set(found.tables) == {"features", "shares", "adjacency", "components"}
    assert found.tables["shares"][0] == pytest.approx(np.array([2, 2, 3, 2]) / 9)
    assert found.size == (3, 3)


def test_bad_pictures() -> None:
    good = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(DataError, match="no photos"):
        extract_photos([], MeanColour())
    with pytest.raises(DataError, match="2 different sizes"):
        extract_photos([good, good[:3]], MeanColour())
    with pytest.raises(DataError, match="float64"):
        extract_photos([good.astype(np.float64)], MeanColour())
    with pytest.raises(DataError, match=r"\(H, W\) part ids"):
        extract_masks([good], SCHEMA, MeanColour())
    with pytest.raises((DataError, SchemaError), match="part ids"):
        extract_masks([np.full((4, 4), 9, np.uint8)], SCHEMA, MeanColour())


def test_broken_masks_are_far_from_real_ones_through_the_real_network(rendered_workspace: Workspace) -> None:
    schema = PartSchema.load(rendered_workspace.schema)
    masks = [read_mask(path)[::2, ::2] for path in sorted(rendered_workspace.pairs.glob("*.mask.png"))]
    random = np.random.default_rng(0)
    order = random.permutation(len(masks))
    real, other = ([masks[i] for i in part] for part in (order[:20], order[20:]))
    broken = [random.permutation(mask.reshape(-1)).reshape(mask.shape) for mask in other]
    extractor = EXTRACTORS["lite0"]()
    held_out, same, bad = (extract_masks(m, schema, extractor) for m in (real, other, broken))
    good, poor = (compare(held_out, made, ["frechet"], resamples=10)[0].ratio for made in (same, bad))
    assert good is not None and poor is not None
    assert good < 1.5
    assert poor > 3
