from __future__ import annotations

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from augkit.core.errors import ConfigError, DataError, SchemaError
from augkit.core.part_names import PartOverride
from augkit.core.parts import Part, PartSchema
from augkit.data.importers._part_table import PartEntry, PartTable
from augkit.data.importers._parts_file import find_parts_file, read_part_table
from tests.data.importers.makers.pictures import PARTS

DOCUMENT = Path(__file__).parents[3] / "docs/data.md"
HOOD, DOOR = (250, 149, 10), (19, 98, 19)


def _table(folder: Path, text: str, name: str = "parts.csv", encoding: str = "utf-8") -> PartTable:
    path = folder / name
    path.write_text(text, encoding=encoding)
    return read_part_table(path)


def _listed(table: PartTable) -> dict[str, int]:
    """Values of grey masks by the name of the part."""
    return {table.schema.names[id]: value for value, id in table.values if 0 < id < 255}


@pytest.mark.parametrize(
    "text",
    [
        "id,name,red,green,blue\n1,hood,250,149,10\n2,left door,19,98,19\n",
        "id,name,colour\n1,hood,#fa950a\n2,left door,136213\n",
        "id;name;color\n1;hood;250,149,10\n2;left door;(19, 98, 19)\n",
        "Value\tLabel\tRGB\n1\thood\t250 149 10\n2\tleft door\t[19, 98, 19]\n",
        'id,name,colour\n2,"left door","19;98;19"\n\n1,hood,"250,149,10"\n',
        "class,r,g,b\nbackground,0,0,0\nhood,250,149,10\nleft door,19,98,19\n",
        "name,r,g,b\nhood,250,149,10\nleft door,19,98,19\n",
        "# made by hand\n\nid,name,colour\n1,hood,#fa950a\n2,left door,136213\n",
        "class,name,colour\n1,hood,#fa950a\n2,left door,136213\n",
        "Class ID;Class Name;Category;Colour\n1;hood;front;fa950a\n2;left door;side;136213\n",
    ],
)
def test_csv_in_the_forms_people_have(tmp_path: Path, text: str) -> None:
    for encoding in ("utf-8", "utf-8-sig"):
        table = _table(tmp_path, text, encoding=encoding)
        assert _listed(table) == {"hood": 1, "left door": 2}
        assert table.colours == (((0, 0, 0), 0, "background"), (HOOD, 1, "hood"), (DOOR, 2, "left door"))
        assert [part.colour for part in table.schema.parts] == [HOOD, DOOR]


@pytest.mark.parametrize(
    "data",
    [
        {"0": "background", "1": "hood", "2": "left door"},
        {"id2label": {"2": "left door", "1": "hood"}},
        ["background", "hood", "left door"],
        ["hood", "left door"],
        [{"id": 1, "name": "hood"}, {"id": 2, "name": "left door"}],
        PartSchema.from_names(["hood", "left door"]).to_dict(),
    ],
)
def test_json_in_the_forms_people_have(tmp_path: Path, data: object) -> None:
    assert _listed(_table(tmp_path, json.dumps(data), "parts.json")) == {"hood": 1, "left door": 2}


@pytest.mark.parametrize(
    ("text", "listed"),
    [
        ("hood\nleft door\n", {"hood": 1, "left door": 2}),
        ("background\nhood\nleft door\n\n", {"hood": 1, "left door": 2}),
        ("__ignore__\n_background_\nhood\n", {"hood": 1}),
        ("hood\nignore\nwheel\n", {"hood": 1, "wheel": 3}),
        ("# the parts\nbackground\n#hood\nwheel\n", {"wheel": 1}),
        ("wheel 1\nwheel 2\n", {"wheel 1": 1, "wheel 2": 2}),
        ("background:::\nhood:::\nwheel:::\n", {"hood": 1, "wheel": 2}),
    ],
)
def test_a_list_of_names_counts_from_the_background_or_from_one(
    tmp_path: Path, text: str, listed: dict[str, int]
) -> None:
    assert _listed(_table(tmp_path, text, "parts.txt")) == listed


HEADERS = (
    "Pixel Value, Class",
    "pixel_value,class",
    "Value;Name",
    "index\tlabel",
    "ID,Part",
    "class,name",
    "class_id,name",
)


@given(
    st.dictionaries(st.integers(0, 300), st.sampled_from(PARTS), min_size=1, max_size=5).filter(
        lambda listed: len(set(listed.values())) == len(listed)
    ),
    st.sampled_from(HEADERS),
)
def test_the_ids_of_a_table_are_used_whatever_their_column_is_called(listed: dict[int, str], header: str) -> None:
    delimiter = next(sign for sign in ",;\t" if sign in header)
    lines = [header, *(f"{id}{delimiter}{name}" for id, name in listed.items())]
    with TemporaryDirectory() as folder:
        assert _listed(_table(Path(folder), "\n".join(lines))) == {name: id for id, name in listed.items()}


LABELMAP = "# label:color_rgb:parts:actions\nleft door:19,98,19:handle,window:\nhood:250,149,10::\nbackground:0,0,0::\n"


def test_a_labelmap_tells_parts_by_colours_alone(tmp_path: Path) -> None:
    table = _table(tmp_path, LABELMAP, "labelmap.txt")
    assert table.schema.names == ("background", "left door", "hood")
    assert table.colours == ((DOOR, 1, "left door"), (HOOD, 2, "hood"), ((0, 0, 0), 0, "background"))
    assert dict(table.values) == {0: 0, 255: 255}
    objects = [{"name": "left door", "color": "#136213"}, {"name": "hood", "color": "#fa950a"}]
    assert _table(tmp_path, json.dumps(objects), "labels.json").colours[1:] == table.colours[:2]


def test_a_schema_of_augkit_is_a_parts_file(tmp_path: Path) -> None:
    plain = PartSchema.from_names(["hood", "left_door", "right_door"])
    told = PartSchema((*plain.parts, Part(4, "Spiegel links", (1, 2, 3), PartOverride("left", kind="mirror"))))
    for schema in (plain, told):
        schema.save(tmp_path / "parts.json")
        assert read_part_table(tmp_path / "parts.json").schema == schema


def test_gaps_in_the_ids_are_closed_in_their_order() -> None:
    table = PartTable.of("list", [PartEntry(90, "rest"), PartEntry(10, "hood"), PartEntry(300, "door")])
    assert table.schema.names == ("background", "hood", "rest", "door")
    assert dict(table.values) == {0: 0, 10: 1, 90: 2, 255: 255, 300: 3}


def test_background_and_ignore_are_where_the_file_says() -> None:
    entries = [
        PartEntry(0, "ignore", (255, 255, 255)),
        PartEntry(1, "Background", (9, 9, 9)),
        PartEntry(255, "hood", HOOD),
    ]
    table = PartTable.of("list", entries)
    assert dict(table.values) == {0: 255, 1: 0, 255: 1}
    assert {colour: id for colour, id, _ in table.colours} == {(255, 255, 255): 255, (9, 9, 9): 0, HOOD: 1}


@pytest.mark.parametrize(
    ("background", "ignore"),
    [("__background__", "__ignore__"), ("BG", "void"), ("background ", "IGNORE"), ("Unlabeled", "_ignore_")],
)
def test_background_and_ignore_are_known_under_many_names(background: str, ignore: str) -> None:
    table = PartTable.of("list", [PartEntry(7, background), PartEntry(8, ignore), PartEntry(9, "hood")])
    assert table.schema.names == ("background", "hood")
    assert dict(table.values) == {0: 0, 7: 0, 8: 255, 9: 1, 255: 255}


def test_a_schema_s_own_ids_and_colours_are_no_matter_of_names() -> None:
    """A part of an earlier version may be called as what is ignored is today."""
    schema = PartSchema.from_names(["void", "hood"], [(255, 255, 255), HOOD])
    table = PartTable.of_schema("parts.json", schema)
    assert dict(table.values) == {0: 0, 1: 1, 2: 2, 255: 255}
    assert {colour: id for colour, id, _ in table.colours} == {(0, 0, 0): 0, (255, 255, 255): 1, HOOD: 2}


def test_a_black_part_leaves_the_background_without_a_colour() -> None:
    table = PartTable.of("list", [PartEntry(1, "tyre", (0, 0, 0)), PartEntry(2, "hood", HOOD)])
    assert {colour: id for colour, id, _ in table.colours} == {(0, 0, 0): 1, HOOD: 2}


def test_parts_without_a_colour_are_fine_until_a_mask_has_colours() -> None:
    table = PartTable.of("list.csv", [PartEntry(1, "hood"), PartEntry(2, "door")])
    assert len({part.colour for part in table.schema.parts}) == 2
    with pytest.raises(DataError, match=r"list\.csv gives none"):
        _ = table.palette
    with pytest.raises(DataError, match="one colour"):
        _ = PartTable.of("list", [PartEntry(1, "hood", HOOD), PartEntry(2, "door", HOOD)]).palette


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("parts.csv", "", "no parts"),
        ("parts.csv", "id,name\n", "no parts"),
        ("parts.csv", "0,background\n1,hood\n", "no column name"),
        ("parts.csv", "id,name\n1,hood\n1,door\n", "listed twice: 1"),
        ("parts.csv", "id,name\none,hood\n", "line 2: 'one' is no id"),
        ("parts.csv", "id,name\n1.5,hood\n", "'1.5' is no id"),
        ("parts.csv", "id,name\n-1,hood\n", "hood has the id -1"),
        ("parts.csv", "id,name\n65536,hood\n", "hood has the id 65536"),
        ("parts.csv", "id,name\n1,\n", "line 2: '' is no name"),
        ("parts.csv", "id,name\n1,hood,250,149,10\n", "line 2: 5 cells"),
        ("parts.csv", "id,name,colour\n1,hood,orange\n", "line 2: 'orange' is no colour"),
        ("parts.csv", "id,name,red,green,blue\n1,hood,250,149,\n", "no colour"),
        ("parts.csv", "id,name,red,green,blue\n1,hood,250,149,256\n", "no colour"),
        ("parts.csv", 'id,name\n1,"hood\n', "unexpected end"),
        ("parts.txt", "1 hood\n2 door\n", "line 1: '1 hood' is no name"),
        ("parts.txt", "hood\n\ndoor\n", "line 2: '' is no name"),
        ("parts.txt", "hood:1\ndoor:4\n", "line 1: 'hood:1' is no name"),
        ("parts.txt", "hood\ndoor=4\n", "line 2: 'door=4' is no name"),
        ("parts.txt", "hood\ndoor, 4\n", "line 2: 'door, 4' is no name"),
        ("parts.txt", "hood 1\ndoor 4\n", "names with numbers, as 'hood 1'"),
        ("parts.yaml", "names:\n- hood\n- door\n", "line 1: 'names:' is no name"),
        ("parts.yaml", "- hood\n- door\n", "line 1: '- hood' is no name"),
        ("labels.pbtxt", "item {\n  id: 1\n  name: 'hood'\n}\n", "line 1: 'item {' is no name"),
        ("parts.txt", "hood\nbackground\ndoor\n", "hood has the id -1"),
        ("parts.csv", "name,number\nhood,1\ndoor,4\n", "the column number may hold the ids"),
        ("parts.csv", "id,pixel value,name\n1,7,hood\n2,8,door\n", "the columns id and pixel value differ"),
        ("parts.csv", "id,class,label\n1,hood,front\n2,door,side\n", "the columns class and label differ"),
        ("parts.csv", "id,class\n1,12\n", "line 2: '12' is no name"),
        ("parts.json", '[{"id": 1, "name": "hood"}, {"name": "door"}]', "no id: door"),
        ("parts.json", '[{"name": "hood"}, {"name": "door"}]', "no id: hood, door"),
        ("labelmap.txt", "hood:250,149,10::\ndoor:::\n", "no colour: door"),
        ("labelmap.txt", "hood:250,149,10::\ndoor\n", "line 2: 'door' is no name:red"),
        ("parts.json", '{"1": "hood"', "delimiter"),
        ("parts.json", '{"1": "hood", "1": "door"}', "listed twice: 1"),
        ("parts.json", '{"1": ["hood"]}', "no name"),
        ("parts.json", '{"hood": 1}', "'hood' is no id"),
        ("parts.json", '[{"id": true, "name": "hood"}]', "entry 1: True is no id"),
        ("parts.json", '{"parts": [{"id": 1, "name": "a", "side": "up"}]}', "entry 1: side 'up'"),
        ("parts.json", "3", "neither"),
        ("parts.json", "[]", "no parts"),
        ("parts.json", "[" * 100_000, "recursion"),
        ("id2label.json", '{"0": "background"}', "no parts"),
    ],
)
def test_a_wrong_file_is_one_error_that_says_where(tmp_path: Path, name: str, text: str, fault: str) -> None:
    with pytest.raises(DataError, match=name) as error:
        _table(tmp_path, text, name)
    assert fault in error.value.found


def test_a_file_in_another_encoding_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "parts.csv").write_bytes("id,name\n1,kotflügel\n".encode("latin-1"))
    with pytest.raises(DataError, match="utf-8"):
        read_part_table(tmp_path / "parts.csv")


def test_parts_have_to_make_a_schema(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="twice"):
        _table(tmp_path, "id,name\n1,hood\n2,hood\n")


def test_the_file_is_found_or_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no file that says(.|\n)*id,name(.|\n)*--annotations"):
        find_parts_file(tmp_path, None)
    (tmp_path / "parts.txt").write_text("hood")
    assert find_parts_file(tmp_path, None) == tmp_path / "parts.txt"
    (tmp_path / "palette.csv").write_text("id,name\n1,hood")
    with pytest.raises(ConfigError, match=r"parts\.txt and palette\.csv(.|\n)*--annotations"):
        find_parts_file(tmp_path, None)
    assert find_parts_file(tmp_path, tmp_path / "palette.csv").name == "palette.csv"
    with pytest.raises(ConfigError, match="no such file"):
        find_parts_file(tmp_path, tmp_path / "none.csv")


def test_files_that_tools_write_are_found_where_there_is_no_other(tmp_path: Path) -> None:
    for split in ("train", "valid"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "_classes.csv").write_text("Pixel Value, Class\n0, background\n1, hood\n")
    assert find_parts_file(tmp_path, None) == tmp_path / "train/_classes.csv"
    (tmp_path / "valid/_classes.csv").write_text("Pixel Value, Class\n0, background\n2, hood\n")
    with pytest.raises(ConfigError, match=r"train/_classes\.csv and valid/_classes\.csv(.|\n)*--annotations"):
        find_parts_file(tmp_path, None)
    (tmp_path / "labelmap.txt").write_text(LABELMAP)
    assert find_parts_file(tmp_path, None).name == "labelmap.txt"
    (tmp_path / "parts.txt").write_text("hood")
    assert find_parts_file(tmp_path, None).name == "parts.txt"


def test_the_examples_of_the_document_are_one_list(tmp_path: Path) -> None:
    blocks = re.findall(r"```(csv|json|text)\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S)
    assert [kind for kind, _ in blocks] == ["csv", "csv", "json", "text"]
    tables = [_table(tmp_path, text, f"parts.{'txt' if kind == 'text' else kind}") for kind, text in blocks]
    assert {table.schema.names for table in tables} == {("background", "hood", "left_door", "right_door")}
    assert _listed(tables[0]) == _listed(tables[1]) == _listed(tables[2]) == {
        "hood": 10, "left_door": 20, "right_door": 21,
    }  # fmt: skip
    assert tables[1].colours[1:] == tables[0].colours[1:4]
