from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from augkit.data.catalogue import CatalogueRow
from augkit.data.splits import assign_splits, split_sizes


def _rows(count: int, orientation: str = "A", start: int = 0) -> list[CatalogueRow]:
    return [
        CatalogueRow(f"{orientation}{n}", "coco", f"{n}.jpg", sha256=f"{orientation}{n}", orientation=orientation)  # type: ignore[arg-type]
        for n in range(start, start + count)
    ]


def _splits(rows: list[CatalogueRow]) -> dict[str, str]:
    return {row.id: row.split for row in rows}


@given(st.integers(0, 300), st.floats(0, 0.6), st.floats(0, 0.39))
def test_every_class_trains_and_big_enough_ones_validate(count: int, val_share: float, test_share: float) -> None:
    val, test = split_sizes(count, val_share, test_share)
    if count < 4:
        assert (val, test) == (0, 0)
        return
    assert val + test <= count - 1
    assert (val >= 1) == (val_share > 0)
    assert (test >= 1) == (test_share > 0)
    assert val <= max(1, val_share * count + 0.5)


def test_shares_hold_in_every_class() -> None:
    rows = assign_splits(_rows(100) + _rows(10, "B") + _rows(3, "C"), 0.2, 0.1, seed=0)
    counts = Counter((row.orientation, row.split) for row in rows)
    assert counts == {
        ("A", "val"): 20,
        ("A", "test"): 10,
        ("A", "train"): 70,
        ("B", "val"): 2,
        ("B", "test"): 1,
        ("B", "train"): 7,
        ("C", "train"): 3,
    }


def test_order_does_not_matter_and_the_seed_does() -> None:
    rows = _rows(50)
    assert _splits(assign_splits(rows, 0.2, 0.0, 1)) == _splits(assign_splits(rows[::-1], 0.2, 0.0, 1))
    assert _splits(assign_splits(rows, 0.2, 0.0, 1)) != _splits(assign_splits(rows, 0.2, 0.0, 2))


@given(st.integers(1, 60), st.integers(0, 20), st.floats(0.05, 0.4), st.floats(0, 0.4))
def test_a_row_more_moves_at_most_one_other_across_each_border(
    count: int, others: int, val_share: float, test_share: float
) -> None:
    before = _splits(assign_splits(_rows(count), val_share, test_share, 3))
    after = _splits(assign_splits(_rows(count + 1) + _rows(others, "D"), val_share, test_share, 3))
    moved = [id for id, split in before.items() if after[id] != split]
    assert len(moved) <= 2


def test_identical_photos_share_a_split_even_across_classes() -> None:
    rows = [*_rows(40), *(replace(row, id=f"copy-{row.id}", orientation="B") for row in _rows(40))]
    splits = _splits(assign_splits(rows, 0.3, 0.2, 0))
    assert all(splits[f"copy-A{n}"] == splits[f"A{n}"] for n in range(40))


def test_rows_with_a_problem_are_left_alone() -> None:
    rows = [replace(row, problem="broken") for row in _rows(20)]
    assert assign_splits(rows, 0.5, 0.2, 0) == rows
