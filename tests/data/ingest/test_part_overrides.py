"""``--parts FILE``: what a person says of the parts."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from augkit.core.errors import DataError
from augkit.core.part_names import PartOverride
from augkit.core.parts import PartSchema
from augkit.data.ingest.part_overrides import read_part_overrides

SCHEMA = PartSchema.from_names(["Motorhaube", "Tür vorne links", "Tür vorne rechts", "Spiegel links", "left_door"])
SAID = {
    "Motorhaube": PartOverride(kind="hood"),
    "Tür vorne links": PartOverride("left", "front", "door"),
    "Tür vorne rechts": PartOverride("right", "front", "door", "Tür vorne links"),
    "Spiegel links": PartOverride("left", mirror="Spiegel links"),
    "left_door": None,
}


def _read(folder: Path, text: str, name: str = "parts.yaml") -> PartSchema:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_part_overrides(path, SCHEMA)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "parts.yaml",
            "Motorhaube: {kind: hood}\nTür vorne links: {side: left, end: front, kind: door}\nleft_door:\n"
            "Tür vorne rechts: {side: right, end: front, kind: Door, mirror: Tür vorne links}\n"
            "spiegel links:\n  side: left\n  end: null\n  mirror: Spiegel links\n",
        ),
        (
            "parts.yml",
            "- {name: Motorhaube, kind: hood}\n- {name: Tür vorne links, side: left, end: front, kind: door}\n"
            "- {name: Tür vorne rechts, side: right, end: front, kind: door, mirror: Tür vorne links}\n"
            "- name: Spiegel links\n  side: left\n  mirror: Spiegel links\n",
        ),
        (
            "parts.csv",
            "Name,side,end,kind,mirror\nMotorhaube,,,hood,\nTür vorne links,left,front,door,\n\n"
            "Tür vorne rechts,right,front,door,Tür vorne links\nSpiegel links,left,,,Spiegel links\n",
        ),
        (
            "parts.txt",
            "\ufeffkind;name;side;mirror;end\nhood;Motorhaube;;;\ndoor;Tür vorne links;left;;front\n"
            "door;Tür vorne rechts;right;Tür vorne links;front\n;Spiegel links;left;Spiegel links;\n",
        ),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_yaml_and_csv_say_the_same(tmp_path: Path, name: str, text: str, form: str) -> None:
    told = _read(tmp_path, unicodedata.normalize(form, text), name)  # type: ignore[arg-type]
    assert {part.name: part.said for part in told.parts} == SAID
    assert told.swaps == ((2, 3),) and [part.name for part in told.unpaired] == ["left_door"]


def test_the_example_of_the_document(tmp_path: Path) -> None:
    document = (Path(__file__).parents[3] / "docs/data.md").read_text(encoding="utf-8")
    text = document.partition("## Names of parts")[2].partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "parts.yaml").write_text(text, encoding="utf-8")
    names = [line.partition(":")[0] for line in text.splitlines()]
    told = read_part_overrides(tmp_path / "parts.yaml", PartSchema.from_names(names))
    assert [(told.names[a], told.names[b]) for a, b in told.swaps] == [("Tür vorne links", "Tür vorne rechts")]
    assert told.unpaired == ()


def test_back_is_rear(tmp_path: Path) -> None:
    assert _read(tmp_path, "Motorhaube: {end: Back}\n").part_names[0].end == "rear"


def test_all_faults_are_told_with_their_lines(tmp_path: Path) -> None:
    text = (
        "Tür vorne links: {side: links, kind: dor, sid: left}\nTür vorne  rechts: {side: right}\nMotorhaube: hood\n"
        "Motorhaube: {mirror: Spiegel}\nSpiegel links: {mirror: Tür vorne rechts}\n"
        "Tür vorne rechts: {mirror: left_door}\n"
    )
    with pytest.raises(DataError) as error:
        _read(tmp_path, text)
    told = error.value.found.splitlines()
    assert [line.split(":")[0].strip() for line in told[1:]] == [f"line {n}" for n in (1, 1, 1, 2, 3, 4, 4, 5)]
    for words in (
        "8 fault(s)", "side 'links'; there are left, right, none", "kind 'dor'; there are door", "no field 'sid'",
        "did you mean 'Tür vorne rechts'?", "no mapping", "no part named 'Spiegel'; did you mean 'Spiegel links'?",
        "Motorhaube was in line 3 before", "its mirror is Tür vorne rechts, whose mirror is left_door",
    ):  # fmt: skip
        assert words in error.value.found


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("parts.csv", "name,side\nleft_door\n", "line 2: 1 cells, the header has 2"),
        ("parts.csv", "part,side\nleft_door,left\n", "columns part, side"),
        ("parts.csv", "", r"columns \(none\)"),
        ("parts.csv", 'name,side\n"a', "unexpected end"),
        ("parts.csv", "name,side,mirror\nleft_door,,Spiegel links\nSpiegel links,left,\n", "line 2: .*left side, too"),
        ("parts.yaml", "- {side: left}\n", "line 1: no part named ''"),
        ("parts.yaml", "- left_door\n", "line 1: no mapping"),
        ("parts.yaml", "left_door: {side: [left]}\n", "line 1: no mapping"),
        ("parts.yaml", "left_door\n", "neither a mapping nor a list"),
        ("parts.yaml", "a: {b", "expected ',' or '}'"),
    ],
)
def test_a_wrong_file_is_one_error(tmp_path: Path, name: str, text: str, fault: str) -> None:
    with pytest.raises(DataError, match=fault):
        _read(tmp_path, text, name)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--parts"):
        read_part_overrides(tmp_path / "none.csv", SCHEMA)


def test_capitals_count_where_they_tell_two_parts_apart(tmp_path: Path) -> None:
    schema = PartSchema.from_names(["Tür", "tür"])
    path = tmp_path / "parts.yaml"
    path.write_text("tür: {kind: door}\n", encoding="utf-8")
    assert [part.kind for part in read_part_overrides(path, schema).part_names] == ["none", "door"]
    path.write_text("Tür: {kind: door}\n", encoding="utf-8")
    assert [part.kind for part in read_part_overrides(path, schema).part_names] == ["door", "none"]
