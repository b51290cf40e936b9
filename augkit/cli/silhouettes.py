"""``augkit silhouettes``: the whole car around the parts of every pair, and data sets prepared with it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augkit.cli._app import app
from augkit.cli._session import JsonOption, Session, WorkspaceOption, open_session
from augkit.cli._verb import CatalogueVerb
from augkit.core.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from augkit.sources.silhouettes.prepared_dataset import Preparation
    from augkit.sources.silhouettes.search import SearchResult


@app.command("silhouettes", cls=CatalogueVerb)
def silhouettes(
    *,
    workspace: WorkspaceOption = None,
    method: Annotated[
        str, typer.Option("--method", help="grabcut (no model), torchvision or detectron2 (Mask R-CNN).")
    ] = "grabcut",
    min_score: Annotated[
        float | None, typer.Option("--min-score", help="What a detector has to be sure of, 0 to 1 (0.9).")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option("--weights", help="The detector's weights; by default its library's own download.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes; any number gives the same result.")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Look again at pairs that were looked at before.")] = False,
    write: Annotated[
        Path | None, typer.Option("--write", help="Folder for a data set of the pairs that have a silhouette.")
    ] = None,
    outside: Annotated[
        str | None, typer.Option("--outside", help="Pixels beside the car in it: keep, green or transparent (keep).")
    ] = None,
    overlay: Annotated[
        bool, typer.Option("--overlay", help="A last part, body, where the car has no other part.")
    ] = False,
    crop: Annotated[bool, typer.Option("--crop", help="Cut its pairs to the car's box.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Find the whole car around the parts of every pair; with --write, prepare a data set with it."""
    from augkit.cli._progress import Bars
    from augkit.data.catalogue import read_catalogue, usable
    from augkit.sources.silhouettes import Options
    from augkit.sources.silhouettes.prepared_dataset import require_empty, write_dataset
    from augkit.sources.silhouettes.search import SearchTask, search

    session = open_session(workspace, as_json)
    recipe = _recipe(write, outside, overlay, crop)
    if write is not None:
        require_empty(write)
    task = SearchTask(session.workspace, method, Options(min_score, weights))
    rows = usable(read_catalogue(session.workspace.require_catalogue()))
    with Bars() as bars:
        outcome = search(task, rows, workers=workers, fresh=fresh, progress=bars)
        kept = [row for row in outcome.rows if not row.dropped]
        if write is not None:
            write_dataset(write, session.workspace, rows, kept, recipe, progress=bars)
    result = _summary(session, method, outcome) | {"written": str(write) if write is not None else None}
    session.emit(result, _page(result))


def _recipe(write: Path | None, outside: str | None, overlay: bool, crop: bool) -> Preparation:
    from augkit.sources.silhouettes.prepared_dataset import Preparation

    given = [("--outside", outside is not None), ("--overlay", overlay), ("--crop", crop)]
    without_effect = [name for name, is_given in given if is_given]
    if write is None and without_effect:
        raise ConfigError(
            f"{', '.join(without_effect)} without --write",
            "--write DIR: these say what is written there",
            "name a folder with --write, or leave them out",
        )
    return Preparation(outside or "keep", overlay, crop)


def _summary(session: Session, method: str, outcome: SearchResult) -> dict[str, Any]:
    from augkit.sources.silhouettes.silhouette_store import BELOW, NO_CAR

    found = outcome.rows
    reasons = Counter(row.dropped for row in found)
    return {
        "workspace": str(session.workspace.root),
        "method": method,
        "pairs": len(found),
        "silhouettes": reasons[""],
        "dropped": {reason: reasons[reason] for reason in (NO_CAR, BELOW)},
        "looked_at_now": outcome.looked_at,
        "dropped_ids": [row.id for row in found if row.dropped],
    }


def _page(result: dict[str, Any]) -> RenderableType:
    from rich.table import Table

    table = Table(title=f"Silhouettes in {result['workspace']}", show_header=False)
    table.add_row("method", result["method"])
    table.add_row("pairs", str(result["pairs"]))
    table.add_row("silhouettes", f"{result['silhouettes']} ({result['looked_at_now']} pairs looked at now)")
    for reason, count in result["dropped"].items():
        table.add_row(f"dropped: {reason}", str(count))
    if result["written"] is not None:
        table.add_row("data set", result["written"])
    return table
