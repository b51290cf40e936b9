"""Draws that start from the harder masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from augkit.core.classes import CarClass
from augkit.core.errors import DataError
from augkit.gan.hard_sampling import rank_chances
from augkit.gan.samplers import LatentBank

A5, B5 = CarClass("A", "5"), CarClass("B", "5")


def test_chances_of_the_ranks_in_closed_form() -> None:
    hardness = np.array([0.9, 0.1, 0.5, 0.2])
    assert rank_chances(hardness, 1) == pytest.approx(np.array([4, 1, 3, 2]) / 10)
    assert rank_chances(hardness, 2) == pytest.approx(np.array([16, 1, 9, 4]) / 30)
    assert rank_chances(hardness, 0) == pytest.approx([0.25] * 4)
    assert rank_chances(hardness * 7 - 3, 1) == pytest.approx(rank_chances(hardness, 1))  # ranks alone count
    assert rank_chances(np.array([1.0, 1.0, 2.0]), 1) == pytest.approx(np.array([1.5, 1.5, 3]) / 6)


def _bank() -> LatentBank:
    """Three masks of a class, far apart, then their mirror images."""
    latents = torch.tensor([[0.0], [100.0], [200.0], [1000.0], [1100.0], [1200.0]])
    classes = torch.tensor([A5.number] * 3 + [B5.number] * 3)
    return LatentBank(latents, classes, torch.zeros(len(latents), 1).bool(), neighbours=0, noise=0.0)


@pytest.mark.parametrize(("car_class", "start"), [(A5, 0), (B5, 1000)])
def test_anchors_are_drawn_by_these_chances(car_class: CarClass, start: int) -> None:
    """A mask and its mirror image are equally hard."""
    bank = _bank()
    bank.prefer([0.2, 0.9, 0.5], 1)
    drawn = np.array([float(bank.draw(car_class, seed)) for seed in range(3000)])
    shares = [np.mean(drawn == start + place) for place in (0, 100, 200)]
    assert shares == pytest.approx([1 / 6, 3 / 6, 2 / 6], abs=0.03)


def test_a_draw_is_a_function_of_class_seed_and_hardness() -> None:
    seeds, banks = range(40), [_bank() for _ in range(4)]
    for bank, hardness in zip(banks[:3], ([0.2, 0.9, 0.5], [0.2, 0.9, 0.5], [0.9, 0.2, 0.5]), strict=True):
        bank.prefer(hardness, 1)
    drawn = [[float(bank.draw(A5, seed)) for seed in seeds] for bank in banks]
    assert drawn[0] == drawn[1] != drawn[2]
    plain = [float(_bank().draw(A5, seed)) for seed in seeds]
    assert drawn[3] == plain  # nothing preferred, nothing changed
    expected = [torch.randint(3, (), generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    assert plain == [100.0 * int(place) for place in expected]


def test_the_table_is_of_the_banks_masks() -> None:
    with pytest.raises(DataError, match="hardness of 2 masks"):
        _bank().prefer([0.1, 0.2], 1)
