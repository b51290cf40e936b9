"""The gate in the main job: fitted with what is missing, and the last word on duplicates."""

from __future__ import annotations

import json

import pytest

from augkit.balance.gate.duplicates import REASON
from augkit.balance.job import Balance, Order, train_missing
from augkit.config import Settings
from augkit.shards.index import load_index
from augkit.shards.storage import open_storage
from augkit.shards.verify import verify
from augkit.workspace import Workspace
from tests.balance.conftest import silent

WIDE = {"checks": ("adjacency", "copied-mask"), "budget": 0.01, "slack": 4.0, "required_share": 1.0}


def test_duplicates_are_marked_once_all_shards_are_there(
    trained: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = settings.gate.model_copy(update=WIDE)
    few = settings.balance.model_copy(update={"attempts": 8.0})  # nothing that is made up for is accepted
    job = Balance(trained, settings.model_copy(update={"gate": gate, "balance": few}), Order(10))
    train_missing(job, silent)
    assert (trained.root / "gate" / "gate.json").is_file()
    monkeypatch.setattr("augkit.balance.gate.duplicates.MIN_CORRELATION", -1.0)  # every photo is like every other
    monkeypatch.setattr("augkit.balance.gate.duplicates.Seen.anew", lambda self: type(self)(self.schema, 2.0))
    outcome = job.generate(silent)
    storage = open_storage(trained.shards)
    rows = [row for row in load_index(storage).to_pylist() if row["source"] == "generated" and row["shard"]]
    kept = [row for row in rows if row["accepted"]]
    assert {row["class"] for row in kept} == {row["class"] for row in rows} and len(
        kept
    ) == 2  # the first of each class
    assert all(row["accepted"] or REASON in row["reasons"] for row in rows) and verify(storage) == []
    assert sum(outcome.accepted[row["class"]] for row in kept) == 2
    found = json.loads((trained.reports / "gate.json").read_text())
    assert found["reasons"][REASON] == len(rows) - 2 and found["classes"]["all"]["accepted"] == 2
