"""``augkit import``: reads a data set into the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer
from typer.core import TyperCommand

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, Session, SetOption, WorkspaceOption, open_session
from augkit.core.errors import ConfigError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from augkit.core.parts import PartSchema
    from augkit.data.catalogue import CatalogueRow
    from augkit.data.reading_way import ReadingWay

_SHOWN_PROBLEMS = 10


class _ImportCommand(TyperCommand):
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
    from augkit.cli._progress import Bars
    from augkit.data.importers import IMPORTERS
    from augkit.data.ingest.class_overrides import read_overrides
    from augkit.data.ingest.ingestion import ingest
    from augkit.data.ingest.part_overrides import read_part_overrides
    from augkit.data.part_name_faults import name_faults
    from augkit.settings import dump_settings

    reader = IMPORTERS[importer]
    chosen = [*(overrides or ()), *([f"data.size={size}"] if size is not None else [])]
    session = open_session(workspace, as_json, config, chosen)
    settings = session.settings
    way = _way(exif, overlap)
    data = reader(source, annotations)
    if overlap is not None and not data.drawn:
        raise ConfigError(
            f"--overlap {overlap}: {importer} reads masks of one part a pixel", "shapes that overlap", "leave it away"
        )
    if parts is not None:
        data = replace(data, schema=read_part_overrides(parts, data.schema))
    decided = read_overrides(classes, data.samples) if classes is not None else {}
    doubts: list[str] = []
    with Bars() as bars:
        rows = ingest(
            data.samples,
            data.schema,
            session.workspace,
            replace(settings.data.options(settings.seed), way=way),
            importer=importer,
            settings=dump_settings(settings),
            overrides=decided,
            workers=workers,
            strict=strict,
            on_row=bars.rows("importing", len(data.samples)),
            on_warning=doubts.append,
        )
    warnings = [
        *data.warnings,
        *doubts,
        *(f"{fault.message}; {fault.remedy}" for fault in name_faults(data.schema, rows)),
    ]
    result = _summary(session, importer, data.schema, rows) | {"warnings": warnings}
    session.emit(result, _page(data.schema, rows, warnings))


def _way(exif: str | None, overlap: str | None) -> ReadingWay:
    from augkit.data.reading_way import Exif, Overlap, ReadingWay

    return ReadingWay(_one_of(exif, Exif, "--exif"), _one_of(overlap, Overlap, "--overlap"))


def _one_of(value: str | None, choices: Any, option: str) -> Any:
    """The value, where it is none or one of a literal type's."""
    known = get_args(choices)
    if value is not None and value not in known:
        raise ConfigError(f"{option} {value}", " or ".join(known))
    return value


def _summary(session: Session, importer: str, schema: PartSchema, rows: Sequence[CatalogueRow]) -> dict[str, Any]:
    from augkit.report.tables.class_table import class_counts

    problems = [{"id": row.id, "file": row.source_file, "problem": row.problem} for row in rows if row.problem]
    return {
        "workspace": str(session.workspace.root),
        "importer": importer,
        "rows": len(rows),
        "pairs": len(rows) - len(problems),
        "parts": list(schema.names[1:]),
        "swaps": [[schema.names[a], schema.names[b]] for a, b in schema.swaps],
        "classes": class_counts(rows),
        "problems": problems,
    }


def _page(schema: PartSchema, rows: Sequence[CatalogueRow], warnings: Sequence[str]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from augkit.report.tables.class_table import class_table

    swaps = [f"{schema.names[a]} / {schema.names[b]}" for a, b in schema.swaps]
    lines = [
        f"{len(schema.parts)} parts: {', '.join(schema.names[1:])}",
        f"left and right: {', '.join(swaps) or 'none (a flip leaves every part as it is)'}",
    ]
    problems = [f"  {row.source_file}: {row.problem}" for row in rows if row.problem]
    end = [f"{len(problems)} of {len(rows)} left out with a problem", *problems[:_SHOWN_PROBLEMS]] if problems else []
    if len(problems) > _SHOWN_PROBLEMS:
        end.append(f"  and {len(problems) - _SHOWN_PROBLEMS} more; --json lists all")
    warned = [Text.assemble(("warning", "bold yellow"), f" {text}") for text in warnings]
    return Group(Text("\n".join(lines)), class_table(rows), Text("\n".join(end)), *warned)
