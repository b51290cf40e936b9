"""``augkit view``: page through shards, in the terminal or as a contact sheet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from augkit.cli._app import app
from augkit.cli._session import JsonOption, WorkspaceOption, open_session
from augkit.cli._verb import Verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from augkit.report.browse import ChosenRows
    from augkit.report.image_cache import ImageCache

NEXT, PREVIOUS, QUIT = ("n", " ", "\x1b[C", "\r"), ("p", "\x1b[D"), ("q", "\x1b", "\x03", "\x04")
SHEET, WIDEST = 60, 40


@app.command("view", cls=Verb)
def view(
    *,
    classes: Annotated[list[str] | None, typer.Option("--class", help="This class only; may be repeated.")] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option("--source", help="real, pseudo, generated, classical, painted, rendered; repeatable."),
    ] = None,
    rejected: Annotated[bool, typer.Option("--rejected", help="What the gate rejected, with the reasons.")] = False,
    sort: Annotated[
        str, typer.Option("--sort", help="A score (-NAME: the highest first), or rank (the worst first).")
    ] = "",
    sheet: Annotated[Path | None, typer.Option("--sheet", help="Write a contact sheet (PNG) instead.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Pairs on the contact sheet.")] = SHEET,
    page: Annotated[int, typer.Option("--page", min=1, help="The page to begin with.")] = 1,
    shards: Annotated[str | None, typer.Option("--shards", help="Other shards: a folder or URL.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at the pairs of the shards: photo, mask, class and scores. Keys: n next, p previous, q leave."""
    from augkit.core.classes import CarClass
    from augkit.core.storage import open_storage
    from augkit.report.browse import RANK, RowSelection, describe, draw_sheet, select_rows
    from augkit.report.image_cache import ImageCache
    from augkit.shards.index import load_manifest

    session = open_session(workspace, as_json)
    storage = open_storage(shards or session.workspace.shards)
    if sort == "standing":
        session.console.print("[yellow]warning[/]: --sort standing is called --sort rank now")
        sort = RANK
    names = tuple(CarClass.parse(name).name for name in classes or ())
    rows = select_rows(storage, RowSelection(names, _known(sources), rejected, sort))
    images = ImageCache(storage, load_manifest(storage).schema)
    if sheet is not None:
        path = str(draw_sheet(rows[:limit], images, sheet))
        text = f"{path}: {min(limit, len(rows))} of {len(rows)} pairs"
        session.emit({"sheet": path, "pairs": min(limit, len(rows)), "fitting": len(rows)}, text)
    elif as_json:
        session.emit({"fitting": len(rows), "pairs": [describe(row) for row in rows[:limit]]}, "")
    else:
        _browse(session.console, rows, images, page)


def _known(sources: Sequence[str] | None) -> tuple[str, ...]:
    from augkit.core.errors import ConfigError
    from augkit.shards.writer import SOURCES

    strange = [source for source in sources or () if source not in SOURCES]
    if strange:
        raise ConfigError(f"--source {', '.join(strange)}", "one of " + ", ".join(SOURCES))
    return tuple(sources or ())


def _browse(console: Console, rows: ChosenRows, images: ImageCache, page: int) -> None:
    """One page after the other as keys ask for them; a single one where nobody can press any."""
    from augkit.report.browse import terminal_entry

    width, a_page = _room(console)
    last = -(-len(rows) // a_page)
    place = min(page, last)
    interactive = console.is_terminal and sys.stdin.isatty()
    while True:
        if interactive:
            console.clear()
        shown = rows[(place - 1) * a_page : place * a_page]
        for row in shown:
            console.print(terminal_entry(row, images, width))
        keys = "; n next, p previous, q leave" if interactive else ""
        console.print(f"page {place} of {last}, {len(rows)} pairs{keys}")
        if not interactive:
            return
        key = typer.getchar()
        if key in QUIT:
            return
        place = min(last, place + 1) if key in NEXT else max(1, place - 1) if key in PREVIOUS else place


def _room(console: Console) -> tuple[int, int]:
    """Columns of a picture, and pairs on a page: two pictures and a column of text side by side."""
    width = max(8, min(WIDEST, (console.width - 4) * 2 // 7)) // 2 * 2
    return width, max(1, (console.height - 2) // (width // 2 + 1))
