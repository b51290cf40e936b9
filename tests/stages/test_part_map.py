"""Parts of one schema in another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from augkit.core.errors import ConfigError, SchemaError
from augkit.core.parts import PartSchema
from augkit.stages.part_map import PartMap, part_map

SOURCE = PartSchema.from_names(["wheel", "front_bumper", "back_bumper"])
TARGET = PartSchema.from_names(["bumper", "wheel", "hood"])


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "map.yaml"
    path.write_text("front_bumper: bumper\nback_bumper: [bumper]\nwheel: wheel\n")
    return path


def test_a_file_maps_several_parts_to_one(mapping: Path) -> None:
    """The bumper is the mean of both, and a hood, which comes from nothing, the mean of all parts."""
    third = 1 / 3
    expected = [[1, 0, 0, 0], [0, 0, 0.5, 0.5], [0, 1, 0, 0], [0, third, third, third]]
    np.testing.assert_allclose(part_map(str(mapping), SOURCE, TARGET).shares(), expected)


def test_one_part_may_become_several(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text("wheel: [bumper, hood]\n")
    assert part_map(str(path), SOURCE, TARGET).sources == ((1,), (), (1,))


def test_by_name_in_another_order() -> None:
    shuffled = PartSchema.from_names(["back_bumper", "wheel", "front_bumper"])
    expected = np.eye(4, dtype=np.float32)[[0, 3, 1, 2]]
    np.testing.assert_array_equal(part_map("names", SOURCE, shuffled).shares(), expected)
    np.testing.assert_array_equal(part_map("names", SOURCE, SOURCE).shares(), np.eye(4))


def test_by_name_in_another_spelling() -> None:
    """Its own spelling comes first: what has it takes nothing from others."""
    source = PartSchema.from_names(["FrontLeftDoor", "front_bumper", "FrontBumper"])
    target = PartSchema.from_names(["front_bumper", "door_fl", "hood"])
    assert part_map("names", source, target).sources == ((2,), (1,), ())


def test_silhouettes_are_what_all_schemas_have_in_common() -> None:
    car = PartSchema.from_names(["car"])
    np.testing.assert_array_equal(part_map("silhouette", car, TARGET).shares(), [[1, 0], [0, 1], [0, 1], [0, 1]])
    np.testing.assert_allclose(part_map("silhouette", SOURCE, car).shares(), [[1, 0, 0, 0], [0, *[1 / 3] * 3]])


def test_a_map_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"maps no part(.|\n)*front_bumper(.|\n)*silhouette"):
        PartMap.by_name(SOURCE, PartSchema.from_names(["hood"]))
    path = tmp_path / "map.yaml"
    for text in ("{}\n", "wheel: []\n"):
        path.write_text(text)
        with pytest.raises(SchemaError, match="maps no part"):
            part_map(str(path), SOURCE, TARGET)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("wheels: wheel\n", r"started from: wheels(.|\n)*wheel, front_bumper, back_bumper"),
        ("wheel: [wheel, door, roof]\n", r"this workspace's schema: door, roof(.|\n)*bumper, wheel, hood"),
        ("background: wheel\n", "started from: background"),
    ],
)
def test_unknown_parts_list_those_there_are(text: str, found: str, tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text)
    with pytest.raises(SchemaError, match=found):
        part_map(str(path), SOURCE, TARGET)


@pytest.mark.parametrize("text", ["- wheel\n", "wheel\n", "wheel: {a: b}\n", "wheel: 3\n", ""])
def test_other_yaml_is_no_mapping(text: str, tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="not a mapping of parts"):
        part_map(str(path), SOURCE, TARGET)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        part_map(str(tmp_path / "nowhere.yaml"), SOURCE, TARGET)
