"""The main job: what a target asks for, and making it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augkit.api.bars import shown
from augkit.api.opened import Changes, Config, Place, open_workspace, settings_of
from augkit.api.shown import Shown
from augkit.core.errors import ConfigError
from augkit.core.nearest import one_of
from augkit.core.progress import Progress, silent
from augkit.core.remote_workspace import remote_workspaces
from augkit.core.trackers import require_trackers

if TYPE_CHECKING:
    from rich.console import RenderableType

    from augkit.balance.forecast import Forecast
    from augkit.balance.job import Balance
    from augkit.balance.plan_summary import PlanSummary, RunSummary
    from augkit.core.workspace import Workspace
    from augkit.data.audit.overview import Overview
    from augkit.settings import Settings


@dataclass(frozen=True)
class BalancePlan(Shown):
    """What a target asks for, beside the data it starts from: pairs by class, pixels by part, and a chart of them."""

    summary: PlanSummary
    overview: Overview
    chart: Path
    forecast: Forecast | None = None
    """How long it takes with what has to be trained first; None where nothing has."""
    presets: Mapping[str, Forecast] = field(default_factory=dict)
    """The same with other presets, where that was asked for."""

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return {
            **self.summary.to_dict(), "overview": self.overview.to_dict(), "chart": str(self.chart),
            "forecast": None if self.forecast is None else self.forecast.to_dict(),
            "presets": {name: forecast.to_dict() for name, forecast in self.presets.items()},
        }  # fmt: skip

    def table(self) -> RenderableType:
        """See ``Shown``."""
        from rich.console import Group

        from augkit.report.tables.class_table import part_table
        from augkit.report.tables.forecast_table import forecast_table, preset_table
        from augkit.report.tables.plan_table import plan_table

        times = [] if self.forecast is None else [forecast_table(self.forecast)]
        others = [preset_table(self.presets)] if self.presets else []
        return Group(part_table(self.overview), plan_table(self.summary), *times, *others, f"chart {self.chart}")

    @property
    def pictures(self) -> Sequence[Path]:
        """The chart."""
        return (self.chart,)


@dataclass(frozen=True)
class BalanceResult(Shown):
    """What a run made; ``problems`` says in words what of the target was not reached."""

    plan: PlanSummary
    run: RunSummary
    shards: Path | str
    contact_sheet: Path
    chart: Path

    @property
    def problems(self) -> list[str]:
        """None where all targets hold."""
        return self.run.problems()

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return self.run.to_dict() | self._places()

    def table(self) -> RenderableType:
        """See ``Shown``."""
        from augkit.report.tables.plan_table import run_table

        return run_table(self.run, self._places())

    @property
    def pictures(self) -> Sequence[Path]:
        """Contact sheet and chart."""
        return self.contact_sheet, self.chart

    def _places(self) -> dict[str, str]:
        return {name: str(getattr(self, name)) for name in ("shards", "contact_sheet", "chart")}


@remote_workspaces()
def plan(
    workspace: Place,
    target_per_class: int | None = None,
    *,
    parts: Mapping[str, float] | None = None,
    only: Sequence[str] = (),
    exemplar: str | None = None,
    sources: Sequence[str] | None = None,
    executor: str = "ray",
    fresh: bool = False,
    presets: Sequence[str] = (),
    config: Config = None,
    changes: Changes = (),
    progress: Progress | None = None,
) -> BalancePlan:
    """What ``balance`` with the same words would do, and how long it would take: what has no pace yet is trained for
    some seconds in a temporary folder. ``presets`` are others whose time is asked for."""
    from augkit.balance.forecast import forecast
    from augkit.balance.job_summary import summarize_plan
    from augkit.data.audit.overview import Overview
    from augkit.report.chart import overview_chart

    place = open_workspace(workspace)
    settings = _settings(
        place, config, changes, target=target_per_class, parts=parts, exemplar=exemplar, sources=sources
    )
    job = _open(place, settings, only, executor, fresh)
    overview, summary = Overview.of(job.rows, job.store.schema), summarize_plan(job)
    with shown(progress) as told:
        own = forecast(job, told) if summary.seconds is None else None
        others = {name: _with_preset(job, name, told) for name in presets}
    return BalancePlan(summary, overview, overview_chart(overview, place.reports / "parts.png"), own, others)


def _with_preset(job: Balance, preset: str, progress: Progress) -> Forecast:
    """The time of the same target with the settings of a preset, from the first model on."""
    from augkit.balance.forecast import anew, forecast
    from augkit.core.progress import renamed

    balance = job.settings.balance
    kept = {"balance.target_per_class": balance.target_per_class, "balance.target_parts": balance.target_parts}
    settings = settings_of(job.workspace, preset, kept)
    with tempfile.TemporaryDirectory(prefix="augkit-preset-") as folder:
        other = anew(job.workspace, settings, job.request, Path(folder))
        return forecast(other, renamed(progress, f"timing {preset}"), seconds=1.0)


@remote_workspaces()
def balance(
    workspace: Place,
    target_per_class: int | None = None,
    *,
    parts: Mapping[str, float] | None = None,
    only: Sequence[str] = (),
    exemplar: str | None = None,
    sources: Sequence[str] | None = None,
    executor: str = "ray",
    train: bool = True,
    fresh: bool = False,
    config: Config = None,
    changes: Changes = (),
    progress: Progress | None = None,
    on_plan: Callable[[PlanSummary], None] = silent,
) -> BalanceResult:
    """Generates pairs until every class has its target, and writes them with the real ones as shards.

    ``parts`` are shares of the cars' pixels by part name, ``only`` class names, ``exemplar`` a pair's id or a photo's
    file that all photos take their look from. ``sources`` are what lacking pairs are taken from: ``pseudo`` (photos
    without masks, which a teacher reads, trained first where there are any), ``generated``, and ``rendered``, generated
    ones of rare classes on masks of rendered cars. Without ``train`` a missing model is an error. ``on_plan`` is told
    the plan before the work begins. An interrupted run goes on where it was. See ``BalanceResult.problems`` for what
    was not reached. Raises ConfigError, DataError, and BusyError where another command writes the shards.
    """
    from augkit.balance.job import train_missing
    from augkit.balance.job_summary import summarize_plan, summarize_run
    from augkit.settings import save_settings

    place = open_workspace(workspace)
    settings = _settings(
        place, config, changes, target=target_per_class, parts=parts, exemplar=exemplar, sources=sources
    )
    if "pseudo" in settings.balance.sources:
        _require_read(place, settings, train, progress)
    job = _open(place, settings, only, executor, fresh)
    require_trackers(settings.track)
    planned = summarize_plan(job)
    on_plan(planned)
    if not train:
        _require_models(job)
    with job.alone(), shown(progress) as told:
        save_settings(settings, place.settings)
        train_missing(job, told)
        run = summarize_run(job, job.generate(told))
    return _drawn(place, planned, run)


def _settings(
    place: Workspace, config: Config, changes: Changes, *, target: int | None, parts: Mapping[str, float] | None,
    exemplar: str | None, sources: Sequence[str] | None,
) -> Settings:  # fmt: skip
    given = {
        "balance.target_per_class": target,
        "balance.target_parts": None if parts is None else dict(parts),
        "balance.exemplar": exemplar,
        "balance.sources": None if sources is None else list(sources),
    }
    own = settings_of(place, config, changes)
    return settings_of(place, own, {key: value for key, value in given.items() if value is not None})


def _open(place: Workspace, settings: Settings, only: Sequence[str], executor: str, fresh: bool) -> Balance:
    from augkit.balance.executors import EXECUTORS
    from augkit.balance.job import Balance, BalanceRequest
    from augkit.core.classes import CarClass
    from augkit.data.audit.result import require_sound

    if executor not in EXECUTORS:
        raise ConfigError(f"--executor {executor}", one_of(executor, EXECUTORS))
    classes = tuple(CarClass.parse(name) for name in only)
    job = Balance(place, settings, BalanceRequest(settings.balance.target_per_class, classes, executor, fresh))
    require_sound(place)
    return job


def _require_read(place: Workspace, settings: Settings, train: bool, progress: Progress | None) -> None:
    """Has the teacher trained, and unlabelled photos read, where there are any."""
    from augkit.stages.trainable import TRAINABLE

    reader = TRAINABLE["teacher"].prepare
    with shown(progress) as told:
        reader(place, settings, told, train)


def _require_models(job: Balance) -> None:
    missing = job.untrained()
    if missing:
        raise ConfigError(
            "--no-train, but untrained: " + ", ".join(f"{stage} {name}" for stage, name in missing),
            "trained models for every class that needs pairs",
            "leave --no-train out, or run augkit train",
        )
    if not job.has_judges():
        raise ConfigError(
            "--no-train, but the gate is not fitted on these pairs with these settings",
            "a fitted gate, or none (gate.checks=[])",
            "leave --no-train out, or run augkit gate",
        )


def _drawn(place: Workspace, planned: PlanSummary, run: RunSummary) -> BalanceResult:
    """The run with a sheet of its pairs and a chart of its classes."""
    from augkit.report.chart import class_chart
    from augkit.report.contact_sheet import contact_sheet

    sheet = contact_sheet(place.shards, place.reports / "contact-sheet.png")
    chart = class_chart(run.training, run.outcome.accepted, run.target, place.reports / "classes.png")
    return BalanceResult(planned, run, place.shards, sheet, chart)
