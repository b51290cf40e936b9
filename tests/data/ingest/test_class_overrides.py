from __future__ import annotations

from pathlib import Path

import pytest

from augkit.core.errors import DataError
from augkit.data.catalogue import CatalogueRow
from augkit.data.ingest.class_overrides import Override, read_overrides
from augkit.data.samples import Sample

SAMPLES = [
    Sample("a", "x/a.jpg"),
    Sample("b", "b.jpg"),
    Sample("b-1", "x/b.jpg"),
    Sample("c", "x/c.jpg"),
    Sample("c-1", "y/c.jpg"),
]


def _read(tmp_path: Path, text: str) -> dict[str, Override]:
    path = tmp_path / "classes.csv"
    path.write_text(text, encoding="utf-8")
    return read_overrides(path, SAMPLES)


def test_files_are_named_by_path_or_unambiguous_name(tmp_path: Path) -> None:
    found = _read(tmp_path, "file,orientation,doors\na.jpg,A,5\nx/b.jpg,back-right,3\nb.jpg,,unknown\n")
    assert found == {"a": Override("A", "5"), "b-1": Override("C", "3"), "b": Override(None, "unknown")}


def test_ids_and_a_byte_order_mark_work(tmp_path: Path) -> None:
    assert _read(tmp_path, "\ufeffid, doors\nc-1,5\n") == {"c-1": Override(None, "5")}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("file,orientation,doors\nz.jpg,A,5\n", r"line 2: 0 photos with file 'z.jpg'"),
        ("file,orientation,doors\nc.jpg,A,5\n", r"2 photos with file 'c.jpg'"),
        ("file,orientation,doors\na.jpg,E,5\n", "no orientation 'E'"),
        ("file,orientation,doors\na.jpg,A,4\n", "no doors '4'"),
        ("file,orientation,doors\na.jpg,A,5\nx/a.jpg,A,5\n", "line 3: .*before"),
        ("file,orientation,doors\na.jpg,A\n", "3 fields"),
        ("file,orientation,doors\na.jpg,A,5,6\n", "3 fields"),
        ("photo,orientation\n", "columns photo"),
        ("file,id,doors\n", "columns file"),
        ("file\n", "columns file"),
        ("", r"\(none\)"),
        ('file,doors\n"a', "a CSV file"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(DataError, match=fault):
        _read(tmp_path, text)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 fault"):
        _read(tmp_path, "id,doors\nnone,5\na,7\n")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        read_overrides(tmp_path / "none.csv", SAMPLES)


def test_an_override_leaves_what_it_does_not_name() -> None:
    row = CatalogueRow("a", "coco", "a.jpg", orientation="B", confidence=0.3, doors="5")
    assert Override().apply(row) == row
    assert Override(doors="3").apply(row).doors == "3"
    assert Override(doors="3").apply(row).confidence == 0.3
    decided = Override("C").apply(row)
    assert (decided.orientation, decided.confidence, decided.doors) == ("C", 1.0, "5")
