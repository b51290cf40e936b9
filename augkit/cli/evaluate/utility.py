"""``augkit evaluate utility``: what generated pairs are worth to a segmenter on unseen photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli.evaluate._app import evaluate
from augkit.core.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from augkit.evaluate.utility.study import Study
    from augkit.metrics.intervals import Estimate

MEANS = ("overall", "tail parts", "tail classes")


@evaluate.command("utility")
def utility(
    *,
    arms: Annotated[
        str | None,
        typer.Option("--arms", help="Comma-separated, e.g. real,real+classical; see docs/evaluate.md for all."),
    ] = None,
    ratios: Annotated[
        str | None, typer.Option("--ratios", help="Shares of generated pairs in a batch, comma-separated (0.25,0.5).")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Training runs of each arm.")] = 3,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Steps of every run; by default segmenter.steps.")
    ] = None,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the same segmenter with and without generated pairs; compare both on held-out real photos."""
    from augkit.cli._progress import Bars
    from augkit.evaluate.utility.arms import DEFAULT, RATIOS, arms_of
    from augkit.evaluate.utility.study import compare_arms
    from augkit.report.utility_chart import utility_chart

    session = open_session(workspace, as_json, config, overrides)
    kinds = DEFAULT if arms is None else tuple(word.strip() for word in arms.split(","))
    chosen = arms_of(kinds, RATIOS if ratios is None else _shares(ratios))
    length = steps or session.settings.segmenter.steps
    with Bars() as bars:
        study = compare_arms(session.workspace, session.settings, chosen, seeds, length, report=bars.steps)
    chart = utility_chart(study, session.workspace.reports / "utility.png")
    result = study.to_dict() | {"chart": str(chart)}
    session.keep("utility", result)
    session.emit(result, _page(study))


def _shares(words: str) -> list[float]:
    try:
        return [float(word) for word in words.split(",")]
    except ValueError as error:
        raise ConfigError(f"--ratios {words}", "numbers between 0 and 1 with commas, e.g. 0.25,0.5") from error


def _page(study: Study) -> RenderableType:
    from rich.console import Group

    return Group(_values(study), _deltas(study), _detail(study), study.verdict.sentence)


def _values(study: Study) -> Table:
    table = _table(
        f"Mean IoU in points on {study.photos['overall']} real photos ({study.split}), {study.seeds} seeds, "
        f"{study.steps} steps each; 95 % intervals",
        "arm", ("real", "made", *MEANS),
    )  # fmt: skip
    for result in study.arms:
        cells = [_value(result.figures.get(name)) for name in MEANS]
        table.add_row(result.arm.name, str(result.real), str(result.made), *cells)
    table.caption = (
        f"tail parts: {', '.join(study.tail_parts) or 'none'}\ntail classes: {', '.join(study.tail_classes) or 'none'}"
    )
    return table


def _deltas(study: Study) -> Table:
    table = _table("Differences in points, paired by seed and photo; 95 % intervals", "arm", ("against", *MEANS))
    for compared in study.comparisons:
        cells = [_delta(compared.deltas.get(name)) for name in MEANS]
        table.add_row(compared.arm.name, compared.against.name, *cells)
    return table


def _detail(study: Study) -> Table:
    """A row a part and a class, a column an arm."""
    names = [name for name in study.photos if name not in MEANS]
    tail = {f"part {name}" for name in study.tail_parts} | {f"class {name}" for name in study.tail_classes}
    table = _table("IoU in points by part and class (* tail)", "", ("photos", *(r.arm.name for r in study.arms)))
    for name in names:
        cells = [f"{100 * result.figures[name].value:.1f}" for result in study.arms]
        table.add_row(name + (" *" if name in tail else ""), str(study.photos[name]), *cells)
    return table


def _table(title: str, first: str, columns: tuple[str, ...]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold")
    for column in columns:
        table.add_column(column, justify="right", overflow="fold")
    return table


def _value(figure: Estimate | None) -> str:
    if figure is None:
        return ""
    low, high = figure.interval()
    return f"{100 * figure.value:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def _delta(figure: Estimate | None) -> str:
    if figure is None:
        return ""
    low, high = figure.interval()
    return f"{100 * figure.value:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
