from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from augkit.balance.plan import load_plan, real_plan
from augkit.core.errors import DataError, ShardError
from augkit.core.storage import LocalStorage
from augkit.shards.commit import commit_file, read_commit, to_parquet
from augkit.shards.index import MANIFEST_FILE, PLAN_FILE, load_manifest
from augkit.shards.reader import ShardDataset
from augkit.shards.seal import BLANK, is_sealed, is_whole, sealed
from augkit.shards.verify import Fault, verify
from tests.shards.bit_flips import flips, show, small_dataset, study
from tests.shards.pairs import SHARDS

TEXT = sealed(b'{"a": 1, "checksum": "' + BLANK.encode() + b'"}')


@pytest.fixture
def small(tmp_path: Path) -> LocalStorage:
    return small_dataset(tmp_path / "shards")


def flipped(data: bytes, bit: int) -> bytes:
    damaged = bytearray(data)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def as_before(storage: LocalStorage) -> None:
    """Rewrites what has a checksum as the version before wrote it."""
    for name in SHARDS:
        table = pq.read_table(pa.BufferReader(storage.read(commit_file(name))))
        about = {key: value for key, value in table.schema.metadata.items() if key != b"checksum"}
        storage.put(commit_file(name), to_parquet(table.replace_schema_metadata(about)))
    for file in (PLAN_FILE, MANIFEST_FILE):
        tree = {**json.loads(storage.read(file)), "format": 2}
        del tree["checksum"]
        for shard in tree.get("shards", ()):
            del shard["commit"]
        if file == MANIFEST_FILE:
            tree["plan_digest"] = hashlib.sha256(storage.read(PLAN_FILE)).hexdigest()
        storage.put(file, json.dumps(tree, indent=1).encode() + b"\n")


def test_every_bit_counts() -> None:
    assert is_sealed(TEXT) and is_whole(TEXT) and json.loads(TEXT)["a"] == 1
    assert not [bit for bit in range(8 * len(TEXT)) if is_whole(flipped(TEXT, bit))]
    assert not is_whole(TEXT + b"\n") and not is_whole(TEXT[:-1]) and not is_sealed(b"{}")


def test_a_changed_commit_record_is_none(small: LocalStorage) -> None:
    file = commit_file(SHARDS[1])
    whole, rows = small.read(file), read_commit(small, SHARDS[1])
    assert rows is not None
    for bit in np.random.default_rng(0).integers(0, 8 * len(whole), 60).tolist():
        small.put(file, flipped(whole, bit))
        found = read_commit(small, SHARDS[1])
        assert found is None or found.table == rows.table  # the checksum's name itself is hit: there is none to compare


def test_a_changed_plan_is_refused_and_can_be_made_again(small: LocalStorage) -> None:
    whole = small.read(PLAN_FILE)
    small.put(PLAN_FILE, whole.replace(b"real-1", b"real-3"))
    with pytest.raises(DataError, match=r"plan\.json has changed(.|\n)*delete plan\.json"):
        load_plan(small)
    small.put(PLAN_FILE, whole.replace(b"augkit-sha256", b"augkit-sha255"))
    with pytest.raises(DataError, match="its checksum is missing"):
        load_plan(small)


@pytest.mark.parametrize(("old", "new"), [(b"real", b"rEal"), (b"augkit-sha256", b"augkit-sha255")])
def test_a_changed_manifest_is_refused(small: LocalStorage, old: bytes, new: bytes) -> None:
    small.put(MANIFEST_FILE, small.read(MANIFEST_FILE).replace(old, new))
    with pytest.raises(ShardError, match=r"manifest\.json has changed"):
        load_manifest(small)


def test_verify_reads_commit_records_and_the_plan(small: LocalStorage) -> None:
    other = read_commit(small, SHARDS[0])
    assert other is not None
    plan = real_plan("other inputs", {"train": ["real-0", "real-1"]}, 2)
    plan.save(small)
    assert verify(small) == [Fault("plan", PLAN_FILE, "sha256 differs from the manifest's")]
    small.remove(PLAN_FILE)
    small.put(commit_file(SHARDS[1]), small.read(commit_file(SHARDS[0])))
    small.remove(commit_file(SHARDS[2]))
    faults = verify(small)
    assert [(fault.kind, fault.file) for fault in faults] == [("commit", commit_file(name)) for name in SHARDS[1:]]
    assert faults[0].detail == "sha256 differs from the manifest's"


def test_what_the_version_before_wrote_is_read(small: LocalStorage) -> None:
    plan, pairs = load_plan(small), len(ShardDataset(small.root))
    as_before(small)
    assert not any(is_sealed(small.read(name)) for name in (PLAN_FILE, MANIFEST_FILE, *map(commit_file, SHARDS)))
    assert load_plan(small) == plan and len(ShardDataset(small.root)) == pairs
    assert verify(small) == []
    small.put(commit_file(SHARDS[1]), small.read(commit_file(SHARDS[0])))
    assert Fault("commit", commit_file(SHARDS[1]), "says other things of its tars than the manifest") in verify(small)


def test_flips_are_found(small: LocalStorage) -> None:
    assert len({kind for kind, _, _ in flips(small, 12, 0)}) == 6
    assert show(study(small, 12, seed=1))


@pytest.mark.slow
def test_a_hundred_flips_are_found(small: LocalStorage) -> None:
    assert show(study(small, 100, seed=2))
