"""Unpaired exemplars of the training: those of generation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from augkit.core.classes import CarClass
from augkit.core.parts import IGNORE, Mask, PartSchema
from augkit.data.draws import Draw
from augkit.data.pair import Pair
from augkit.gan.exemplars import ExemplarBank
from augkit.gan.unpaired import UnpairedExemplars

A5, B3 = CarClass("A", "5"), CarClass("B", "3")
SIDE = 32


@dataclass(frozen=True)
class _Row:
    id: str
    group: str


class _Fixed:
    """Pairs as they are; where they are augmented, ``augment`` is added to the levels, and with ``flips`` they are
    mirrored."""

    def __init__(self, items: Sequence[Pair], groups: str = "", augment: int = 0, flips: bool = False) -> None:
        self.items, self.augment, self.flips = items, augment, flips
        self.rows = [_Row(f"pair-{n}", groups[n] if groups else "") for n in range(len(items))]
        self.schema = PartSchema.from_names(["hood", "trunk"], [(200, 0, 0), (0, 0, 100)])

    def __len__(self) -> int:
        return len(self.items)

    def plain(self, index: int) -> Pair:
        return self.items[index]

    def __getitem__(self, draw: Draw) -> Pair:
        item = self.items[draw.index]
        other = replace(item, photo=item.photo + np.uint8(self.augment))
        return other.flip(self.schema) if self.flips else other


def _mask(left: int = 8, *parts: int) -> Mask:
    """Part 1 from ``left`` on; each of ``parts`` below it."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[4:16, left : left + 14] = 1
    for number, part in enumerate(parts):
        mask[20 + 6 * number : 26 + 6 * number, left : left + 14] = part
    return mask


def _pairs(masks: Sequence[Mask], car_class: CarClass = A5) -> list[Pair]:
    """Photos of one level each, 10 times the place and 10."""
    return [Pair(np.full((SIDE, SIDE, 3), 10 * n + 10, np.uint8), m, car_class) for n, m in enumerate(masks)]


def _seen(pairs: _Fixed, index: int, place: tuple[int, int] = (10, 12), draws: int = 40) -> set[int]:
    """The levels that exemplars of the pair have at a place."""
    exemplars: Any = UnpairedExemplars(pairs)  # type: ignore[arg-type]
    return {int(exemplars(pairs[Draw(index, seed)], Draw(index, seed)).photo[(*place, 0)]) for seed in range(draws)}


def test_they_are_no_near_duplicates_of_the_pair() -> None:
    pairs = _Fixed(_pairs([_mask()] * 4), "aabc")
    assert _seen(pairs, 0) == {30, 40} and _seen(pairs, 2) == {10, 20, 40}


def test_they_are_those_most_like_the_mask_as_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExemplarBank, "CHOICE", 2)
    assert _seen(_Fixed(_pairs([_mask(), _mask(1), _mask(9), _mask(16), _mask(10)])), 0) == {30, 50}


def test_a_part_that_they_lack_comes_from_others_and_never_from_the_pair_itself() -> None:
    masks = [_mask(8, 2), _mask(8), _mask(8, 2), _mask(8)]
    pairs = _Fixed(_pairs(masks), "a b ")
    assert _seen(pairs, 0, (22, 12)) <= {30, 20, 40}  # of the third, in the light of the one that lacks it
    alone = _Fixed(_pairs([_mask(8, 2), _mask(8)]))
    warped = UnpairedExemplars(alone)(alone.plain(0), Draw(0, 0))  # type: ignore[arg-type]
    assert not warped.valid[22, 12] and warped.photo[22, 12, 0] == 20


def test_they_are_augmented_and_show_the_side_that_is_asked_for() -> None:
    assert _seen(_Fixed(_pairs([_mask()] * 2), augment=3), 0) == {23}
    photo = np.full((SIDE, SIDE, 3), 50, np.uint8)
    photo[:, :15] = 200  # the left half of the part, which lies from 8 to 22
    items = [Pair(photo, _mask(), A5)] * 2
    for flips in (False, True):
        shown = UnpairedExemplars(_Fixed(items, flips=flips))(items[0], Draw(0, 1))  # type: ignore[arg-type]
        assert (shown.photo[10, 9, 0], shown.photo[10, 20, 0]) == (200, 50)


def test_a_class_of_one_has_another_classes_and_one_alone_its_own_moved() -> None:
    first, second = _pairs([_mask()] * 2)
    assert _seen(_Fixed([first, replace(second, car_class=B3)]), 1, draws=4) == {10}
    assert _seen(_Fixed([first, second], "aa"), 1, draws=4) == {20}


def test_what_the_pair_ignores_is_not_valid() -> None:
    pairs = _Fixed(_pairs([_mask()] * 2))
    pairs.items[0].mask[0] = IGNORE
    warped = UnpairedExemplars(pairs)(pairs.plain(0), Draw(0, 0))  # type: ignore[arg-type]
    assert not warped.valid[0].any() and warped.valid[1:].all()


def test_an_exemplar_is_a_function_of_the_draw() -> None:
    pairs = _Fixed(_pairs([_mask()] * 9))
    exemplars = [UnpairedExemplars(pairs) for _ in range(2)]  # type: ignore[arg-type]
    same = [own(pairs.plain(0), Draw(0, 5)).photo for own in exemplars]
    assert np.array_equal(*same) and len(_seen(pairs, 0)) > 3
