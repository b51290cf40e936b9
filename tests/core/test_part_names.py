"""What names of parts say, however they are spelled."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from augkit.core.part_names import NONE, PartName, PartOverride, faults_of, outside_parts, read_names
from augkit.core.part_words import CODES, KINDS
from tests.spellings import EXAMPLES, PARTS, SPELLINGS, Spelling


def read(*names: str) -> dict[str, PartName]:
    return {part.name: part for part in read_names(names)}


def meaning(part: PartName) -> tuple[object, ...]:
    return part.side, part.end, part.kind, part.mate, part.spelling


def test_the_examples_are_spelled_as_they_say() -> None:
    assert {spelling("front_left_door"): spelling for spelling in EXAMPLES.values()} == EXAMPLES


@given(SPELLINGS)
@example(Spelling())
def test_all_spellings_mean_the_same(spelling: Spelling) -> None:
    own = read_names([spelling(name) for name in PARTS])
    assert [meaning(part) for part in own] == [meaning(part) for part in read_names(PARTS)]


@given(SPELLINGS, st.sampled_from(("NFC", "NFD", "NFKD")))
def test_accents_are_letters_whatever_form_unicode_gives_them(spelling: Spelling, form: str) -> None:
    """Nothing of an accented word is taken for a side, and the forms of one name are one name."""
    names = [f"é{number}_{spelling(name)}_größe" for number, name in enumerate(PARTS)]
    names[:2] = ["pièce_left_arrière", unicodedata.normalize("NFD", "pièce_right_arrière")]
    own = read_names([unicodedata.normalize(form, name) if number > 1 else name for number, name in enumerate(names)])
    assert (own[0].mate, own[1].mate) == (1, 0)
    assert [part.side for part in own[2:]] == [part.side for part in read_names(PARTS[2:])]


@pytest.mark.parametrize(
    ("names", "sides"),
    [
        ("l_eye r_eye", "left right"),  # issue trackers of face data sets: a letter counts beside its mate
        ("u_lip l_lip", "none none"),
        ("l_ear r_ear ear_r neck_l", "left right none none"),  # an earring and a necklace
        ("front_leftdoor front_rightdoor", "left right"),
        ("leftfoo rightfoo", "left right"),
        ("leftover bright copyright cleft_panel", "none none none none"),
        ("wheel_f wheel_r", "none none"),
        ("bumper_fr bumper_rr", "none none"),
        ("door_f door_r door_l", "none right left"),
        ("left_right_door", "none"),
        ("lf_door rf_door lr_door rr_door", "left right left right"),
        ("RLdoor RRdoor doorFL doorFR", "left right left right"),
        ("front_l_door", "left"),  # without its mate, but of every car there is a left and a right door
        ("hood_l", "none"),
        ("hood_lh", "left"),
        ("LEFT_mirror Right-Mirror", "left right"),
    ],
)
def test_what_is_a_side(names: str, sides: str) -> None:
    found = read_names(names.split())
    assert [part.side for part in found] == sides.split()
    mates = [part.mate for part in found]
    assert all(mate is None or mates[mate] == place for place, mate in enumerate(mates))


@pytest.mark.parametrize(
    ("name", "mirrored"),
    [
        ("FrontLeftDoor", "FrontRightDoor"),
        ("FRONT_LEFT_DOOR", "FRONT_RIGHT_DOOR"),
        ("front door LH", "front door RH"),
        ("door_rl", "door_rr"),
        ("doorFL", "doorFR"),
        ("left 2 Left_door", "right 2 Right_door"),
    ],
)
def test_a_part_without_its_mate_tells_what_that_would_be_called(name: str, mirrored: str) -> None:
    alone = read(name)[name]
    assert alone.mate is None and alone.mirrored == mirrored
    both = read_names([name, mirrored])
    assert [part.mate for part in both] == [1, 0] and both[1].mirrored == name


def test_mates_may_be_spelled_differently_where_there_is_only_one() -> None:
    assert [part.mate for part in read_names(["left_headlight", "FrontRightLight"])] == [1, 0]
    assert read_names(["mirror_l", "right_mirror"])[0].mate == 1
    assert read_names(["left_fender", "right_sill"])[0].mate is None
    assert read_names(["left_headlight", "FrontRightLight", "right_headlight"])[0].mate == 2  # its own spelling first
    assert read_names(["left_headlight", "HeadlightRight", "headlight right"])[0].mate is None  # which of the two?


@pytest.mark.parametrize(
    ("name", "end", "kind"),
    [
        ("tail_light", "rear", "light"),
        ("RightHeadLamp", "front", "light"),
        ("rear_headlight", "rear", "light"),
        ("tail gate", NONE, "trunk"),
        ("WindShield", NONE, "windshield"),
        ("wing mirrors", NONE, "mirror"),
        ("front_to_back_panel", NONE, "fender"),
        ("outdoors", NONE, NONE),
        ("frontier_plate", NONE, NONE),
        ("glasses", NONE, "glass"),
    ],
)
def test_ends_and_kinds(name: str, end: str, kind: str) -> None:
    assert (read(name)[name].end, read(name)[name].kind) == (end, kind)


def test_an_end_letter_counts_beside_its_mate() -> None:
    assert [part.end for part in read_names(["wheel_f", "wheel_r", "glass_fr", "glass_rr"])] == ["front", "rear"] * 2
    assert read("wheel_f")["wheel_f"].end == NONE


def test_every_code_has_mates_of_the_other_side_and_the_same_end() -> None:
    for code in CODES.values():
        others = [CODES[mate] for mate in code.mates]
        assert others and all(other.side != code.side and other.end == code.end for other in others)


@given(st.lists(st.text("lLrRfF_ 1é" + "door left", max_size=8), max_size=6, unique=True))
def test_mates_are_mates_of_each_other_in_any_schema(names: list[str]) -> None:
    mates = [part.mate for part in read_names(names)]
    assert all(mate is None or mates[mate] == place for place, mate in enumerate(mates))


GERMAN = ("Motorhaube", "Tür vorne links", "Tür vorne rechts", "Spiegel links")


def test_a_person_s_word_counts_more_than_the_name() -> None:
    said = [
        PartOverride(kind="hood"),
        PartOverride("left", "front", "door"),
        PartOverride("right", "front", "door"),
        PartOverride("left", kind="mirror", mirror="Spiegel links"),
    ]
    found = read_names(GERMAN, said)
    assert [(part.side, part.end, part.kind) for part in found] == [
        (NONE, NONE, "hood"), ("left", "front", "door"), ("right", "front", "door"), ("left", NONE, "mirror"),
    ]  # fmt: skip
    assert [part.mate for part in found] == [0, 2, 1, 3]
    assert read_names(["left_door", "right_door"], [PartOverride(side="none")] * 2)[0].mate == 0
    assert read_names(["a", "b"], [PartOverride(mirror="b"), None])[1].mate == 0
    assert read_names(["left_door", "Tür"], [None, PartOverride("right", mirror="left_door")])[0].mate == 1


def test_overrides_that_contradict_each_other_are_faults() -> None:
    names = ["a", "b", "c", "d"]
    said = [PartOverride(mirror="b"), PartOverride(mirror="c"), PartOverride(mirror="x"), None]
    faults = dict(faults_of(names, said))
    assert set(faults) == {"a", "b", "c"} and "'x' is no part" in faults["c"] and "whose mirror is c" in faults["a"]
    both = dict(faults_of(names, [PartOverride(mirror="d"), PartOverride(mirror="d"), None, None]))
    assert set(both) == {"a", "b"} and "another part" in both["a"]


@pytest.mark.parametrize("key", ["side", "end", "kind", "mirror"])
def test_an_override_refuses_what_is_no_word_for_it(key: str) -> None:
    with pytest.raises(ValueError, match=key):
        PartOverride.from_dict({key: "links" if key != "mirror" else 3})
    assert PartOverride.from_dict({"id": 3, key: None}) is None
    assert {"none", *KINDS} >= {part.kind for part in read_names(PARTS)}


@pytest.mark.parametrize("name", ["__background__", "BG", "background ", "_background_", "Background", "back ground"])
def test_background_under_many_names(name: str) -> None:
    assert outside_parts(["hood", name]) == (None, "background")


@pytest.mark.parametrize("name", ["__ignore__", "ignore", "Void", "_ignore_", "IGNORED"])
def test_ignore_under_many_names(name: str) -> None:
    assert outside_parts([name, "hood"]) == ("ignore", None)


def test_what_nobody_labelled_is_the_background_unless_there_is_one() -> None:
    assert outside_parts(["unlabeled", "hood"]) == ("background", None)
    assert outside_parts(["Unlabelled", "BG"]) == ("ignore", "background")
