from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from augkit.report.curves import DISTANCE, Curve, Training
from augkit.report.training_notes import fall, notes_on


def run(*curves: tuple[str, Sequence[float]], **about: object) -> Training:
    drawn = [Curve(name, [10 * n for n in range(1, len(values) + 1)], values) for name, values in curves]
    return Training("image", "all", dict(about), drawn)


def test_a_fall_is_that_of_the_last_quarter_against_the_one_before() -> None:
    assert fall([9.0] * 8 + [2.0] * 4 + [1.5] * 4) == pytest.approx(0.25)
    assert fall([2.0] * 16) == 0 and fall([1.0] * 12 + [1.5] * 4) == 0
    assert fall([2.0] * 12 + [1.95] * 4) == 0  # too little
    noisy = np.random.default_rng(0).normal(1, 0.5, 40)
    assert fall(noisy.tolist()) == 0


def test_losses_that_fall_are_named_and_those_of_the_game_are_not() -> None:
    falling = [1 / n for n in range(1, 41)]
    notes = notes_on(
        run(("G/l1", falling), ("G/kl", [1.0] * 40), ("D/adversarial", falling), ("G/adversarial", falling))
    )
    assert notes == [
        "Still falling in the last quarter of the steps: G/l1 by 29%; more steps would lower it.",
    ]
    assert notes_on(run(("G/l1", [1.0] * 40))) == ["The losses had levelled off in the last quarter of the steps."]
    assert "Too little was recorded" in notes_on(run(("G/l1", falling[:4])))[0]
    assert notes_on(run()) == []


def test_what_the_run_noted_itself_comes_first() -> None:
    notes = notes_on(run(("G/l1", [1.0] * 40), health=["D guesses: its loss was that of guessing"]))
    assert notes[0] == "D guesses: its loss was that of guessing." and len(notes) == 2
    assert notes_on(run(health=3)) == []  # of another version


def test_a_discriminator_that_guessed_is_told_of_models_that_noted_nothing() -> None:
    guessing = ("D/adversarial", [1.98] * 40)
    notes = notes_on(run(guessing, settings={"adversarial": "hinge"}))
    assert notes and notes[0].startswith("D guesses: from step 10 to 400 its loss was 99% of that of guessing")
    assert notes_on(run(guessing, settings={"adversarial": "hinge"}, health=[])) == []  # the run looked, and saw none
    assert notes_on(run(guessing, settings={"adversarial": "wgan"})) == [] == notes_on(run(guessing, settings=3))


@pytest.mark.parametrize(
    ("values", "text"),
    [([5.0, 4.0, 3.0], "least at the last look, step 30"), ([5.0, 3.0, 4.0], "least at step 20 of 30"), ([5.0], "")],
)
def test_the_distance_says_whether_the_run_was_long_enough(values: list[float], text: str) -> None:
    notes = notes_on(run((DISTANCE, values)))
    assert text in " ".join(notes) and bool(notes) == bool(text)
