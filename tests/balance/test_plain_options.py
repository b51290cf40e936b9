from __future__ import annotations

import psutil
import pytest

from augkit.balance import shard_job
from augkit.balance.plain_options import fan_out, gate_options
from augkit.balance.shard_job import WORKER_BYTES, FanOut
from augkit.settings import BalanceSettings, GateSettings, Settings


def test_every_setting_of_the_gate_is_handed_down() -> None:
    """One that were not would move neither the gate nor what a fitted gate is found again by."""
    changed = GateSettings(budget=0.25, folds=3, slack=3.0, quantile=0.1, min_part_pixels=5, checks=("view",))
    options = gate_options(Settings(gate=changed))
    found = options.of_judges() | options.of_bounds()
    assert found == changed.model_dump(mode="json", exclude={"segmenter"})


def test_as_many_workers_as_cores_and_memory_hold() -> None:
    there = shard_job.usable_cores()
    assert fan_out(BalanceSettings()) == FanOut(0, 1, 2) and fan_out(BalanceSettings(workers=3)) == FanOut(3, 1, 2)
    assert FanOut(0, 1, 0).at_once == FanOut(0, 1, 0).cpus == there
    assert FanOut(3, 2, 0).cpus == 6 and FanOut(3, 2, 0).at_once == 3
    assert FanOut(0, there + 1, 0).cpus == there + 1  # one worker, if slow


def test_memory_bounds_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: _Memory(WORKER_BYTES))
    assert shard_job.usable_cores() == 1
    monkeypatch.setattr(psutil, "virtual_memory", lambda: _Memory(0))
    assert shard_job.usable_cores() == 1


class _Memory:
    def __init__(self, total: int) -> None:
        self.total = total
