from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from augkit.core.errors import ShardError
from augkit.core.object_store import FsspecStorage
from augkit.core.storage import LocalStorage
from augkit.shards.codec import decode_mask, decode_photo, encode_mask, encode_photo
from augkit.shards.commit import TarFile, aside_file, commit_file, read_commit, tar_file
from augkit.shards.index import load_index
from augkit.shards.reader import read_stored
from augkit.shards.shard_names import is_shard, shard_name, split_of
from augkit.shards.writer import MEMBER_FIELDS, ShardWriter

from .pairs import Pairs, exact_mask, make_pair, make_record, rejected_pair, write_dataset, write_shard

NAME = "shard-000003"


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = LocalStorage(tmp_path / "a"), LocalStorage(tmp_path / "b")
    write_dataset(first)
    write_dataset(second)
    assert first.names() == second.names()
    assert all(first.read(name) == second.read(name) for name in first.names())


def test_members_are_plain_ustar(storage: LocalStorage) -> None:
    write_shard(storage, NAME, {"a": make_pair(0), "b": make_pair(1)}).commit("row")
    tar = storage.read(tar_file(NAME))
    assert len(tar) % tarfile.RECORDSIZE == 0
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        members = archive.getmembers()
        assert [m.name for m in members] == ["a.jpg", "a.mask.png", "a.json", "b.jpg", "b.mask.png", "b.json"]
        assert {(m.mtime, m.uid, m.gid, m.mode, m.uname, m.gname) for m in members} == {(0, 0, 0, 0o644, "", "")}
        assert tar[257:265] == b"ustar\x0000"
        text = archive.extractfile("a.json")
        assert text is not None
        assert list(json.load(text)) == list(MEMBER_FIELDS)


@st.composite
def pairs(draw: st.DrawFn) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    keys = draw(st.lists(st.from_regex(r"\A[a-zA-Z0-9_\-]{1,90}\Z"), max_size=4, unique=True))
    sides = st.tuples(st.integers(1, 12), st.integers(1, 12))
    shapes = [draw(sides) for _ in keys]
    return {
        key: (draw(arrays(np.uint8, (*shape, 3))), draw(arrays(np.uint8, shape)))
        for key, shape in zip(keys, shapes, strict=True)
    }


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=40)
@given(pairs())
def test_pairs_come_back_exactly(made: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    storage = FsspecStorage("memory://round-trip")
    writer = ShardWriter(storage, NAME)
    for key, (photo, mask) in made.items():
        data, extension = encode_photo(photo, lossless=True)
        record = make_record(key, width=mask.shape[1], height=mask.shape[0])
        writer.add(record, data, extension, encode_mask(mask))
    writer.commit("row")
    commit = read_commit(storage, NAME)
    assert commit is not None
    rows = commit.table.to_pylist()
    assert [row["key"] for row in rows] == list(made)
    for row in rows:
        photo, mask = made[row["key"]]
        parts = [storage.read(tar_file(NAME), row[f"{k}_offset"], row[f"{k}_length"]) for k in ("photo", "mask")]
        np.testing.assert_array_equal(decode_photo(parts[0]), photo)
        np.testing.assert_array_equal(decode_mask(parts[1]), mask)


def test_the_commit_record_says_what_the_tar_is(storage: LocalStorage) -> None:
    writer = write_shard(storage, NAME, {"a": make_pair(0)}, scores={"b": 1.0, "a": 2.0})
    writer.reject(make_record("c", accepted=False, reasons=["specks"], scores={"b": 3.0}))
    assert storage.names() == []
    writer.commit("row")
    commit, tar = read_commit(storage, NAME), storage.read(tar_file(NAME))
    assert commit is not None
    assert (commit.row_digest, commit.tar) == ("row", TarFile(len(tar), hashlib.sha256(tar).hexdigest()))
    kept, rejected = commit.table.to_pylist()
    assert commit.table.column_names[-2:] == ["score_a", "score_b"]
    assert (kept["shard"], kept["class"], kept["score_a"]) == (NAME, "front-left-5", 2.0)
    assert (rejected["shard"], rejected["photo_offset"], rejected["score_a"]) == (None, None, None)
    assert (rejected["accepted"], rejected["reasons"], rejected["score_b"]) == (False, ["specks"], 3.0)


@pytest.mark.parametrize(("name", "split"), [("shard-000000", "val"), ("val-000000", "test"), ("test-000000", "train")])
def test_a_tar_holds_one_split(storage: LocalStorage, name: str, split: str) -> None:
    with pytest.raises(ShardError, match=rf"a: a pair of the split {split} in {name}\.tar"):
        write_shard(storage, name, {"a": make_pair(0)}, split=split)
    assert is_shard(name) and not is_shard("notes") and split_of(shard_name(split, 7)) == split
    write_shard(storage, shard_name(split, 7), {"a": make_pair(0)}, split=split).commit("row")


def test_a_shard_of_rejects_has_no_tar(storage: LocalStorage) -> None:
    write_shard(storage, NAME, {"a": make_pair(0)}).commit("old plan")
    writer = ShardWriter(storage, NAME)
    writer.reject(make_record("a", accepted=False))
    writer.commit("row")
    commit = read_commit(storage, NAME)
    assert commit is not None
    assert (commit.tar.size, commit.aside.size, commit.table.num_rows) == (0, 0, 1)
    assert storage.names() == [commit_file(NAME)]


def test_rejected_pairs_and_exact_masks_go_aside(dataset: tuple[LocalStorage, Pairs]) -> None:
    storage, pairs = dataset
    rows = {row["key"]: row for row in load_index(storage).to_pylist()}
    with tarfile.open(fileobj=io.BytesIO(storage.read(aside_file("shard-000001")))) as archive:
        assert archive.getnames() == ["made-0.full.png"]
    with tarfile.open(fileobj=io.BytesIO(storage.read(aside_file("shard-000002")))) as archive:
        assert archive.getnames() == ["made-20.jpg", "made-20.mask.png", "made-20.json"]
    assert not storage.exists(tar_file("shard-000002"))  # so no reader of tars meets what was rejected
    stored = read_stored(storage, rows["made-0"])
    np.testing.assert_array_equal(decode_mask(stored.mask), pairs["made-0"][1])
    np.testing.assert_array_equal(decode_mask(stored.full), exact_mask())
    stored = read_stored(storage, rows["made-20"])
    np.testing.assert_array_equal(decode_mask(stored.mask), rejected_pair()[1])
    assert stored.full == stored.mask and stored.photo == encode_photo(rejected_pair()[0])[0]
    with pytest.raises(ShardError, match="made-9: no bytes"):
        read_stored(storage, rows["made-9"])


def test_changed_bytes_aside_are_not_read(dataset: tuple[LocalStorage, Pairs]) -> None:
    storage, _ = dataset
    row = load_index(storage, [("key", "==", "made-20")]).to_pylist()[0]
    file = aside_file("shard-000002")
    tar = bytearray(storage.read(file))
    tar[row["mask_offset"] + 30] ^= 1
    storage.put(file, bytes(tar))
    with pytest.raises(ShardError, match=r"aside/shard-000002\.tar: the bytes of made-20 have changed"):
        read_stored(storage, row)


def test_the_exemplar_is_a_column_and_a_member_field(storage: LocalStorage) -> None:
    writer = write_shard(storage, NAME, {"a": make_pair(0)}, exemplar="car-17")
    writer.add(make_record("b"), *encode_photo(make_pair(1)[0]), encode_mask(make_pair(1)[1]))
    writer.commit("row")
    commit = read_commit(storage, NAME)
    assert commit is not None and commit.table["exemplar"].to_pylist() == ["car-17", ""]
    with tarfile.open(fileobj=io.BytesIO(storage.read(tar_file(NAME)))) as archive:
        text = archive.extractfile("a.json")
        assert text is not None and json.load(text)["exemplar"] == "car-17"


def test_a_tar_that_cannot_be_written_is_not_committed(storage: LocalStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shard(storage, NAME, {"a": make_pair(0)}).commit("row")

    def fail(name: str, data: bytes) -> None:
        raise ShardError("full")

    monkeypatch.setattr(storage, "put", fail)
    with pytest.raises(ShardError, match="full"):
        write_shard(storage, NAME, {"a": make_pair(1)}).commit("row")
    assert read_commit(storage, NAME) is None


@pytest.mark.parametrize("damage", ["no record", "cut record", "no tar", "cut tar", "long tar", "foreign record"])
def test_what_is_not_whole_is_not_committed(storage: LocalStorage, damage: str) -> None:
    write_shard(storage, NAME, {"a": make_pair(0)}).commit("row")
    what, name = damage.split(maxsplit=1)[0], commit_file(NAME) if damage.endswith("record") else tar_file(NAME)
    data = storage.read(name)
    changed = {"cut": data[:-1], "long": data + b"\0", "foreign": b"no Parquet"}
    if what == "no":
        storage.remove(name)
    else:
        storage.put(name, changed[what])
    assert read_commit(storage, NAME) is None


@pytest.mark.parametrize("left", [0, 1, 600])
def test_a_shard_whose_tar_aside_is_cut_is_not_committed(storage: LocalStorage, left: int) -> None:
    writer = ShardWriter(storage, NAME)
    writer.add(make_record("a", accepted=False), b"photo", "jpg", b"mask")
    writer.commit("row")
    assert read_commit(storage, NAME) is not None
    storage.put(aside_file(NAME), storage.read(aside_file(NAME))[:left])
    assert read_commit(storage, NAME) is None


@pytest.mark.parametrize("key", ["", "a.b", "a/b", "a\\b", "a b", "ä", "a\n", "x" * 91])
def test_keys_that_no_tar_can_hold_are_refused(key: str) -> None:
    with pytest.raises(ShardError, match="the key"):
        make_record(key)


@pytest.mark.parametrize("field", ["split", "source", "orientation", "doors"])
def test_unknown_words_are_refused(field: str) -> None:
    with pytest.raises(ShardError, match=f"a: {field} 'E'\nexpected: one of"):
        make_record("a", **{field: "E"})


def test_a_key_comes_once(storage: LocalStorage) -> None:
    writer = write_shard(storage, NAME, {"a": make_pair(0)})
    with pytest.raises(ShardError, match="two pairs with the key a"):
        writer.reject(make_record("a", accepted=False))


def test_unknown_photo_formats_are_refused(storage: LocalStorage) -> None:
    with pytest.raises(ShardError, match="one of jpg, webp"):
        ShardWriter(storage, NAME).add(make_record("a"), b"", "bmp", b"")
