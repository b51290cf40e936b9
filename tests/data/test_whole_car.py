"""The body: an internal last part for what of a car belongs to no part."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from augkit.core.parts import IGNORE, Mask, PartSchema
from augkit.core.workspace import Workspace
from augkit.data.canonical_pairs import CanonicalPairs
from augkit.data.catalogue import CatalogueRow
from augkit.data.whole_car import (
    body_of,
    cleaned_body,
    has_rest,
    leaks,
    own_schema,
    put_body,
    with_internal_body,
    without_body,
)

SCHEMA = PartSchema.from_names(["left_door", "right_door", "hood"])
WHOLE = with_internal_body(SCHEMA)
SIDE = 64


def _car(part: int = 1) -> Mask:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[30:50, 16:48] = part
    return mask


def _region(top: int, bottom: int, left: int, right: int) -> np.ndarray:
    region = np.zeros((SIDE, SIDE), np.bool_)
    region[top:bottom, left:right] = True
    return region


ROOFED = _region(22, 50, 16, 48)


def test_the_schema_gets_a_last_part_that_stays_under_a_flip() -> None:
    assert body_of(WHOLE) == 4 and body_of(SCHEMA) is None
    assert own_schema(WHOLE).digest == own_schema(SCHEMA).digest == SCHEMA.digest
    assert WHOLE.flip_table[:5].tolist() == [0, 2, 1, 3, 4]


@pytest.mark.parametrize("name", ["rest_of_car", "body", "car body"])
def test_a_part_for_the_rest_of_the_car_is_enough(name: str) -> None:
    schema = PartSchema.from_names(["hood", name])
    assert has_rest(schema) and with_internal_body(schema) is schema
    assert not has_rest(SCHEMA)


def test_the_body_is_what_the_silhouette_has_beside_the_parts() -> None:
    mask = _car()
    mask[:, 46:] = IGNORE
    whole = put_body(mask, ROOFED, 4)
    assert (whole[22:30, 16:46] == 4).all() and (whole[30:50, 16:46] == 1).all() and (whole[:, 46:] == IGNORE).all()
    assert np.array_equal(without_body(whole, SCHEMA.channels), mask)


@pytest.mark.parametrize(
    "silhouette",
    [
        np.ones((SIDE, SIDE), np.bool_),  # the whole photo
        ROOFED | _region(40, 64, 0, 64),  # the ground, to the photo's edge
        ROOFED | _region(4, 20, 4, 60),  # as much again beside the car
    ],
)
def test_a_silhouette_that_leaks_lends_no_body(silhouette: np.ndarray) -> None:
    assert leaks(_car(), silhouette) and np.array_equal(put_body(_car(), silhouette, 4), _car())


def test_a_roof_that_the_photo_cuts_is_no_leak() -> None:
    high = np.roll(_car(), -24, 0)  # the parts begin at row 6
    assert not leaks(high, _region(0, 26, 16, 48))


def test_without_parts_every_silhouette_leaks() -> None:
    assert leaks(np.zeros((SIDE, SIDE), np.uint8), ROOFED)


def test_specks_leave_no_holes_in_the_body() -> None:
    drawn = put_body(_car(), ROOFED, 4)
    drawn[24:26, 30:32], drawn[2, 2] = 3, 4

    def clean(mask: Mask) -> tuple[Mask, float]:
        count, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 0).astype(np.uint8))
        small = [n for n in range(1, count) if stats[n, cv2.CC_STAT_AREA] < 9]
        return np.where(np.isin(labels, small), 0, mask).astype(np.uint8), 0.0

    parts = without_body(drawn, SCHEMA.channels)
    parts[24:26, 30:32] = 0
    assert np.array_equal(cleaned_body(drawn, parts, clean), put_body(_car(), ROOFED, 4))


def test_pairs_show_it_where_there_is_a_silhouette(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for folder in (workspace.pairs, workspace.silhouettes):
        folder.mkdir()
    rows = [CatalogueRow(id, "test", f"{id}.jpg", size=SIDE) for id in ("with", "without")]
    for row in rows:
        cv2.imwrite(str(workspace.photo(row.id)), np.zeros((SIDE, SIDE, 3), np.uint8))
        cv2.imwrite(str(workspace.mask(row.id)), _car())
    cv2.imwrite(str(workspace.silhouette("with")), ROOFED.astype(np.uint8) * 255)
    plain, whole = (CanonicalPairs(workspace, rows, schema, SIDE) for schema in (SCHEMA, WHOLE))
    assert np.array_equal(whole.plain(0).mask, put_body(_car(), ROOFED, 4))
    for pair in (whole.plain(1), plain.plain(0), plain.plain(1)):
        assert np.array_equal(pair.mask, _car())
