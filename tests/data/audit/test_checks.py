"""The checks' figures against closed forms; whether they find faults at all is in ``test_faults.py``."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augkit.core.parts import IGNORE, PartSchema
from augkit.core.workspace import Workspace
from augkit.data.audit.association import FEWEST_ROWS, associate
from augkit.data.audit.audit_check import CHECKS, AuditCheck, Finding, Hit, check, worst_first
from augkit.data.audit.checks.alignment import SIZE, bound, edge_agreement
from augkit.data.audit.checks.border import contacts
from augkit.data.audit.checks.cells import FEWEST
from augkit.data.audit.checks.confounds import background, colour_word
from augkit.data.audit.checks.content import content
from augkit.data.audit.checks.duplicates import overlap
from augkit.data.audit.checks.seams import blended_seams
from augkit.data.audit.checks.sides import contradictions
from augkit.data.audit.measurements import AuditedPair, Measurements
from augkit.data.catalogue import CatalogueRow
from augkit.data.pair import Pair

SCHEMA = PartSchema.from_names(
    [
        "hood", "front_bumper", "front_left_door", "front_right_door", "wheel", "trunk",
        "front_left_light", "front_right_light", "left_mirror", "right_mirror",
    ]
)  # fmt: skip
ID = {name: id for id, name in enumerate(SCHEMA.names)}
ROW = CatalogueRow("a", "test", "a.jpg", width=64, height=64, crop_side=64, size=64)


def pair(mask: np.ndarray, photo: np.ndarray | None = None, row: CatalogueRow = ROW) -> AuditedPair:
    chosen = np.full((*mask.shape, 3), 128, np.uint8) if photo is None else photo
    return AuditedPair(row, Pair(chosen, mask.astype(np.uint8), row.car_class), SCHEMA)


def measurements(rows: list[CatalogueRow], **tables: dict[str, list[float]]) -> Measurements:
    kept = tuple(row for row in rows if not row.problem)
    return Measurements(
        Workspace(Path()),
        SCHEMA,
        tuple(rows),
        kept,
        kept,
        {},
        {name: {k: array("d", v) for k, v in t.items()} for name, t in tables.items()},
    )


def test_names_of_one_side_and_names_that_tell_nothing_are_warnings() -> None:
    seen = [replace(ROW, orientation="A", doors="unknown", confidence=0.0)]
    told = [*seen, replace(ROW, id="b", orientation="A", doors="5", confidence=0.0)]
    for names, rows, words in (
        (("Tür", "hood"), seen, ["not understood: Tür;"]),
        (("Tür", "hood"), told, []),
        (("hood", "wheel"), seen, []),
        (("left_door", "hood"), told, ["left_door (no right_door)"]),
        (("left_door", "right_door"), told, []),
        (("Tür", "left_door"), seen, ["left_door (no right_door)", "not understood: Tür;"]),
    ):
        judged = replace(measurements(rows), schema=PartSchema.from_names(names))
        found = list(CHECKS["names"].judge(judged))
        assert [finding.severity for finding in found] == ["warning"] * len(words)
        assert all(word in f"{finding.message};" for word, finding in zip(words, found, strict=True))
        assert all("--parts FILE" in finding.remedy for finding in found)


def findings(name: str, rows: list[CatalogueRow]) -> list[Finding]:
    return list(CHECKS[name].judge(measurements(rows)))


# Every check


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_every_check_says_what_it_looks_for_and_leaves_an_empty_catalogue_alone(name: str) -> None:
    chosen = CHECKS[name]
    assert isinstance(chosen, AuditCheck) and chosen.name == name and chosen.about
    assert [f for f in chosen.judge(measurements([])) if f.severity != "note"] == []


@pytest.mark.parametrize("name", sorted(CHECKS))
@pytest.mark.parametrize(
    "mask", [np.zeros((64, 64)), np.full((64, 64), IGNORE), np.eye(64)], ids=["empty", "out", "eye"]
)
def test_every_check_measures_whatever_mask_there_is(name: str, mask: np.ndarray) -> None:
    figures = CHECKS[name].measure(pair(mask))
    assert all(isinstance(value, float | int | str) for value in figures.values())


def test_what_a_network_cannot_be_trained_on_is_refused() -> None:
    assert all(CHECKS[name].guards for name in ("files", "ids", "leaks", "empty"))


# Alignment


def test_an_outline_on_the_edges_of_its_photo_fits_there_and_nowhere_else() -> None:
    mask = np.zeros((SIZE, SIZE))
    mask[40:90, 30:95] = 1
    photo = np.where(mask[..., None] > 0, np.uint8(200), np.uint8(60)).repeat(3, axis=2)
    here = edge_agreement(pair(mask, photo))
    moved = edge_agreement(pair(np.roll(mask, (6, -8), (0, 1)), photo))
    assert float(here["gain"]) < -0.5 < 0.5 < float(moved["gain"])
    assert moved["shift"] == pytest.approx(10.0)


def test_the_distance_is_in_pixels_of_the_pair() -> None:
    mask = np.zeros((2 * SIZE, 2 * SIZE))
    mask[80:180, 60:190] = 1
    photo = np.where(mask[..., None] > 0, np.uint8(200), np.uint8(60)).repeat(3, axis=2)
    assert edge_agreement(pair(np.roll(mask, 16, 0), photo))["shift"] == pytest.approx(16.0)


def test_the_border_of_the_photo_is_no_outline() -> None:
    mask = np.zeros((SIZE, SIZE))
    mask[:, :30] = IGNORE
    assert np.isnan(float(edge_agreement(pair(mask))["gain"]))


def test_the_bound_follows_the_set_but_is_never_above_0() -> None:
    assert bound(np.full(20, -0.5)) == -0.25  # all the same: no deviation, the lowest bound
    steady = np.array([-1.0, -0.9, -0.8, -0.7, -0.6])
    assert bound(steady) == pytest.approx(-0.8 + 4 * 1.4826 * 0.1)
    assert bound(np.array([-3.0, -1.0, 1.0])) == 0.0
    assert bound(np.array([0.4, 0.5, 0.6])) == 0.0


# Border


def test_contact_is_a_share_of_the_car_and_only_with_the_photos_own_border() -> None:
    car = np.zeros((64, 64), bool)
    car[10:50, 0:40] = True  # 40 high, 40 wide, at the left edge of the frame
    inner = replace(ROW, width=200, height=200, crop_x=50, crop_y=50)
    assert contacts(inner, car) == (0, 0, 0, 0)
    assert contacts(replace(inner, crop_x=0), car) == (1.0, 0, 0, 0)
    car[10:30, :2] = False
    assert contacts(replace(inner, crop_x=0), car) == (0.5, 0, 0, 0)


def test_contact_where_the_frame_reaches_outside_the_photo() -> None:
    """A photo of 32 columns in a frame of 64: it lies from 16 to 48."""
    car = np.zeros((64, 64), bool)
    car[20:40, 20:48] = True
    row = replace(ROW, width=32, height=64, crop_x=-16)
    assert contacts(row, car) == (0, 1.0, 0, 0)
    assert contacts(replace(row, size=128, crop_side=64), np.kron(car, np.ones((2, 2), bool))) == (0, 1.0, 0, 0)


# Content


def test_content_is_a_share_of_what_lies_inside_the_photo() -> None:
    mask = np.full((64, 64), IGNORE)
    mask[:, :32] = 0
    mask[:16, :32] = 1
    assert content(pair(mask)) == {"share": 0.25, "parts": 1}
    assert content(pair(np.zeros((64, 64)))) == {"share": 0.0, "parts": 0}


# Duplicates


def test_overlap_of_cuts() -> None:
    assert overlap(ROW, ROW) == 1.0
    assert overlap(ROW, replace(ROW, crop_x=32)) == pytest.approx(1 / 3)
    assert overlap(ROW, replace(ROW, crop_y=64)) == 0.0


def test_two_cars_of_one_photo_are_no_duplicates() -> None:
    one = replace(ROW, sha256="f" * 64)
    other = replace(one, id="b", crop_x=100)
    assert findings("duplicates", [one, other]) == []
    (found,) = findings("duplicates", [one, replace(one, id="b"), other])
    assert {hit.id for hit in found.hits} == {"a", "b"}


# Leaks


@pytest.mark.parametrize("key", ["sha256", "group"])
def test_a_photo_on_both_sides(key: str) -> None:
    one = replace(ROW, **{key: "f" * 16})  # type: ignore[arg-type]
    assert findings("leaks", [one, replace(one, id="b")]) == []
    (found,) = findings("leaks", [one, replace(one, id="b", split="val"), replace(ROW, id="c", split="val")])
    assert found.severity == "fatal" and {hit.id for hit in found.hits} == {"a", "b"}
    assert findings("leaks", [one, replace(one, id="b", split="val", problem="unreadable")]) == []


# Cells


def test_a_class_counts_with_its_mirror_image_and_without_what_is_held_out() -> None:
    def rows(orientation: str, count: int, split: str = "train") -> list[CatalogueRow]:
        row = replace(ROW, orientation=orientation, doors="5", split=split)  # type: ignore[arg-type]
        return [replace(row, id=f"{orientation}{split}{number}") for number in range(count)]

    half = FEWEST // 2
    enough = rows("A", half) + rows("D", FEWEST - half)
    assert [f for f in findings("cells", enough) if f.severity == "warning"] == []
    (found,) = (f for f in findings("cells", enough[1:] + rows("A", 9, "val")) if f.severity == "warning")
    assert f"front-left-5 {half - 1}" in found.message and len(found.hits) == FEWEST - 1
    notes = [f.message for f in findings("cells", enough) if f.severity == "note"]
    assert notes == [
        "no photo shows front-left-3 or front-right-3",
        "no photo shows back-left-3 or back-right-3",
        "no photo shows back-left-5 or back-right-5",
    ]


# Confounds


def test_labels_that_are_the_same_have_a_v_of_1_and_independent_ones_of_0() -> None:
    labels = ["x", "y"] * 40
    same = associate(labels, labels)
    assert same is not None and same.v == 1.0 and same.p < 1e-15
    independent = associate(labels, ["p", "p", "q", "q"] * 20)
    assert independent is not None and (independent.v, independent.p) == (0.0, 1.0)


def test_v_of_a_table_by_hand() -> None:
    """chi2 of ((30, 10), (10, 30)) is 20 over 80 rows: phi2 = 1/4 - 1/79, and both sides have 2 - 1/79 levels."""
    found = associate(["x"] * 40 + ["y"] * 40, ["p"] * 30 + ["q"] * 10 + ["p"] * 10 + ["q"] * 30)
    assert found is not None
    assert found.v == pytest.approx(np.sqrt((1 / 4 - 1 / 79) / (1 - 1 / 79)))
    assert found.residuals[0, 0] == pytest.approx(10 / np.sqrt(20))


def _bands(*runs: tuple[int, int]) -> np.ndarray:
    """(64, 64) upright bands of (id, width), the rest background."""
    row = np.repeat([id for id, _ in runs], [width for _, width in runs])
    return np.pad(row, (0, 64 - len(row)))[None].repeat(64, axis=0)


@pytest.mark.parametrize(
    ("runs", "share"),
    [
        (((0, 10), (5, 20)), 0.0),
        (((0, 10), (2, 1), (4, 1), (5, 20), (3, 1)), 1.0),
        (((0, 10), (4, 1), (2, 1), (5, 20)), 0.0),  # up and down again is no blend
        (((0, 10), (7, 1), (5, 20)), 0.0),
        (((0, 10), (3, 3), (5, 20)), 0.0),  # too wide for a sliver
        (((3, 10), (4, 20)), 0.0),  # nothing lies between
        (((5, 10), (IGNORE, 2), (1, 20)), 0.0),
        (((0, 5), (2, 1), (5, 10), (0, 4), (3, 1), (7, 5), (0, 4), (8, 5)), 0.5),
        (((0, 5), (3, 1), (5, 6), (1, 5), (5, 6), (0, 6), (8, 6)), 0.0),  # a frame along one seam of several
    ],
)
def test_a_blended_seam_passes_through_the_ids_between(runs: tuple[tuple[int, int], ...], share: float) -> None:
    mask = _bands(*runs)
    for turned in (mask, mask.T, mask[:, ::-1]):
        assert blended_seams(pair(np.ascontiguousarray(turned)))["share"] == share


def test_seams_are_told_and_blamed_from_a_bound_on() -> None:
    rows = [replace(ROW, id=name) for name in "abc"]
    (found,) = CHECKS["seams"].judge(measurements(rows, seams={"share": [0.1, 0.4, 0.2]}))
    assert found.severity == "warning" and [hit.id for hit in found.hits] == ["b", "c"]
    assert list(CHECKS["seams"].judge(measurements(rows, seams={"share": [0.1, 0.0, 0.0]}))) == []


def test_too_little_to_tell() -> None:
    few = ["x", "y"] * (FEWEST_ROWS // 2 - 1)
    assert associate(few, few) is None
    assert associate(["x"] * 50 + ["y"] * 4, ["p"] * 50 + ["q"] * 4) is None
    assert associate(["x", ""] * 30, ["x", "y"] * 30) is None


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("pq")), max_size=80))
def test_v_lies_between_0_and_1_and_does_not_mind_the_order_of_labels(pairs: list[tuple[str, str]]) -> None:
    found = associate([a for a, _ in pairs], [b for _, b in pairs])
    turned = associate([b for _, b in pairs], [a for a, _ in pairs])
    assert (found is None) == (turned is None)
    if found is not None and turned is not None:
        assert 0 <= found.v <= 1 and 0 <= found.p <= 1 and found.v == pytest.approx(turned.v)


@pytest.mark.parametrize(
    ("rgb", "word"),
    [
        ((5, 5, 5), "black"), ((128, 130, 127), "grey"), ((250, 250, 250), "white"), ((220, 30, 30), "red"),
        ((250, 150, 10), "yellow"), ((30, 160, 30), "green"), ((120, 180, 240), "blue"), ((200, 30, 200), "magenta"),
    ],
)  # fmt: skip
def test_colour_words(rgb: tuple[int, int, int], word: str) -> None:
    assert colour_word(*rgb) == word


def test_the_background_is_what_no_part_covers_and_the_photo_shows() -> None:
    mask, photo = np.zeros((64, 64)), np.full((64, 64, 3), 250, np.uint8)
    mask[:, :32], photo[:, :32] = IGNORE, 0
    mask[:60, 32:], photo[:60, 32:] = 1, (220, 30, 30)
    assert background(pair(mask, photo)) == {"colour": "white"}
    assert background(pair(np.ones((64, 64)))) == {"colour": ""}


# Sides


def side_view(door: str, flip: bool = False) -> np.ndarray:
    """A car with its front at the picture's left, so that its left side is seen; or mirrored, without new names."""
    mask = np.zeros((64, 64), np.uint8)
    mask[30:45, 4:18] = ID["hood"]
    mask[30:45, 18:40] = ID[door]
    mask[30:45, 50:62] = ID["trunk"]
    mask[40:50, 10:16] = mask[40:50, 48:54] = ID["wheel"]
    return mask[:, ::-1] if flip else mask


@pytest.mark.parametrize("flip", [False, True])
def test_the_door_of_the_side_that_is_seen(flip: bool) -> None:
    right, wrong = ("front_right_door", "front_left_door") if flip else ("front_left_door", "front_right_door")
    assert contradictions(pair(side_view(right, flip))) == {"score": 0.0, "what": ""}
    found = contradictions(pair(side_view(wrong, flip)))
    assert float(found["score"]) > 0.3 and str(found["what"]).startswith(wrong)


def front_view(at_the_left: str, at_the_right: str) -> np.ndarray:
    mask = np.zeros((64, 64), np.uint8)
    mask[20:35, 10:54] = ID["hood"]
    mask[35:50, 10:54] = ID["front_bumper"]
    mask[35:40, 12:20], mask[35:40, 44:52] = ID[at_the_left], ID[at_the_right]
    return mask


@pytest.mark.parametrize("part", ["front_{}_light", "{}_mirror"])
def test_seen_from_the_front_the_left_is_at_the_right(part: str) -> None:
    left, right = part.format("left"), part.format("right")
    assert contradictions(pair(front_view(right, left)))["what"] == ""
    assert contradictions(pair(front_view(left, right)))["what"] == f"{left} and {right} have changed places"


def test_scores_do_not_depend_on_which_side_is_called_left() -> None:
    mask = side_view("front_right_door")
    one, other = contradictions(pair(mask)), contradictions(pair(SCHEMA.flip(mask)))
    assert one["score"] == pytest.approx(float(other["score"]))


# Dropped in


def test_a_new_check_is_what_the_document_says(monkeypatch: pytest.MonkeyPatch) -> None:
    list(CHECKS)
    monkeypatch.setattr(CHECKS, "_entries", dict(CHECKS._entries))
    text = (Path(__file__).resolve().parents[3] / "CONTRIBUTING.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {"check": check, "Finding": Finding, "Hit": Hit, "worst_first": worst_first}
    exec(code, {**names, "Measurements": Measurements, "Iterator": Iterator})
    assert "dark" in list(CHECKS)
    means = [float(CHECKS["dark"].measure(pair(np.zeros((8, 8)), np.full((8, 8, 3), v)))["mean"]) for v in (9, 90, 3)]
    assert means == [9, 90, 3]
    rows = [replace(ROW, id=id) for id in "abc"]
    (found,) = CHECKS["dark"].judge(measurements(rows, dark={"mean": means}))
    assert [hit.id for hit in found.hits] == ["c", "a"]
