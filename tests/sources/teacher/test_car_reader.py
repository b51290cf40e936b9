"""What segmenters read together, with networks that look at one colour."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from augkit.core.errors import DataError
from augkit.core.parts import IGNORE, PartSchema
from augkit.sources.teacher.car_finder import find_car, locate_car, without_other_cars
from augkit.sources.teacher.car_reader import CarReader, Chances
from augkit.sources.teacher.thresholds import PartThresholds, SeenPixels, kept_share

SCHEMA = PartSchema.from_names(["hood", "left_door", "right_door"])


class Colours(nn.Module):
    """Red is hood, green is left door, blue is right door, dark is background."""

    divisor = 2

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(8.0))

    def forward(self, photos: Tensor) -> Tensor:
        dark = torch.zeros_like(photos[:, :1])
        return self.weight * torch.cat([dark, photos], 1)


@pytest.fixture
def reader() -> CarReader:
    return CarReader([Colours()], 16, SCHEMA, [1.0])


def test_the_mirror_image_is_read_and_its_sides_exchanged(reader: CarReader) -> None:
    """A network that calls every green pixel the left door contradicts itself in the mirror."""
    photo = np.zeros((16, 16, 3), np.uint8)
    photo[:, :8, 1] = 255
    chances = reader.chances(photo).of_parts
    assert chances.shape == (4, 16, 16) and np.allclose(chances.sum(0), 1)
    assert chances[2, :, :8] == pytest.approx(chances[3, :, :8]) and chances[2, 0, 0] > 0.49
    assert (chances[0, :, 8:] > 0.9).all()


def test_scales_and_networks_are_averaged() -> None:
    photo = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    one, other = Colours(), Colours()
    other.weight.data *= 0.1
    both = CarReader([one, other], 16, SCHEMA, [1.0, 2.0]).chances(photo).of_parts
    alone = [CarReader([network], 16, SCHEMA, [scale]) for network in (one, other) for scale in (1.0, 2.0)]
    assert both == pytest.approx(np.mean([reader.chances(photo).of_parts for reader in alone], 0), abs=1e-6)


def test_the_largest_car_of_a_whole_photo_is_found(reader: CarReader) -> None:
    photo = np.zeros((60, 100, 3), np.uint8)
    photo[20:50, 50:90, 0] = 255
    photo[5:20, 5:25, 0] = 255
    window, others = locate_car(photo, reader, 0.0)
    assert others == 1
    assert window.side == pytest.approx(40, abs=4) and (window.x, window.y) == pytest.approx((50, 15), abs=4)


def test_a_photo_without_a_car_is_told(reader: CarReader) -> None:
    with pytest.raises(DataError, match=r"no car is found: 0\.0%"):
        locate_car(np.zeros((60, 100, 3), np.uint8), reader, 0.0)


def test_what_covers_next_to_nothing_is_no_car(reader: CarReader) -> None:
    photo = np.zeros((600, 1000, 3), np.uint8)
    photo[300:362, 500:562, 0] = 255  # two by two of the 32 x 32 pixels that are read
    with pytest.raises(DataError, match=r"no car is found: 0\.4%"):
        locate_car(photo, reader, 0.0)


def test_pieces_with_a_small_gap_between_them_are_one_car() -> None:
    read = np.zeros((64, 64), np.uint8)
    read[10:30, 10:30], read[32:50, 10:30] = 1, 2
    found = find_car(read)
    assert found is not None and found.others == 0 and np.array_equal(found.piece, read > 0)


def test_another_car_is_not_to_be_trained_on() -> None:
    read = np.zeros((64, 64), np.uint8)
    read[26:60, 20:60], read[2:18, 2:32], read[62, 62] = 1, 2, 3
    assert (without_other_cars(read)[2:18, 2:32] == IGNORE).all() and without_other_cars(read)[30, 30] == 1
    read[2:18, 2:32] = 0
    assert np.array_equal(without_other_cars(read), read), "a stray pixel is no other car"
    assert find_car(np.zeros((8, 8), np.uint8)) is None


def _seen(part: int, confidence: list[float], right: list[bool]) -> SeenPixels:
    return SeenPixels(np.full(len(right), part, np.uint8), np.array(confidence, np.float32), np.array(right, np.bool_))


def test_each_part_has_the_threshold_that_its_own_pixels_ask_for() -> None:
    easy = _seen(1, [0.9, 0.8, 0.7, 0.6], [True, True, True, False])
    hard = _seen(2, [0.5, 0.4, 0.3, 0.2], [False, True, False, False])
    found = PartThresholds.fit([easy, hard], 4, right=1.0, least_kept=0.5)
    assert found.least[1] == pytest.approx(0.7), "the lowest from which all are right"
    assert found.least[2] == pytest.approx(0.4), "half of a hard part is kept though it is wrong"
    assert found.least[0] == found.least[3] == pytest.approx(0.6), "a part never read: that of all pixels"


def test_what_is_uncertain_is_ignored() -> None:
    chances = np.zeros((4, 1, 3), np.float32)
    chances[1, 0] = [0.9, 0.6, 0.0]
    chances[0, 0] = [0.1, 0.4, 1.0]
    kept = PartThresholds((0.5, 0.7, 0.5, 0.5)).apply(Chances(chances))
    assert kept.tolist() == [[1, IGNORE, 0]]
    assert kept_share(Chances(chances).read, kept) == 0.5
    mask = np.array([[1, 2, IGNORE]], np.uint8)
    seen = SeenPixels.of(Chances(chances), mask)
    assert seen.right.tolist() == [True, False]
