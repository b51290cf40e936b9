from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augkit.balance.part_targets import ExtraPairs, PartTarget, Profiles, lift, parse_targets, part_targets
from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError
from augkit.core.parts import PartSchema
from augkit.data.catalogue import CatalogueRow

FRONT, BACK, SIDE = (CarClass.parse(name) for name in ("front-left-5", "back-left-5", "back-left-3"))
SCHEMA = PartSchema.from_names(["hood", "trunk", "left_light", "right_light"])


def areas(*parts: float) -> np.ndarray:
    """Background and four parts, as shares of the frame."""
    return np.array([1 - sum(parts), *parts])


def row(car_class: CarClass, histogram: list[int], size: int = 10) -> CatalogueRow:
    return CatalogueRow(
        "x", "test", "x", size=size, histogram=histogram, orientation=car_class.orientation, doors=car_class.doors
    )


def test_profiles_count_every_mask_as_share_of_its_frame_and_mirrored() -> None:
    rows = [row(BACK, [60, 0, 20, 16, 4]), row(BACK, [320, 0, 80, 0, 0], 20)]
    profiles = Profiles.of(rows, SCHEMA)
    assert profiles.pairs == 2
    np.testing.assert_allclose(profiles.total, [1.4, 0, 0.4, 0.16, 0.04])
    np.testing.assert_allclose(profiles.means[BACK], [0.7, 0, 0.2, 0.08, 0.02])
    np.testing.assert_allclose(profiles.means[BACK.mirror], [0.7, 0, 0.2, 0.02, 0.08])
    assert set(profiles.means) == {BACK, BACK.mirror}


def test_pairs_in_closed_form() -> None:
    """n >= (t T - S) / (m - t M): here (0.1 * 10 - 0.2) / (0.3 - 0.1 * 0.5) = 3.2."""
    target = PartTarget("trunk", 2, 0.1, (BACK,))
    total, means = areas(9.8, 0.2, 0, 0), {BACK: areas(0.2, 0.3, 0, 0)}
    assert target.of(total) == pytest.approx(0.02)
    assert target.pairs(total, means) == {BACK: math.ceil(3.2)}
    after = total + 4 * means[BACK]
    assert target.holds(after) and not target.holds(total + 3 * means[BACK])
    assert target.pairs(after, means) == {}


def test_classes_that_serve_share_the_pairs() -> None:
    target = PartTarget("trunk", 2, 0.1, (BACK, BACK.mirror))
    means = {BACK: areas(0.2, 0.3, 0, 0), BACK.mirror: areas(0.2, 0.3, 0, 0), FRONT: areas(0.5, 0, 0, 0)}
    assert target.pairs(areas(14.7, 0.3, 0, 0), means) == {BACK: 3, BACK.mirror: 2}  # 1.2 / 0.25 = 4.8
    assert target.pairs(areas(14.7, 0.3, 0, 0), {FRONT: means[FRONT]}) == {}
    means[BACK.mirror] = areas(0.1, 0.3, 0, 0)  # gains 0.26, the other 0.25: the odd pair is its
    assert target.pairs(areas(14.7, 0.3, 0, 0), means) == {BACK.mirror: 3, BACK: 2}


REAL = Profiles(
    areas(9, 0.1, 0.5, 0.5), 40,
    {FRONT: areas(0.5, 0, 0, 0), BACK: areas(0.2, 0.3, 0, 0), SIDE: areas(0.35, 0.15, 0, 0)},
)  # fmt: skip


def test_the_classes_that_show_a_part_most_serve_it() -> None:
    [target] = part_targets({"trunk": 0.02}, REAL, SCHEMA, [FRONT, BACK, SIDE])
    assert target == PartTarget("trunk", 2, 0.02, (BACK,))
    [target] = part_targets({"trunk": 0.02}, REAL, SCHEMA, [FRONT, SIDE])
    assert target.classes == (SIDE,)  # BACK is not asked for: --only
    alike = Profiles(REAL.total, 40, {BACK: areas(0.2, 0.3, 0, 0), BACK.mirror: areas(0.2, 0.29, 0, 0)})
    [target] = part_targets({"trunk": 0.02}, alike, SCHEMA, [BACK, BACK.mirror])
    assert target.classes == (BACK, BACK.mirror)


def test_an_unknown_part_lists_the_parts() -> None:
    for name in ("boot", "background"):
        with pytest.raises(ConfigError, match=rf"{name}: no such part(.|\n)*hood, trunk, left_light"):
            part_targets({name: 0.02}, REAL, SCHEMA, [BACK])


def test_a_share_that_no_class_has_names_the_best_one() -> None:
    with pytest.raises(ConfigError, match=r"trunk=70.00%(.|\n)*back-left-5 shows the most, 60.00% of its car"):
        part_targets({"trunk": 0.7}, REAL, SCHEMA, [FRONT, BACK, SIDE])
    with pytest.raises(ConfigError, match=r"left_light=1\.00%"):
        part_targets({"left_light": 0.01}, REAL, SCHEMA, [FRONT, BACK])


def test_a_target_without_a_class_to_generate() -> None:
    with pytest.raises(ConfigError, match="no class to generate"):
        part_targets({"trunk": 0.02}, REAL, SCHEMA, [FRONT.mirror])


def test_targets_that_thin_each_other_are_reached_together() -> None:
    targets = [PartTarget("hood", 1, 0.6, (FRONT,)), PartTarget("trunk", 2, 0.2, (BACK,))]
    total = areas(1, 1, 8, 0)
    extra = lift(targets, total, REAL.means, 1000)
    after = total + sum(count * REAL.means[c] for c, count in extra.pairs.items())
    assert extra.reached and set(extra.pairs) == {FRONT, BACK} and all(target.holds(after) for target in targets)


def test_targets_that_cannot_both_hold_are_told() -> None:
    targets = [PartTarget("hood", 1, 0.7, (FRONT,)), PartTarget("trunk", 2, 0.4, (BACK,))]
    assert lift(targets, areas(1, 1, 8, 0), REAL.means, 10**6) == ExtraPairs({}, reached=False)


def test_a_target_takes_no_more_than_so_many_pairs() -> None:
    target = PartTarget("trunk", 2, 0.1, (BACK,))
    total = areas(9.8, 0.2, 0, 0)
    assert lift([target], total, REAL.means, 4) == ExtraPairs({BACK: 4})
    assert lift([target], total, REAL.means, 3) == ExtraPairs({}, reached=False)
    assert lift([target], total, {}, 100) == ExtraPairs({}, reached=False)


def test_no_targets_ask_for_nothing() -> None:
    assert lift([], REAL.total, REAL.means, 0) == ExtraPairs()


@pytest.mark.parametrize(
    ("texts", "shares"),
    [
        (["trunk=2%"], {"trunk": 0.02}),
        (["trunk=0.02", "hood = 12.5 %"], {"trunk": 0.02, "hood": 0.125}),
        ([], {}),
    ],
)
def test_targets_are_parsed(texts: list[str], shares: dict[str, float]) -> None:
    assert parse_targets(texts) == pytest.approx(shares)


@pytest.mark.parametrize(
    "text", ["trunk", "trunk=", "trunk=two%", "=2%", "trunk=0%", "trunk=100%", "trunk=-1%", "trunk=2", "trunk=nan"]
)
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"PART=SHARE(.|\n)*more than 0% and less than 100%"):
        parse_targets([text])


def test_a_part_has_one_target() -> None:
    with pytest.raises(ConfigError, match="trunk=3%: a second target"):
        parse_targets(["trunk=2%", "trunk=3%"])


shares = st.floats(0.0, 0.3)


def test_a_gain_of_next_to_nothing_reaches_nothing() -> None:
    car_class = FRONT
    target = PartTarget("hood", 1, 0.5, (car_class,))
    assert not lift([target], areas(1.0, 0.0, 2.0, 0), {car_class: areas(5e-324, 0.0, 0.0, 0)}, 10**9).reached


@given(
    st.dictionaries(st.sampled_from([FRONT, BACK, SIDE]), st.tuples(shares, shares, shares), min_size=1),
    st.tuples(st.floats(1, 20), st.floats(0, 20), st.floats(0, 20)),
    st.floats(0.01, 0.9),
)
def test_a_target_in_reach_is_reached_with_the_fewest_pairs(
    parts: Mapping[CarClass, tuple[float, float, float]], sums: tuple[float, float, float], share: float
) -> None:
    means = {c: areas(*values, 0) for c, values in parts.items()}
    total, target = areas(*sums, 0), PartTarget("hood", 1, share, tuple(means))
    extra = lift([target], total, means, 10**9)
    best = max(target.gain(mean) for mean in means.values())
    if target.holds(total):
        assert extra == ExtraPairs()
    elif best > 1e-6:
        after = total + sum(count * means[c] for c, count in extra.pairs.items())
        assert extra.reached and target.holds(after)
        helpful = sum(target.gain(mean) > 0 for mean in means.values())
        assert sum(extra.pairs.values()) >= math.ceil(-target.gain(total) / best * (1 - 1e-9))
        assert helpful > 1 or sum(extra.pairs.values()) <= math.ceil(-target.gain(total) / best) + 1
    elif best <= 0:
        assert not extra.reached
