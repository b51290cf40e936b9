"""Duplicates found by looks are those that comparing each pair with each finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from augkit.balance.plain_options import open_references
from augkit.core.parts import PartSchema
from augkit.core.storage import LocalStorage
from augkit.core.workspace import Workspace
from augkit.data.near_duplicates import MIN_CORRELATION, correlation, thumb
from augkit.data.photo_looks import look_of
from augkit.gate.duplicates import REASON, KeptPairs, SmallPair
from augkit.gate.fit import ready_gate
from augkit.gate.judge_again import RunVerdicts, version_of
from augkit.gate.rescore import rescore
from augkit.gate.shard_duplicates import ShardDuplicates
from augkit.metrics.copies import nearest_mask
from augkit.settings import Settings
from augkit.shards import commit as commits
from augkit.shards.codec import encode_mask, encode_photo
from augkit.shards.commit import commit_file, read_commit, tar_file
from augkit.shards.commit_records import CommitRecords
from augkit.shards.index import finish
from augkit.shards.reader import StoredPair, read_stored
from augkit.shards.writer import PairRecord, ShardWriter
from tests.data.look_searches import SEARCHES

SCHEMA = PartSchema.from_names(["hood", "left_door", "right_door"])
BOUND = 0.2


def photo_like(random: np.random.Generator, near: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """A photo of smooth shades; or another one changed by so much that the limit runs through such changes."""
    shades = cv2.resize(random.integers(0, 256, (6, 6), np.uint8), (40, 40), interpolation=cv2.INTER_CUBIC)
    plain = np.repeat(shades[:, :, None], 3, 2)
    if near is None:
        return plain
    share = random.uniform(0, 0.4)
    return np.asarray(np.rint((1 - share) * near + share * plain), np.uint8)


def some_pairs(count: int, seed: int) -> list[SmallPair]:
    """Pairs of which many are near an earlier one, and some have no contrast."""
    random = np.random.default_rng(seed)
    photos, masks = [photo_like(random)], [random.integers(0, SCHEMA.channels, (8, 8), np.uint8)]
    for _ in range(count - 1):
        source = int(random.integers(len(photos)))
        near = random.random() < 0.6
        photos.append(photo_like(random, photos[source] if near else None))
        mask = masks[source].copy() if near else random.integers(0, SCHEMA.channels, (8, 8), np.uint8)
        mask[:, : random.integers(3)] = random.integers(0, SCHEMA.channels)
        masks.append(mask)
    photos[count // 2] = np.full((40, 40, 3), 9, np.uint8)
    return [SmallPair.of(photo, mask) for photo, mask in zip(photos, masks, strict=True)]


def by_loop(pairs: Sequence[SmallPair]) -> list[float]:
    """The distances, each pair compared with all earlier ones that were kept."""
    kept: list[SmallPair] = []
    distances = []
    for pair in pairs:
        alike = [other.mask for other in kept if correlation(pair.thumb, other.thumb) >= MIN_CORRELATION]
        distances.append(float(nearest_mask([pair.mask], alike, SCHEMA)[0][0]) if alike else 1.0)
        kept += [pair] if distances[-1] >= BOUND else []
    return distances


def noting(asked: set[int], pairs: Sequence[SmallPair]) -> Callable[[int], SmallPair]:
    """Gives pairs by place, and notes the places."""

    def pair_of(place: int) -> SmallPair:
        asked.add(place)
        return pairs[place]

    return pair_of


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("search", SEARCHES)
def test_verdicts_are_those_of_each_pair_with_each(
    seed: int, search: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    search(monkeypatch)
    pairs = some_pairs(150, seed)
    order = np.random.default_rng(seed).permutation(150).tolist()
    for arranged in (pairs, [pairs[place] for place in order]):
        looks, expected = [look_of(pair.thumb) for pair in arranged], by_loop(arranged)
        assert 20 < sum(distance < BOUND for distance in expected) < 130
        at_once = KeptPairs(SCHEMA, BOUND)
        assert at_once.judge(looks, arranged.__getitem__) == expected
        bit_by_bit, asked = KeptPairs(SCHEMA, BOUND), set[int]()
        found = bit_by_bit.judge(looks[:90], arranged.__getitem__)
        found += bit_by_bit.judge(looks[90:], noting(asked, arranged))
        assert found == expected and len(asked) < 150, "of earlier pairs only those that are near are read"
        told = KeptPairs(SCHEMA, BOUND)
        for look, distance in zip(looks[:90], expected, strict=False):
            told.trust(look, distance >= BOUND)
        assert told.judge(looks[90:], arranged.__getitem__) == expected[90:]


def write(storage: LocalStorage, number: int, photos: Sequence[NDArray[np.uint8]], looks: bool = True) -> str:
    """A shard of generated pairs of one mask."""
    name = f"shard-{number:06d}"
    writer, mask = ShardWriter(storage, name), np.ones((40, 40), np.uint8)
    for place, photo in enumerate(photos):
        data, extension = encode_photo(photo, lossless=True)
        record = PairRecord(
            f"made-{number}-{place}", "train", "generated", "A", "5", 1, "m", "i", 40, 40, [0, 1600, 0, 0],
            look=look_of(thumb(photo)) if looks else b"",
        )  # fmt: skip
        writer.add(record, data, extension, encode_mask(mask))
    writer.commit(f"row-{number}")
    return name


def marked(storage: LocalStorage, name: str) -> list[bool]:
    commit = read_commit(storage, name)
    assert commit is not None
    return [REASON in reasons for reasons in commit.table["reasons"].to_pylist()]


def test_what_was_told_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, random = LocalStorage(tmp_path), np.random.default_rng(1)
    one, two, three = (photo_like(random) for _ in range(3))
    told = ShardDuplicates(KeptPairs(SCHEMA, BOUND))
    first = write(storage, 0, [one, two])
    assert rescore(storage, [first], None, told) == [first] and marked(storage, first) == [False, False]
    tar, second = storage.read(tar_file(first)), write(storage, 1, [three, two])
    read: list[str] = []
    monkeypatch.setattr("augkit.gate.shard_duplicates.read_stored", spied(read))
    assert rescore(storage, [second], None, told) == [second] and marked(storage, second) == [False, True]
    assert sorted(read) == ["made-0-1", "made-1-1"], "the two that are near, once each"
    assert storage.read(tar_file(first)) == tar
    resumed = ShardDuplicates(KeptPairs(SCHEMA, BOUND))
    for name in (first, second):
        commit = read_commit(storage, name)
        assert commit is not None and resumed.trust(commit)
    read.clear()
    third = write(storage, 2, [one, photo_like(random)])
    assert rescore(storage, [third], None, resumed) == [third] and marked(storage, third) == [True, False]
    assert sorted(read) == ["made-0-0", "made-2-0"]
    again = ShardDuplicates(KeptPairs(SCHEMA, BOUND))
    assert rescore(storage, [first, second, third], None, again) == [], "in one go they are the same"


def spied(read: list[str]) -> Callable[..., StoredPair]:
    """Reads a pair, and notes its key."""

    def spy(storage: LocalStorage, row: dict[str, Any]) -> StoredPair:
        read.append(str(row["key"]))
        return read_stored(storage, row)

    return spy


def test_shards_of_earlier_versions_get_their_looks_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, photo = LocalStorage(tmp_path), photo_like(np.random.default_rng(2))
    with monkeypatch.context() as patch:
        without = commits.to_parquet
        patch.setattr(
            "augkit.shards.writer.to_parquet", lambda table, about: without(table.drop_columns("look"), about)
        )
        names = [write(storage, number, [photo], looks=False) for number in range(2)]
    tar = storage.read(tar_file(names[0]))
    commit = read_commit(storage, names[0])
    assert commit is not None and "look" not in commit.table.column_names
    assert not ShardDuplicates(KeptPairs(SCHEMA, BOUND)).trust(commit)
    assert rescore(storage, names, None, ShardDuplicates(KeptPairs(SCHEMA, BOUND))) == names
    assert marked(storage, names[1]) == [True] and storage.read(tar_file(names[0])) == tar
    commit = read_commit(storage, names[0])
    assert commit is not None and commit.table["look"].to_pylist() == [look_of(thumb(photo))]
    assert rescore(storage, names, None, ShardDuplicates(KeptPairs(SCHEMA, BOUND))) == []


@pytest.mark.parametrize("change", ["a shard before", "a shard that has gone"])
def test_verdicts_are_told_anew_where_earlier_shards_changed(
    workspace: Workspace, gate_settings: Settings, change: str
) -> None:
    gate = ready_gate(open_references(workspace, gate_settings))
    storage, random = LocalStorage(workspace.shards), np.random.default_rng(3)
    one, two = photo_like(random), photo_like(random)
    verdicts = RunVerdicts(CommitRecords(storage), gate)
    names = [write(storage, number, [photo]) for number, photo in enumerate((two, one, two))]
    if change == "a shard before":
        storage.remove(commit_file(names[0]))
        verdicts.add(names[1:])
        assert marked(storage, names[2]) == [False]
        verdicts.add([write(storage, 0, [two])])
        assert marked(storage, names[2]) == [True]
    else:
        verdicts.add(names)
        assert marked(storage, names[2]) == [True]
        storage.remove(commit_file(names[0]))
        verdicts.add([], [names[0]])
        assert marked(storage, names[2]) == [False]


def test_a_resumed_run_trusts_what_its_manifest_names(
    workspace: Workspace, gate_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = ready_gate(open_references(workspace, gate_settings))
    storage, random = LocalStorage(workspace.shards), np.random.default_rng(4)
    one = photo_like(random)
    names = [write(storage, number, [one]) for number in range(2)]
    RunVerdicts(CommitRecords(storage), gate).add(names)
    finish(storage, names, SCHEMA, "plan", version_of(gate))
    read: list[str] = []
    monkeypatch.setattr("augkit.gate.shard_duplicates.read_stored", spied(read))
    verdicts = RunVerdicts(CommitRecords(storage), gate)
    assert verdicts.judge_earlier() == [] and not read
    assert verdicts.add([write(storage, 2, [one])]) and marked(storage, "shard-000002") == [True]
    assert sorted(read) == ["made-0-0", "made-2-0"], "not the one that is a duplicate itself"
    finish(storage, [*names, "shard-000002"], SCHEMA, "plan", version_of(gate))
    storage.remove(commit_file(names[0]))
    changed = RunVerdicts(CommitRecords(storage), gate).judge_earlier()
    assert changed == ["shard-000001"], "what it was a duplicate of has gone"
