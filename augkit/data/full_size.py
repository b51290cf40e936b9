"""Real pairs as their data set has them, in full size and in the source photo's coordinates.

A workspace keeps canonical cuts alone, and the catalogue knows where each was cut. So the data set is read again, and
what is found must be what was imported: the photo's bytes, and the mask that the cut gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import PartSchema, histogram
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, read_catalogue, usable
from augkit.data.crop import Window, cut
from augkit.data.importers import IMPORTERS
from augkit.data.photo_decoding import open_picture
from augkit.data.reading_way import ReadingWay
from augkit.data.samples import LoadedSample, Sample, read
from augkit.shards.codec import encode_mask, encode_photo

_ORIENTATION = 0x0112
_UPRIGHT = 1


@dataclass(frozen=True)
class EncodedPair:
    """A photo (JPEG) and its mask (PNG of part ids), encoded."""

    photo: bytes
    mask: bytes


@dataclass(frozen=True)
class FullSizePairs:
    """The real pairs of a workspace, by id, and the samples that they were cut from."""

    rows: Mapping[str, CatalogueRow]
    samples: Mapping[str, Sample]
    channels: int
    way: ReadingWay

    @classmethod
    def open(cls, workspace: Workspace, source: Path, annotations: Path | None, way: ReadingWay) -> FullSizePairs:
        """Raises ConfigError where the workspace was not imported from a data set, DataError where this is another."""
        rows = {row.id: row for row in usable(read_catalogue(workspace.require_catalogue()))}
        importers = sorted({row.importer for row in rows.values()})
        if len(importers) != 1 or importers[0] not in IMPORTERS:
            raise ConfigError(
                f"{source}: the pairs of {workspace.root} come from {', '.join(importers)}",
                "a workspace that one data set was imported into",
                "export canonical pairs: leave --full-size out",
            )
        data, schema = IMPORTERS[importers[0]](source, annotations), PartSchema.load(workspace.schema)
        if data.schema.names != schema.names:
            raise DataError(
                f"{source}: its parts are {', '.join(data.schema.names[1:])}",
                f"those of {workspace.schema}: {', '.join(schema.names[1:])}",
                "name the data set that the workspace was imported from",
            )
        return cls(rows, {sample.id: sample for sample in data.samples}, schema.channels, way)

    def read(self, id: str) -> EncodedPair:
        """A pair in full size. Raises DataError where it is not what was imported."""
        row, sample = self.rows.get(id), self.samples.get(id)
        if row is None or sample is None:
            where = "the catalogue" if row is None else "the data set"
            raise DataError(f"{id}: not in {where}", "the photos that were imported", "import the data set again")
        try:
            found = read(sample, self.way)
        except (DataError, OSError) as error:
            raise DataError(f"{row.source_file}: {error}", "the photo that was imported") from error
        if found.sha256 != row.sha256:
            raise DataError(f"{row.source_file}: the photo has changed", "the bytes that were imported", _AGAIN)
        self._require_same_mask(found, row)
        return EncodedPair(_jpeg(sample, found), encode_mask(found.mask))

    def _require_same_mask(self, found: LoadedSample, row: CatalogueRow) -> None:
        window = Window(row.crop_x, row.crop_y, row.crop_side)
        same = found.mask.shape == (row.height, row.width)
        mask = cut(found.photo, found.mask, window, row.size)[1] if same else found.mask
        if not same or histogram(mask, self.channels).tolist() != row.histogram:
            remedy = f"give the options of the import (--annotations, --exif, --overlap), or {_AGAIN}"
            raise DataError(f"{row.source_file}: the mask is not that of the import", "the same annotation", remedy)


_AGAIN = "import the data set again"


def _jpeg(sample: Sample, found: LoadedSample) -> bytes:
    """The file's own bytes where it is a JPEG that every reader shows as the mask lies, else encoded again."""
    source = sample.photo() if callable(sample.photo) else sample.photo
    if isinstance(source, bytes):
        with open_picture(source) as picture:
            upright = picture.getexif().get(_ORIENTATION, _UPRIGHT) == _UPRIGHT
            if picture.format == "JPEG" and picture.mode in ("RGB", "L") and upright:
                return source
    return encode_photo(found.photo)[0]
