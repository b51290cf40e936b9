"""Real pairs as they go into shards: copied where they fit, else at the size and in the codec of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from augkit.balance.plan import PlanRow
from augkit.balance.shard_job import Job, PairFormat, ShardReport
from augkit.core.classes import CarClass
from augkit.core.parts import Mask, PartSchema, histogram
from augkit.core.progress import Progress
from augkit.core.regular_file import PICTURE, read_regular
from augkit.data.catalogue import CatalogueRow
from augkit.data.pair import Pair
from augkit.data.pair_files import read_mask, read_photo
from augkit.shards.codec import encode_mask
from augkit.shards.writer import PairRecord, ShardWriter


@dataclass(frozen=True)
class RealPairCopier:
    """What copies real pairs into shards; ``rows`` are the usable ones by id."""

    job: Job
    schema: PartSchema
    rows: Mapping[str, CatalogueRow]

    def copy(self, row: PlanRow, writer: ShardWriter, progress: Progress) -> ShardReport:
        """Adds the plan row's pairs."""
        del progress
        for key in row.keys:
            real = self.rows[key]
            files = self.job.workspace.photo(key), self.job.workspace.mask(key)
            photo, extension, mask_png, mask = stored_files(*files, real.size, real.car_class, self.job.format)
            size, counts = self.job.format.size, histogram(mask, self.schema.channels)
            record = PairRecord(
                key=key, split=real.split, source="real", orientation=real.orientation, doors=real.doors, seed=0,
                mask_model="", image_model="", width=size, height=size, histogram=counts.tolist(),
            )  # fmt: skip
            writer.add(record, photo, extension, mask_png)
        return ShardReport(row.shard, "", row.want, row.want, row.want, {})


def stored_files(
    photo: Path, mask: Path, size: int, car_class: CarClass, stored: PairFormat
) -> tuple[bytes, str, bytes, Mask]:
    """The files of a pair of ``size`` px as they are where that fits, else resized and encoded like generated ones:
    photo, extension, mask; and the mask's part ids."""
    ids = read_mask(mask)
    if size == stored.size and not stored.lossless:
        return read_regular(photo, PICTURE), "jpg", read_regular(mask, PICTURE), ids
    pair = Pair(read_photo(photo), ids, car_class).resize(stored.size)
    return *stored.encode(pair.photo), encode_mask(pair.mask), pair.mask
