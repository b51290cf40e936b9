from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from augkit.data.catalogue import SPLITS, CatalogueRow, Split
from augkit.data.ingest.splits import FEWEST_TO_SPLIT, Ledger, assign_splits, group_names, split_sizes

_COUNTS = st.integers(1, 60).filter(lambda count: count + 1 != FEWEST_TO_SPLIT)  # with that one, splitting begins


def _rows(count: int, orientation: str = "A", start: int = 0) -> list[CatalogueRow]:
    return [
        CatalogueRow(f"{orientation}{n}", "coco", f"{n}.jpg", sha256=f"{orientation}{n}", orientation=orientation)  # type: ignore[arg-type]
        for n in range(start, start + count)
    ]


def _splits(  # noqa: PLR0917
    rows: list[CatalogueRow],
    val_share: float,
    test_share: float,
    seed: int,
    groups: dict[str, int] | None = None,
    fixed: dict[str, Split] | None = None,
) -> dict[str, Split]:
    """Splits by id; rows with one sha256 are a group unless ``groups`` says otherwise (by id)."""
    ledger = Ledger()
    for row in rows:
        own = (fixed or {}).get(row.id)
        ledger.add(replace(row, split=own or "train"), own is not None)
    numbers = np.unique(ledger.sha256, return_inverse=True)[1].astype(np.int64)
    if groups is not None:
        numbers = np.array([groups[row.id] for row in rows])
    splits = assign_splits(ledger, numbers, val_share, test_share, seed)
    return {row.id: split for row, split in zip(rows, splits, strict=True)}


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
    splits = _splits(_rows(100) + _rows(10, "B") + _rows(3, "C"), 0.2, 0.1, seed=0)
    counts = Counter((id[0], split) for id, split in splits.items())
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
    assert _splits(rows, 0.2, 0.0, 1) == _splits(rows[::-1], 0.2, 0.0, 1)
    assert _splits(rows, 0.2, 0.0, 1) != _splits(rows, 0.2, 0.0, 2)


@given(
    st.integers(1, 60).filter(lambda count: count + 1 != FEWEST_TO_SPLIT),
    st.integers(0, 20),
    st.floats(0.05, 0.4),
    st.floats(0, 0.4),
)
def test_a_row_more_moves_at_most_one_other_across_each_border(
    count: int, others: int, val_share: float, test_share: float
) -> None:
    before = _splits(_rows(count), val_share, test_share, 3)
    after = _splits(_rows(count + 1) + _rows(others, "D"), val_share, test_share, 3)
    moved = [id for id, split in before.items() if after[id] != split]
    assert len(moved) <= 2


@given(st.integers(1, 40), st.integers(0, 39), st.floats(0.05, 0.4), st.floats(0, 0.4))
def test_a_near_duplicate_more_moves_its_own_group_and_at_most_one_other_across_each_border(
    count: int, which: int, val_share: float, test_share: float
) -> None:
    rows = _rows(count)
    groups = {row.id: number for number, row in enumerate(rows)}
    before = _splits(rows, val_share, test_share, 3, groups)
    double = replace(rows[which % count], id="double", sha256="0")
    after = _splits([*rows, double], val_share, test_share, 3, groups | {"double": which % count})
    moved = {id for id, split in before.items() if after[id] != split} - {rows[which % count].id}
    assert len(moved) <= 2 and after["double"] == after[rows[which % count].id]


def test_identical_photos_share_a_split_even_across_classes() -> None:
    rows = [*_rows(40), *(replace(row, id=f"copy-{row.id}", orientation="B") for row in _rows(40))]
    splits = _splits(rows, 0.3, 0.2, 0)
    assert all(splits[f"copy-A{n}"] == splits[f"A{n}"] for n in range(40))


def test_groups_are_dealt_out_whole() -> None:
    rows = _rows(60)
    groups = {row.id: number // 3 for number, row in enumerate(rows)}
    splits = _splits(rows, 0.25, 0.25, 0, groups)
    for number in range(20):
        assert len({splits[row.id] for row in rows if groups[row.id] == number}) == 1
    assert Counter(splits.values()) == {"val": 15, "test": 15, "train": 30}


def test_a_group_has_the_name_of_its_smallest_sha256() -> None:
    ledger = Ledger()
    for row in [*_rows(4), replace(_rows(1)[0], sha256="", problem="lost")]:
        ledger.add(row)
    assert group_names(ledger, np.array([1, 0, 0, 1, 2])).tolist() == [b"A1", b"A0", b""]


def test_the_data_sets_own_splits_stay_and_their_near_duplicates_follow() -> None:
    rows = _rows(40)
    groups = {row.id: number // 2 for number, row in enumerate(rows)}
    fixed: dict[str, Split] = {"A0": "test", "A2": "val", "A3": "test", "A4": "train", "A6": "train", "A7": "test"}
    splits = _splits(rows, 0.25, 0.0, 0, groups, fixed)
    assert {id: splits[id] for id in fixed} == fixed
    assert splits["A1"] == "test" and splits["A5"] == "train"
    free = Counter(splits[row.id] for row in rows[8:])
    assert free == {"val": 8, "train": 24}  # the others are dealt out as if those were not there


def test_a_row_that_nothing_fixes_never_trains_beside_a_fixed_test_row() -> None:
    rows = _rows(3)
    fixed: dict[str, Split] = {"A0": "train", "A1": "test"}
    assert _splits(rows, 0.5, 0.2, 0, dict.fromkeys(["A0", "A1", "A2"], 0), fixed)["A2"] == "test"


def test_rows_with_a_problem_are_left_alone() -> None:
    rows = [replace(row, problem="broken", sha256="") for row in _rows(20)]
    assert set(_splits(rows, 0.5, 0.2, 0).values()) == {"train"}
    assert set(_splits([*rows, *_rows(20, "B")], 0.5, 0.2, 0).values()) == set(SPLITS)
