"""Training pairs with exemplars, made by the cycle warp."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from augkit.core.classes import CarClass
from augkit.core.parts import IGNORE, PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, read_catalogue
from augkit.data.dataset import PairDataset
from augkit.data.draws import Draw, ExemplarPair
from augkit.data.pair import Pair
from augkit.data.warp.cycle_warp import CycleWarpPairs, cycle_warp, moved


@pytest.fixture
def pairs(rendered_workspace: Workspace) -> PairDataset:
    rows = TrainingRows.of(read_catalogue(rendered_workspace.catalogue)).rows
    return PairDataset(rendered_workspace, rows, PartSchema.load(rendered_workspace.schema), 64, "flip")


def test_an_exemplar_is_the_photo_warped_there_and_back(pairs: PairDataset) -> None:
    warping = CycleWarpPairs(pairs)
    assert len(warping) == len(pairs)
    differing = []
    for index in range(6):
        item = warping[Draw(index, index)]
        pair, warped = item.pair, item.warped
        assert np.array_equal(pair.photo, pairs[Draw(index, index)].photo)  # the pair itself is left alone
        car = (pair.mask != 0) & (pair.mask != IGNORE) & warped.valid
        differing.append(float(np.abs(pair.photo.astype(int) - warped.photo)[car].mean()))
    assert max(differing) > 2  # grey levels: warped there and back, not handed over
    assert max(differing) < 60  # and still the same car: see the next test for a stranger's


def test_an_exemplar_is_nearer_to_its_photo_than_another_car_is(pairs: PairDataset) -> None:
    warping = CycleWarpPairs(pairs)
    items = [warping[Draw(index, 0)] for index in range(6)]

    def difference(item: ExemplarPair, other: ExemplarPair) -> float:
        return float(np.abs(item.pair.photo.astype(int) - other.warped.photo).mean())

    own = [difference(item, item) for item in items]
    others = [difference(a, b) for a in items for b in items if a is not b]
    assert np.mean(own) < 0.7 * np.mean(others)


def test_an_exemplar_is_a_function_of_the_draw(pairs: PairDataset) -> None:
    first, second = CycleWarpPairs(pairs), CycleWarpPairs(pairs)
    draws = (first, 5), (second, 5), (second, 6), (second, 7)
    same, again, *others = [warping[Draw(3, seed)].warped.photo for warping, seed in draws]
    assert np.array_equal(same, again) and any(not np.array_equal(same, other) for other in others)


def test_what_is_ignored_is_not_known() -> None:
    mask = np.zeros((32, 32), np.uint8)
    mask[8:24, 8:24] = 1
    other = np.roll(mask, 4, 1)
    other[:3] = IGNORE  # the other photo's frame says nothing of this one
    mask[28:] = IGNORE
    photo = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    warped = cycle_warp(Pair(photo, mask, CarClass("A", "5")), other)
    assert np.array_equal(warped.valid, mask != IGNORE)


def test_the_mask_that_shows_most_of_the_parts_is_taken() -> None:
    """Of masks drawn, the one that lacks the fewest parts: a warp over a gap loses them."""
    rich, poor = np.zeros((16, 16), np.uint8), np.zeros((16, 16), np.uint8)
    rich[2:8, 2:8], rich[9:12, 2:8], poor[2:12, 2:12] = 1, 2, 1
    photo = np.zeros((16, 16, 3), np.uint8)
    a5 = CarClass("A", "5")
    items = [Pair(photo, mask, a5) for mask in (poor, poor, poor, rich, rich)]
    warping = CycleWarpPairs(_Fixed(items))  # type: ignore[arg-type]
    chosen = [warping._nearest(items[3], range(5), seed) for seed in range(20)]
    assert (
        sum(pair is not None and np.array_equal(pair.mask, rich) for pair in chosen) >= 18
    )  # six draws of five miss both in 0.4**6


def test_a_pair_without_others_is_warped_over_its_own_mask_moved() -> None:
    mask = np.zeros((16, 16), np.uint8)
    mask[4:12, 4:12] = 1
    fixed = _Fixed([Pair(np.zeros((16, 16, 3), np.uint8), mask, CarClass("A", "5"))] * 2)
    fixed.rows = [_Row(CarClass("A", "5"), "a")] * 2
    warping = CycleWarpPairs(fixed)  # type: ignore[arg-type]
    assert warping._strangers(0, [0, 1]) == [] and warping[Draw(0, 3)].warped.valid.all()
    other = moved(mask, 5)
    assert not np.array_equal(other, mask) and set(np.unique(other)) == {0, 1}
    assert 0.7 < (other == 1).sum() / (mask == 1).sum() < 1.4


def test_there_are_none_unless_asked_for(pairs: PairDataset) -> None:
    assert CycleWarpPairs(pairs)[Draw(0, 0)].unpaired is None


@dataclass(frozen=True)
class _Row:
    car_class: CarClass
    group: str = ""


class _Fixed:
    """Pairs as they are."""

    def __init__(self, items: list[Pair]) -> None:
        self.items, self.rows = items, [_Row(item.car_class) for item in items]
        self.schema = PartSchema.from_names(["hood", "door"], [(200, 0, 0), (0, 0, 100)])

    def __len__(self) -> int:
        return len(self.items)

    def plain(self, index: int) -> Pair:
        return self.items[index]

    def __getitem__(self, draw: Draw) -> Pair:
        return replace(self.items[draw.index])
