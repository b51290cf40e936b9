"""What the arms ask of the segmenter, and the tail."""

from __future__ import annotations

import numpy as np
import pytest

from augkit.core.errors import ConfigError
from augkit.core.presets import load_recipe
from augkit.evaluate.utility.arms import DEFAULT, KINDS, RENDERED_STEPS, Arm, arms_of, comparisons
from augkit.evaluate.utility.tail import rare_classes, rare_parts
from augkit.settings import load_settings


def test_the_default_arms_at_every_ratio() -> None:
    assert [arm.name for arm in arms_of(DEFAULT, [0.25, 0.5])] == [
        "real", "real+classical", "real+cutmix", "real+copy-paste", "real+part-swap",
        "real+classical+generated@25", "real+classical+generated@50",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "source", "augment"),
    [
        ("real", "real", "flip"),
        ("real+classical", "real", "mild"),
        ("real+cutmix", "real", "mild+cutmix"),
        ("real+copy-paste", "real", "mild+copy-paste"),
        ("real+part-swap", "real", "mild+part-swap"),
        ("real+generated", "real+generated", "flip"),
        ("real+classical+generated", "real+generated", "mild"),
        ("real+classical+pseudo", "real+pseudo", "mild"),
        ("real+classical+rendered", "real", "mild"),
        ("real+classical+rendered+pseudo", "real+pseudo", "mild"),
        ("all", "all", "mild"),
        ("generated", "generated", "flip"),
        ("generated+classical", "generated", "mild"),
        ("real+stored", "real+classical", "flip"),
    ],
)
def test_what_an_arm_trains_on(kind: str, source: str, augment: str) -> None:
    arm = Arm(kind, 0.4 if KINDS[kind].mixed else 0.0)
    own = arm.settings(load_settings("cpu", ["segmenter.generated_share=0.3", "segmenter.generated_until=0.7"]), 7, 11)
    assert (own.segmenter.source, own.segmenter.augment, own.seed, own.segmenter.steps) == (source, augment, 7, 11)
    assert own.segmenter.generated_share == (0.4 if KINDS[kind].mixed else 0.25)
    assert own.segmenter.generated_until == (0.7 if KINDS[kind].mixed else 0.8)  # else equal trainings are done twice
    assert own.segmenter.rendered_steps == (RENDERED_STEPS if "rendered" in kind else 0)
    assert own.segmenter.size == 128 and own.mask == load_settings("cpu").mask


def test_an_arm_from_rendered_cars_is_ours_and_needs_no_main_job() -> None:
    kind = KINDS["real+classical+rendered"]
    assert kind.ours and not kind.balanced and not KINDS["real+classical"].ours and KINDS["all"].balanced
    settings = load_settings("cpu", ["segmenter.rendered_steps=5"])
    assert Arm("real+classical+rendered").settings(settings, 0, 3).segmenter.rendered_steps == 5
    assert Arm("real+classical").settings(settings, 0, 3).segmenter.rendered_steps == 0, "the opponent has none of it"


def test_each_arm_meets_the_one_without_generated_pairs() -> None:
    arms = arms_of(["real", "real+classical", "real+cutmix", "real+classical+generated"], [0.25])
    met = {(arm.name, other.name) for arm, other in comparisons(arms)}
    assert met == {
        ("real+classical", "real"), ("real+cutmix", "real+classical"), ("real+classical+generated@25", "real"),
        ("real+classical+generated@25", "real+classical"),
    }  # fmt: skip
    assert list(comparisons([Arm("generated")])) == []


@pytest.mark.parametrize(
    ("kinds", "ratios", "message"),
    [
        (["rael"], [0.5], "arms rael(.|\n)*real\\+classical"),
        ([], [0.5], r"arms \(none\)"),
        (["real+generated"], [], r"ratios \(none\)"),
        (["real+generated"], [1.0], "ratios 1.0"),
        (["real"], [25], "ratios 25"),
    ],
)
def test_slips(kinds: list[str], ratios: list[float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        arms_of(kinds, ratios)


def test_twice_the_same_is_one() -> None:
    assert len(arms_of(["real", "real", "real+generated"], [0.5, 0.5])) == 2


def test_classical_without_an_augmentation_is_refused() -> None:
    for preset in ("none", "flip"):
        settings = load_settings("cpu", [f"segmenter.augment={preset}"])
        with pytest.raises(ConfigError, match=rf"segmenter\.augment {preset}"):
            Arm("real+classical").settings(settings, 0, 1)
        assert Arm("real+cutmix").settings(settings, 0, 1).segmenter.augment == f"{preset}+cutmix"


def test_the_opponents_are_what_has_no_pairs_of_augkit() -> None:
    opponents = {name for name, kind in KINDS.items() if not kind.ours}
    assert opponents == {
        "real", "real+classical", "real+cutmix", "real+copy-paste", "real+part-swap", "real+stored",
    }  # fmt: skip
    presets = [Arm(name).settings(load_settings("cpu"), 0, 1).segmenter.augment for name in KINDS]
    assert all("Flip" in dict(load_recipe(preset).steps) for preset in presets)  # nobody goes without


def test_rare_parts() -> None:
    """Four parts: an even share is 25 % of the cars' pixels, half of it 12.5 %."""
    pairs = np.array([[900, 13, 12, 75, 0], [900, 13, 12, 0, 75], [900, 13, 12, 75, 0], [900, 13, 12, 75, 0]])
    assert rare_parts(pairs) == (2,)  # 13 % and 12 %; the last is shown by a quarter, which is enough
    assert rare_parts(np.concatenate([pairs, pairs[:1]])) == (2, 4)  # and by a fifth, which is not


def test_rare_classes() -> None:
    assert rare_classes(["a"] * 5 + ["b"] * 3 + ["c"]) == ("c",)  # an even share is 3
    assert rare_classes(["a", "b"]) == ()
