"""Shards as a data set that other tools train on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augkit.api.bars import shown
from augkit.api.opened import Place, open_workspace
from augkit.api.shown import Shown
from augkit.core.errors import ConfigError
from augkit.core.plain_yaml import load_plain
from augkit.core.remote_workspace import remote_workspaces

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import RenderableType

    from augkit.core.progress import Progress
    from augkit.core.storage import Storage
    from augkit.core.workspace import Workspace
    from augkit.data.full_size import EncodedPair
    from augkit.data.reading_way import Exif, Overlap
    from augkit.export.export_folder import ExportBatch
    from augkit.export.export_format import ExportFormat, ExportHeading, ExportItem
    from augkit.shards.index_check import Where

    ReadPair = Callable[[Mapping[str, Any]], tuple[EncodedPair, str]]
    """From a row of the index: its pair, and what ends the photo's name."""

_CONDITION = re.compile(r"\s*(\w+)\s*(==|!=|<=|>=|<|>|not in\b|in\b)\s*(.+)")


@dataclass(frozen=True)
class ExportedDataset(Shown):
    """What was exported: the folder, its format, and pairs by split."""

    folder: Path
    format: str
    pairs: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return {"folder": str(self.folder), "format": self.format, "pairs": dict(self.pairs)}

    def table(self) -> RenderableType:
        """See ``Shown``."""
        counts = ", ".join(f"{split} {count}" for split, count in self.pairs.items())
        return f"{self.folder}: {sum(self.pairs.values())} pairs as {self.format} ({counts})"


@dataclass(frozen=True)
class FullSize:
    """The data set that the workspace was imported from, and what the import was told of reading it."""

    source: str | Path
    annotations: str | Path | None = None
    exif: Exif | None = None
    overlap: Overlap | None = None


@remote_workspaces()
def export(
    workspace: Place,
    format: str,
    folder: str | Path,
    *,
    shards: str | Path | None = None,
    where: Where | None = None,
    sources: Sequence[str] = (),
    splits: Sequence[str] = (),
    full_size: FullSize | None = None,
    options: Mapping[str, Any] | None = None,
    license: str | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> ExportedDataset:
    """Writes the accepted pairs of the workspace's shards (or of others) into ``folder``, in a format of
    ``augkit.export``; ``options`` are the format's own.

    ``where`` filters by columns of the index (see ``ShardDataset``), ``sources`` and ``splits`` by words. With
    ``full_size`` real pairs are taken from their data set: whole photos, in their own coordinates. The folder appears
    when all is in it; an interrupted export goes on, and ``fresh`` replaces what is there. ``license`` is the Hub's
    word for it, by default that of the shards' card. No other command of this machine writes the shards meanwhile.
    Raises ConfigError, DataError, ShardError, BusyError.
    """
    from augkit.core.lock import unchanging
    from augkit.core.storage import LocalStorage, open_storage
    from augkit.export import EXPORTERS
    from augkit.export.export_folder import ExportFolder

    place, target = open_workspace(workspace), Path(folder)
    form = _format(EXPORTERS[format], format, options or {})
    storage = open_storage(place.shards if shards is None else shards)
    with unchanging(storage.root) if isinstance(storage, LocalStorage) else nullcontext():
        rows = _rows(storage, where, sources, splits)
        heading = _heading(storage, license, rows.num_rows)
        made_of = {
            "format": format, "options": form.model_dump(mode="json"), "license": heading.license,
            "augkit": heading.version, "pairs": _digest(rows), "parts": heading.schema.digest,
            "full_size": full_size is not None,
        }  # fmt: skip
        read = _stored(storage) if full_size is None else _full_size(storage, place, full_size)
        with shown(progress) as told:
            batches = _batches(rows, form.at_once, read)
            summary = ExportFolder(target, made_of).write(form, heading, batches, fresh, told)
    return ExportedDataset(target, format, summary["pairs"])


def _heading(storage: Storage, license: str | None, pairs: int) -> ExportHeading:
    from augkit import __version__
    from augkit.export.export_format import ExportHeading
    from augkit.shards.card import license_of
    from augkit.shards.index import load_manifest

    schema = load_manifest(storage).schema
    return ExportHeading(schema, license or license_of(storage), f"Car parts: {pairs} pairs", __version__)


def parse_where(texts: Iterable[str]) -> list[tuple[str, str, Any]]:
    """``score_detail>0.2`` or ``class in [front-left-5, back-left-3]`` -> conditions. Raises ConfigError."""
    conditions = []
    for text in texts:
        found = _CONDITION.fullmatch(text)
        try:
            value = load_plain(found[3]) if found else None
        except ValueError:
            found = None
        if not found or (found[2] in ("in", "not in") and not isinstance(value, list)):
            raise ConfigError(
                f"--where {text}", "COLUMN OPERATOR VALUE, with == != < <= > >= in, not in",
                "e.g. --where 'score_detail>0.2' or --where 'class in [front-left-5, back-left-3]'",
            )  # fmt: skip
        conditions.append((found[1], found[2], value))
    return conditions


def parse_options(texts: Iterable[str]) -> dict[str, Any]:
    """``segmentation=polygons`` -> options of a format. Raises ConfigError."""
    pairs = [text.partition("=") for text in texts]
    for name, equals, _ in pairs:
        if not equals:
            raise ConfigError(f"--option {name}", "NAME=VALUE", "augkit export --help lists each format's options")
    try:
        return {name.strip(): load_plain(value) for name, _, value in pairs}
    except ValueError as error:
        raise ConfigError(
            f"--option: {error}", "plain values as YAML writes them", "quote it, for the shell too"
        ) from error


def _format(kind: type[ExportFormat], name: str, options: Mapping[str, Any]) -> ExportFormat:
    from pydantic import ValidationError

    from augkit.settings.faults import fault_line

    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        faults = [fault_line(kind, fault) for fault in error.errors()]
        known = ", ".join(kind.model_fields) or "no options"
        raise ConfigError(f"options of {name}: {'; '.join(faults)}", known) from error


def _rows(storage: Storage, where: Where | None, sources: Sequence[str], splits: Sequence[str]) -> pa.Table:
    from augkit.shards.index import load_index
    from augkit.shards.reader import accepted_rows
    from augkit.shards.writer import SOURCES, SPLITS

    rows = accepted_rows(load_index(storage), where, storage)
    for column, words, known in (("source", sources, SOURCES), ("split", splits, SPLITS)):
        if strange := [word for word in words if word not in known]:
            raise ConfigError(f"--{column} {', '.join(strange)}", "one of " + ", ".join(known))
        if words:
            rows = accepted_rows(rows, [(column, "in", list(words))], storage)
    return rows


def _digest(rows: pa.Table) -> str:
    """Of what the pairs are: keys, splits and the checksums of their bytes."""
    state = hashlib.sha256()
    for name in ("key", "split", "photo_crc32", "mask_crc32"):
        state.update(repr(rows[name].to_pylist()).encode())
    return state.hexdigest()


def _batches(rows: pa.Table, size: int, read: ReadPair) -> list[ExportBatch]:
    from augkit.export.export_folder import ExportBatch
    from augkit.export.export_format import SPLITS, ExportItem

    def item(place: int) -> ExportItem:
        row = rows.slice(place, 1).to_pylist()[0]
        pair, extension = read(row)
        return ExportItem(row["key"], row["split"], row["source"], row["class"], pair.photo, extension, pair.mask)

    places: dict[str, list[int]] = {split: [] for split in SPLITS}
    for place, split in enumerate(rows["split"].to_pylist()):
        places[split].append(place)
    return [
        ExportBatch(f"{split}-{number:05d}", split, own[begin : begin + size], item)
        for split, own in places.items()
        for number, begin in enumerate(range(0, len(own), size))
    ]


def _stored(storage: Storage) -> ReadPair:
    from augkit.data.full_size import EncodedPair
    from augkit.shards.reader import read_stored

    def read(row: Mapping[str, Any]) -> tuple[EncodedPair, str]:
        stored = read_stored(storage, row)
        return EncodedPair(stored.photo, stored.mask), row["photo_ext"]

    return read


def _full_size(storage: Storage, place: Workspace, asked: FullSize) -> ReadPair:
    """Real pairs from their data set, made ones as they are stored."""
    from augkit.data.full_size import FullSizePairs
    from augkit.data.reading_way import ReadingWay

    way = ReadingWay(asked.exif, asked.overlap)
    annotations = None if asked.annotations is None else Path(asked.annotations)
    pairs, stored = FullSizePairs.open(place, Path(asked.source), annotations, way), _stored(storage)

    def read(row: Mapping[str, Any]) -> tuple[EncodedPair, str]:
        return (pairs.read(row["key"]), "jpg") if row["source"] == "real" else stored(row)

    return read
