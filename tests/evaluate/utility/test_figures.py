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
from augkit.evaluate.utility.verdict import Question, UtilityVerdict, judge_utility, question_of
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


OURS, OTHER = Arm("real+classical+generated", 0.25), Arm("real+cutmix")
VALUES = {OTHER.name: about(0.5), OURS.name: about(0.55)}


def judged(delta: float, error: float = 0.01, looks: int = 1, photos: int = 78) -> UtilityVerdict:
    question = Question(OURS, OTHER, looks == 1, 1 - 0.05 / looks)
    return judge_utility(question, {"overall": about(delta, error), "tail parts": about(2 * delta)}, VALUES, photos)


@pytest.mark.parametrize(("delta", "word"), [(0.05, "helps"), (-0.05, "hurts"), (0.01, "no difference seen")])
def test_the_interval_decides(delta: float, word: str) -> None:
    found = judged(delta)
    assert found.word == word and found.sentence.startswith(word.capitalize())
    assert "real+classical+generated@25, the best arm with augkit's pairs, reads 55.0 mean IoU" in found.sentence
    assert "real+cutmix, the best without, 50.0" in found.sentence and "both chosen on val" in found.sentence
    assert found.sentence.endswith(" Fewer than 8 seeds: a hint, no claim.") == (word in {"helps", "hurts"})
    assert (
        "2 seeds, sign-flip test p = 0.5, 78 held-out photos" in found.sentence
        and f"tail parts {200 * delta:+.1f}" in found.sentence
    )


def test_the_best_of_either_side_meet() -> None:
    means = {Arm("real"): 0.3, OTHER: 0.6, Arm("real+stored", 0.25): 0.5, OURS: 0.5, Arm("all", 0.5): 0.4}
    found = question_of(means, apart=True)
    assert found is not None and (found.arm, found.against, found.level) == (OURS, OTHER, 0.95)
    same = question_of(means, apart=False)  # chosen on the photos of the verdict: 2 x 3 could have been the best ones
    assert same is not None and same.level == pytest.approx(1 - 0.05 / 6)
    assert question_of({OURS: 0.5}, apart=True) is None and question_of({OTHER: 0.5}, apart=True) is None


def test_what_was_chosen_on_the_same_photos_needs_more_proof() -> None:
    """2.4 standard errors: enough for one look (2.23 at 10 degrees of freedom), too little for the best of two."""
    once, twice = judged(0.024), judged(0.024, looks=2)
    assert (once.word, twice.word) == ("helps", "no difference seen")
    assert "both chosen on these photos" in twice.sentence and "97.5 % interval" in twice.sentence


def test_one_photo_gives_no_interval_and_says_so() -> None:
    found = judged(0.05, float("nan"), photos=1)
    assert found.word == "no difference seen" and "nan" not in found.sentence
    assert "+5.0 points (no interval" in found.sentence and "1 held-out photo;" in found.sentence


def test_without_both_sides_there_is_no_verdict() -> None:
    found = judge_utility(None, {}, VALUES, 9)
    assert found.word == "not asked" and "and one of real or real+classical or" in found.sentence
