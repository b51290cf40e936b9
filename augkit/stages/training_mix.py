"""Which pairs a segmenter is trained on: real, generated and classical ones, from the shards that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from augkit.core.errors import ShardError
from augkit.core.parts import PartSchema
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue
from augkit.settings import SOURCES, SegmenterSettings, Source
from augkit.shards.index import MANIFEST_FILE
from augkit.shards.reader import ShardDataset
from augkit.train.sampling import Blend, Epochs, Sampling, Then, class_weights


class EncodedPairs(Protocol):
    """Encoded pairs with their rows of the index."""

    schema: PartSchema

    def __len__(self) -> int: ...

    @property
    def index(self) -> pa.Table:
        """A row a pair."""

    @property
    def classes(self) -> list[str]:
        """The class name of each row."""

    def raw(self, index: int) -> tuple[bytes, bytes]:
        """The encoded bytes of photo and mask."""


class TrainingMix:
    """Several shard data sets one after the other. Raises ShardError where their part schemas differ."""

    def __init__(self, parts: Sequence[ShardDataset]) -> None:
        self.schema = parts[0].schema
        if any(part.schema.digest != self.schema.digest for part in parts):
            raise ShardError("shards of different part schemas", "the workspace's parts", "make them again: --fresh")
        names = [name for name in parts[0].index.column_names if all(name in p.index.column_names for p in parts)]
        self.index: pa.Table = pa.concat_tables([part.index.select(names) for part in parts])
        self._parts, self._ends = list(parts), list(accumulate(len(part) for part in parts))

    def __len__(self) -> int:
        return self._ends[-1]

    @property
    def classes(self) -> list[str]:
        """The class name of each row."""
        return [name for part in self._parts for name in part.classes]

    def raw(self, index: int) -> tuple[bytes, bytes]:
        """The encoded bytes of photo and mask."""
        part = int(np.searchsorted(self._ends, index, side="right"))
        return self._parts[part].raw(index - self._ends[part] + len(self._parts[part]))


def training_mix(workspace: Workspace, source: Source, split: str = "train") -> TrainingMix:
    """The pairs of a split that ``segmenter.source`` names.

    Raises ShardError where shards are missing, have other parts than the workspace, or were written under another split
    of its photos.

    Generated pairs are in WORKSPACE/shards, classical ones in WORKSPACE/classical, painted ones in WORKSPACE/painted.
    The first two hold the real ones as well, which are read from the first of them that the source needs, or that
    there is.
    """
    sources = SOURCES[source]
    with_real = {"generated": workspace.shards, "pseudo": workspace.shards, "classical": workspace.classical}
    homes = with_real | {"painted": workspace.painted}
    needed = [with_real[made] for made in sources if made in with_real]
    there = [folder for folder in with_real.values() if open_storage(folder).exists(MANIFEST_FILE)]
    home_of_real = [*needed, *there, workspace.shards][0]
    wanted: dict[Path | str, list[str]] = {}
    for name in sources:
        wanted.setdefault(homes.get(name, home_of_real), []).append(name)
    here = ("split", "==", split)
    pairs = TrainingMix(
        [ShardDataset(folder, where=[here, ("source", "in", names)]) for folder, names in wanted.items()]
    )
    own = PartSchema.load(workspace.schema)
    if pairs.schema.digest != own.digest:
        raise ShardError(
            f"{', '.join(map(str, wanted))}: shards of the parts {', '.join(pairs.schema.names[1:])}",
            f"the workspace's parts: {', '.join(own.names[1:])}",
            "make them again with --fresh",
        )
    _require_present_split(workspace, pairs.index, list(wanted))
    return pairs


def _require_present_split(workspace: Workspace, index: pa.Table, folders: Sequence[Path | str]) -> None:
    """Raises ShardError where a real pair is in another split than the catalogue says, or a made one took over the
    appearance of a photo that is held out now."""
    present = {row.id: row.split for row in read_catalogue(workspace.require_catalogue())}
    names = ("key", "source", "split", "exemplar")
    moved = [
        key
        for key, source, split, exemplar in zip(*(index[name].to_pylist() for name in names), strict=True)
        if (source == "real" and present.get(key, split) != split) or present.get(exemplar, "train") != "train"
    ]
    if moved:
        raise ShardError(
            f"{', '.join(map(str, folders))}: {len(moved)} pairs of another split of the photos, {moved[0]} first",
            "shards written under the present split",
            "make them again with --fresh",
        )


def sampling_of(shards: EncodedPairs, own: SegmenterSettings, batch: float = 0, past: float = 0.0) -> Sampling:
    """Made pairs (generated, classical) take ``generated_share`` of every batch, to within one pair, however many there
    are, until ``generated_until`` of the run; then real pairs take all.

    Where only made or only real ones are there, they take all. ``rare_classes`` as in the settings. ``batch`` pairs
    of a step are of these (by default all), and ``past`` steps lie before the first place.
    """
    made, names = is_made(shards), np.array(shards.classes)
    sides = [np.flatnonzero(side) for side in (~made, made) if side.any()]
    epochs = [Epochs(tuple(rows.tolist()), class_weights(names[rows].tolist(), own.rare_classes)) for rows in sides]
    if len(epochs) == 1:
        return epochs[0]
    mixed_steps = max(0, round(own.generated_until * own.steps) - round(past))
    end = round(mixed_steps * (batch or own.batch))
    return Then(Blend(epochs[0], epochs[1], own.generated_share), epochs[0], end)


def beside_rendered(shards: EncodedPairs, cars: int, own: SegmenterSettings) -> Sampling:
    """What ``sampling_of`` says of the pairs, and as rows after theirs ``cars`` rendered ones: these take
    ``rendered_share`` of every batch, to within one, until ``rendered_until`` of the run."""
    end = own.rendered_until * own.steps
    before = sampling_of(shards, own, own.batch * (1 - own.rendered_share), 0.0)
    drawn = Epochs(tuple(range(len(shards), len(shards) + cars)))
    return Then(
        Blend(before, drawn, own.rendered_share), sampling_of(shards, own, own.batch, end), round(end) * own.batch
    )


def is_made(shards: EncodedPairs) -> NDArray[np.bool_]:
    """(pairs,): those that are not real."""
    return np.array([source != "real" for source in shards.index["source"].to_pylist()])
