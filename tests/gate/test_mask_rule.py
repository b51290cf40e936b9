from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from augkit.core.classes import CarClass
from augkit.core.parts import Mask, PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, TrainingRows, read_catalogue, usable
from augkit.data.pair_files import read_mask
from augkit.gate.mask_rule import ENOUGH, MaskRule, RuleLimits, reference
from augkit.gate.options import RuleOptions
from tests.importing import import_samples

FRONT = CarClass.parse("front-left-5")
OPTIONS = RuleOptions(min_part_pixels=12, quantile=0.0, slack=2.0, required_share=0.99)


@pytest.fixture(scope="module")
def many_cars(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """80 cars of each of four classes, 20 of them held out."""
    from augkit.settings import load_settings
    from augkit.sources.render import render_schema
    from augkit.sources.render.rendered_samples import rendered_samples

    names = ("front-left-5", "front-right-5", "back-left-3", "back-right-3")
    settings = load_settings("smoke", ["data.size=64", "data.val_share=0.25"])
    workspace = Workspace(tmp_path_factory.mktemp("many") / "workspace")
    samples = rendered_samples({CarClass.parse(name): 80 for name in names}, 64, 1)
    import_samples(samples, render_schema(), workspace, settings, 1)
    return workspace


@pytest.fixture(scope="module")
def schema(many_cars: Workspace) -> PartSchema:
    return PartSchema.load(many_cars.schema)


@pytest.fixture(scope="module")
def rows(many_cars: Workspace) -> list[CatalogueRow]:
    return list(TrainingRows.of(read_catalogue(many_cars.catalogue)).rows)


@pytest.fixture(scope="module")
def gate(rows: list[CatalogueRow], schema: PartSchema) -> MaskRule:
    return MaskRule(rows, schema, OPTIONS)


@pytest.fixture
def mask(rows: list[CatalogueRow], many_cars: Workspace) -> Mask:
    """A real mask of the class."""
    row = next(row for row in rows if row.car_class == FRONT)
    return read_mask(many_cars.mask(row.id)).copy()


def test_specks_go_and_the_largest_piece_of_a_part_stays(schema: PartSchema, rows: list[CatalogueRow]) -> None:
    gate = MaskRule(rows, schema, OPTIONS)
    mask = np.zeros((128, 128), np.uint8)
    mask[10:20, 10:20] = 1
    mask[50:53, 50:53] = 1  # 9 pixels: a speck
    mask[80:84, 80:84] = 1  # 16 pixels: a second piece
    mask[30, 30:34] = 2  # 4 pixels, but all there is of its part
    cleaned, removed = gate.clean(mask)
    expected = mask.copy()
    expected[50:53, 50:53] = 0
    assert np.array_equal(cleaned, expected)
    assert removed == 9 / 128**2
    assert np.array_equal(gate.clean(cleaned)[0], cleaned)


def test_what_a_speck_is_grows_with_the_picture(schema: PartSchema, rows: list[CatalogueRow]) -> None:
    gate = MaskRule(rows, schema, OPTIONS)
    mask = np.zeros((64, 64), np.uint8)
    mask[10:20, 10:20] = 1
    mask[50, 50:54] = 1  # 4 pixels at 64 px are 16 at 128 px
    mask[40, 40:42] = 1  # and 2 are 8
    cleaned, _ = gate.clean(mask)
    assert (cleaned[50] == 1).sum() == 4 and not cleaned[40].any()


def row(schema: PartSchema, number: int, car_class: CarClass, **parts: int) -> CatalogueRow:
    histogram = [0] * schema.channels
    for name, pixels in parts.items():
        histogram[schema.id_of(name)] = pixels
    return CatalogueRow(
        id=str(number), importer="", source_file="", size=100, histogram=histogram,
        orientation=car_class.orientation, doors=car_class.doors,
    )  # fmt: skip


def test_bounds_are_learnt_from_the_class_and_its_mirror_image(schema: PartSchema) -> None:
    mine = [row(schema, i, FRONT, hood=1000 + 100 * i, front_left_door=500) for i in range(ENOUGH)]
    mine[0].histogram[schema.id_of("left_mirror")] = 90
    options = replace(OPTIONS, required_share=0.95)
    for car_class, door in ((FRONT, "front_left_door"), (FRONT.mirror, "front_right_door")):
        bounds = MaskRule(mine, schema, options).bounds[car_class]
        hood = schema.id_of("hood")
        assert (bounds.low[hood], bounds.high[hood]) == pytest.approx((0.1, 0.1 + 0.01 * (ENOUGH - 1)))
        assert bounds.required[hood] and bounds.required[schema.id_of(door)]
        assert not bounds.allowed[schema.id_of(mirror_of(schema, door))]
    bounds = MaskRule(mine, schema, options).bounds[FRONT]
    mirror = schema.id_of("left_mirror")
    assert bounds.allowed[mirror] and not bounds.required[mirror]
    spread = MaskRule(mine, schema, replace(options, quantile=0.25)).bounds[FRONT]
    assert spread.low[hood] > bounds.low[hood] and spread.high[hood] < bounds.high[hood]


def mirror_of(schema: PartSchema, name: str) -> str:
    return schema.names[schema.flip_table[schema.id_of(name)]]


def test_a_rare_class_borrows_from_its_orientation() -> None:
    doors = {name: CarClass.parse(name) for name in ("front-left-5", "front-left-3", "back-left-5")}
    shares = {c: np.full((n, 2), n) for c, n in zip(doors.values(), (ENOUGH, 2, 5), strict=True)}
    assert len(reference(doors["front-left-5"], shares)) == ENOUGH
    assert len(reference(doors["front-left-3"], shares)) == ENOUGH + 2
    assert len(reference(doors["back-left-5"], shares)) == 5


def test_a_real_mask_passes(gate: MaskRule, mask: Mask) -> None:
    verdict = gate.judge(mask, FRONT)
    assert verdict.reasons == []
    assert verdict.scores["parts_missing"] == verdict.scores["parts_unexpected"] == 0
    names = {"view_confidence", "parts_missing", "parts_unexpected", "parts_exclusive", "area_excess"}
    assert set(verdict.scores) == names


def test_a_required_part_that_is_missing(gate: MaskRule, mask: Mask, schema: PartSchema) -> None:
    required = [part for part in np.flatnonzero(gate.bounds[FRONT].required) if part]
    part = min(required, key=lambda part: (mask == part).sum())
    mask[mask == part] = 0
    verdict = gate.judge(mask, FRONT)
    assert f"missing:{schema.names[part]}" in verdict.reasons and verdict.scores["parts_missing"] == 1


def test_a_part_that_the_class_never_shows(gate: MaskRule, mask: Mask, schema: PartSchema) -> None:
    mask[:6, :6] = schema.id_of("front_right_door")
    verdict = gate.judge(mask, FRONT)
    assert "unexpected:front_right_door" in verdict.reasons and verdict.scores["parts_unexpected"] == 1


def test_parts_that_are_never_shown_together(schema: PartSchema) -> None:
    """Half of the cars have part ``a``, the others ``b``; one with both is no car of theirs."""
    back, (a, b) = CarClass.parse("back-left-5"), ("hood", "front_glass")
    cars = [row(schema, n, back, back_bumper=1000, **{a if n % 2 else b: 500}) for n in range(40)]
    gate = MaskRule(cars, schema, OPTIONS)
    assert [set(pair) for pair in gate.exclusive_names()] == [{a, b}]
    mask = np.zeros((100, 100), np.uint8)
    mask[:10], mask[20:25], mask[30:35, :50] = schema.id_of("back_bumper"), schema.id_of(a), schema.id_of(b)
    verdict = gate.judge(mask, back)
    assert verdict.scores["parts_exclusive"] == 2 and {f"exclusive:{a}", f"exclusive:{b}"} <= set(verdict.reasons)
    assert not {f"exclusive:{a}", f"exclusive:{b}"} & set(gate.judge(mask, back, RuleLimits(0, 0, 2, 1.0)).reasons)
    mask[30:35] = 0
    verdict = gate.judge(mask, back)
    assert verdict.scores["parts_exclusive"] == 0 and not any(r.startswith("exclusive") for r in verdict.reasons)


def test_a_part_of_an_unlikely_size(gate: MaskRule, mask: Mask, schema: PartSchema) -> None:
    mask[mask == 0] = schema.id_of("hood")
    verdict = gate.judge(mask, FRONT)
    assert "area:hood" in verdict.reasons
    hood = schema.id_of("hood")
    share = (mask == hood).mean()
    assert verdict.scores["area_excess"] == pytest.approx(np.log(share / gate.bounds[FRONT].high[hood]), rel=1e-6)


def test_another_view_than_the_class(gate: MaskRule, mask: Mask, schema: PartSchema) -> None:
    assert f"view:{FRONT.mirror.name}" in gate.judge(schema.flip(mask), FRONT).reasons
    assert gate.judge(schema.flip(mask), FRONT.mirror).reasons == []


def test_slack_widens_the_ranges(rows: list[CatalogueRow], schema: PartSchema, mask: Mask) -> None:
    tight = MaskRule(rows, schema, replace(OPTIONS, slack=1.0, quantile=0.49))
    wide = MaskRule(rows, schema, replace(OPTIONS, slack=50.0, quantile=0.49))
    assert any(reason.startswith("area:") for reason in tight.judge(mask, FRONT).reasons)
    assert wide.judge(mask, FRONT).reasons == []


def test_rows_with_a_problem_teach_nothing(rows: list[CatalogueRow], schema: PartSchema) -> None:
    broken = [replace(row, problem="no mask") for row in rows]
    assert MaskRule(broken, schema, OPTIONS).bounds == {}


def test_the_gate_passes_held_out_cars(many_cars: Workspace) -> None:
    """At least 95 % of the real masks of each class that it has not learnt from."""
    rows = usable(read_catalogue(many_cars.catalogue))
    gate = MaskRule(TrainingRows.of(rows).rows, PartSchema.load(many_cars.schema), OPTIONS)
    passed: dict[str, list[bool]] = {}
    for row in rows:
        if row.split != "train":
            cleaned, _ = gate.clean(read_mask(many_cars.mask(row.id)))
            passed.setdefault(row.car_class.name, []).append(not gate.judge(cleaned, row.car_class).reasons)
    assert {len(found) for found in passed.values()} == {20}
    assert {name: np.mean(found) for name, found in passed.items() if np.mean(found) < 0.95} == {}
