"""Real pairs that no generator and no segmenter was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from augkit.core.errors import DataError, ShardError
from augkit.core.parts import PartSchema
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.pair import Pair
from augkit.stages.segmenter import ShardPairs
from augkit.stages.training_mix import EncodedPairs, training_mix

SPLITS = ("test", "val")
"""The first that has pairs: those of ``test`` decided nothing at all."""
CHOOSING = "val"
"""What may decide."""


@dataclass(frozen=True)
class HeldOut:
    """Pairs at the segmenter's size; ``digest`` is of their keys and bytes."""

    split: str
    items: tuple[Pair, ...]
    schema: PartSchema
    digest: int

    @classmethod
    def of(cls, pairs: EncodedPairs, split: str, size: int) -> HeldOut:
        """The pairs of a split."""
        sums = (pairs.index[name].to_pylist() for name in ("key", "photo_crc32", "mask_crc32"))
        digest = derive(size, *(f"{key}:{photo}:{mask}" for key, photo, mask in zip(*sums, strict=True)))
        read = ShardPairs(pairs, size, "none")
        return cls(split, tuple(read.plain(place) for place in range(len(read))), pairs.schema, digest)

    @property
    def classes(self) -> list[str]:
        """The class name of each pair."""
        return [item.car_class.name for item in self.items]


def held_out(workspace: Workspace, size: int, splits: Sequence[str] = SPLITS) -> HeldOut:
    """Of the first of the splits that has pairs.

    Raises ShardError where there are no shards, DataError where no real pair in them is of these splits.
    """
    training_mix(workspace, "real")
    for split in splits:
        try:
            shards = training_mix(workspace, "real", split)
        except ShardError:
            continue
        return HeldOut.of(shards, split, size)
    raise none_held_out(splits, "the shards")


def none_held_out(splits: Sequence[str], place: str) -> DataError:
    """The error where there is nothing to measure on."""
    return DataError(
        f"no real pair of the splits {' or '.join(splits)} in {place}", "real photos to measure segmenters on",
        "import again with " + " or ".join(f"data.{split}_share" for split in splits) + ", and balance again",
    )  # fmt: skip
