from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augkit.core.classes import ALL_CLASSES
from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import IGNORE
from augkit.core.seeds import derive
from augkit.data.crop import Region
from augkit.data.foreground import from_box, from_parts
from augkit.sources.render import Rendering, random_parameters, render
from augkit.sources.silhouettes import Options
from augkit.sources.silhouettes.grabcut import GrabCut

SIZE = 128


@cache
def car(number: int, size: int = SIZE) -> Rendering:
    """A random car; the classes with known doors take turns."""
    classes = [c for c in ALL_CLASSES if c.doors != "unknown"]
    chosen = classes[number % len(classes)]
    assert chosen.doors != "unknown"
    rng = np.random.default_rng(derive(3, "silhouette", number))
    return render(random_parameters(rng, chosen.orientation, chosen.doors), size)


def box_of(region: Region) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def iou(found: Region, truth: Region) -> float:
    return float((found & truth).sum() / (found | truth).sum())


def measured(count: int, by_box: bool, size: int = SIZE) -> list[float]:
    scores = []
    for number in range(count):
        it = car(number, size)
        pair, truth = it.pair, it.silhouette > 0
        found = from_box(pair.photo, box_of(truth)) if by_box else from_parts(pair.photo, pair.mask)
        scores.append(iou(found, truth))
    return scores


def test_the_parts_lead_to_the_true_silhouette() -> None:
    """Better than the parts alone, which is what a method that does nothing would give."""
    scores = measured(12, by_box=False)
    parts = [iou(it.pair.mask > 0, it.silhouette > 0) for it in map(car, range(12))]
    assert np.mean(scores) >= 0.96 and min(scores) >= 0.88
    assert np.mean(parts) < 0.85


def test_the_box_leads_near_the_true_silhouette() -> None:
    scores = measured(12, by_box=True)
    assert np.mean(scores) >= 0.86 and min(scores) >= 0.75


@pytest.mark.slow
def test_on_sixty_cars() -> None:
    for by_box, least, worst in ((False, 0.97, 0.88), (True, 0.88, 0.72)):
        scores = measured(60, by_box, 256)
        print(f"{'box' if by_box else 'parts'}: mean IoU {np.mean(scores):.4f}, lowest {min(scores):.4f}")
        assert np.mean(scores) >= least and min(scores) >= worst


def flat_car(height: int = 120, width: int = 200) -> tuple[np.ndarray, np.ndarray, Region]:
    """A red car without texture on grey ground: body, cabin and two wheels; bumpers have no part, nor has the roof."""
    photo = np.full((height, width, 3), 150, np.uint8)
    mask = np.zeros((height, width), np.uint8)
    truth = np.zeros((height, width), bool)
    truth[50:90, 30:170] = truth[25:50, 60:140] = True
    truth[90:100, 45:65] = truth[90:100, 135:155] = True
    photo[truth] = (190, 30, 30)
    mask[30:85, 62:138] = 1  # doors
    mask[80:100, 45:65] = mask[80:100, 135:155] = 2  # wheels
    mask[55:60, 31:38] = mask[55:60, 162:169] = 3  # lights
    return photo, mask, truth


def test_what_has_no_part_belongs_to_the_car_and_the_ground_below_does_not() -> None:
    photo, mask, truth = flat_car()
    found = from_parts(photo, mask)
    assert found[62:80, 33:168].all(), "fenders and bumpers"
    assert found[27:30, 65:135].all(), "the roof"
    assert not found[95:, 70:130].any(), "between the wheels"
    assert iou(found, truth) > 0.95


def test_a_shadow_between_the_wheels_does_not_belong_to_the_car() -> None:
    photo, mask, _ = flat_car()
    photo[90:100, 65:135] = 20
    photo[85:100, 45:65] = photo[85:100, 135:155] = 20  # tyres of the same colour
    assert not from_parts(photo, mask)[95:, 70:130].any()


def test_ignored_pixels_are_beside_the_car_and_teach_nothing() -> None:
    photo, mask, _ = flat_car()
    inner = from_parts(photo, mask)
    padded_photo, padded_mask = np.pad(photo, ((40, 40), (0, 0), (0, 0))), np.pad(mask, ((40, 40), (0, 0)))
    padded_photo[:40] = padded_photo[-40:] = (190, 30, 30)  # the car's own colour
    padded_mask[:40] = padded_mask[-40:] = IGNORE
    found = from_parts(padded_photo, padded_mask)
    assert not found[:40].any() and not found[-40:].any()
    np.testing.assert_array_equal(found[40:-40], inner)


def test_an_ignored_hole_in_the_car_stays_ignored() -> None:
    photo, mask, _ = flat_car()
    mask[60:64, 90:94] = IGNORE
    found = from_parts(photo, mask)
    assert not found[60:64, 90:94].any() and found[58, 90:94].all() and found[66, 90:94].all()


def test_a_piece_of_the_cars_colour_elsewhere_does_not_belong_to_it() -> None:
    photo, mask, _ = flat_car()
    photo[5:15, 5:25] = (190, 30, 30)
    assert not from_parts(photo, mask)[:18, :28].any()


def test_the_same_pair_gives_the_same_silhouette_whatever_was_cut_before() -> None:
    one, other = car(0), car(1)
    first = from_parts(one.pair.photo, one.pair.mask)
    from_parts(other.pair.photo, other.pair.mask)
    np.testing.assert_array_equal(from_parts(one.pair.photo, one.pair.mask), first)


def test_inputs_stay_as_they_are() -> None:
    photo, mask, _ = flat_car()
    photo.flags.writeable = mask.flags.writeable = False
    from_parts(photo, mask)
    from_box(photo, (30, 25, 170, 100))


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_any_mask_gives_a_silhouette_or_nothing(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    photo = rng.integers(0, 256, (height, width, 3), np.uint8)
    mask = rng.choice(np.array([0, 1, 2, IGNORE], np.uint8), (height, width), p=[0.6, 0.15, 0.05, 0.2])
    found = from_parts(photo, mask)
    assert found.shape == mask.shape and found.dtype == np.bool_
    assert not found[mask == IGNORE].any()
    assert found.any() <= ((mask > 0) & (mask < IGNORE)).any()


@pytest.mark.parametrize("ids", [0, IGNORE])
def test_without_a_part_there_is_no_car(ids: int) -> None:
    photo, mask = np.zeros((20, 30, 3), np.uint8), np.full((20, 30), ids, np.uint8)
    assert not from_parts(photo, mask).any()
    assert GrabCut()(photo, mask) is None


def test_a_mask_full_of_parts_is_a_picture_full_of_car() -> None:
    assert from_parts(np.zeros((20, 30, 3), np.uint8), np.ones((20, 30), np.uint8)).all()


def test_a_box_over_the_edge_of_the_photo_is_cut_there() -> None:
    photo, _, truth = flat_car()
    found = from_box(photo[:, 40:], (-10, 25, 130, 100))
    assert found.shape == (120, 160) and iou(found, truth[:, 40:]) > 0.8
    assert not found[:, 135:].any() and not found[:20].any()


@pytest.mark.parametrize("box", [(10, 10, 10, 40), (50, 50, 40, 60), (300, 10, 340, 40)])
def test_a_box_without_an_area_in_the_photo(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(DataError, match="200 x 120 px"):
        from_box(flat_car()[0], box)


def test_the_method_gives_the_box_of_its_mask() -> None:
    photo, mask, _ = flat_car()
    found = GrabCut()(photo, mask)
    assert found is not None and found.score == 1.0
    assert found.box == box_of(found.mask)


@pytest.mark.parametrize("options", [Options(min_score=0.5), Options(weights=Path(__file__))])
def test_options_without_effect_are_refused(options: Options) -> None:
    with pytest.raises(ConfigError, match="GrabCut has no score and no weights"):
        GrabCut(options)
