from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import ANY

import pytest
import yaml

from augkit.core.storage import LocalStorage
from augkit.shards.card import CARD_COLUMNS, CARD_FILE, CardCounts, card_text, license_of, write_card
from augkit.shards.codec import encode_mask, encode_photo
from augkit.shards.index import finish, load_index, load_manifest
from augkit.shards.index_file import IndexFile
from augkit.shards.reader import ShardDataset
from augkit.shards.verify import verify
from augkit.shards.writer import ShardWriter

from .pairs import SCHEMA, Pairs, make_pair, make_record, write_dataset, write_shard

DataSet = tuple[LocalStorage, Pairs]


def text_of(storage: LocalStorage) -> str:
    return storage.read(CARD_FILE).decode()


def test_a_finished_data_set_has_a_card_and_verifies(dataset: DataSet) -> None:
    storage, _ = dataset
    fields = yaml.safe_load(text_of(storage).split("---\n")[1])
    assert fields["license"] == "unknown" and fields["task_categories"] == ["image-segmentation"]
    assert fields["size_categories"] == ["n<1K"] and "synthetic" in fields["tags"]
    assert verify(storage) == []


def test_it_counts_what_is_there(dataset: DataSet) -> None:
    text = text_of(dataset[0])
    assert text.startswith("---\nlicense: unknown\n")
    assert "| class | real, train | generated, train |" in text
    assert "| front-left-5 | 5 | 0 |" in text and "| back-right-3 | 0 | 3 |" in text and "| all | 5 | 3 |" in text
    for part in SCHEMA.parts:
        assert f"| {part.id} | {part.name} | #" in text
    made = load_index(dataset[0], [("source", "==", "generated")])
    accepted = sum(made["accepted"].to_pylist())
    assert f"{accepted} of {made.num_rows} candidates accepted" in text and "`mmmmmmmm`" in text


def test_the_same_data_set_gives_the_same_card(dataset: DataSet, tmp_path: Path) -> None:
    other = LocalStorage(tmp_path / "elsewhere")
    write_dataset(other)
    assert text_of(other) == text_of(dataset[0])


def test_the_licence_stays_when_the_shards_are_finished_again(dataset: DataSet) -> None:
    storage, _ = dataset
    manifest = load_manifest(storage)
    index = IndexFile(storage)
    write_card(storage, manifest, CardCounts.of(index.tables(CARD_COLUMNS), index.columns), "cc-by-4.0")
    finish(storage, [shard.name for shard in manifest.shards], SCHEMA, "plan", {})
    assert license_of(storage) == "cc-by-4.0"
    assert yaml.safe_load(text_of(storage).split("---\n")[1])["license"] == "cc-by-4.0"


@pytest.mark.parametrize("text", ["", "no card", "---\n- 1\n---\n", "---\n: [\n---\n", "---\nname: x\n---\n"])
def test_a_strange_card_has_no_licence(storage: LocalStorage, text: str) -> None:
    assert license_of(storage) == "unknown"
    storage.put(CARD_FILE, text.encode())
    assert license_of(storage) == "unknown"


def test_a_data_set_of_real_pairs_alone_is_not_synthetic(dataset: DataSet) -> None:
    storage, _ = dataset
    text = card_text(load_manifest(storage), CardCounts.of([load_index(storage, [("source", "==", "real")])], ()))
    assert "synthetic" not in text and "gate:" not in text


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[LocalStorage], dict[str, set[str]]]:
    """Keys by split, as Hugging Face's datasets find them by the card."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")

    def loaded(storage: LocalStorage) -> dict[str, set[str]]:
        found = datasets.load_dataset(str(storage.root), cache_dir=str(tmp_path / "cache"))
        return {split: {row["key"] for row in rows["json"]} for split, rows in found.items()}

    return loaded


Load = Callable[[LocalStorage], dict[str, set[str]]]


def test_the_folder_opens_in_datasets_by_its_card(dataset: DataSet, load: Load) -> None:
    storage, pairs = dataset
    assert load(storage) == {"train": set(pairs)}  # and none that lies aside


def write_splits(storage: LocalStorage, mixed: bool = False) -> None:
    """Two real pairs for training and one held out; a mixed tar of them is what earlier versions wrote."""
    names = ["shard-000000", "shard-000000" if mixed else "val-000000"]
    writers = {name: ShardWriter(storage, name) for name in names}
    for number, split in enumerate(("train", "val", "train")):
        photo, mask = make_pair(number)
        record = make_record(f"{split}-{number}", mask, source="real", split=split)
        writers[names[split == "val"]].add(record, *encode_photo(photo), encode_mask(mask))
    for writer in writers.values():
        writer.commit("row")
    write_shard(storage, "shard-000001", {"made": make_pair(9)}).commit("row")
    finish(storage, [*dict.fromkeys(names), "shard-000001"], SCHEMA, "plan", {})


def test_no_reader_finds_held_out_pairs_among_those_for_training(storage: LocalStorage, load: Load) -> None:
    write_splits(storage)
    assert load(storage) == {"train": {"train-0", "train-2", "made"}, "validation": {"val-1"}}
    assert verify(storage) == [] and "1 real pairs are held out, in\n`val-*.tar`" in text_of(storage)
    names = set[str]()
    for path in storage.root.glob("shard-*.tar"):
        with tarfile.open(path) as tar:
            names |= {name.partition(".")[0] for name in tar.getnames()}
    assert names == {"train-0", "train-2", "made"}


def test_tars_of_an_earlier_version_are_read_and_never_as_training_pairs(
    storage: LocalStorage, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("augkit.shards.writer.split_of", lambda name: ANY)
        write_splits(storage, mixed=True)
    assert load(storage) == {"train": {"made"}, "mixed": {"train-0", "val-1", "train-2"}}
    assert "augkit balance --fresh" in text_of(storage) and verify(storage) == []
    assert sorted(ShardDataset(storage.root, [("split", "==", "train")]).index["key"].to_pylist()) == [
        "made", "train-0", "train-2",
    ]  # fmt: skip
