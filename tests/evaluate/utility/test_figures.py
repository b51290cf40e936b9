"""Figures and the verdict, from counts written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from augkit.core.classes import CarClass
from augkit.core.parts import PartSchema
from augkit.data.pair import Pair
from augkit.evaluate.utility.arms import Arm
from augkit.evaluate.utility.figures import UtilityMeasure
from augkit.evaluate.utility.held_out import HeldOut
from augkit.evaluate.utility.tail import Tail
from augkit.evaluate.utility.verdict import Comparison, judge_utility
from augkit.metrics.intervals import Estimate

SCHEMA = PartSchema.from_names(["hood", "door", "wheel"])
A, B = CarClass("A", "5"), CarClass("B", "5")


def item(ids: list[int], car_class: CarClass) -> Pair:
    mask = np.array([ids], np.uint8)
    return Pair(np.zeros((*mask.shape, 3), np.uint8), mask, car_class)


HELD = HeldOut("val", (item([0, 1], A), item([1, 2], A), item([0, 2], B)), SCHEMA, 1)


def counts(*hits: float) -> np.ndarray:
    """(1, 3 pairs, 4 channels, 3): hood in pairs 0 and 1, door in pairs 1 and 2, ten pixels each, so many read."""
    table = np.zeros((1, 3, 4, 3), np.int64)
    for (pair, part), own in zip(((0, 1), (1, 1), (1, 2), (2, 2)), hits, strict=True):
        table[0, pair, part] = own, 10, own
    return table


def test_each_figure_by_hand() -> None:
    ruler = UtilityMeasure(HELD, Tail((2, 3), (B.name, "not held out")), draws=9)
    assert dict(zip(ruler.names, ruler.photos, strict=True)) == {
        "overall": 3, "tail parts": 2, "tail classes": 1, "part hood": 2, "part door": 2,
        f"class {A.name}": 2, f"class {B.name}": 1,
    }  # fmt: skip
    found = ruler.estimates(ruler.read(counts(10, 0, 4, 8)))
    expected = {
        "overall": (0.5 + 0.6) / 2, "tail parts": 0.6, "tail classes": 0.8, "part hood": 0.5, "part door": 0.6,
        f"class {A.name}": (0.5 + 0.4) / 2, f"class {B.name}": 0.8,
    }  # fmt: skip
    assert {name: estimate.value for name, estimate in found.items()} == pytest.approx(expected)
    assert np.isnan(found[f"class {B.name}"].error) and found["overall"].error > 0


def test_without_a_tail_there_are_no_figures_of_it() -> None:
    ruler = UtilityMeasure(HELD, Tail((), ()), draws=9)
    assert not {"tail parts", "tail classes"} & set(ruler.estimates(ruler.read(counts(1, 2, 3, 4))))


def test_differences_are_paired_by_seed_and_photo() -> None:
    """Seeds differ much, photos differ much, and the one arm reads exactly one pixel of ten more: no doubt is left."""
    ruler = UtilityMeasure(HELD, Tail((), ()), draws=99)
    lower = np.concatenate([counts(1, 1, 1, 1), counts(8, 8, 8, 8)])
    higher = np.concatenate([counts(2, 2, 2, 2), counts(9, 9, 9, 9)])
    delta = ruler.estimates(ruler.read(higher) - ruler.read(lower))["overall"]
    assert delta.value == pytest.approx(0.1) and delta.error == pytest.approx(0, abs=1e-9)
    assert ruler.estimates(ruler.read(lower))["overall"].error > 0.3


def about(value: float, error: float = 0.01) -> Estimate:
    return Estimate(value, (value, value), error, 10.0)


def compared(share: float, delta: float, error: float = 0.01) -> Comparison:
    arm = Arm("real+classical+generated", share)
    return Comparison(arm, Arm("real+classical"), {"overall": about(delta, error), "tail parts": about(2 * delta)})


VALUES = {"real+classical": about(0.5), **{f"real+classical+generated@{n}": about(0.55) for n in (25, 50)}}


@pytest.mark.parametrize(
    ("deltas", "word"), [((0.05, -0.2), "helps"), ((-0.05, -0.2), "hurts"), ((0.01, -0.2), "no difference seen")]
)
def test_the_best_ratio_decides(deltas: tuple[float, float], word: str) -> None:
    found = judge_utility([compared(0.25, deltas[0]), compared(0.5, deltas[1])], VALUES, 78)
    assert found.word == word and found.sentence.startswith(word.capitalize())
    assert "real+classical+generated@25 reads 55.0 mean IoU, real+classical 50.0" in found.sentence
    assert "2 seeds, 78 held-out photos" in found.sentence and f"tail parts {200 * deltas[0]:+.1f}" in found.sentence


def test_more_ratios_need_more_proof() -> None:
    """2.4 standard errors: enough for one look (2.23 at 10 degrees of freedom), too little for the best of two."""
    once = judge_utility([compared(0.25, 0.024)], VALUES, 78)
    twice = judge_utility([compared(0.25, 0.024), compared(0.5, 0.0)], VALUES, 78)
    assert (once.word, twice.word) == ("helps", "no difference seen")
    assert (once.level, twice.level) == pytest.approx((0.95, 0.975))


def test_one_photo_gives_no_interval_and_says_so() -> None:
    found = judge_utility([compared(0.25, 0.05, float("nan"))], VALUES, 1)
    assert found.word == "no difference seen" and "nan" not in found.sentence
    assert "+5.0 points (no interval" in found.sentence and "1 held-out photo)" in found.sentence


def test_without_classical_the_plain_arms_answer() -> None:
    plain = Comparison(Arm("real+generated", 0.25), Arm("real"), {"overall": about(0.1)})
    values = {"real": about(0.4), "real+generated@25": about(0.5)}
    assert judge_utility([plain], values, 9).word == "helps"
    assert judge_utility([], values, 9).word == "not asked"
