"""``balance.hard_sampling``: from the gate's notes to the draws, and into the plan."""

from __future__ import annotations

import json
from functools import partial

import pytest

from augkit.balance import mask_hardness as hardnesses
from augkit.balance.mask_hardness import MaskHardness
from augkit.balance.plain_options import open_references
from augkit.balance.shard_job import no_gate
from augkit.balance.worker import Worker
from augkit.core.errors import CheckpointError, ConfigError
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, read_catalogue
from augkit.gan.hard_sampling import HardFirst
from augkit.settings import Settings, load_settings
from augkit.train.model_folder import CONFIG
from tests.balance.conftest import CHANGES, job_of

ON = ("gate.checks=[agreement]", "balance.hard_sampling=1")


def note(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """The real pairs' agreement as a fitted gate leaves it: 0.01, 0.02, ... in the catalogue's order."""
    monkeypatch.setattr(hardnesses, "is_ready", lambda references: True)
    ids = [row.id for row in read_catalogue(workspace.catalogue)]
    scores = [{"agreement": place / 100} for place in range(1, len(ids) + 1)]
    (workspace.root / "gate").mkdir(exist_ok=True)
    kept = {"ids": ids, "scores": scores, "rejected": [], "floors": {}}
    (workspace.root / "gate" / "real.json").write_text(json.dumps(kept))
    return {id: own["agreement"] for id, own in zip(ids, scores, strict=True)}


@pytest.fixture
def on() -> Settings:
    return load_settings("smoke", [*CHANGES, *ON])


def test_the_worker_draws_by_the_gates_agreement(
    trained: Workspace, on: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement = note(trained, monkeypatch)
    job = job_of(trained, on)
    car_class = job.generated()[0]
    sampler, _ = Worker(job.shard_job())._mask_sampler(car_class)
    ids = [row.id for row in TrainingRows.of(read_catalogue(trained.catalogue)).rows]
    pick = sampler.prior._pick
    assert isinstance(pick, HardFirst) and pick.power == 1
    assert pick.hardness.tolist() == pytest.approx([1 - agreement[id] for id in ids] * 2)
    assert len(pick.hardness) == len(sampler.prior.latents)


def test_shards_depend_on_it_where_it_is_on(
    trained: Workspace, settings: Settings, on: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(trained, monkeypatch)

    def facts(chosen: Settings) -> tuple[str, str, str]:
        job = job_of(trained, chosen)
        rows = [next(row for row in job.plan.rows if row.kind == kind) for kind in ("real", "generated")]
        return job.inputs(), *(job.digests()(row) for row in rows)

    gate = load_settings("smoke", [*CHANGES, ON[0]])
    first, other = facts(on), facts(gate)
    assert first[0] != other[0]  # another plan
    path = trained.root / "gate" / "real.json"
    path.write_text(path.read_text().replace("0.01", "0.55"))
    refitted = facts(on)
    assert refitted[:2] == first[:2] and refitted[2] != first[2]  # real pairs are as they were
    assert facts(gate) == other  # off: what the gate noted counts nowhere
    assert MaskHardness.of(0.0, no_gate).facts == []


def test_what_cannot_be_is_refused(trained: Workspace, on: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="hard_sampling is set, but"):
        load_settings("smoke", ["balance.hard_sampling=1"])
    note(trained, monkeypatch)
    job = job_of(trained, on)
    folder = job.store.folder("mask", job.store.model("mask", job.generated()[0]))
    about = json.loads((folder / CONFIG).read_text())
    found = MaskHardness.of(1.0, partial(open_references, trained, on))
    with pytest.raises(CheckpointError, match=r"real masks have no agreement(.|\n)*augkit gate"):
        MaskHardness(1.0, {}).check([folder])
    (folder / CONFIG).write_text(json.dumps({key: about[key] for key in about if key != "anchors"}))
    with pytest.raises(CheckpointError, match=r"does not tell which real masks(.|\n)*augkit train mask --fresh"):
        job.generate()  # a model of an earlier version, before anything is made
    MaskHardness(0.0, {}).check([folder])
    Worker(job_of(trained, load_settings("smoke", list(CHANGES))).shard_job())._mask_sampler(job.generated()[0])
    assert found.table and not (trained.shards / "plan.json").exists()
