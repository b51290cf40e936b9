from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augkit.balance.classical import ClassicalWorker
from augkit.balance.plain_options import fan_out, pair_format
from augkit.balance.plan import PlanRow
from augkit.balance.shard_job import Job, ShardReport
from augkit.core.parts import PartSchema
from augkit.core.presets import load_recipe
from augkit.core.progress import Progress
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, read_catalogue
from augkit.data.pair_files import read_mask
from augkit.settings import load_settings
from augkit.shards.codec import decode_mask, encode_mask
from augkit.shards.reader import ShardDataset
from tests.spellings import EXAMPLES

Command = Callable[..., tuple[int, str, str]]
CLASSES = 8
TARGET = 6
"""Every class of the rendered workspace has 4 training pairs of its 5."""


@pytest.fixture
def augment(augkit: Command, copied_workspace: Workspace) -> Command:
    """The verb in a copy of the rendered workspace, with small shards."""
    common = ("-c", "smoke", "--set", "balance.shard_size=4")
    return partial(augkit, "augment", "--workspace", copied_workspace.root, *common)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def classical(workspace: Workspace) -> ShardDataset:
    return ShardDataset(workspace.classical, where=[("source", "==", "classical")])


def test_every_class_reaches_its_target(augkit: Command, augment: Command, copied_workspace: Workspace) -> None:
    settings = copied_workspace.settings.read_bytes()
    code, out, err = augment("--per-class", TARGET, "--json")
    result = json.loads(out)
    assert code == 0, err
    training = TrainingRows.of(read_catalogue(copied_workspace.catalogue))
    assert len(result["classes"]) == CLASSES
    assert all(c["training"] + c["classical"] == TARGET for c in result["classes"].values())
    assert result["made_now"] == CLASSES * TARGET - len(training)
    with Image.open(result["contact_sheet"]) as sheet:
        assert sheet.size[0] > 100
    assert len(ShardDataset(copied_workspace.classical, where=[("split", "==", "train")])) == CLASSES * TARGET
    code, out, _ = augkit("verify", "--shards", copied_workspace.classical, "--json")
    assert code == 0 and json.loads(out)["pairs"] == 40 + result["made_now"]
    assert copied_workspace.settings.read_bytes() == settings


def test_pairs_come_from_training_pairs_of_the_class_or_its_mirror_image(
    augment: Command, copied_workspace: Workspace
) -> None:
    assert augment("--factor", 3)[0] == 0
    rows = {row.id: row for row in TrainingRows.of(read_catalogue(copied_workspace.catalogue)).rows}
    made: dict[str, list[str]] = {}
    for key, name in zip(*(classical(copied_workspace).index[c].to_pylist() for c in ("key", "class")), strict=True):
        source = rows[key.rpartition("-")[0]]  # held-out pairs are not among them
        assert name in (source.car_class.name, source.car_class.mirror.name)
        made.setdefault(name, []).append(source.id)
    for sources in made.values():
        counts = [sources.count(id) for id in set(sources)]
        assert len(sources) == 12 and len(counts) == 8 and max(counts) == 2  # none a third time before all had two


def test_a_row_can_be_made_again_from_its_key(augment: Command, copied_workspace: Workspace) -> None:
    assert augment("--per-class", TARGET)[0] == 0
    settings = load_settings("smoke", ["balance.shard_size=4"])
    location, stored, fan = str(copied_workspace.classical), pair_format(settings), fan_out(settings.balance)
    job = Job(copied_workspace, location, settings.seed, stored, fan)
    recipe, data = load_recipe("strong"), classical(copied_workspace)
    worker = ClassicalWorker(job, recipe, None)
    for place, row in reversed(list(enumerate(data.index.to_pylist()))):
        item = worker.draw(row["key"].rpartition("-")[0], row["seed"])
        assert data.raw(place)[1] == encode_mask(item.mask) and item.car_class.name == row["class"]
        assert row["image_model"] == row["mask_model"] == recipe.digest
    assert set(np.unique(decode_mask(data.raw(0)[1])).tolist()) <= {*range(data.schema.channels), 255}


class KilledError(BaseException):
    """Stands for the end of the process."""


def test_a_killed_run_goes_on_to_the_same_bytes(
    augment: Command, copied_workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = ClassicalWorker.make

    def killed(self: ClassicalWorker, row: PlanRow, digest: str, progress: Progress) -> ShardReport:
        if row.shard == "shard-000013":
            raise KilledError
        return make(self, row, digest, progress)

    with monkeypatch.context() as patch:
        patch.setattr(ClassicalWorker, "make", killed)
        with pytest.raises(KilledError):
            augment("--per-class", TARGET)
    assert not (copied_workspace.classical / "manifest.json").exists()
    kept = (copied_workspace.classical / "shard-000012.tar").stat().st_mtime_ns
    assert augment("--per-class", TARGET)[0] == 0
    assert (copied_workspace.classical / "shard-000012.tar").stat().st_mtime_ns == kept
    assert augment("--per-class", TARGET, "--out", tmp_path / "whole")[0] == 0
    assert digests(tmp_path / "whole") == digests(copied_workspace.classical)


def test_a_higher_target_keeps_what_is_there_and_other_inputs_are_refused(
    augment: Command, copied_workspace: Workspace
) -> None:
    assert augment("--per-class", TARGET)[0] == 0
    before = digests(copied_workspace.classical)
    assert json.loads(augment("--per-class", TARGET, "--json")[1])["made_now"] == 0
    assert json.loads(augment("--per-class", TARGET + 1, "--json")[1])["made_now"] == CLASSES
    after = digests(copied_workspace.classical)
    assert all(after[name] == before[name] for name in before if name.endswith(".tar"))
    for other in (["--preset", "mild"], ["--seed", "5"]):
        code, _, err = augment("--per-class", TARGET, *other)
        assert code == 2 and "--fresh" in err
    assert digests(copied_workspace.classical) == after
    assert augment("--per-class", TARGET, "--seed", "5", "--fresh")[0] == 0
    assert digests(copied_workspace.classical)["shard-000011.tar"] != before["shard-000011.tar"]


def test_the_plan_alone(augment: Command, copied_workspace: Workspace) -> None:
    code, out, _ = augment("--factor", 2, "--dry-run", "--json")
    plan = json.loads(out)
    assert code == 0 and not copied_workspace.classical.exists()
    assert all(about == {"training": 4, "need": 8} for about in plan["classes"].values())
    assert sum(plan["todo"].values()) == 2 * 4 * CLASSES and plan["shards"] == 10 + 2 * CLASSES


def test_backgrounds(augment: Command, copied_workspace: Workspace, tmp_path: Path) -> None:
    scenes = tmp_path / "scenes"
    scenes.mkdir()
    Image.new("RGB", (64, 64), (9, 250, 9)).save(scenes / "green.png")
    order = ("--per-class", 5, "--preset", "background", "--backgrounds", scenes)
    code, _, err = augment(*order)
    assert code == 3 and "augkit silhouettes" in err and not copied_workspace.classical.exists()
    copied_workspace.silhouettes.mkdir()
    for row in read_catalogue(copied_workspace.catalogue):
        whole = (read_mask(copied_workspace.mask(row.id)) > 0).astype(np.uint8) * 255
        Image.fromarray(whole).save(copied_workspace.silhouettes / f"{row.id}.png")
    assert augment(*order)[0] == 0
    Image.new("RGB", (64, 64), (250, 9, 9)).save(scenes / "green.png")
    code, _, err = augment(*order)
    assert code == 2 and "--fresh" in err  # another landscape makes other pairs


def test_without_a_flip_pairs_come_from_their_own_class_alone(
    augment: Command, copied_workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text("- Affine: {rotate: [-3, 3]}")
    assert augment("--per-class", TARGET, "--preset", tmp_path / "mine.yaml")[0] == 0
    rows = {row.id: row for row in read_catalogue(copied_workspace.catalogue)}
    index = classical(copied_workspace).index
    for key, name in zip(index["key"].to_pylist(), index["class"].to_pylist(), strict=True):
        assert rows[key.rpartition("-")[0]].car_class.name == name


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (["--per-class", "5", "--factor", "2"], ["--per-class and --factor"]),
        (["--preset", "wild"], ["no augmentation preset at wild", "photometric"]),
        (["--preset", "warp"], ["only stage II"]),
        (["--preset", "cutmix"], ["only segmenters may use them"]),
        (["--backgrounds", "/tmp"], ["--backgrounds with strong"]),
        (["--executor", "cloud"], ["local, ray"]),
    ],
)
def test_orders_that_cannot_be(
    augment: Command, copied_workspace: Workspace, options: list[str], texts: list[str]
) -> None:
    code, out, err = augment("--json", *options)
    assert code == 2 and json.loads(out)["error"]["exit_code"] == 2 and all(text in err for text in texts), err
    assert not copied_workspace.classical.exists()


def test_the_place_of_the_generated_pairs_is_left_alone(augment: Command, copied_workspace: Workspace) -> None:
    code, _, err = augment("--out", copied_workspace.shards)
    assert code == 2 and "augkit balance" in err


def test_an_empty_folder_is_no_workspace(augkit: Command, tmp_path: Path) -> None:
    code, _, err = augkit("augment", "-w", tmp_path)
    assert code == 3 and "augkit import" in err


def test_a_flip_exchanges_sides_however_the_parts_are_spelled(augment: Command, copied_workspace: Workspace) -> None:
    """The same masks under other names are flipped to the same masks."""
    canonical = PartSchema.load(copied_workspace.schema)
    right = [id for id, part in enumerate(canonical.part_names, 1) if part.side == "right"]

    def masks(names: list[str]) -> dict[str, np.ndarray]:
        PartSchema.from_names(names).save(copied_workspace.schema)
        code, _, err = augment("--preset", "flip", "--per-class", TARGET, "--fresh")
        assert code == 0, err
        return {item["key"]: item["mask"] for item in classical(copied_workspace)}

    expected = masks(list(canonical.names[1:]))
    assert any(np.isin(mask, right).any() for mask in expected.values())
    for spelling in EXAMPLES.values():
        found = masks([spelling(name) for name in canonical.names[1:]])
        assert found.keys() == expected.keys()
        assert all(np.array_equal(found[key], mask) for key, mask in expected.items())


def test_a_side_without_its_counterpart_is_not_flipped(augment: Command, copied_workspace: Workspace) -> None:
    names = ["roof" if name == "right_mirror" else name for name in PartSchema.load(copied_workspace.schema).names[1:]]
    PartSchema.from_names(names).save(copied_workspace.schema)
    code, _, err = augment("--per-class", TARGET)
    assert code == 3 and "left_mirror (no right_mirror)" in err and "--parts FILE" in err
    assert not copied_workspace.classical.exists()
    code, _, err = augment("--preset", "photometric", "--factor", 1)
    assert code == 0, err
