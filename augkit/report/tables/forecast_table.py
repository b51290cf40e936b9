"""How long a job will take, stage by stage, and with other presets."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from augkit.balance.forecast import Forecast
from augkit.core.duration import words


def forecast_table(forecast: Forecast) -> Table:
    """A row a stage; the gate's judging of real pairs is not in it."""
    table = Table("stage", "runs", "steps", "a step", "time", "measured by", title=f"Time: about {_total(forecast)}")
    for stage in forecast.stages:
        pace = f"{stage.pace:.3g} s"
        table.add_row(stage.name, str(stage.runs), str(stage.steps), pace, words(stage.seconds), stage.source)
    table.add_row("generation", "", "", "", words(forecast.generation), "one pair")
    return table


def preset_table(forecasts: Mapping[str, Forecast]) -> Table:
    """A row a preset: what the same target would take with it."""
    table = Table("preset", "time", title="The same with other presets")
    for name, forecast in forecasts.items():
        table.add_row(name, _total(forecast))
    return table


def _total(forecast: Forecast) -> str:
    unknown = f"; not known: {', '.join(forecast.unknown)}" if forecast.unknown else ""
    return words(forecast.seconds) + unknown
