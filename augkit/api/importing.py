"""A data set into a workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augkit.api.bars import shown
from augkit.api.opened import Changes, Config, Place, open_workspace, settings_of
from augkit.api.photo_importing import ImportedPhotos, refuse_for_photos
from augkit.api.shown import Shown
from augkit.core.errors import ConfigError
from augkit.core.remote_workspace import remote_workspaces

if TYPE_CHECKING:
    from rich.console import RenderableType

    from augkit.core.parts import PartSchema
    from augkit.core.progress import Progress
    from augkit.core.workspace import Workspace
    from augkit.data.catalogue import CatalogueRow
    from augkit.data.reading_way import Exif, Overlap
    from augkit.data.samples import SampleSet

_SHOWN_PROBLEMS = 10


@dataclass(frozen=True)
class ImportedDataset(Shown):
    """What an import read: a row for every photo, and what is doubtful, in words."""

    workspace: Workspace
    importer: str
    schema: PartSchema
    rows: Sequence[CatalogueRow]
    warnings: Sequence[str]

    @property
    def problems(self) -> list[CatalogueRow]:
        """The rows that were left out."""
        return [row for row in self.rows if row.problem]

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        from augkit.report.tables.class_table import class_counts

        names, problems = self.schema.names, self.problems
        return {
            "workspace": str(self.workspace.root),
            "importer": self.importer,
            "rows": len(self.rows),
            "pairs": len(self.rows) - len(problems),
            "parts": list(names[1:]),
            "swaps": [[names[a], names[b]] for a, b in self.schema.swaps],
            "classes": class_counts(self.rows),
            "doors": self.doors,
            "problems": [{"id": row.id, "file": row.source_file, "problem": row.problem} for row in problems],
            "warnings": list(self.warnings),
        }

    def table(self) -> RenderableType:
        """See ``Shown``."""
        from rich.console import Group
        from rich.text import Text

        from augkit.report.tables.class_table import class_table

        names = self.schema.names
        swaps = [f"{names[a]} / {names[b]}" for a, b in self.schema.swaps]
        lines = [
            f"{len(self.schema.parts)} parts: {', '.join(names[1:])}",
            f"left and right: {', '.join(swaps) or 'none (a flip leaves every part as it is)'}",
        ]
        lines_below = [*([self.doors] if self.doors else []), *self._left_out()]
        warned = [Text.assemble(("warning", "bold yellow"), f" {text}") for text in self.warnings]
        return Group(Text("\n".join(lines)), class_table(self.rows), Text("\n".join(lines_below)), *warned)

    @property
    def doors(self) -> str:
        """Why doors are unknown, where they are."""
        from augkit.data.unknown_doors import unknown_doors

        return unknown_doors(self.rows, self.schema)

    def _left_out(self) -> list[str]:
        problems = [f"  {row.source_file}: {row.problem}" for row in self.problems]
        if not problems:
            return []
        shown_ones = problems[:_SHOWN_PROBLEMS]
        more = [f"  and {len(problems) - len(shown_ones)} more; --json lists all"] if shown_ones != problems else []
        return [f"{len(problems)} of {len(self.rows)} left out with a problem", *shown_ones, *more]


@remote_workspaces()
def import_dataset(
    importer: str,
    source: str | Path,
    workspace: Place,
    *,
    classes: str | Path | None = None,
    parts: str | Path | None = None,
    annotations: str | Path | None = None,
    exif: Exif | None = None,
    overlap: Overlap | None = None,
    exclude: str | Path | None = None,
    workers: int = 1,
    strict: bool = False,
    config: Config = None,
    changes: Changes = (),
    progress: Progress | None = None,
) -> ImportedDataset | ImportedPhotos:
    """Reads photos and part masks into the workspace: canonical pairs and the catalogue.

    ``importer`` is e.g. ``coco``, ``source`` the data set's folder or file, ``annotations`` the file of labels where
    that leaves doubt. ``classes`` is a CSV file that overrides the rule for classes, ``parts`` a file that says what
    parts are, ``exclude`` one of photos to leave out; photos without masks (importer ``photos``) join what is there.
    With ``strict`` a photo with a problem is an error. An interrupted import goes on where it was. Raises ConfigError,
    DataError, SchemaError.
    """
    from augkit.data.importers import IMPORTERS
    from augkit.data.ingest.class_overrides import read_overrides
    from augkit.data.ingest.exclusion import exclude as without
    from augkit.data.ingest.ingestion import ingest
    from augkit.data.ingest.part_overrides import read_part_overrides
    from augkit.data.ingest.photo_ingestion import ingest_photos
    from augkit.data.part_name_faults import name_faults
    from augkit.data.reading_way import ReadingWay
    from augkit.settings import dump_settings

    reader = IMPORTERS[importer]
    place = open_workspace(workspace)
    settings = settings_of(place, config, changes)
    options = replace(settings.data.options(settings.seed), way=ReadingWay(exif, overlap))
    data = reader(Path(source), None if annotations is None else Path(annotations))
    if exclude is not None:
        data = replace(data, samples=without(data.samples, Path(exclude)))
    if not data.labelled:
        refuse_for_photos(classes=classes, parts=parts, overlap=overlap)
        with shown(progress) as told:
            outcome = ingest_photos(
                data.samples, place, options, importer=importer, workers=workers, strict=strict,
                on_row=RowCount("importing", len(data.samples), told),
            )  # fmt: skip
        return ImportedPhotos(place, importer, outcome)
    _refuse_idle_overlap(overlap, importer, data)
    if parts is not None:
        data = replace(data, schema=read_part_overrides(Path(parts), data.schema))
    decided = read_overrides(Path(classes), data.samples) if classes is not None else {}
    doubts: list[str] = []
    with shown(progress) as told:
        rows = ingest(
            data.samples, data.schema, place, options, importer=importer, settings=dump_settings(settings),
            overrides=decided, workers=workers, strict=strict,
            on_row=RowCount("importing", len(data.samples), told), on_warning=doubts.append,
        )  # fmt: skip
    faults = [f"{fault.message}; {fault.remedy}" for fault in name_faults(data.schema, rows)]
    return ImportedDataset(place, importer, data.schema, rows, [*data.warnings, *doubts, *faults])


class RowCount:
    """Tells of each row that is done."""

    def __init__(self, name: str, total: int, progress: Progress) -> None:
        self._name, self._total, self._progress, self._done = name, total, progress, 0

    def __call__(self, row: CatalogueRow) -> None:
        """One more."""
        del row
        self._done += 1
        self._progress(self._name, self._done, self._total)


def _refuse_idle_overlap(overlap: str | None, importer: str, data: SampleSet) -> None:
    if overlap is not None and not data.drawn:
        raise ConfigError(
            f"--overlap {overlap}: {importer} reads masks of one part a pixel", "shapes that overlap", "leave it away"
        )
