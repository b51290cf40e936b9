from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from augkit.core.storage import LocalStorage
from augkit.shards.card import CARD_FILE, card_text, license_of, write_card
from augkit.shards.index import finish, load_index, load_manifest
from augkit.shards.verify import verify

from .pairs import SCHEMA, Pairs, write_dataset

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
    write_card(storage, manifest, load_index(storage), "cc-by-4.0")
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
    text = card_text(load_manifest(storage), load_index(storage, [("source", "==", "real")]))
    assert "synthetic" not in text and "gate:" not in text


def test_the_folder_opens_in_datasets_by_its_card(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    storage, pairs = dataset
    table = datasets.load_dataset(str(storage.root), split="train", cache_dir=str(tmp_path / "cache"))
    assert sorted(row["key"] for row in table["json"]) == sorted(pairs)  # and none that lies aside
    kept = table.filter(lambda about: about["split"] == "train", input_columns="json")
    assert len(kept) == len(pairs)
