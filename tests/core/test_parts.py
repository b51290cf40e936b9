from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from augkit.core.errors import SchemaError
from augkit.core.part_names import PartOverride
from augkit.core.parts import BACKGROUND, IGNORE, Mask, Part, PartSchema, histogram, without_ignore
from tests.spellings import PARTS, SPELLINGS, Spelling

SCHEMA = PartSchema.from_names(["hood", "left_mirror", "front_right_door", "right_mirror", "front_left_door", "wheel"])
masks = arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.sampled_from([*range(7), 255]))


@given(masks)
def test_a_flip_is_its_own_inverse(mask: Mask) -> None:
    assert np.array_equal(SCHEMA.flip(SCHEMA.flip(mask)), mask)


def test_a_flip_mirrors_the_picture_and_swaps_left_and_right() -> None:
    names = SCHEMA.names
    assert [(names[a], names[b]) for a, b in SCHEMA.swaps] == [
        ("left_mirror", "right_mirror"),
        ("front_right_door", "front_left_door"),
    ]
    assert SCHEMA.flip(np.array([[1, 2, 3, 0, 255]], np.uint8)).tolist() == [[255, 0, 5, 4, 1]]


@given(arrays(np.uint8, st.tuples(st.integers(0, 9), st.integers(1, 9))), st.integers(1, 256))
def test_a_histogram_counts_every_id(mask: Mask, channels: int) -> None:
    counts = histogram(mask, channels)
    assert counts.dtype == np.int64 and counts.tolist() == [int((mask == id).sum()) for id in range(channels)]
    assert np.array_equal(histogram(np.asfortranarray(mask)), histogram(mask))


def test_a_large_mask_is_counted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = np.random.default_rng(0).integers(0, 256, (30, 20), np.uint8)
    whole = histogram(mask).tolist()
    monkeypatch.setattr("augkit.core.parts._EXACT", 7)
    assert histogram(mask).tolist() == whole and sum(whole) == mask.size


def test_a_side_without_its_partner_stays_as_it_is() -> None:
    schema = PartSchema.from_names(["left_mirror", "hood"])
    assert schema.swaps == () and schema.flip_table.tolist() == list(range(256))
    assert [(part.name, part.mirrored) for part in schema.unpaired] == [("left_mirror", "right_mirror")]


def test_the_palette_tells_parts_apart() -> None:
    palette = PartSchema.from_names([f"part_{number}" for number in range(40)]).palette
    assert palette.shape == (256, 3)
    assert palette[BACKGROUND].tolist() == [0, 0, 0] and palette[IGNORE].tolist() == [255, 255, 255]
    assert len({tuple(colour) for colour in palette[:41].tolist()}) == 41
    assert SCHEMA.colourise(np.array([[1]], np.uint8)).tolist() == [[list(SCHEMA.parts[0].colour)]]


def test_the_largest_schema_has_254_parts() -> None:
    assert PartSchema.from_names([f"part_{number}" for number in range(254)]).channels == 255
    with pytest.raises(SchemaError, match="255 parts"):
        PartSchema.from_names([f"part_{number}" for number in range(255)])


def test_names_are_unique_and_ids_without_gaps() -> None:
    with pytest.raises(SchemaError, match="named twice: hood"):
        PartSchema.from_names(["hood", "wheel", "hood"])
    with pytest.raises(SchemaError, match=r"part ids \[2\]"):
        PartSchema((Part(2, "hood", (0, 0, 0)),))


def test_an_unknown_name_lists_the_names_there_are() -> None:
    assert SCHEMA.id_of("wheel") == 6
    with pytest.raises(SchemaError, match=r"no part named 'wing'(.|\n)*hood"):
        SCHEMA.id_of("wing")


def test_a_mask_may_hold_parts_background_and_ignore() -> None:
    SCHEMA.check(np.array([[0, 6, 255]], np.uint8), "here")
    with pytest.raises(SchemaError, match=r"here: part ids \[7, 254\](.|\n)*0..6 or 255"):
        SCHEMA.check(np.array([[0, 7, 254]], np.uint8), "here")


def test_a_schema_is_read_back(tmp_path: Path) -> None:
    SCHEMA.save(tmp_path / "parts.json")
    assert PartSchema.load(tmp_path / "parts.json") == SCHEMA


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"parts": [{"id": 1}]}', '{"parts": [{"id": 1, "name": "a", "colour": 3}]}']
)
def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "parts.json"
    path.write_text(text)
    with pytest.raises(SchemaError):
        PartSchema.load(path)
    with pytest.raises(SchemaError, match=r"missing\.json"):
        PartSchema.load(tmp_path / "missing.json")


def test_the_digest_depends_on_names_and_not_on_colours() -> None:
    data = SCHEMA.to_dict()
    again = json.loads(json.dumps(data))
    again["parts"][0]["colour"] = [1, 2, 3]
    assert PartSchema.from_dict(again).digest == SCHEMA.digest
    again["parts"][0]["name"] = "bonnet"
    assert PartSchema.from_dict(again).digest != SCHEMA.digest


def test_what_is_ignored_becomes_background() -> None:
    mask = np.array([[0, 3], [IGNORE, 1]], np.uint8)
    assert without_ignore(mask).tolist() == [[0, 3], [0, 1]] and without_ignore(mask).dtype == np.uint8
    assert mask[1, 0] == IGNORE


def test_what_a_person_said_is_written_down_and_counts() -> None:
    told = PartSchema((*SCHEMA.parts, Part(7, "Spiegel links", (1, 2, 3), PartOverride("left", kind="mirror"))))
    data = told.to_dict()
    assert data["parts"][:6] == SCHEMA.to_dict()["parts"] and set(data["parts"][0]) == {"id", "name", "colour"}
    assert data["parts"][6] == {
        "id": 7, "name": "Spiegel links", "colour": [1, 2, 3], "side": "left", "kind": "mirror",
    }  # fmt: skip
    assert PartSchema.from_dict(data) == told and [part.name for part in told.unpaired] == ["Spiegel links"]
    plain = PartSchema.from_names(told.names[1:])
    assert told.digest != plain.digest and plain.unpaired == ()


def test_a_mirror_that_is_no_part_is_refused() -> None:
    with pytest.raises(SchemaError, match="hood: its mirror 'bonnet' is no part"):
        PartSchema((Part(1, "hood", (0, 0, 0), PartOverride(mirror="bonnet")),))


def test_the_digest_of_a_plain_schema_is_that_of_its_ids_and_names() -> None:
    """Models and shards of earlier versions are known by it."""
    assert SCHEMA.digest == hashlib.sha256(json.dumps([(p.id, p.name) for p in SCHEMA.parts]).encode()).hexdigest()


@given(SPELLINGS, st.integers(0, 2**32))
def test_flips_agree_on_every_spelling(spelling: Spelling, seed: int) -> None:
    canonical, own = PartSchema.from_names(PARTS), PartSchema.from_names([spelling(name) for name in PARTS])
    mask = np.random.default_rng(seed).integers(0, own.channels, (3, 4), np.uint8)
    assert np.array_equal(own.flip(mask), canonical.flip(mask)) and len(own.swaps) == 4
    assert np.array_equal(own.flip(own.flip(mask)), mask)
