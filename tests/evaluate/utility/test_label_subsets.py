"""Which labels are known, and the workspaces that know no others."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from augkit.core.errors import ConfigError, DataError
from augkit.core.workspace import Workspace
from augkit.data.catalogue import Catalogue, CatalogueRow, TrainingRows, read_catalogue, write_catalogue
from augkit.data.pair_files import read_photo
from augkit.evaluate.utility.label_subsets import LabelSubset, chosen, labelled_workspace, numbers_of


def rows(count: int, group_of: int = 1) -> list[CatalogueRow]:
    """Three of four are of one class; so many neighbours are one group."""
    return [
        CatalogueRow(f"r{n:03}", "test", f"{n}.jpg", group=f"g{n // group_of}", orientation="A" if n % 4 else "B")
        for n in range(count)
    ]


def ids(all_rows: list[CatalogueRow], seed: int, number: int) -> set[str]:
    return {row.id for row in chosen(all_rows, LabelSubset(seed, number))}


def test_subsets_of_a_seed_are_nested_and_those_of_seeds_differ() -> None:
    there = rows(100)
    for seed in range(5):
        found = [ids(there, seed, number) for number in (5, 16, 32, 64, 0)]
        assert [len(own) for own in found] == [5, 16, 32, 64, 100]
        assert all(few < many for few, many in pairwise(found))
        assert ids(there[::-1], seed, 16) == ids(there[::-1], seed, 16)
    assert len({frozenset(ids(there, seed, 16)) for seed in range(5)}) == 5


def test_classes_come_in_the_proportion_of_the_whole() -> None:
    for seed in range(20):
        counts = Counter(row.orientation for row in chosen(rows(100), LabelSubset(seed, 16)))
        assert abs(counts["B"] - 4) <= 1


def test_near_duplicates_are_known_together() -> None:
    there = rows(60, group_of=4)
    for seed in range(5):
        known = ids(there, seed, 18)
        groups = Counter(row.group for row in there if row.id in known)
        assert set(groups.values()) == {4} and len(known) == 16  # a fifth group of 4 does not fit


def test_numbers() -> None:
    assert numbers_of(["64", "16", "all"], 100) == [16, 64, 0]
    assert numbers_of(["100", "all"], 100) == [0]
    for words in (["1"], ["101"], ["some"], []):
        with pytest.raises(ConfigError, match="numbers from 2 to 100, the labelled training photos"):
            numbers_of(words, 100)


def test_a_workspace_knows_the_labels_of_its_subset_alone(copied_workspace: Workspace) -> None:
    before = read_catalogue(copied_workspace.catalogue)
    training = {row.id for row in TrainingRows.of(before).rows}
    known = ids(list(TrainingRows.of(before).rows), 3, 8)
    place = labelled_workspace(copied_workspace, LabelSubset(3, 8))
    assert place.root == copied_workspace.root / "utility" / "labels" / "3" / "8"
    after = Catalogue(place.catalogue)
    assert {row.id for row in after if row.split == "train"} == known and len(known) == 8
    assert [row for row in after if row.split != "train"] == [row for row in before if row.split != "train"]
    hidden = list(after.unlabelled())
    assert {row.id for row in hidden} == training - known
    assert all(not row.histogram and row.orientation == "A" and row.doors == "unknown" for row in hidden)
    assert not any(place.mask(row.id).exists() for row in hidden)
    assert all(place.mask(id).is_file() and place.photo(id).is_file() for id in known)
    for row in hidden[:2]:
        assert (read_photo(place.unlabelled_photo(row.id)) == read_photo(copied_workspace.photo(row.id))).all()
        assert place.unlabelled_photo(row.id).samefile(copied_workspace.photo(row.id))  # a link, no copy


def test_it_is_made_once_and_never_taken_for_another(
    copied_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    subset = LabelSubset(0, 0)
    monkeypatch.setattr("os.link", _no_links)
    place = labelled_workspace(copied_workspace, subset)
    assert not list(Catalogue(place.catalogue).unlabelled())
    written = place.catalogue.stat().st_mtime_ns
    labelled_workspace(copied_workspace, subset)
    assert place.catalogue.stat().st_mtime_ns == written
    changed = [replace(row, confidence=0.5) for row in read_catalogue(copied_workspace.catalogue)]
    write_catalogue(copied_workspace.catalogue, changed)
    with pytest.raises(DataError, match="labels of another catalogue"):
        labelled_workspace(copied_workspace, subset)


def _no_links(source: object, target: object) -> None:
    raise OSError("no links here")
