from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from augkit.balance.plain_options import open_references
from augkit.core.errors import CheckpointError, ShardError
from augkit.core.parts import PartSchema
from augkit.core.storage import LocalStorage
from augkit.core.workspace import Workspace
from augkit.gate.fit import GATE_FILE, load_gate, ready_gate
from augkit.gate.judge_again import judge_again
from augkit.gate.reference import ReferenceSet
from augkit.settings import Settings, save_settings
from augkit.shards import rewrite
from augkit.shards.codec import encode_mask, encode_photo
from augkit.shards.commit import aside_file, read_commit
from augkit.shards.index import MANIFEST_FILE, WITHDRAWN, finish, load_index
from augkit.shards.verify import verify
from augkit.shards.writer import PairRecord, ShardWriter

SHARD, READ = "shard-000000", "shard-000001"


def write_shards(references: ReferenceSet, storage: LocalStorage) -> None:
    """Generated pairs: four held-out ones, the first of them twice, two training ones, and one without bytes."""
    held = [n for n, row in enumerate(references.rows) if row.split != "train"][:4]
    known = [n for n, row in enumerate(references.rows) if row.split == "train"][:2]
    writer = ShardWriter(storage, SHARD)
    for number, place in enumerate([*held, held[0], *known]):
        item, row = references.pairs.plain(place), references.rows[place]
        record = PairRecord(
            f"made-{number}", "train", "generated", row.orientation, row.doors, number, "m", "i", 64, 64,
            [0] * references.schema.channels, {"mask_certainty": 0.5},
        )  # fmt: skip
        writer.add(record, *encode_photo(item.photo, lossless=True), encode_mask(item.mask))
    writer.reject(
        PairRecord("made-9", "train", "generated", "A", "5", 9, "m", "i", 64, 64, [], {}, ["missing:hood"], False)
    )
    writer.commit("row")
    finish(storage, [SHARD], references.schema, "plan", {"augkit": "0"})


@pytest.fixture
def shards(workspace: Workspace, gate_settings: Settings) -> LocalStorage:
    storage = LocalStorage(workspace.shards)
    write_shards(open_references(workspace, gate_settings), storage)
    return storage


def fates(storage: LocalStorage) -> dict[str, list[str]]:
    return {row["key"]: row["reasons"] for row in load_index(storage).to_pylist()}


def test_shards_are_judged_again(shards: LocalStorage, workspace: Workspace, gate_settings: Settings) -> None:
    result = judge_again(open_references(workspace, gate_settings), False)
    found = fates(shards)
    assert found["made-4"] == ["duplicate"] and found["made-9"] == ["missing:hood"]
    assert "mask_distance" in found["made-5"] and "mask_distance" in found["made-6"]
    assert verify(shards) == [] and result["rewritten"] == [SHARD]
    rows = {row["key"]: row for row in load_index(shards).to_pylist()}
    assert rows["made-0"]["score_mask_certainty"] == 0.5 and rows["made-0"]["score_mask_distance"] > 0
    assert rows["made-4"]["score_duplicate_distance"] == 0.0 and not rows["made-4"]["accepted"]
    assert shards.exists(aside_file(SHARD))
    assert json.loads((workspace.reports / "gate.json").read_text())["classes"] == result["classes"]
    total = result["classes"]["all"]
    assert total["tried"] == 8 and total["accepted"] == sum(row["accepted"] for row in rows.values())
    assert total["tried"] - sum(step["rejected"] for step in total["steps"]) == total["accepted"]
    assert sum(was - now for was, now in result["changed"].values()) == 7 - total["accepted"]


def test_photos_that_were_read_are_judged_again_too(
    shards: LocalStorage, workspace: Workspace, gate_settings: Settings
) -> None:
    references = open_references(workspace, gate_settings)
    place = next(n for n, row in enumerate(references.rows) if row.split != "train")
    item, row = references.pairs.plain(place), references.rows[place]
    writer = ShardWriter(shards, READ)
    record = PairRecord(
        "u-1", "train", "pseudo", row.orientation, row.doors, 0, "m", "", 64, 64, [0] * references.schema.channels,
        {"reading_kept": 0.9},
    )  # fmt: skip
    writer.add(record, *encode_photo(item.photo, lossless=True), encode_mask(item.mask))
    writer.commit("row")
    finish(shards, [SHARD, READ], references.schema, "plan", {"augkit": "0"})
    assert judge_again(references, False)["rewritten"] == [SHARD, READ]
    [found] = [row for row in load_index(shards).to_pylist() if row["key"] == "u-1"]
    assert found["reasons"] == ["duplicate"] and not found["accepted"], "it is the first of the generated ones again"
    assert found["score_reading_kept"] == 0.9 and found["score_mask_distance"] > 0


def test_an_unusual_real_car_stays(shards: LocalStorage, workspace: Workspace, gate_settings: Settings) -> None:
    """A mask that no generated pair may have, on a photo that is no labelled one."""
    references = open_references(workspace, gate_settings)
    place = [n for n, row in enumerate(references.rows) if row.split != "train"][5]
    item, row = references.pairs.plain(place), references.rows[place]
    hood = np.where(item.mask == 0, 0, references.schema.names.index("hood")).astype(np.uint8)
    writer = ShardWriter(shards, READ)
    for source in ("pseudo", "generated"):
        record = PairRecord(
            source, "train", source, row.orientation, row.doors, 0, "m", "", 64, 64, [0] * references.schema.channels
        )  # fmt: skip
        writer.add(record, *encode_photo(item.photo, lossless=True), encode_mask(hood))
    writer.commit("row")
    finish(shards, [SHARD, READ], references.schema, "plan", {"augkit": "0"})
    judge_again(references, False)
    found = fates(shards)
    assert found["pseudo"] == [] and len(found["generated"]) > 1


def test_a_second_time_changes_nothing(shards: LocalStorage, workspace: Workspace, gate_settings: Settings) -> None:
    judge_again(open_references(workspace, gate_settings), False)
    before = {name: shards.read(name) for name in shards.names()}
    result = judge_again(open_references(workspace, gate_settings), False)
    assert result["rewritten"] == [] and {name: shards.read(name) for name in shards.names()} == before


def test_other_bounds_and_back(shards: LocalStorage, workspace: Workspace, gate_settings: Settings) -> None:
    judge_again(open_references(workspace, gate_settings), False)
    before, tight = fates(shards), gate_settings.gate.model_copy(update={"budget": 0.45})
    judges = (workspace.root / "gate" / "view.safetensors").stat().st_mtime_ns
    judge_again(open_references(workspace, gate_settings.model_copy(update={"gate": tight})), False)
    assert sum(map(len, fates(shards).values())) > sum(map(len, before.values()))
    judge_again(open_references(workspace, gate_settings), False)
    assert fates(shards) == before and verify(shards) == []
    assert (workspace.root / "gate" / "view.safetensors").stat().st_mtime_ns == judges  # bounds only


def test_killed_before_all_is_staged_leaves_the_old_shards(
    shards: LocalStorage, workspace: Workspace, gate_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: shards.read(name) for name in shards.names()}

    def killed(storage: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("augkit.gate.rescore.publish", killed)
        with pytest.raises(KeyboardInterrupt):
            judge_again(open_references(workspace, gate_settings), False)
    rewrite.settle(shards)
    assert {name: shards.read(name) for name in shards.names()} == before


def test_killed_while_they_are_put_in_place_is_completed(
    shards: LocalStorage, workspace: Workspace, gate_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("augkit.shards.rewrite._replace", killed)
        with pytest.raises(KeyboardInterrupt):
            judge_again(open_references(workspace, gate_settings), False)
    assert not shards.exists(MANIFEST_FILE)
    rewrite.settle(shards)
    commit = read_commit(shards, SHARD)
    assert commit is not None and commit.table["accepted"].to_pylist()[4] is False
    assert [name for name in shards.names() if name.startswith("staged/")] == [WITHDRAWN]
    judge_again(open_references(workspace, gate_settings), False)  # the same command again
    assert verify(shards) == [] and not shards.exists(WITHDRAWN)


def test_killed_while_there_is_no_manifest_the_same_command_goes_on(
    shards: LocalStorage, workspace: Workspace, gate_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("augkit.shards.index.write_card", killed)
        with pytest.raises(KeyboardInterrupt):
            judge_again(open_references(workspace, gate_settings), False)
    assert not shards.exists(MANIFEST_FILE)
    judge_again(open_references(workspace, gate_settings), False)
    interrupted = {name: shards.read(name) for name in shards.names()}
    for name in interrupted:
        shards.remove(name)
    write_shards(open_references(workspace, gate_settings), shards)
    judge_again(open_references(workspace, gate_settings), False)
    assert interrupted == {name: shards.read(name) for name in shards.names()}


def test_judges_of_other_data_are_refused(workspace: Workspace, gate_settings: Settings) -> None:
    other = gate_settings.model_copy(update={"seed": 1})
    with pytest.raises(CheckpointError, match="judges of other data or settings"):
        load_gate(open_references(workspace, other))
    (workspace.root / "gate" / GATE_FILE).unlink()
    with pytest.raises(CheckpointError, match="no fitted gate"):
        load_gate(open_references(workspace, gate_settings))


def test_broken_judges_are_told(workspace: Workspace, gate_settings: Settings) -> None:
    (workspace.root / "gate" / "view.safetensors").write_bytes(b"no tensors")
    with pytest.raises(CheckpointError, match="the check view"):
        load_gate(open_references(workspace, gate_settings))


def test_shards_of_other_parts_are_refused(workspace: Workspace, gate_settings: Settings) -> None:
    finish(LocalStorage(workspace.shards), [], PartSchema.from_names(["sail"]), "plan", {})
    with pytest.raises(ShardError, match="shards of the parts sail"):
        judge_again(open_references(workspace, gate_settings), False)


def test_the_command_without_shards_fits_only(
    workspace: Workspace, gate_settings: Settings, augkit: Callable[..., tuple[int, str, str]]
) -> None:
    save_settings(gate_settings, workspace.settings)
    code, out, err = augkit("gate", "--workspace", workspace.root, "--json")
    assert code == 0, err
    assert json.loads(out)["classes"] == {} and json.loads(out)["rejected_real"] <= 0.05


def test_no_checks_need_no_fit(workspace: Workspace, gate_settings: Settings) -> None:
    none = gate_settings.model_copy(update={"gate": gate_settings.gate.model_copy(update={"checks": ()})})
    (workspace.root / "gate" / GATE_FILE).unlink()
    gate = ready_gate(open_references(workspace, none))
    assert gate.checks == {} and not (workspace.root / "gate" / GATE_FILE).exists()
