"""``augkit export``: shards as a data set that other tools train on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from augkit.cli._app import app
from augkit.cli._session import JsonOption, WorkspaceOption, open_session
from augkit.cli._verb import Verb
from augkit.core.errors import ConfigError


class _ExportCommand(Verb):
    """Names the formats and their options in its help; they are imported only when that is shown."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from augkit.export import EXPORTERS

        formats = {name: EXPORTERS[name] for name in EXPORTERS}
        described = (f"{name} ({form.about}{_options(form.model_fields)})" for name, form in formats.items())
        self.epilog = "Formats: " + "; ".join(described)
        super().format_help(ctx, formatter)


def _options(fields: Any) -> str:
    given = ", ".join(f"{name}={field.default}" for name, field in fields.items())
    return f"; options {given}" if given else ""


@app.command("export", cls=_ExportCommand)
def export(
    format: Annotated[str, typer.Argument(help="E.g. semantic, coco, yolo; see below.", metavar="FORMAT")],
    folder: Annotated[Path, typer.Argument(help="The folder to write; it appears when all is in it.", metavar="DIR")],
    *,
    where: Annotated[
        list[str] | None, typer.Option("--where", help="A column's condition, e.g. 'score_detail>0.2'; repeatable.")
    ] = None,
    sources: Annotated[
        list[str] | None,
        typer.Option("--source", help="real, pseudo, generated, classical, painted, rendered; repeatable."),
    ] = None,
    splits: Annotated[list[str] | None, typer.Option("--split", help="train, val or test; may be repeated.")] = None,
    full_size: Annotated[
        Path | None,
        typer.Option("--full-size", help="The data set that was imported: real pairs whole, in its coordinates."),
    ] = None,
    annotations: Annotated[
        Path | None, typer.Option("--annotations", help="With --full-size: as the import was told.")
    ] = None,
    exif: Annotated[str | None, typer.Option("--exif", help="With --full-size: as the import was told.")] = None,
    overlap: Annotated[str | None, typer.Option("--overlap", help="With --full-size: as the import was told.")] = None,
    options: Annotated[
        list[str] | None, typer.Option("--option", help="NAME=VALUE of the format; may be repeated.")
    ] = None,
    license: Annotated[
        str | None, typer.Option("--license", help="E.g. cc-by-4.0; by default that of the shards' card.")
    ] = None,
    shards: Annotated[str | None, typer.Option("--shards", help="Other shards: a folder or URL.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Replace what is in the folder.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the accepted pairs of the shards, or some of them, in a format that other tools read.

    An export that was interrupted goes on when the same command is given again.
    """
    from augkit.api.exporting import FullSize, parse_options, parse_where
    from augkit.api.exporting import export as exported
    from augkit.cli._progress import Bars

    session = open_session(workspace, as_json)
    told = {"--annotations": annotations, "--exif": exif, "--overlap": overlap}
    if full_size is None and (idle := [option for option, value in told.items() if value is not None]):
        raise ConfigError(f"{', '.join(idle)} without --full-size", "--full-size SRC: the data set is read with it")
    original = None if full_size is None else FullSize(full_size, annotations, exif, overlap)  # type: ignore[arg-type]
    with Bars() as bars:
        result = exported(
            session.workspace, format, folder, shards=shards, where=parse_where(where) if where else None,
            sources=sources or (), splits=splits or (), full_size=original, options=parse_options(options or ()),
            license=license, fresh=fresh, progress=bars,
        )  # fmt: skip
    session.show(result)
