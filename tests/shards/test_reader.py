from __future__ import annotations

import errno
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch
from torch.utils.data import DataLoader, WeightedRandomSampler

from augkit.core.errors import ShardError
from augkit.core.object_store import FsspecStorage
from augkit.core.storage import LocalStorage
from augkit.shards import byte_ranges, pair_table, reader
from augkit.shards.codec import decode_mask, decode_photo, encode_photo
from augkit.shards.commit import tar_file
from augkit.shards.index import finish
from augkit.shards.reader import ShardDataset, decode_mask_png

from .pairs import SCHEMA, SHARDS, Pairs, write_dataset

DataSet = tuple[LocalStorage, Pairs]


def flipped(image: np.ndarray, mask: np.ndarray) -> dict[str, Any]:
    return {"image": image[:, ::-1], "mask": mask[:, ::-1], "more": 1}


def test_gives_tensors(dataset: DataSet) -> None:
    storage, pairs = dataset
    data = ShardDataset(storage.root)
    assert len(data) == len(pairs) == data.index.num_rows
    assert data.schema == SCHEMA
    assert data.classes == ["front-left-5"] * 5 + ["back-right-3"] * 3
    for sample, name in zip(data, data.classes, strict=True):  # type: ignore[call-overload]
        photo, mask = pairs[sample["key"]]
        assert (sample["class"], sample["image"].dtype, sample["mask"].dtype) == (name, torch.uint8, torch.int64)
        np.testing.assert_array_equal(sample["image"].permute(1, 2, 0), decode_photo(encode_photo(photo)[0]))
        np.testing.assert_array_equal(sample["mask"], mask)


def test_calls_the_transform_as_albumentations_are_called(dataset: DataSet) -> None:
    storage, pairs = dataset
    sample = ShardDataset(str(storage.root), transform=flipped)[-1]
    assert sorted(sample) == ["class", "image", "key", "mask", "more"]
    assert (sample["key"], sample["image"].shape, sample["image"].dtype) == ("made-2", (24, 32, 3), np.uint8)
    np.testing.assert_array_equal(sample["mask"], pairs["made-2"][1][:, ::-1])


def test_torchvisions_transforms_move_photo_and_mask_alike(dataset: DataSet) -> None:
    from torchvision import tv_tensors
    from torchvision.transforms import v2

    storage, pairs = dataset
    floats = v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True)
    transform = v2.Compose([v2.RandomHorizontalFlip(p=1.0), v2.Resize((48, 64)), floats])
    data = pickle.loads(pickle.dumps(ShardDataset(storage.root, transform=transform)))
    sample = data[-1]
    assert isinstance(sample["image"], tv_tensors.Image) and isinstance(sample["mask"], tv_tensors.Mask)
    assert sample["image"].dtype == torch.float32 and sample["image"].max() <= 1 and sample["mask"].dtype == torch.int64
    mirrored = np.repeat(np.repeat(pairs["made-2"][1][:, ::-1], 2, 0), 2, 1)  # masks are enlarged without mixing ids
    np.testing.assert_array_equal(sample["mask"], mirrored)
    assert (sample["key"], sample["class"]) == ("made-2", "back-right-3")


@pytest.mark.parametrize("transform", [None, flipped])
def test_a_batch_is_its_samples(dataset: DataSet, transform: Any) -> None:
    data = ShardDataset(dataset[0].root, transform=transform)[1:]
    wanted = [4, 0, -1, 4, np.int64(2), torch.tensor(6)]
    batch = data.__getitems__(wanted)
    assert [sample["key"] for sample in batch] == ["made-0", "real-1", "made-2", "made-0", "real-3", "made-2"]
    for sample, index in zip(batch, wanted, strict=True):
        one = data[int(index)]
        assert sample.keys() == one.keys() and all(np.array_equal(sample[name], one[name]) for name in one)
    assert data.__getitems__([]) == []
    with pytest.raises(IndexError, match="pair 7 of 7"):
        data.__getitems__([0, 7])


def test_a_loader_asks_for_batches(dataset: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ShardDataset, "__getitem__", None)
    assert [batch["key"] for batch in DataLoader(ShardDataset(dataset[0].root), batch_size=5)][1] == [
        "made-0", "made-1", "made-2",
    ]  # fmt: skip


def test_photo_and_mask_come_by_one_reading(dataset: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    data, calls, pread = ShardDataset(dataset[0].root), [], os.pread
    row = data.index.slice(6, 1).to_pylist()[0]
    monkeypatch.setattr(
        os, "pread", lambda file, length, offset: calls.append((length, offset)) or pread(file, length, offset)
    )
    data.raw(6)
    assert calls == [(row["mask_offset"] + row["mask_length"] - row["photo_offset"], row["photo_offset"])]


def test_a_slice_is_a_data_set(dataset: DataSet) -> None:
    data = ShardDataset(dataset[0].root)
    part = data[4:-1]
    assert isinstance(part, ShardDataset) and len(part) == 3 and len(data) == 8
    assert [sample["key"] for sample in part] == ["real-4", "made-0", "made-1"]  # type: ignore[attr-defined]
    assert part.classes == ["front-left-5", "back-right-3", "back-right-3"]
    assert part.class_weights().tolist() == [1.0, 0.5, 0.5]
    assert [sample["key"] for sample in data[::-3]] == ["made-2", "real-4", "real-1"]  # type: ignore[attr-defined]
    assert len(data[3:3]) == 0 and "none" in repr(data[3:3])
    assert data[6:].class_weights().tolist() == [0.5, 0.5] and "2 pairs of 1 classes; train 2" in repr(data[6:])


def test_it_tells_of_itself(dataset: DataSet) -> None:
    data = ShardDataset(dataset[0].root)
    assert repr(data) == f"ShardDataset({dataset[0].root}: 8 pairs of 2 classes; train 8)"
    assert data.id2label == dict(enumerate(SCHEMA.names)) and data.id2label[0] == "background"


def test_raw_bytes(dataset: DataSet) -> None:
    storage, pairs = dataset
    photo, mask = ShardDataset(storage.root).raw(6)
    assert photo == encode_photo(pairs["made-1"][0])[0]
    np.testing.assert_array_equal(decode_mask(mask), pairs["made-1"][1])


@pytest.mark.parametrize("index", [8, -9])
def test_ends_where_it_ends(dataset: DataSet, index: int) -> None:
    with pytest.raises(IndexError):
        ShardDataset(dataset[0].root)[index]


def test_filters_rows(dataset: DataSet) -> None:
    root = dataset[0].root
    assert ShardDataset(root, [("source", "==", "generated")]).index["key"].to_pylist() == [
        "made-0",
        "made-1",
        "made-2",
    ]
    with pytest.raises(ShardError, match=r"keeps no pair\nexpected: .*back-right-3 3, front-left-5 5"):
        ShardDataset(root, [("accepted", "==", False)])
    with pytest.raises(ShardError, match=r"no column klass\nexpected: columns among key.*; did you mean class\?"):
        ShardDataset(root, [("klass", "==", "front-left-5")])
    with pytest.raises(ShardError, match=r"no column klass\n"):
        ShardDataset(root, [[("source", "==", "real")], [("klass", "==", "front-left-5")]])
    with pytest.raises(ShardError, match=r"No match for .*klass.*\nexpected: columns among key"):
        ShardDataset(root, pc.field("klass") == "front-left-5")
    with pytest.raises(ShardError, match="the filter"):
        ShardDataset(root, [("width", "==", "wide")])


def test_needs_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(ShardError, match=r"no manifest.json\nexpected: .*\nremedy: "):
        ShardDataset(tmp_path)
    with pytest.raises(ShardError, match=r"no manifest.json, for there is no such folder\n"):
        ShardDataset(tmp_path / "typo")


def test_a_workspace_in_place_of_its_shards_is_told(dataset: DataSet) -> None:
    root = dataset[0].root
    assert root.name == "shards"
    with pytest.raises(ShardError, match=rf"remedy: give {root}$"):
        ShardDataset(root.parent)


def test_weights_balance_the_classes(dataset: DataSet) -> None:
    data = ShardDataset(dataset[0].root)
    weights = data.class_weights()
    assert weights.dtype == torch.float64
    torch.testing.assert_close(weights, torch.tensor([1 / 5] * 5 + [1 / 3] * 3, dtype=torch.float64))
    sampler = WeightedRandomSampler(weights, 4000, generator=torch.Generator().manual_seed(0))
    assert Counter(data.classes[i] for i in sampler)["back-right-3"] == pytest.approx(2000, abs=150)


def test_changed_bytes_are_noticed_unless_told_not_to_look(dataset: DataSet) -> None:
    storage, _ = dataset
    place = ShardDataset(storage.root).index["photo_offset"][6].as_py()
    tar = bytearray(storage.read(tar_file(SHARDS[1])))
    tar[place + 300] ^= 1
    storage.put(tar_file(SHARDS[1]), bytes(tar))
    ShardDataset(storage.root, check_crc=False).raw(6)
    data = ShardDataset(storage.root)
    data.raw(5)
    with pytest.raises(ShardError, match="shard-000001, pair made-1: the bytes of the photo have changed"):
        data.raw(6)


def test_a_short_tar_and_a_missing_one_are_named(dataset: DataSet) -> None:
    storage, _ = dataset
    storage.put(tar_file(SHARDS[1]), storage.read(tar_file(SHARDS[1]))[:3000])
    with pytest.raises(ShardError, match="shard-000001, pair made-2: the tar ends"):
        ShardDataset(storage.root)[7]
    storage.remove(tar_file(SHARDS[1]))
    with pytest.raises(ShardError, match=r"shard-000001\.tar cannot be read"):
        ShardDataset(storage.root)[7]


def test_what_cannot_be_decoded_is_named(dataset: DataSet) -> None:
    storage, _ = dataset
    data = ShardDataset(storage.root, check_crc=False)
    tar = bytearray(storage.read(tar_file(SHARDS[0])))
    tar[data.index["mask_offset"][2].as_py()] = 0
    storage.put(tar_file(SHARDS[0]), bytes(tar))
    with pytest.raises(ShardError, match=r"shard-000000, pair real-2: .* no whole mask"):
        data[2]


def test_survives_pickling_after_reading(dataset: DataSet) -> None:
    data = ShardDataset(dataset[0].root, transform=flipped)
    data.raw(0)
    copy = pickle.loads(pickle.dumps(data))
    assert [copy.raw(i) for i in range(8)] == [data.raw(i) for i in range(8)]


def test_another_process_maps_the_columns(dataset: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_table, "SMALL", 0)
    monkeypatch.setattr(tempfile, "tempdir", str(dataset[0].root))
    data = ShardDataset(dataset[0].root)
    assert data.index.num_rows == 8
    part = data[::-2]
    assert not list(Path(tempfile.gettempdir()).glob("augkit-pairs-*")), "nothing is written before it is sent"
    sent = pickle.dumps(part)
    path = part._table.handle().path
    assert path is not None and Path(path).is_file() and len(sent) < 2000
    with monkeypatch.context() as patch:
        patch.setattr(reader, "load_pairs", None)  # nothing is opened again
        copy = pickle.loads(sent)
    assert [copy.raw(i) for i in range(4)] == [data.raw(i) for i in (7, 5, 3, 1)]
    assert copy.index.equals(part.index) and copy.classes == part.classes
    again = pickle.dumps(copy)
    del part
    assert not Path(path).exists()
    assert copy.raw(3) == data.raw(1), "who has mapped it keeps it"
    late = pickle.loads(again)
    assert [late.raw(i) for i in range(4)] == [data.raw(i) for i in (7, 5, 3, 1)], "opened again"


def test_without_room_for_a_file_workers_open_the_index(dataset: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pair_table, "SMALL", 0)
    monkeypatch.setattr("tempfile.mkstemp", full)
    data = ShardDataset(dataset[0].root)[2:]
    copy = pickle.loads(pickle.dumps(data))
    assert [copy.raw(i) for i in range(6)] == [data.raw(i) for i in range(6)]
    finish(dataset[0], SHARDS[:2], SCHEMA, "plan", {})
    with pytest.raises(ShardError, match="another data set than when it was opened"):
        pickle.loads(pickle.dumps(data))
    with pytest.raises(ShardError, match="another data set"):
        assert data.index


def test_what_reading_pairs_does_not_take_stays_on_disk(dataset: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "load_index", None)
    data = ShardDataset(dataset[0].root, [("score_edges", ">", 1.0)])
    assert data._table.table.column_names == list(pair_table.NAMES)
    assert len(data) == 3


def test_words_come_as_numbers_unless_a_filter_needs_texts(dataset: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, pairs = dataset
    chosen = ShardDataset(storage.root, pc.match_substring(pc.field("class"), "front"))  # takes no dictionary
    monkeypatch.setattr(pair_table.pc, "dictionary_encode", None)
    plain = ShardDataset(storage.root)
    assert (len(plain), chosen.classes) == (len(pairs), plain.classes[:5])


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # on a machine of one core
# Python 3.12 warns of any fork in a process that has threads, which torch's has.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_works_in_worker_processes(dataset: DataSet, method: str) -> None:
    storage, pairs = dataset
    data = ShardDataset(storage.root)
    data[0]  # descriptors that are open before the fork
    loader = DataLoader(data, batch_size=3, num_workers=2, multiprocessing_context=method, persistent_workers=False)
    seen: dict[str, torch.Tensor] = {}
    for batch in loader:
        seen |= dict(zip(batch["key"], batch["mask"], strict=True))
    assert list(seen) == list(pairs)
    assert all((seen[key].numpy() == mask).all() for key, (_, mask) in pairs.items())


def test_keeps_few_files_open_and_closes_them(dataset: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    def tars() -> int:
        numbers = os.listdir("/proc/self/fd")  # noqa: PTH208
        paths = [os.path.realpath(f"/proc/self/fd/{number}") for number in numbers]
        return sum(path.startswith(str(dataset[0].root)) for path in paths)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc")
    data = ShardDataset(dataset[0].root)
    assert tars() == 0
    data.raw(0), data.raw(7)
    assert tars() == 2
    monkeypatch.setattr(byte_ranges, "OPEN_FILES", 1)
    data = ShardDataset(dataset[0].root)
    data.raw(0), data.raw(7), data.raw(0)
    assert tars() == 1
    del data
    assert tars() == 0


def test_leaves_quietly_with_the_interpreter(dataset: DataSet) -> None:
    code = f"from augkit.shards.reader import ShardDataset\ndata = ShardDataset({str(dataset[0].root)!r})\ndata[0]\n"
    code += "import sys; sys.modules['kept'] = data"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("local", [True, False])
def test_hands_arrow_no_file_of_pythons(dataset: DataSet, local: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its threads would take the interpreter's lock to let go of one, which aborts a process that is ending."""
    sources: list[Any] = []
    monkeypatch.setattr(
        pq, "ParquetFile", lambda source, of=pq.ParquetFile, **more: sources.append(source) or of(source, **more)
    )
    if not local:
        write_dataset(FsspecStorage("memory://native"))
    data = ShardDataset(dataset[0].root if local else "memory://native")
    assert data.index.num_rows == len(data)
    assert {type(source) for source in sources} <= {pa.OSFile, pa.BufferReader}
    assert len(sources) > 1


def test_reads_through_fsspec() -> None:
    _, pairs = write_dataset(FsspecStorage("memory://reader"))
    data = pickle.loads(pickle.dumps(ShardDataset("memory://reader")))
    assert [sample["key"] for sample in data] == list(pairs)


def test_a_batch_from_a_url_is_asked_for_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    write_dataset(FsspecStorage("memory://reader-batch"))
    data, together = ShardDataset("memory://reader-batch"), threading.Barrier(4)
    read = FsspecStorage.read

    def waiting(*asked: Any) -> bytes:
        together.wait(10)  # nobody is answered before all four have asked
        return read(*asked)

    monkeypatch.setattr(FsspecStorage, "read", waiting)
    assert [sample["key"] for sample in data.__getitems__([5, 0, 7, 2])] == ["made-0", "real-0", "made-2", "real-2"]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # webdataset leaves its tars to the collector
def test_opens_unchanged_in_webdataset(dataset: DataSet) -> None:
    webdataset = pytest.importorskip("webdataset")
    storage, pairs = dataset
    urls = [str(storage.path(tar_file(name))) for name in SHARDS[:2]]
    samples = list(webdataset.WebDataset(urls, shardshuffle=False).decode(decode_mask_png, "pil"))
    assert [sample["__key__"] for sample in samples] == list(pairs)
    for sample in samples:
        photo, mask = pairs[sample["__key__"]]
        np.testing.assert_array_equal(sample["mask.png"], mask)
        assert sample["jpg"].size == (photo.shape[1], photo.shape[0])
        assert sample["json"]["key"] == sample["__key__"]
    spoilt = list(webdataset.WebDataset(urls, shardshuffle=False).decode("pil", decode_mask_png))
    assert spoilt[0]["mask.png"].mode == "RGB"  # why the handler exists, and why it comes first


def test_opens_unchanged_in_datasets(dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    datasets = pytest.importorskip("datasets")
    storage, pairs = dataset
    files = str(storage.root / "shard-*.tar")
    table = datasets.load_dataset("webdataset", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert {"jpg", "mask.png", "json"} <= set(table.column_names)
    assert [row["key"] for row in table["json"]] == list(pairs)
    assert {row["class"] for row in table["json"]} == {"front-left-5", "back-right-3"}
    for row in table:
        np.testing.assert_array_equal(np.asarray(row["mask.png"]), pairs[row["__key__"]][1])


def test_few_file_descriptors_are_enough(dataset: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    data, opened = ShardDataset(dataset[0].root), os.open
    whole = [data.raw(index) for index in range(len(data))]
    data = ShardDataset(dataset[0].root)

    def one_at_a_time(path: Path, flags: int, *more: int) -> int:
        if data._ranges._open:  # type: ignore[union-attr]
            raise OSError(errno.EMFILE, "Too many open files")
        return opened(path, flags, *more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", one_at_a_time)
        assert [data.raw(index) for index in range(len(data))] == whole

    def none_at_all(*_: object) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "open", none_at_all)
    with pytest.raises(ShardError, match="Too many open files") as caught:
        data.raw(0)
    assert "ulimit -n" in caught.value.remedy and "delete" not in caught.value.remedy
