from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from augkit.core.errors import DataError
from augkit.data import catalogue
from augkit.data.catalogue import (
    Catalogue,
    CatalogueRow,
    count_classes,
    count_splits,
    mean_confidence,
    part_pixels,
    read_catalogue,
    write_catalogue,
)  # fmt: skip


def whole_row(id: str) -> CatalogueRow:
    return CatalogueRow(id, "coco", f"{id}.jpg", width=9, height=8, crop_side=8, size=16, histogram=[256, 0])


def test_a_catalogue_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = [CatalogueRow("a", "coco", "ü.jpg", problem="x"), whole_row("b")]
    write_catalogue(tmp_path / "catalogue.parquet", rows)
    assert read_catalogue(tmp_path / "catalogue.parquet") == rows
    assert [path.name for path in tmp_path.iterdir()] == ["catalogue.parquet"]
    (tmp_path / "catalogue.parquet").write_bytes(b"no table")
    with pytest.raises(DataError, match="catalogue"):
        read_catalogue(tmp_path / "catalogue.parquet")


def test_a_long_catalogue_is_written_and_read_a_batch_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "ROWS_AT_ONCE", 4)
    made: list[int] = []

    def rows(count: int) -> list[CatalogueRow]:
        return [whole_row(f"r{n}") for n in range(count)]

    def counted() -> object:
        for number, row in enumerate(rows(10)):
            made.append(number)
            yield row

    path = tmp_path / "catalogue.parquet"
    write_catalogue(path, counted())  # type: ignore[arg-type]
    assert pq.ParquetFile(path).num_row_groups == 3 and made == list(range(10))
    found = Catalogue(path)
    assert len(found) == 10 and list(found) == rows(10) == list(found)
    assert (found[0], found[9], found[-1], found[3:5]) == (*(rows(10)[n] for n in (0, 9, 9)), rows(10)[3:5])
    with pytest.raises(IndexError):
        found[10]
    assert [row.id for row in islice(found, 2)] == ["r0", "r1"]


def test_a_catalogue_of_another_version_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "catalogue.parquet")
    with pytest.raises(DataError, match="import the data again with this version"):
        Catalogue(tmp_path / "catalogue.parquet")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("orientation", "Z"), ("orientation", ""), ("orientation", None), ("id", None), ("id", "../../x"),
        ("id", "/etc/x"), ("doors", "4"), ("split", "all"), ("phash", "no hash"), ("histogram", None),
        ("histogram", [1]), ("histogram", [-1, 257]), ("size", 0), ("width", -1), ("confidence", float("nan")),
    ],
)  # fmt: skip
def test_a_row_that_is_not_what_it_should_be_is_refused(column: str, value: object, tmp_path: Path) -> None:
    rows = [vars(whole_row("a")), vars(whole_row("b")) | {column: value}]
    pq.write_table(pa.Table.from_pylist(rows, schema=catalogue.SCHEMA), tmp_path / "catalogue.parquet")
    with pytest.raises(DataError, match=rf"catalogue\.parquet.*({column}|0 px|parts)") as error:
        read_catalogue(tmp_path / "catalogue.parquet")
    assert error.value.remedy


def test_a_few_bytes_that_claim_a_billion_values_are_not_read(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([vars(whole_row("a"))], schema=catalogue.SCHEMA)
    many = table.take(pa.array([0] * 400_000))
    pq.write_table(many, tmp_path / "catalogue.parquet", compression="zstd")
    with pytest.raises(DataError, match="400000 rows"):
        Catalogue(tmp_path / "catalogue.parquet")


def test_lists_that_are_longer_than_there_are_parts_are_not_read(tmp_path: Path) -> None:
    write_catalogue(tmp_path / "catalogue.parquet", [replace(whole_row("a"), histogram=[0] * 301)])
    with pytest.raises(DataError, match="301 values of a column"):
        Catalogue(tmp_path / "catalogue.parquet")


def test_sums_go_through_the_rows_once_and_leave_out_problems() -> None:
    rows = [
        CatalogueRow("a", "t", "a", histogram=[5, 1], confidence=0.2, orientation="B", doors="5"),
        CatalogueRow("b", "t", "b", histogram=[6, 0], confidence=0.4, orientation="B", doors="5", split="val"),
        CatalogueRow("c", "t", "c", histogram=[1, 5], confidence=1.0, split="test"),
        CatalogueRow("d", "t", "d", problem="lost"),
    ]
    assert {c.name: n for c, n in count_classes(iter(rows)).items()} == {"front-left-unknown": 1, "back-left-5": 2}
    assert [list(by_split.values()) for by_split in count_splits(iter(rows)).values()] == [[0, 0, 1], [1, 1, 0]]
    assert list(mean_confidence(iter(rows)).values()) == [1.0, pytest.approx(0.3)]
    assert part_pixels(iter(rows)) == [12, 6]
