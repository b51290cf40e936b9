"""``augkit compare``: generators trained under one budget, in one table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augkit.cli._app import app
from augkit.cli._extractor import ExtractorOption, WeightsOption
from augkit.cli._session import JsonOption, Session, SetOption, WorkspaceOption, open_session
from augkit.cli._verb import Verb
from augkit.core.errors import ConfigError

if TYPE_CHECKING:
    from augkit.evaluate.benchmark import BenchmarkEntry, BenchmarkResult

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@app.command("compare", cls=Verb)
def compare(
    configs: Annotated[
        list[str], typer.Argument(help="YAML files or presets; each sets one section: mask, image or unconditional.")
    ],
    *,
    budget: Annotated[str, typer.Option("--budget", help="Training time of each: 90s, 5m, 1h.")] = "5m",
    extractor: ExtractorOption = "lite0",
    weights: WeightsOption = None,
    init_from: Annotated[
        Path | None,
        typer.Option("--init-from", help="The run that configurations start from which have an init_from."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Train again what an earlier comparison has trained.")] = False,
    workspace: WorkspaceOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train generators under the same budget and compare what they make with held-out pictures."""
    from augkit.report.tables.benchmark_table import benchmark_table

    session = open_session(workspace, as_json)
    seconds = _seconds(budget)
    entries = [_entry(config, overrides or (), init_from) for config in configs]
    if init_from is not None and not any(entry.chosen.init_from for entry in entries):
        raise ConfigError(
            f"--init-from {init_from}, but no configuration starts from another run",
            "one that sets init_from",
            "add e.g. configs/reports/two-stage-pix2pixhd-pretrained.yaml, or leave it out",
        )
    twice = {entry.name for entry in entries if sum(entry.name == other.name for other in entries) > 1}
    if twice:
        raise ConfigError(f"several configurations are named {', '.join(sorted(twice))}", "names that differ")
    waiting = {} if init_from is not None else _waiting(session, entries)
    ready = [entry for entry in entries if entry.name not in waiting]
    results = _run(session, ready or entries, seconds, (extractor, weights), fresh)
    result = {"budget_seconds": seconds, "results": [asdict(result) for result in results], "waiting": waiting}
    session.emit(result, benchmark_table(results, seconds, waiting))


def _waiting(session: Session, entries: Sequence[BenchmarkEntry]) -> dict[str, str]:
    """What is not compared, by name: it starts from a run that is not there. A run that is there has to fit."""
    starts = {entry.name: entry.chosen.rooted(session.workspace.root).init_from for entry in entries}
    return {
        name: f"no run to start from at {start}; name one with --init-from RUN"
        for name, start in starts.items()
        if start is not None and not Path(start).exists()
    }


def _run(
    session: Session, entries: Sequence[BenchmarkEntry], seconds: float, extractor: tuple[str, Path | None], fresh: bool
) -> list[BenchmarkResult]:  # fmt: skip
    from augkit.cli._progress import Bars
    from augkit.evaluate.benchmark import run_benchmark, save_results

    with Bars() as bars:
        results = run_benchmark(
            session.workspace, entries, seconds, extractor=extractor[0], weights=extractor[1], fresh=fresh,
            progress=bars,
        )  # fmt: skip
    save_results(results, session.workspace.reports / "compare.json")
    return results


def _seconds(budget: str) -> float:
    """``5m`` -> 300."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", budget)
    if not found or float(found[1]) == 0:
        raise ConfigError(f"--budget {budget}", "a number and a unit: 90s, 5m, 1h")
    return float(found[1]) * _UNITS[found[2]]


def _entry(config: str, overrides: Sequence[str], init_from: Path | None) -> BenchmarkEntry:
    """The generator that a file describes: the one section that it sets."""
    from augkit.core.presets import parse_yaml
    from augkit.evaluate.benchmark import SECTIONS, BenchmarkEntry
    from augkit.settings import load_settings, preset_path

    path = preset_path(config)
    tree = parse_yaml(path)
    tree = tree if isinstance(tree, dict) else {}
    sections = sorted(set(SECTIONS) & set(tree))
    if len(sections) != 1:
        raise ConfigError(
            f"{path}: sets {' and '.join(sections) or 'neither mask nor image nor unconditional'}",
            "one of the sections mask, image and unconditional: the generator to compare",
        )
    section = sections[0]
    started = init_from is not None and isinstance(tree[section], dict) and bool(tree[section].get("init_from"))
    start = [f"{section}.init_from={init_from.resolve()}"] if init_from is not None and started else []
    return BenchmarkEntry(path.stem, SECTIONS[section], load_settings(path, [*overrides, *start]))
