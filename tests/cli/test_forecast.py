"""What ``augkit balance --dry-run`` tells of the time before anything is trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from augkit.balance.device import DeviceChoice
from augkit.balance.forecast import Forecast, StageForecast
from augkit.balance.plan_summary import ClassPlan, PlanSummary
from augkit.balance.planner import ClassProgress
from augkit.balance.precision import PrecisionChoice
from augkit.core.classes import CarClass
from augkit.core.workspace import Workspace
from augkit.report.tables.forecast_table import forecast_table
from augkit.report.tables.plan_table import plan_table
from tests.cli.test_app import Command


def files(root: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


def test_the_dry_run_tells_what_there_is_and_how_long_it_takes(
    augkit: Command, copied_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("augkit.balance.forecast.SECONDS", 0.0)
    monkeypatch.setattr("augkit.cli.balance.PRESETS", ("smoke",))
    before = files(copied_workspace.root)
    words = ("balance", "--dry-run", "-w", copied_workspace.root, "--config", "smoke", "--set", "mask.steps=700",
             "--set", "gate.checks=[agreement]")  # fmt: skip
    code, out, err = augkit(*words, "--presets", "--json")
    plan = json.loads(out)
    stages = {stage["name"]: stage for stage in plan["forecast"]["stages"]}
    assert code == 0 and list(stages) == ["mask", "image", "gate: segmenters"] and "timing: 4/4" in err
    assert stages["mask"]["steps"] == 700 and stages["gate: segmenters"]["runs"] == 2
    assert all(stage["pace"] > 0 for stage in stages.values()) and plan["forecast"]["generation"] > 0
    parts = sum(stage["seconds"] for stage in stages.values()) + plan["forecast"]["generation"]
    assert plan["forecast"]["seconds"] == pytest.approx(parts, abs=0.5)
    [other] = plan["presets"].values()
    assert next(stage["steps"] for stage in other["stages"] if stage["name"] == "mask") < 700
    after = files(copied_workspace.root)
    assert after.pop(str(copied_workspace.reports / "parts.png")) and after == before


def test_presets_are_for_a_dry_run(augkit: Command, copied_workspace: Workspace) -> None:
    code, _, err = augkit("balance", "--presets", "-w", copied_workspace.root, "--config", "smoke")
    assert code == 2 and "--dry-run" in err and not copied_workspace.shards.exists()


def text_of(table: object) -> str:
    console = Console(width=80)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def test_the_time_is_said_in_words() -> None:
    known = Forecast([StageForecast("mask", 2, 1000, 1.8, "a short run")], 600.0)
    text = text_of(forecast_table(known))
    assert "about 70 min" in text and "60 min" in text and "10 min" in text
    assert "not known: generation" in text_of(forecast_table(Forecast((), 0.0, ("generation",))))


def test_the_plan_fits_into_80_columns() -> None:
    name = "front-right-unknown"
    line = ClassPlan(CarClass.parse(name), 12345, 12345, ClassProgress(12345), name, "all")
    plan = PlanSummary(
        12345, PrecisionChoice("fp32", "why"), DeviceChoice("cpu", 1, "why"), [line] * 2, [], [], 1, 1.0, None
    )
    text = text_of(plan_table(plan))
    assert "…" not in text and max(map(len, text.splitlines())) <= 80
    assert all(word in text for word in (name, "lacking", "candidates", "to do", "12345"))
