"""Shards for a training script: a map-style data set with O(1) access to every pair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, overload
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from augkit.core.errors import ConfigError, ShardError
from augkit.core.storage import Storage, open_storage
from augkit.shards.byte_ranges import REMEDY, ranges_of
from augkit.shards.codec import REDUCED, Mask, decode_mask, decode_mask_png, decode_photo
from augkit.shards.commit import aside_file, tar_file
from augkit.shards.index import Manifest, load_index, load_manifest
from augkit.shards.index_check import Where, select
from augkit.shards.pair_table import PLACES, SharedTable, Texts, load_pairs
from augkit.shards.sample_transforms import Sample, Transform, adapted
from augkit.shards.tallies import count_rows
from augkit.shards.writer import home

__all__ = ["ShardDataset", "StoredPair", "accepted_rows", "decode_mask_png", "read_stored"]


_PLAIN = ("_storage", "schema", "_transform", "_check_crc", "_reduce", "_chosen")


class ShardDataset(Dataset[Sample]):
    """The accepted pairs of a folder or URL of shards that ``where`` keeps (see ``index.Where``).

    ``data[i]`` is ``{"image": (3, H, W) uint8, "mask": (H, W) int64, "key": str, "class": str}``. With a ``transform``
    of albumentations' form it is what ``transform(image=(H, W, 3) uint8, mask=(H, W) uint8)`` returns, with ``key`` and
    ``class`` added; one of torchvision's v2 is given ``image`` and ``mask`` as its ``Image`` and ``Mask``. A slice is a
    data set of its pairs.

    What is handed out is checked: the index as a whole by its sha256 when it is opened, the bytes of each photo and
    mask by their crc32 when they are read (unless ``check_crc`` is off). What is not handed out is not read: headers
    and JSON members of the tars, what is aside, commit records and plan are for `augkit verify`.

    ``reduce`` 2, 4 or 8 gives pairs of a half, a quarter or an eighth of the width and height, before the transform:
    photos by area means while they are decoded, which takes less than decoding them whole; masks by the pixel in the
    middle of each block.

    Works with any start method of ``DataLoader`` workers: files are opened where they are read. Raises ShardError for
    an unfinished data set, an unknown column, a filter that keeps nothing, and bytes that are missing or changed.
    """

    def __init__(
        self,
        path: str | Path,
        where: Where | None = None,
        transform: Transform | None = None,
        check_crc: bool = True,
        *,
        reduce: int = 1,
    ) -> None:
        if reduce not in REDUCED:
            raise ConfigError(f"reduce={reduce}", f"one of {', '.join(map(str, REDUCED))}")
        storage = self._storage = open_storage(path)
        manifest = load_manifest(storage)
        self.schema = manifest.schema
        """The part schema of the masks."""
        self._transform: Transform = adapted(transform)
        self._check_crc, self._reduce = check_crc, reduce
        self._chosen = _Chosen(manifest.index_sha256, where)
        table = load_pairs(storage, manifest, where)
        if not len(table):
            accepted_rows(load_index(storage), where, storage)  # raises
        self._take(table)

    def _take(self, table: pa.Table) -> None:
        """Lays out the pairs to be read at random; numbers are those of the table, not copied."""
        self._table = SharedTable(table)
        storage = self._storage
        self._shards, self._shard_of = _words(table, "shard")
        self._class_names, self._class_of = _words(table, "class")
        self._splits = _words(table, "split")
        self._places = [self._shard_of, *(table[name].to_numpy() for name in PLACES)]
        self._keys = Texts(table["key"].chunk(0) if len(table) else pa.array([], pa.string()))
        self._ranges = ranges_of(storage, [tar_file(shard) for shard in self._shards])

    @cached_property
    def index(self) -> pa.Table:
        """The rows of the index with all its columns, in the order of ``data[i]``; read when first asked for.

        Raises ShardError where the shards have become another data set since.
        """
        self._require_same(load_manifest(self._storage))
        rows = accepted_rows(load_index(self._storage), self._chosen.where, self._storage)
        for part in self._chosen.parts:
            rows = rows.take(_places(part, len(rows)))
        return rows.combine_chunks()

    def __getstate__(self) -> dict[str, Any]:
        """Small, whatever the number of pairs: another process maps the columns that this one has, or opens them."""
        return self._plain() | {"shared": self._table.handle()}

    def _plain(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _PLAIN}

    def __setstate__(self, state: dict[str, Any]) -> None:
        handle = state.pop("shared")
        self.__dict__ |= state
        table = handle.table()
        self._take(self._opened_again() if table is None else table)

    def _opened_again(self) -> pa.Table:
        """Its pairs, where what another process shared has gone."""
        manifest = load_manifest(self._storage)
        self._require_same(manifest)
        table = load_pairs(self._storage, manifest, self._chosen.where)
        for part in self._chosen.parts:
            table = table.take(_places(part, len(table)))
        return table.combine_chunks()

    def _require_same(self, manifest: Manifest) -> None:
        if manifest.index_sha256 != self._chosen.index_sha256:
            found = f"{self._storage}: another data set than when it was opened"
            raise ShardError(found, "the same index", "open it again")

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        names, of = self._splits
        splits = zip(names, np.bincount(of, minlength=len(names)).tolist(), strict=True)
        counts = ", ".join(f"{split} {count}" for split, count in sorted(splits) if count)
        classes = np.count_nonzero(np.bincount(self._class_of))
        return f"ShardDataset({self._storage}: {len(self)} pairs of {classes} classes; {counts or 'none'})"

    @overload
    def __getitem__(self, index: int) -> Sample: ...

    @overload
    def __getitem__(self, index: slice) -> ShardDataset: ...

    def __getitem__(self, index: int | slice) -> Sample | ShardDataset:
        if isinstance(index, slice):
            part = type(self).__new__(type(self))
            part.__dict__ |= self._plain() | {"_chosen": replace(self._chosen, parts=(*self._chosen.parts, index))}
            part._take(self._table.table.take(_places(index, len(self))).combine_chunks())
            return part
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Iterable[int]) -> list[Sample]:
        """``[data[i] for i in indices]``, which ``DataLoader`` asks for; from a URL many are fetched at a time."""
        rows = [self._row(index) for index in indices]
        return [self._sample(*each) for each in zip(rows, self._encoded(rows), strict=True)]

    def raw(self, index: int) -> tuple[bytes, bytes]:
        """The encoded bytes of photo and mask."""
        return next(iter(self._encoded([self._row(index)])))

    def _row(self, index: int) -> int:
        row, count = int(index), len(self)
        if not -count <= row < count:
            raise IndexError(f"pair {row} of {count}")  # what iteration without a sampler ends with
        return row + count if row < 0 else row

    def _encoded(self, rows: list[int]) -> Iterable[tuple[bytes, bytes]]:
        places = [column[rows].tolist() for column in self._places]
        return self._ranges.each(self._read, list(zip(rows, *places, strict=True)))

    def _read(self, place: tuple[int, ...]) -> tuple[bytes, bytes]:
        """Both by one reading: they lie beside each other, the header of the mask between them."""
        row, shard, photo_at, photo_length, photo_crc, mask_at, mask_length, mask_crc = place
        first, end = min(photo_at, mask_at), max(photo_at + photo_length, mask_at + mask_length)
        data = self._ranges.read(shard, first, end - first)
        photo = data[photo_at - first : photo_at - first + photo_length]
        mask = data[mask_at - first : mask_at - first + mask_length]
        if len(data) != end - first:
            raise ShardError(f"{self._where_is(row)}: the tar ends before its bytes", "a whole tar", REMEDY)
        if self._check_crc and (crc32(photo) != photo_crc or crc32(mask) != mask_crc):
            kind = "mask" if crc32(photo) == photo_crc else "photo"
            found = f"{self._where_is(row)}: the bytes of the {kind} have changed"
            raise ShardError(found, "the checksum of the index", REMEDY)
        return photo, mask

    def _sample(self, row: int, encoded: tuple[bytes, bytes]) -> Sample:
        try:
            photo, mask = decode_photo(encoded[0], self._reduce), decode_mask(encoded[1])
        except ShardError as error:
            raise ShardError(f"{self._where_is(row)}: {error.found}", error.expected, REMEDY) from error
        if self._reduce > 1:
            mask = self._reduced(row, mask)
        sample = self._transform(image=photo, mask=mask)
        sample["key"] = self._keys[row]
        sample["class"] = self._class_names[self._class_of.item(row)]
        return sample

    def _reduced(self, row: int, mask: Mask) -> Mask:
        by, (height, width) = self._reduce, mask.shape
        if height % by or width % by:
            found = f"{self._where_is(row)}: a pair of {width} x {height} pixels"
            raise ShardError(found, f"sides that are multiples of reduce={by}", "open the data set without reduce")
        return np.ascontiguousarray(mask[by // 2 :: by, by // 2 :: by])

    @property
    def id2label(self) -> dict[int, str]:
        """Names of the mask's ids, background included, as Hugging Face's models take them."""
        return dict(enumerate(self.schema.names))

    @property
    def classes(self) -> list[str]:
        """The class name of each row."""
        return [self._class_names[number] for number in self._class_of]

    def class_weights(self) -> torch.Tensor:
        """(len,) float64 weights for ``WeightedRandomSampler``: those of each class add up to 1."""
        return torch.from_numpy(1.0 / np.bincount(self._class_of)[self._class_of])

    def _where_is(self, row: int) -> str:
        return f"{self._shards[self._shard_of[row]]}, pair {self._keys[row]}"


@dataclass(frozen=True)
class _Chosen:
    """Which pairs of which index a data set has: those of a filter, and slice by slice parts of these."""

    index_sha256: str
    where: Where | None
    parts: tuple[slice, ...] = ()


def _places(part: slice, count: int) -> pa.Array:
    return pa.array(np.arange(*part.indices(count)))


def _words(table: pa.Table, name: str) -> tuple[list[str], NDArray[np.int32]]:
    """The words of a column, and the number of each row's word."""
    if not len(table):
        return [], np.zeros(0, np.int32)
    column = table[name].chunk(0)
    return column.dictionary.to_pylist(), column.indices.to_numpy()


@dataclass(frozen=True)
class StoredPair:
    """Encoded photo and mask, and the exact mask: the same where nothing of it was ignored."""

    photo: bytes
    mask: bytes
    full: bytes


def read_stored(storage: Storage, row: Mapping[str, Any]) -> StoredPair:
    """The bytes of a row of the index, whether it was accepted or rejected after painting.

    Raises ShardError where it has none, or they have changed.
    """
    if row["shard"] is None:
        raise ShardError(f"{row['key']}: no bytes", "a pair that was painted", "see its reasons in the index")
    files = {"photo": home(row), "mask": home(row)}
    if row["full_offset"] is not None:
        files["full"] = aside_file(row["shard"])
    found = {kind: storage.read(f, row[f"{kind}_offset"], row[f"{kind}_length"]) for kind, f in files.items()}
    for kind, data in found.items():
        if crc32(data) != row[f"{kind}_crc32"]:
            raise ShardError(
                f"{files[kind]}: the bytes of {row['key']} have changed", "the checksum of the index", REMEDY
            )
    return StoredPair(found["photo"], found["mask"], found.get("full", found["mask"]))


def accepted_rows(table: pa.Table, where: Where | None, storage: Storage) -> pa.Table:
    """Rows of accepted pairs that ``where`` keeps. Raises ShardError where there is none."""
    rows = table.filter(pc.field("accepted") & pc.field("shard").is_valid())
    chosen = select(rows, where).combine_chunks()
    if not chosen.num_rows:
        counts = {name: sum(fates["accepted"] for fates in by.values()) for name, by in count_rows([rows]).items()}
        there = ", ".join(f"{name} {count}" for name, count in counts.items()) or "no pairs at all"
        raise ShardError(
            f"{storage}: the filter {where} keeps no pair", f"a filter that keeps some of: {there}", "widen it"
        )
    return chosen
