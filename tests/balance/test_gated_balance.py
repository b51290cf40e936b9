"""The gate in the main job: fitted with what is missing, one for all pairs, and the last word on duplicates."""

from __future__ import annotations

import json

import pytest

from augkit.balance.job import train_missing
from augkit.balance.job_summary import generation_seconds
from augkit.balance.plain_options import open_references
from augkit.balance.plan import load_plan
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.gate.candidate import Verdict
from augkit.gate.duplicates import REASON
from augkit.gate.judge import Gate
from augkit.gate.judge_again import GATE_VERSION, judge_again
from augkit.settings import Settings
from augkit.shards.index import load_index, load_manifest
from augkit.shards.verify import verify
from tests.balance.conftest import digests, job_of, run_job

WIDE = {"checks": ("copied-mask",), "budget": 0.01, "slack": 4.0, "required_share": 1.0}


def with_gate(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update={"gate": settings.gate.model_copy(update=changes)})


def test_duplicates_are_marked_once_all_shards_are_there(
    trained: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = settings.balance.model_copy(update={"attempts": 4.0})  # nothing that is made up for is accepted
    job = job_of(trained, with_gate(settings.model_copy(update={"balance": few}), **WIDE))
    assert not job.has_judges() and generation_seconds(job) is None
    train_missing(job)
    assert job.has_judges() and (trained.root / "gate" / "gate.json").is_file()
    monkeypatch.setattr(Gate, "judge_mask", lambda self, pair: Verdict({}, []))  # whatever stage I has learnt
    monkeypatch.setattr("augkit.gate.duplicates.MIN_CORRELATION", -1.0)  # every photo is like every other
    monkeypatch.setattr("augkit.gate.duplicates.KeptPairs.anew", lambda self: type(self)(self.schema, 1.0))
    outcome = job.generate()
    storage = open_storage(trained.shards)
    rows = [row for row in load_index(storage).to_pylist() if row["source"] == "generated" and row["shard"]]
    kept = [row for row in rows if row["accepted"]]
    assert len(rows) > len(kept) == len({row["class"] for row in kept}) > 0  # the first of each class
    assert all(row["accepted"] or row["reasons"] for row in rows) and verify(storage) == []
    assert sum(outcome.accepted.get(row["class"], 0) for row in kept) == len(kept)
    found = json.loads((trained.reports / "gate.json").read_text())
    twice = sum(REASON in row["reasons"] for row in rows)
    assert found["reasons"][REASON] == twice > 0 and found["classes"]["all"]["accepted"] == len(kept)


def test_other_bounds_are_topped_up_in_the_same_plan(balanced: Workspace, settings: Settings) -> None:
    storage = open_storage(balanced.shards)
    before, plan = load_manifest(storage), load_plan(storage)
    rows = {row["key"]: row for row in load_index(storage).to_pylist() if row["source"] == "generated"}
    excess = sorted(row["score_area_excess"] for row in rows.values() if row["accepted"])
    assert excess[-1] > 0, "this seed makes none near the bound: choose another"
    strict = with_gate(settings, slack=1.0)
    judged = judge_again(open_references(balanced, strict), False)
    lost = sum(was - now for was, now in judged["changed"].values())
    assert lost > 0
    strict = strict.model_copy(update={"balance": strict.balance.model_copy(update={"attempts": 40.0})})
    outcome = run_job(balanced, strict)
    after, longer = load_manifest(storage), load_plan(storage)
    assert plan is not None and longer is not None
    assert longer.inputs == plan.inputs and longer.rows[: len(plan.rows)] == plan.rows
    assert len(longer.rows) > len(plan.rows) and outcome.generated_now > 0
    assert after.versions[GATE_VERSION] != before.versions[GATE_VERSION]
    found = {row["key"]: row for row in load_index(storage).to_pylist()}
    assert set(rows) < set(found) and all(
        found[k]["score_area_excess"] == 0 for k in found if found[k]["accepted"] and found[k]["source"] == "generated"
    )
    assert verify(storage) == []


def test_shards_of_another_gate_are_judged_by_this_one(balanced: Workspace, settings: Settings) -> None:
    """Whether it was asked for with `augkit gate` or not, and after a run that was killed: one gate for all pairs."""
    before, storage = digests(balanced), open_storage(balanced.shards)
    judge_again(open_references(balanced, with_gate(settings, slack=1.0)), False)
    assert digests(balanced) != before
    storage.remove("manifest.json")  # as a run that was killed leaves it: which gate it was is not known
    assert run_job(balanced, settings).generated_now == 0
    assert digests(balanced) == before
