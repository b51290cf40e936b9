from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from unittest.mock import ANY

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from augkit.balance.job import Balance, BalanceRequest
from augkit.balance.job_summary import at_once, class_plans, part_plans
from augkit.balance.plan import PlanRow, load_plan
from augkit.balance.planner import PATIENCE
from augkit.balance.rates import candidates
from augkit.balance.shard_job import ShardReport
from augkit.balance.worker import Worker
from augkit.core.classes import CarClass
from augkit.core.errors import CheckpointError, ConfigError, DataError, SchemaError
from augkit.core.parts import PartSchema
from augkit.core.progress import Progress
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue, usable, write_catalogue
from augkit.settings import Settings
from augkit.shards.codec import decode_mask, decode_photo, encode_mask, encode_photo
from augkit.shards.index import load_index, load_manifest
from augkit.shards.reader import ShardDataset
from augkit.shards.verify import verify
from augkit.stages.model_store import ModelStore
from tests.balance.conftest import digests, job_of, run_job

Command = Callable[..., tuple[int, str, str]]

NEED = {"front-left-5": 3, "back-right-3": 4}
"""What 10 pairs for training lack beside the 7 and 6 real ones."""
REAL = ("shard-000000", "shard-000001", "shard-000002", "shard-000003", "val-000000")
"""Shards of real pairs: 13 for training, 3 held out."""


def changed(settings: Settings, **sections: dict[str, object]) -> Settings:
    tree = settings.model_dump(mode="json")
    for name, values in sections.items():
        tree[name] |= values
    return Settings.model_validate(tree)


def retrain(workspace: Workspace, stage: str) -> None:
    """Other weights in the same model."""
    path = workspace.model(stage, "all") / "model.safetensors"
    weights, metadata = load_file(path), {}
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    name = next(n for n, tensor in weights.items() if tensor.is_floating_point() and n.endswith("weight"))
    weights[name] = weights[name] * 1.001
    save_file(weights, path, metadata)


def test_every_class_reaches_its_target(balanced_workspace: Workspace) -> None:
    index = load_index(open_storage(balanced_workspace.shards))
    rows = index.filter(index["accepted"]).to_pylist()
    for name, need in NEED.items():
        own = [row for row in rows if row["class"] == name]
        assert sum(row["source"] == "generated" for row in own) == need
        assert sum(row["split"] == "train" for row in own) == 10
    assert [row["source"] for row in rows] == ["real"] * 16 + ["generated"] * 7
    assert verify(open_storage(balanced_workspace.shards)) == []


def test_the_manifest_carries_the_plan(balanced_workspace: Workspace, settings: Settings) -> None:
    job = job_of(balanced_workspace, settings)
    manifest = load_manifest(open_storage(balanced_workspace.shards))
    assert manifest.plan_digest == job.plan.digest
    assert [shard.name for shard in manifest.shards] == [row.shard for row in job.plan.rows]
    assert manifest.versions["augkit"] and manifest.versions["torch"]


def test_real_pairs_are_copied_byte_for_byte_where_the_size_fits(
    balanced_workspace: Workspace, trained: Workspace, settings: Settings
) -> None:
    run_job(trained, changed(settings, image={"size": 64}), target=1, fresh=True)
    dataset = ShardDataset(trained.shards, where=[("source", "==", "real")])
    for place, key in enumerate(dataset.index["key"].to_pylist()):
        assert dataset.raw(place) == (trained.photo(key).read_bytes(), trained.mask(key).read_bytes())
    smaller = ShardDataset(balanced_workspace.shards, where=[("source", "==", "real")])
    assert decode_photo(smaller.raw(0)[0]).shape == (32, 32, 3)


def test_scores_are_columns_and_rejected_rows_carry_reasons_and_no_bytes(balanced_workspace: Workspace) -> None:
    rows = load_index(open_storage(balanced_workspace.shards)).to_pylist()
    generated = [row for row in rows if row["source"] == "generated"]
    rejected = [row for row in rows if not row["accepted"]]
    assert rejected, "this seed rejects some: choose another"
    of_the_rule = {"view_confidence", "parts_missing", "parts_unexpected", "parts_exclusive", "area_excess"}
    scores = of_the_rule | {"mask_certainty", "specks_removed"}
    assert {name.removeprefix("score_") for name in rows[0] if name.startswith("score_")} == scores
    assert all(row[f"score_{name}"] is not None for row in generated for name in scores)
    for row in generated:
        assert bool(row["reasons"]) != row["accepted"]
    for row in rejected:
        assert row["source"] == "generated" and row["shard"] is None and row["photo_length"] is None


def test_a_row_can_be_made_again_alone(balanced_workspace: Workspace, settings: Settings) -> None:
    dataset = ShardDataset(balanced_workspace.shards, where=[("source", "==", "generated")])
    job = job_of(balanced_workspace, settings)
    worker = Worker(job.shard_job())
    for place, row in reversed(list(enumerate(dataset.index.to_pylist()))):  # another order than that of the first time
        car_class = CarClass.parse(row["class"])
        ((mask, verdict),) = worker.draw(car_class, [row["seed"]])
        painted = worker.paint(car_class, [row["seed"]], [mask])
        photo, _ = encode_photo(painted.photos[0], settings.balance.quality, False)
        assert row["exemplar"] == painted.exemplars[0] != ""
        assert dataset.raw(place) == (photo, encode_mask(mask))
        assert {name: row[f"score_{name}"] for name in verdict.scores} == verdict.scores


def test_time_is_shared_by_the_workers_that_there_will_be(trained: Workspace, settings: Settings) -> None:
    three = changed(settings, balance={"workers": 3})
    assert [at_once(job_of(trained, three, executor=name)) for name in ("local", "ray")] == [1, 3]


def test_generated_masks_hold_known_parts_and_photos_are_not_flat(balanced_workspace: Workspace) -> None:
    dataset = ShardDataset(balanced_workspace.shards, where=[("source", "==", "generated")])
    for place in range(len(dataset)):
        photo, mask = dataset.raw(place)
        dataset.schema.check(decode_mask(mask), "the generated mask")
        assert decode_photo(photo).std() > 1


def test_a_second_run_makes_nothing(balanced: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digests(balanced)
    monkeypatch.setattr(Worker, "make", None)
    outcome = run_job(balanced, settings)
    assert outcome.generated_now == 0 and outcome.accepted == NEED | {"": 16}
    assert digests(balanced) == before


def test_a_target_below_what_exists_still_writes_a_data_set(trained: Workspace, settings: Settings) -> None:
    outcome = run_job(trained, settings, target=3)
    assert outcome.generated_now == 0 and outcome.accepted == {"": 16}
    manifest = load_manifest(open_storage(trained.shards))
    assert manifest.pairs == 16 and len(manifest.shards) == len(REAL)
    assert verify(open_storage(trained.shards)) == []


def test_a_higher_target_keeps_the_earlier_shards(balanced: Workspace, settings: Settings) -> None:
    before = digests(balanced)
    outcome = run_job(balanced, settings, target=12)
    after = digests(balanced)
    assert outcome.accepted == {"": 16, "front-left-5": 5, "back-right-3": 6}
    assert outcome.generated_now == 4
    shards = {name for name in before if "shard-" in name}
    assert {name: after[name] for name in shards} == {name: before[name] for name in shards}
    assert len({name for name in after if name.endswith(".tar")}) == len(REAL) + 4


def test_only_generates_for_the_class_named(trained: Workspace, settings: Settings) -> None:
    assert run_job(trained, settings, only=["back-right-3"]).accepted == {"": 16, "back-right-3": 4}
    assert run_job(trained, settings, only=["front-left-5"]).accepted == {"": 16, **NEED}


@pytest.mark.parametrize(
    "sections", [{"gate": {"min_part_pixels": 9}}, {"balance": {"shard_size": 5}}, {"balance": {"quality": 90}}]
)
def test_other_settings_are_refused(
    balanced: Workspace, settings: Settings, sections: dict[str, dict[str, object]]
) -> None:
    before = digests(balanced)
    with pytest.raises(ConfigError, match="--fresh"):
        run_job(balanced, changed(settings, **sections))
    assert digests(balanced) == before


@pytest.mark.parametrize("sections", [{"balance": {"workers": 1}}, {"balance": {"retries": 5}}])
def test_settings_that_leave_the_bytes_alone_are_not(
    balanced: Workspace, settings: Settings, sections: dict[str, dict[str, object]]
) -> None:
    assert run_job(balanced, changed(settings, **sections)).generated_now == 0


def test_other_pairs_are_refused(balanced: Workspace, settings: Settings) -> None:
    rows = read_catalogue(balanced.catalogue)
    write_catalogue(balanced.catalogue, rows[:-1])
    with pytest.raises(ConfigError, match="--fresh"):
        run_job(balanced, settings)


def test_pairs_with_other_masks_are_refused(balanced: Workspace, settings: Settings) -> None:
    rows = read_catalogue(balanced.catalogue)
    rows[0].histogram[0] -= 1
    rows[0].histogram[1] += 1
    write_catalogue(balanced.catalogue, rows)
    with pytest.raises(ConfigError, match="--fresh"):
        run_job(balanced, settings)


def test_fresh_makes_the_shards_anew(balanced: Workspace, trained: Workspace, settings: Settings) -> None:
    other = changed(settings, balance={"quality": 90})
    run_job(balanced, other, fresh=True)
    run_job(trained, other)
    assert digests(balanced) == digests(trained)


@pytest.mark.parametrize("stage", ["mask", "image"])
def test_a_retrained_model_makes_its_shards_stale(balanced: Workspace, settings: Settings, stage: str) -> None:
    before = digests(balanced)
    retrain(balanced, stage)
    assert run_job(balanced, settings).generated_now == 7
    after = digests(balanced)
    real = {name for shard in REAL for name in before if shard in name}
    assert {name: after[name] for name in real} == {name: before[name] for name in real}
    tars = {name for name in before if name.endswith(".tar")} - real
    assert tars and all(after[name] != before[name] for name in tars)
    assert verify(open_storage(balanced.shards)) == []


def stand_in(workspace: Workspace, settings: Settings, name: str) -> None:
    """Puts the model of all classes in the place of one class's own, as if it had been trained there."""
    folder = workspace.model("mask", name)
    shutil.copytree(workspace.model("mask", "all"), folder, dirs_exist_ok=True)
    about = json.loads((folder / "config.json").read_text())
    about["fingerprint"] = ModelStore.open(workspace, settings).fingerprint("mask", name)
    (folder / "config.json").write_text(json.dumps(about))


def test_only_the_classes_of_the_retrained_model_are_stale(balanced: Workspace, settings: Settings) -> None:
    """With a model a class, the other class's shards stay."""
    apart = changed(settings, mask={"per_class_from": 6})
    for name in ("front-5", "back-3"):
        stand_in(balanced, apart, name)
    assert run_job(balanced, apart).generated_now == 0  # the same weights under another name
    before = digests(balanced)
    model = balanced.model("mask", "back-3")
    shutil.copytree(model, balanced.model("mask", "all"), dirs_exist_ok=True)
    retrain(balanced, "mask")
    stand_in(balanced, apart, "back-3")
    assert run_job(balanced, apart).generated_now == 4
    same = {name for name, value in digests(balanced).items() if before[name] == value and name.endswith(".tar")}
    assert same == {name for name in before if name.endswith(".tar") and name != "shard-000005.tar"}


def test_there_is_no_manifest_while_shards_are_missing(
    balanced: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (balanced.shards / "shard-000004.tar").unlink()
    seen = []

    class Watching(Worker):
        def make(self, row: PlanRow, digest: str, progress: Progress) -> ShardReport:
            seen.append((balanced.shards / "manifest.json").exists())
            return super().make(row, digest, progress)

    monkeypatch.setattr("augkit.balance.job.Worker", Watching)
    run_job(balanced, settings)
    assert seen == [False] and (balanced.shards / "manifest.json").exists()


def test_a_class_that_cannot_be_reached_ends_within_its_attempts(trained: Workspace, settings: Settings) -> None:
    narrow = changed(settings, gate={"slack": 1.0, "quantile": 0.49}, balance={"attempts": 5})
    outcome = run_job(trained, narrow)
    assert set(outcome.short) == set(NEED)
    for name, progress in outcome.short.items():
        assert progress.need == NEED[name] and progress.given_up
        assert progress.need <= progress.tried <= progress.budget == candidates(NEED[name], 1 / 5, PATIENCE)
        assert any(reason.startswith("area:") for reason in progress.reasons)
    assert load_manifest(open_storage(trained.shards)).pairs == 16 + sum(outcome.accepted.get(n, 0) for n in NEED)
    before = digests(trained)
    again = run_job(trained, narrow)  # what was given up is not tried for ever
    assert set(again.short) == set(NEED) and digests(trained) == before
    more = run_job(trained, changed(narrow, balance={"attempts": 20}))  # unless more may be tried
    assert sum(r.tried for r in more.reports) > sum(r.tried for r in outcome.reports)


class Breaking(Worker):
    """Fails for one shard, and counts how often it was asked to make it."""

    broken, asked = "shard-000004", 0

    def make(self, row: PlanRow, digest: str, progress: Progress) -> ShardReport:
        if row.shard == self.broken:
            type(self).asked += 1
            raise ArithmeticError("out of luck")
        return super().make(row, digest, progress)


def test_a_shard_that_fails_is_retried_and_then_given_up(
    trained: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Breaking, "asked", 0)
    with monkeypatch.context() as patch:
        patch.setattr("augkit.balance.job.Worker", Breaking)
        outcome = run_job(trained, settings)
    assert Breaking.asked == settings.balance.retries + 1
    assert [(f.shard, f.class_name, f.error) for f in outcome.failures] == [
        ("shard-000004", "front-left-5", "ArithmeticError('out of luck')")
    ]
    assert outcome.accepted == {"": 16, "back-right-3": 4}
    assert verify(open_storage(trained.shards)) == []
    assert run_job(trained, settings).accepted == {"": 16, **NEED}  # the next run makes it


def test_nothing_stale_stays_of_a_shard_that_was_given_up(
    balanced: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    retrain(balanced, "image")
    monkeypatch.setattr("augkit.balance.job.Worker", Breaking)
    assert run_job(balanced, settings).failures
    assert not (balanced.shards / "shard-000004.tar").exists()
    assert verify(open_storage(balanced.shards)) == []


def test_mixed_shards_of_an_earlier_version_go_on_and_are_rewritten_by_fresh(
    trained: Workspace, balanced_workspace: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real pairs of all splits lay in one tar; the bytes of generated ones are what they were."""
    with monkeypatch.context() as patch:
        patch.setattr("augkit.shards.writer.split_of", lambda name: ANY)
        patch.setattr("augkit.balance.job.keys_by_split", lambda rows: {"train": [row.id for row in rows]})
        run_job(trained, settings)
    mixed = digests(trained)
    assert "val-000000.tar" not in mixed
    assert run_job(trained, settings).generated_now == 0 and digests(trained) == mixed
    assert run_job(trained, settings, target=11).generated_now == 2 and verify(open_storage(trained.shards)) == []
    run_job(trained, settings, fresh=True)
    assert digests(trained) == digests(balanced_workspace)


def test_splits_lie_in_tars_of_their_own(balanced_workspace: Workspace) -> None:
    rows = load_index(open_storage(balanced_workspace.shards), [("accepted", "==", True)])
    for shard, split in zip(rows["shard"].to_pylist(), rows["split"].to_pylist(), strict=True):
        assert shard.partition("-")[0] == {"train": "shard", "val": "val"}[split]
    assert "val-000000" in rows["shard"].to_pylist()


def test_a_shard_that_is_cut_short_is_made_again(balanced: Workspace, settings: Settings) -> None:
    before = digests(balanced)
    for name in ("shard-000001.tar", "shard-000005.tar"):
        path = balanced.shards / name
        path.write_bytes(path.read_bytes()[:-512])
    run_job(balanced, settings)
    assert digests(balanced) == before


def test_a_corrupt_model_names_its_file(trained: Workspace, settings: Settings) -> None:
    path = trained.model("image", "all") / "model.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointError, match=str(path)) as caught:
        run_job(trained, settings)
    assert "train again" in caught.value.remedy
    assert not (trained.shards / "manifest.json").exists()


def test_models_of_another_part_schema_are_refused(trained: Workspace, settings: Settings) -> None:
    schema = PartSchema.load(trained.schema)
    PartSchema.from_names(["other", *schema.names[2:]]).save(trained.schema)
    with pytest.raises(CheckpointError, match=r"models/mask/all(.|\n)*augkit train mask"):
        run_job(trained, settings)


def test_a_workspace_of_another_schema_is_refused(trained: Workspace, settings: Settings) -> None:
    PartSchema.from_names(["hood", "wheel"]).save(trained.schema)
    with pytest.raises(DataError, match=r"parts\.json: 2 parts, but .*catalogue\.parquet counts 18"):
        Balance(trained, settings, BalanceRequest(10))


def test_a_side_without_its_counterpart_is_refused(copied_workspace: Workspace, settings: Settings) -> None:
    """Balance flips masks by itself, whatever the augmentation does."""
    names = ["roof" if name == "right_mirror" else name for name in PartSchema.load(copied_workspace.schema).names[1:]]
    PartSchema.from_names(names).save(copied_workspace.schema)
    with pytest.raises(SchemaError, match=r"balance flips(.|\n)*left_mirror \(no right_mirror\)(.|\n)*--parts FILE"):
        Balance(copied_workspace, settings, BalanceRequest(5))


def test_a_class_without_training_pairs_is_refused_before_anything_is_trained(
    trained: Workspace, settings: Settings
) -> None:
    rows = usable(read_catalogue(trained.catalogue))
    kept = [row for row in rows if row.split == "val" or row.car_class.name == "front-left-5"]
    write_catalogue(trained.catalogue, kept)
    with pytest.raises(DataError, match=r"back-right-3(.|\n)*--only"):
        Balance(trained, settings, BalanceRequest(10))
    Balance(trained, settings, BalanceRequest(10, only=(CarClass.parse("front-left-5"),)))


def test_webp_photos_are_lossless(trained: Workspace, settings: Settings) -> None:
    run_job(trained, changed(settings, balance={"lossless": True}, image={"size": 64}), target=1)
    dataset = ShardDataset(trained.shards, where=[("source", "==", "real")])
    photo = np.asarray(Image.open(trained.photo(dataset.index["key"][0].as_py())))
    assert np.array_equal(decode_photo(dataset.raw(0)[0]), photo)
    assert set(dataset.index["photo_ext"].to_pylist()) == {"webp"}


class Picky(Worker):
    """Accepts no candidate of the first round but the first one of each shard."""

    def make(self, row: PlanRow, digest: str, progress: Progress) -> ShardReport:
        few = {"want": 1, "tries": 40} if row.round == 0 and row.kind == "generated" else {}
        return super().make(replace(row, **few), digest, progress)


def test_what_a_round_leaves_is_made_by_the_next(
    trained: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("augkit.balance.job.Worker", Picky)
    outcome = run_job(trained, settings)
    assert outcome.accepted == NEED | {"": 16} and outcome.rounds == 2 and not outcome.short
    plan = load_plan(open_storage(trained.shards))
    assert plan is not None
    assert [(row.class_name, row.want, row.round) for row in plan.rows if row.kind == "generated"] == [
        ("front-left-5", 3, 0), ("back-right-3", 4, 0), ("front-left-5", 2, 1), ("back-right-3", 3, 1)
    ]  # fmt: skip
    assert load_manifest(open_storage(trained.shards)).plan_digest == plan.digest
    assert verify(open_storage(trained.shards)) == []


def test_no_round_follows_a_shard_that_was_given_up(
    trained: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Worse(Picky):
        def make(self, row: PlanRow, digest: str, progress: Progress) -> ShardReport:
            if row.shard == "shard-000004":
                raise ArithmeticError("out of luck")
            return super().make(row, digest, progress)

    with monkeypatch.context() as patch:
        patch.setattr("augkit.balance.job.Worker", Worse)
        outcome = run_job(trained, settings)
    assert [failure.shard for failure in outcome.failures] == ["shard-000004"]
    assert outcome.rounds == 1 and set(outcome.short) == set(NEED)
    monkeypatch.setattr("augkit.balance.job.Worker", Picky)
    assert run_job(trained, settings).accepted == NEED | {"": 16}


def test_shards_of_rounds_that_the_plan_is_without_are_removed(balanced: Workspace, settings: Settings) -> None:
    shutil.copy(balanced.shards / "shard-000005.tar", balanced.shards / "shard-000009.tar")
    run_job(balanced, settings)
    assert not (balanced.shards / "shard-000009.tar").exists()
    assert verify(open_storage(balanced.shards)) == []


def test_a_class_with_mirror_images_alone_is_made(trained: Workspace, settings: Settings) -> None:
    mirrors = {"front-right-5": 1, "back-left-3": 1}
    job = job_of(trained, settings, target=1, only=())
    assert {c.name: count for c, count in job.real.items()} == {
        "front-left-5": 9,
        "back-right-3": 7,
        **dict.fromkeys(mirrors, 0),
    }
    assert {line.car_class.name: line.progress.todo for line in class_plans(job)} == dict.fromkeys(NEED, 0) | mirrors
    assert run_job(trained, settings, target=1, only=["back-left-3"]).accepted == {"": 16, "back-left-3": 1}


def test_a_part_target_is_reached(trained: Workspace, settings: Settings) -> None:
    wanted = changed(settings, balance={"target_parts": {"trunk": 0.1}})
    [before] = part_plans(job_of(trained, wanted, target=1), [])
    assert before.classes == ["back-right-3"] and before.real < 0.1 <= before.expected
    outcome = run_job(trained, wanted, target=1)
    [after] = part_plans(job_of(trained, wanted, target=1), outcome.reports)
    assert after.holds and after.now >= 0.1 and set(outcome.accepted) == {"", "back-right-3"}
    index = load_index(open_storage(trained.shards), [("split", "==", "train"), ("accepted", "==", True)])
    areas = sum(np.array(row["histogram"]) / (row["width"] * row["height"]) for row in index.to_pylist())
    trunk = PartSchema.load(trained.schema).id_of("trunk")
    assert after.now == pytest.approx(areas[trunk] / areas[1:].sum(), rel=0.05)  # real masks were resized for the index


def test_the_plan_is_written_beside_the_shards(balanced_workspace: Workspace) -> None:
    tree = json.loads((balanced_workspace.shards / "plan.json").read_bytes())
    assert [row["kind"] for row in tree["rows"]] == ["real"] * len(REAL) + ["generated"] * 2
