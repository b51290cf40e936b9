from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from augkit.core.errors import DataError
from augkit.data.plausibility import Polygons, require_crop, require_near, require_pixels, ring_area
from tests.data.coco_folder import square

Ring = list[float]
SIZES = st.tuples(st.integers(200, 2000), st.integers(200, 2000))
STATED = st.sampled_from([("area", "box"), ("area",), ("box",), ("box area",), ("corners",), ()])


def _rings(seed: int, height: int, width: int) -> list[Ring]:
    """Some parts of a car that fills much of a photo: rough circles."""
    rng = np.random.default_rng(seed)
    rings = []
    for _ in range(int(rng.integers(3, 12))):
        x, y = rng.uniform(0.3, 0.7) * width, rng.uniform(0.3, 0.7) * height
        across, down = rng.uniform(0.05, 0.3, 2) * (width, height)
        turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(5, 20))))
        around = np.stack([x + across * np.cos(turns), y + down * np.sin(turns)], 1)
        rings.append([float(value) for value in around.reshape(-1)])
    return rings


def _outline(ring: Ring, stated: tuple[str, ...], read: Callable[[Ring], Ring] = list) -> Polygons:
    """A ring with what the file states of it; ``read`` is what becomes of the ring's coordinates alone."""
    x, y = min(ring[::2]), min(ring[1::2])
    across, down = max(ring[::2]) - x, max(ring[1::2]) - y
    area = ring_area(ring) if "area" in stated else across * down if "box area" in stated else 0.0
    box = (x, y, across, down) if "box" in stated else (x, y, x + across, y + down) if "corners" in stated else ()
    return Polygons([read(ring)], area, box)


def _scaled(ring: Ring, across: float, down: float) -> Ring:
    return [value * (down if place % 2 else across) for place, value in enumerate(ring)]


def _swapped(ring: Ring) -> Ring:
    return [value for place in range(0, len(ring), 2) for value in (ring[place + 1], ring[place])]


@given(st.integers(0, 2**32), SIZES, STATED)
def test_outlines_in_pixels_are_taken_whatever_is_stated(
    seed: int, size: tuple[int, int], stated: tuple[str, ...]
) -> None:
    outlines = [_outline(ring, stated) for ring in _rings(seed, *size)]
    assert require_pixels(outlines, *size) == 0


@given(st.integers(0, 2**32), SIZES, STATED, st.sampled_from([1.0, 100.0, 1000.0]))
def test_outlines_in_other_units_are_refused_where_something_tells(
    seed: int, size: tuple[int, int], stated: tuple[str, ...], unit: float
) -> None:
    height, width = size
    factors = unit / width, unit / height
    slack = 0.6 if "box area" in stated else 0.35  # a ring fills its box by some unknown share
    near = abs(factors[0] * factors[1] - 1) < slack or max(map(abs, np.log(factors))) < 0.2
    assume(unit == 1 or (stated and not near))  # else nothing says so, or the unit is nearly a pixel
    outlines = [_outline(ring, stated, lambda ring: _scaled(ring, *factors)) for ring in _rings(seed, *size)]
    with pytest.raises(DataError, match=r"shares|percent|thousandths"):
        require_pixels(outlines, height, width)


@given(
    st.integers(0, 2**32),
    st.sampled_from([(200, 600), (900, 300), (1000, 2500)]),
    st.sampled_from([("box",), ("area", "box"), ("corners",)]),
)
def test_y_before_x_is_refused_where_boxes_tell(seed: int, size: tuple[int, int], stated: tuple[str, ...]) -> None:
    outlines = [_outline(ring, stated, _swapped) for ring in _rings(seed, *size)]
    with pytest.raises(DataError, match="y before x"):
        require_pixels(outlines, *size)


def test_y_before_x_is_refused_where_that_leads_out_of_the_photo() -> None:
    ring = [200.0, 40.0, 280.0, 40.0, 280.0, 80.0, 200.0, 80.0]
    require_pixels([Polygons([ring])], 100, 300)
    with pytest.raises(DataError, match="y before x: some lie outside the photo"):
        require_pixels([Polygons([_swapped(ring)])], 100, 300)
    outside = [260.0, 10.0, 340.0, 10.0, 340.0, 80.0, 260.0, 80.0]  # of a larger scene: swapped it does not fit either
    assert require_pixels([Polygons([outside])], 100, 300) == 0
    box = (40.0, 200.0, 40.0, 80.0)
    assert require_pixels([Polygons([_swapped(ring)], box=box)], 100, 300) == 0  # the file means it


def test_what_fills_the_first_hundred_pixels_of_a_large_photo_is_in_percent() -> None:
    ring = [10.0, 20.0, 90.0, 20.0, 90.0, 70.0, 10.0, 70.0]
    with pytest.raises(DataError, match=r"in percent .* in a photo of 800x600"):
        require_pixels([Polygons([ring])], 600, 800)
    assert require_pixels([Polygons([ring])], 300, 400) == 0
    assert require_pixels([Polygons([square(10, 10, 40)])], 600, 800) == 0
    assert require_pixels([Polygons([ring]), Polygons([square(300, 300, 40)])], 600, 800) == 0


def test_what_no_reading_explains_is_told_by_its_share() -> None:
    stated = [
        Polygons([square(10, 10, 40)], 1600, (10, 10, 40, 40)),
        Polygons([square(100, 100, 60)], 300, (10, 10, 20, 30)),
    ]
    assert require_pixels(stated, 200, 200) == pytest.approx(600 / 2200)


@pytest.mark.parametrize("placeholder", [(0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 0.0, 0.0), (), (1.0, 2.0)])
def test_placeholders_state_nothing(placeholder: tuple[float, ...]) -> None:
    for area in (0.0, 1.0):
        assert require_pixels([Polygons([square(10, 10, 40)], area, placeholder)], 200, 200) == 0


def test_a_photo_without_outlines_has_no_unit() -> None:
    assert require_pixels([], 10, 10) == 0


def test_ring_area_is_the_shoelace_formula() -> None:
    assert ring_area(square(3, 4, 5)) == ring_area(square(3, 4, 5)[::-1]) == 25
    assert ring_area([0, 0, 4, 0, 0, 3]) == 6


def test_an_outline_beyond_the_photos_own_size_is_refused() -> None:
    require_near(Polygons([[-10, -10, 20, -10, 20, 20]]), "a", 10, 10)
    for x, y in ((-11, 0), (0, -11), (21, 0), (0, 21)):
        with pytest.raises(DataError, match="a: a polygon far outside"):
            require_near(Polygons([[x, y, 1, 1, 2, 1]]), "a", 10, 10)


def test_a_small_cut_is_refused() -> None:
    require_crop(16, 100, 200)
    with pytest.raises(DataError, match=r"within 15 px of a photo of 200x100; 16 are the least"):
        require_crop(15, 100, 200)
    require_crop(200, 16, 200)
    with pytest.raises(DataError, match=r"the photo is 200x15 pixels; 16 are the least of a side"):
        require_crop(200, 15, 200)
