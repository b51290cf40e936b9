from __future__ import annotations

import pytest
from hypothesis import given

from augkit.core.part_names import PartOverride
from augkit.core.part_words import KINDS
from augkit.core.parts import Part, PartSchema
from augkit.data.part_semantics import PLACES, PartSemantics, part_semantics
from tests.spellings import PARTS, SPELLINGS, Spelling


def _role(name: str) -> dict[str, int]:
    roles = part_semantics(PartSchema.from_names([name]))
    return {table: int(getattr(roles, table)[1]) for table in roles.__dataclass_fields__ if getattr(roles, table)[1]}


@pytest.mark.parametrize(
    "names",
    [
        ("back_left_door", "rear left door", "leftRearDoor", "doors-rear-left", "Left_Back_Door"),
        ("front_right_light", "right headlight", "RightHeadLight", "front_right_lamp"),
        ("back_left_light", "left_taillight", "tail_light_left"),
        ("hood", "bonnet"),
        ("trunk", "boot", "tailgate"),
        ("front_glass", "windshield", "front windscreen"),
        ("front_right_wheel", "wheel_right", "right tyre"),
    ],
)
def test_many_names_mean_one_role(names: tuple[str, ...]) -> None:
    assert all(_role(name) == _role(names[0]) != {} for name in names)


@given(SPELLINGS)
def test_roles_agree_on_every_spelling(spelling: Spelling) -> None:
    own, canonical = (part_semantics(PartSchema.from_names(names)) for names in ([*map(spelling, PARTS)], PARTS))
    for table in PartSemantics.__dataclass_fields__:
        assert getattr(own, table).tolist() == getattr(canonical, table).tolist()


def test_every_kind_has_its_place() -> None:
    assert set(PLACES) == set(KINDS)


def test_a_person_s_word_counts_more_than_the_name() -> None:
    told = PartSchema((Part(1, "Tür hinten links", (0, 0, 0), PartOverride("left", "rear", "door")),))
    roles = part_semantics(told)
    assert (roles.rear_door[1], roles.side[1]) == (1, 1)


def test_side_windows_are_no_evidence_of_an_end() -> None:
    assert "end" not in _role("front_left_window")
    assert _role("front_window")["end"] > 0 > _role("back_window")["end"]


def test_words_are_whole_words() -> None:
    assert _role("outdoors") == {}
    assert _role("frontier_plate") == {}


def test_a_door_without_an_end_says_no_number_of_doors() -> None:
    role = _role("left_door")
    assert "front_door" not in role and "rear_door" not in role and role["placed"] == 1
