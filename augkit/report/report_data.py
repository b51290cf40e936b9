"""What a workspace holds for a report. What is missing or cannot be read becomes a gap, never an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from augkit.core.errors import AugkitError
from augkit.core.parts import PartSchema
from augkit.core.storage import Storage, open_storage
from augkit.core.typed import from_json, read_json
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, read_catalogue, usable
from augkit.report.index_overview import HeldRows, IndexOverview, IndexRows
from augkit.report.rejections import Row
from augkit.shards.commit import read_commit
from augkit.shards.index import MANIFEST_FILE, PLAN_FILE, Manifest, load_manifest
from augkit.shards.index_file import IndexFile
from augkit.shards.writer import COLUMNS

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Gap:
    """Something that the report lacks, and what makes it."""

    what: str
    remedy: str


@dataclass(frozen=True)
class WrittenSettings:
    """The workspace's settings as a report tells them: their ``text``, the seed, and ``target`` training pairs that
    each class was to have."""

    text: str
    seed: int
    target: int


ReadSettings = Callable[[Path], WrittenSettings]
"""From the workspace's file. Raises ConfigError where it cannot be read."""


@dataclass(frozen=True)
class ReportData:
    """What there is. ``index_rows`` are those of every committed shard, also of a run that is not finished, and
    ``index`` is what is told of them.

    ``settings`` and ``manifest`` are None where there are none; ``documents`` are the JSON files of ``reports/`` that
    other verbs wrote, by name without ending.
    """

    workspace: Workspace
    schema: PartSchema
    rows: Sequence[CatalogueRow]
    storage: Storage
    settings: WrittenSettings | None
    manifest: Manifest | None
    index_rows: IndexRows
    index: IndexOverview
    documents: Mapping[str, Any]
    gaps: Sequence[Gap]

    def real(self) -> list[Row]:
        """Rows of the real pairs."""
        return list(self.rows_at(self.index.real).values())

    def rows_at(self, places: Sequence[int]) -> dict[int, Row]:
        """Rows of the index by their places."""
        return dict(zip(places, self.index_rows.at(places), strict=True))

    @property
    def target(self) -> int:
        """Pairs for training that each class was to have; 0 where nobody said."""
        return self.settings.target if self.settings and self.index.rows else 0


def read_report_data(workspace: Workspace, read_settings: ReadSettings) -> ReportData:
    """Reads a workspace. Raises DataError where not even a catalogue is there, and SchemaError without its parts."""
    rows = usable(read_catalogue(workspace.require_catalogue()))
    schema = PartSchema.load(workspace.schema)
    storage, reading = open_storage(workspace.shards), _GapCollector()
    manifest, index_rows, index = reading.shards(storage, schema)
    return ReportData(
        workspace, schema, rows, storage, reading.settings(workspace.settings, read_settings), manifest, index_rows,
        index, reading.documents(workspace.reports), reading.gaps,
    )  # fmt: skip


@dataclass
class _GapCollector:
    """Collects gaps on the way."""

    gaps: list[Gap] = field(default_factory=list)

    def settings(self, path: Path, read: ReadSettings) -> WrittenSettings | None:
        if not path.is_file():
            self.gaps.append(Gap("No settings were written here.", "augkit balance --target-per-class N"))
            return None
        return self._tried(lambda: read(path), None, f"{path.name} cannot be read", "augkit balance")

    def shards(self, storage: Storage, schema: PartSchema) -> tuple[Manifest | None, IndexRows, IndexOverview]:
        if not storage.exists(MANIFEST_FILE):
            rows = self._unfinished(storage)
            return None, rows, IndexOverview.of(rows, schema.channels)
        again = "augkit verify"
        nothing: tuple[IndexRows, IndexOverview] = HeldRows(COLUMNS.empty_table()), IndexOverview()
        manifest = self._tried(lambda: load_manifest(storage), None, "The manifest cannot be read", again)
        if manifest is None:
            return None, *nothing
        if manifest.schema.digest != schema.digest:
            what = f"The shards have other parts ({manifest.schema.channels - 1}) than the workspace's schema"
            self.gaps.append(Gap(f"{what} ({schema.channels - 1}).", "augkit balance --fresh"))
            return None, *nothing

        def finished() -> tuple[IndexRows, IndexOverview]:
            index = IndexFile(storage)
            return index, IndexOverview.of(index, schema.channels)

        return manifest, *self._tried(finished, nothing, "The index cannot be read", again)

    def _unfinished(self, storage: Storage) -> HeldRows:
        """Rows of the shards that an interrupted run committed."""
        names = [name.split("/")[1].removesuffix(".parquet") for name in storage.names() if name.startswith("commits/")]
        commits = [commit for commit in (read_commit(storage, name) for name in names) if commit is not None]
        tables = [COLUMNS.empty_table(), *(commit.table.replace_schema_metadata(None) for commit in commits)]
        rows = HeldRows(pa.concat_tables(tables, promote_options="default"))
        if not commits and not storage.exists(PLAN_FILE):
            self.gaps.append(Gap("There are no shards yet: nothing was generated.", "augkit balance"))
            return rows
        planned = _planned(storage)
        self.gaps.append(
            Gap(
                f"The run was interrupted, or is going on: {len(commits)} of {planned or 'an unknown number of'} "
                "planned shards are committed. This page shows what they hold.",
                "augkit balance",
            )
        )
        return rows

    def documents(self, folder: Path) -> dict[str, Any]:
        found = {}
        for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
            tree = self._tried(lambda path=path: read_json(object, path), None, f"{path.name} is no JSON", "")  # type: ignore[misc]
            if tree is not None:
                found[path.stem] = tree
        return found

    def _tried(self, read: Callable[[], _Result], otherwise: _Result, what: str, remedy: str) -> _Result:
        try:
            return read()
        except AugkitError as error:
            self.gaps.append(Gap(f"{what}: {error.found}; expected: {error.expected}; {error.remedy}.", remedy))
        except (OSError, ValueError) as error:
            self.gaps.append(Gap(f"{what}: {error}.", remedy))
        return otherwise


def _planned(storage: Storage) -> int:
    try:
        return len(from_json(dict[str, Any], storage.read(PLAN_FILE))["rows"])
    except (AugkitError, ValueError, KeyError, TypeError):
        return 0
