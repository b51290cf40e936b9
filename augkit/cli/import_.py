"""``augkit import``: reads a data set into the workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli._verb import Verb


class _ImportCommand(Verb):
    """Names the importers in its help; they are imported only when that is shown."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from augkit.data.importers import IMPORTERS

        self.epilog = "Importers: " + ", ".join(IMPORTERS)
        super().format_help(ctx, formatter)


@app.command("import", cls=_ImportCommand)
def import_(
    importer: Annotated[str, typer.Argument(help="Kind of data set, e.g. coco; see below.", metavar="IMPORTER")],
    source: Annotated[Path, typer.Argument(help="The data set's folder or file.", metavar="SRC")],
    *,
    workspace: WorkspaceOption = None,
    size: Annotated[int | None, typer.Option("--size", help="Side of the pairs in pixels (data.size).")] = None,
    classes: Annotated[
        Path | None, typer.Option("--classes", help="CSV: file (or id), orientation, doors; overrides the rule.")
    ] = None,
    parts: Annotated[
        Path | None,
        typer.Option("--parts", help="YAML or CSV: name, side, end, kind, mirror; counts more than the parts' names."),
    ] = None,
    annotations: Annotated[
        Path | None, typer.Option("--annotations", help="The file that describes the labels, where SRC leaves doubt.")
    ] = None,
    exclude: Annotated[
        Path | None, typer.Option("--exclude", help="Photos to leave out, one a line (audit --write-exclude).")
    ] = None,
    exif: Annotated[
        str | None,
        typer.Option("--exif", help="upright or stored: how photos with an EXIF orientation lie under labels."),
    ] = None,
    overlap: Annotated[
        str | None,
        typer.Option("--overlap", help="smaller or order: which shape lies on top; by default z_order, else smaller."),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes; any number gives the same result.")] = 1,
    strict: Annotated[bool, typer.Option("--strict", help="Import nothing where any photo has a problem.")] = False,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read photos and part masks into the workspace: canonical pairs and the catalogue.

    An import that was interrupted goes on where it was when the same command is given again.
    """
    from augkit.api.importing import import_dataset
    from augkit.cli._progress import Bars

    chosen = [*(overrides or ()), *([f"data.size={size}"] if size is not None else [])]
    session = open_session(workspace, as_json, config, chosen)
    way: dict[str, Any] = {"exif": exif, "overlap": overlap}
    with Bars() as bars:
        result = import_dataset(
            importer, source, session.workspace, classes=classes, parts=parts, annotations=annotations, exclude=exclude,
            workers=workers, strict=strict, config=session.settings, progress=bars, **way,
        )  # fmt: skip
    session.show(result)
