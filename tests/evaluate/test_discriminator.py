"""How many patches of held-out photos a D tells."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from augkit.core.classes import CarClass
from augkit.core.parts import IGNORE, PartSchema
from augkit.data.pair import Pair
from augkit.evaluate.discriminator import PatchAccuracy, on_car, patch_accuracy, ranked_above, told_apart
from augkit.settings import load_settings


def test_every_scale_counts_alike_and_the_even_score_is_taken_for_made() -> None:
    real = [torch.tensor([[1.0, -1.0], [2.0, 0.0]]), torch.tensor([[3.0]])]  # .5 and 1
    made = [torch.tensor([[-1.0, -2.0], [0.0, 5.0]]), torch.tensor([[1.0]])]  # .75 and 0
    found = patch_accuracy(real, made, 0.0)
    assert (found.real, found.made) == (0.75, 0.375) and found.mean == pytest.approx(0.5625)
    # above made ones: of 16 pairs 3 + 1.5 + 3 + 2.5; of the other scale's one pair, one
    assert patch_accuracy(real, made, 2.5) == PatchAccuracy(0.5, 0.875, (10 / 16 + 1) / 2)


def test_who_ranks_all_right_is_seen_whatever_the_scores_are_shifted_by() -> None:
    low, high = torch.tensor([[0.0, 1.0]]), torch.tensor([[2.0, 3.0]])
    for shift in (-9.0, 0.0, 9.0):
        assert patch_accuracy([high + shift], [low + shift], 0.0).ranked == 1.0
    assert patch_accuracy([high - 9], [low - 9], 0.0).mean == 0.5
    assert (ranked_above(low, high), ranked_above(low, low)) == (0.0, 0.5)
    assert ranked_above(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 1.0, 4.0])) == pytest.approx((1.5 + 2) / 6)


def test_who_says_the_same_of_all_is_right_about_half() -> None:
    for score in (-1.0, 0.0, 1.0):
        same = [torch.full((4, 4), score)]
        found = patch_accuracy(same, same, 0.0)
        assert found.mean == found.ranked == 0.5


def test_patches_on_the_car_count_and_all_where_there_is_none() -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[:4, :4], mask[4:] = 2, IGNORE
    pair = Pair(np.zeros((8, 8, 3), np.uint8), mask, CarClass("A", "5"))
    assert on_car(pair, (2, 2)).tolist() == [[True, False], [False, False]]
    assert on_car(replace(pair, mask=0 * mask), (2, 4)).all() and on_car(pair, (2, 4)).shape == (2, 4)


class RedIsReal:
    """Two scales: the red of each pixel, and everywhere that of the last pixel."""

    def __call__(self, seen: torch.Tensor) -> list[list[torch.Tensor]]:
        red = seen[:, -3:-2]
        return [[red], [red[..., -1:, -1:].expand_as(red)]]


def test_what_is_beside_the_car_is_not_judged_and_ignored_pixels_are_the_real_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[:4], mask[-1, -1] = 2, IGNORE
    red, dark = np.full((8, 8, 3), 255, np.uint8), np.zeros((8, 8, 3), np.uint8)
    red[4:], dark[4:] = 0, 255  # a background that says the opposite
    red[-1, -1], dark[-1, -1] = 255, 0
    real, made = (Pair(photo, mask, CarClass("A", "5")) for photo in (red, dark))
    found: list[RedIsReal | None] = [RedIsReal(), None]
    monkeypatch.setattr("augkit.evaluate.discriminator.load_discriminator", lambda *_: found.pop(0))
    drawn = SimpleNamespace(schema=PartSchema.from_names(["hood", "trunk"]))
    store: Any = SimpleNamespace(
        settings=load_settings("smoke"), drawn=drawn,
        model=lambda stage, car_class: "all", usable=lambda stage, name: None,
    )  # fmt: skip
    assert told_apart(store, [real], [made]) == PatchAccuracy(1.0, 0.5, 0.75)  # of the second scale none is told
    assert told_apart(store, [real], [made]) is None  # D is gone
