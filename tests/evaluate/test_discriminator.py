"""How many patches of held-out photos a D tells."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from augkit.core.classes import CarClass
from augkit.core.parts import IGNORE
from augkit.data.pair import Pair
from augkit.evaluate.discriminator import PatchAccuracy, on_car, patch_accuracy


def test_every_scale_counts_alike_and_the_even_score_is_taken_for_made() -> None:
    real = [torch.tensor([[1.0, -1.0], [2.0, 0.0]]), torch.tensor([[3.0]])]  # .5 and 1
    made = [torch.tensor([[-1.0, -2.0], [0.0, 5.0]]), torch.tensor([[1.0]])]  # .75 and 0
    found = patch_accuracy(real, made, 0.0)
    assert (found.real, found.made) == (0.75, 0.375) and found.mean == pytest.approx(0.5625)
    assert patch_accuracy(real, made, 2.5) == PatchAccuracy(0.5, 0.875)


def test_who_says_the_same_of_all_is_right_about_half() -> None:
    for score in (-1.0, 0.0, 1.0):
        same = [torch.full((4, 4), score)]
        assert patch_accuracy(same, same, 0.0).mean == 0.5


def test_patches_on_the_car_count_and_all_where_there_is_none() -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[:4, :4], mask[4:] = 2, IGNORE
    pair = Pair(np.zeros((8, 8, 3), np.uint8), mask, CarClass("A", "5"))
    assert on_car(pair, (2, 2)).tolist() == [[True, False], [False, False]]
    assert on_car(replace(pair, mask=0 * mask), (2, 4)).all() and on_car(pair, (2, 4)).shape == (2, 4)
