"""What the rows of an index say, and filters of them, held against what an index can say: whoever reads one need not
ask again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from augkit.core.classes import ALL_CLASSES, DOORS, ORIENTATIONS
from augkit.core.errors import ShardError
from augkit.core.nearest import nearest
from augkit.shards.writer import KEY, LONGEST_KEY, PHOTO_EXTENSIONS, SOURCES, SPLITS

Where: TypeAlias = pc.Expression | list[tuple[str, str, Any]] | list[list[tuple[str, str, Any]]]
"""A filter of rows: an expression, or pyarrow's list of ``(column, operator, value)``; a list of lists is a choice."""

_ALWAYS = ("key", "class", "orientation", "doors", "split", "source", "accepted", "seed", "histogram", "reasons",
           "width", "height")  # fmt: skip
_WORDS = {
    "class": [car_class.name for car_class in ALL_CLASSES], "orientation": ORIENTATIONS, "doors": DOORS,
    "split": SPLITS, "source": SOURCES,
}  # fmt: skip
_KEY_BYTES = bytes(byte for byte in range(128) if re.fullmatch(KEY, chr(byte)))
_EXAMPLE = 'e.g. [("class", "==", "front-left-5")]'
_BLOCK = 1 << 20  # bytes of keys that are looked at a time
_PLACES = ("offset", "length", "crc32")
_LARGEST_SIDE, _LARGEST_PLACE = 2**16, 2**48


def faults_of_rows(table: pa.Table) -> Iterator[str]:
    """What is wrong with the rows of a table of the index's columns, or of some of them; a sentence a column."""
    try:
        table.validate(full=True)
    except pa.ArrowException as error:
        yield str(error)
        return
    names = set(table.column_names)
    yield from (f"{name} is null" for name in _ALWAYS if name in names and table[name].null_count)
    for name in (name for name in _WORDS if name in names):
        if not _among(table, name, _WORDS[name]):
            yield f"{name} is none of {', '.join(_WORDS[name])}"
    if "key" in names:
        yield from _faults_of_keys(table)
    for side in {"width", "height"} & names:
        if not _all(pc.and_(pc.greater_equal(table[side], 0), pc.less_equal(table[side], _LARGEST_SIDE))):
            yield f"a {side} beyond 0 .. {_LARGEST_SIDE}"
    if names >= {"shard", "photo_ext", *(f"{kind}_{place}" for kind in ("photo", "mask", "full") for place in _PLACES)}:
        yield from _faults_of_bytes(table)


def _faults_of_bytes(table: pa.Table) -> Iterator[str]:
    whole, full = table.filter(table["shard"].is_valid()), table.filter(table["full_offset"].is_valid())
    if full.filter(full["shard"].is_null()).num_rows:
        yield "an exact mask without a shard"
    for rows, kind in ((whole, "photo"), (whole, "mask"), (full, "full")):
        yield from _faults_of_places(rows, kind)
    if not _among(whole, "photo_ext", PHOTO_EXTENSIONS):
        yield f"photo_ext is none of {', '.join(PHOTO_EXTENSIONS)}"


def faults_of_pairs(table: pa.Table, sizes: Mapping[tuple[str, bool], int]) -> Iterator[str]:
    """The same of accepted pairs, with nothing but the columns that reading them takes; ``shard``, ``class`` and
    ``split`` are dictionaries, which are looked at once a word. ``sizes`` as in ``faults_of_ends``."""
    try:
        table.validate(full=True)
    except pa.ArrowException as error:
        yield str(error)
        return
    yield from (f"{name} is null" for name in ("key", "class", "split") if table[name].null_count)
    for name in ("class", "split"):
        if any(set(chunk.dictionary.to_pylist()) - set(_WORDS[name]) for chunk in table[name].chunks):
            yield f"{name} is none of {', '.join(_WORDS[name])}"
    yield from _faults_of_keys(table)
    faults = [fault for kind in ("photo", "mask") for fault in _faults_of_places(table, kind)]
    yield from faults or _faults_of_own_ends(table, sizes)


def faults_of_ends(table: pa.Table, sizes: Mapping[tuple[str, bool], int]) -> Iterator[str]:
    """Places behind the end of their tars; ``sizes`` by shard, and whether it is the tar of the accepted pairs."""
    rows = table.filter(table["shard"].is_valid())
    for kind in ("photo", "mask", "full"):
        beside = pc.and_(rows["accepted"], kind != "full")
        ends = pa.table({
            "shard": rows["shard"], "own": beside, "end": pc.add(rows[f"{kind}_offset"], rows[f"{kind}_length"]),
        })  # fmt: skip
        for row in ends.group_by(["shard", "own"]).aggregate([("end", "max")]).to_pylist():
            if row["end_max"] is not None and row["end_max"] > sizes.get((row["shard"], row["own"]), 0):
                yield f"{row['shard']}: a {kind} behind the end of its tar"


def _faults_of_own_ends(table: pa.Table, sizes: Mapping[tuple[str, bool], int]) -> Iterator[str]:
    for batch in table.to_batches():
        of = batch["shard"].indices.to_numpy()
        there = np.flatnonzero(np.bincount(of))  # a dictionary is that of many batches
        names = batch["shard"].dictionary.take(pa.array(there)).to_pylist()
        most = np.zeros(there[-1] + 1 if len(there) else 0, np.int64)
        most[there] = [sizes.get((name, True), 0) for name in names]
        most = most[of]
        for kind in ("photo", "mask"):
            beyond = np.flatnonzero(pc.add(batch[f"{kind}_offset"], batch[f"{kind}_length"]).to_numpy() > most)
            shards = np.searchsorted(there, np.unique(of[beyond]))
            yield from (f"{names[shard]}: a {kind} behind the end of its tar" for shard in shards.tolist())


def _faults_of_keys(table: pa.Table) -> Iterator[str]:
    if not all(_are_keys(chunk) for chunk in table["key"].chunks):
        yield "a key that no tar can hold"


def _faults_of_places(rows: pa.Table, kind: str) -> Iterator[str]:
    for name in (f"{kind}_{place}" for place in _PLACES):
        known, ends = rows[name].null_count == 0, pc.min_max(rows[name]).as_py()
        if not known or (len(rows) and not 0 <= ends["min"] <= ends["max"] < _LARGEST_PLACE):
            yield f"{name} is null, negative or larger than any tar"


def _are_keys(texts: pa.StringArray) -> bool:
    """Whether all match ``KEY``: ten times as fast as asking it of each."""
    if not len(texts):
        return True
    ends = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    lengths, data = np.diff(ends), texts.buffers()[2]
    if lengths.min() < 1 or lengths.max() > LONGEST_KEY or data is None:
        return False
    blocks = range(int(ends[0]), int(ends[-1]), _BLOCK)
    return not any(bytes(data[first : min(first + _BLOCK, ends[-1])]).translate(None, _KEY_BYTES) for first in blocks)


def _among(table: pa.Table, name: str, known: object) -> bool:
    return _all(pc.is_in(table[name], pa.array(known, pa.string())))


def _all(values: pa.ChunkedArray) -> bool:
    return bool(pc.all(values, min_count=0).as_py())


def select(table: pa.Table, where: Where | None) -> pa.Table:
    """Rows that ``where`` keeps. Raises ShardError for a column that there is not, or a value of the wrong type."""
    return table if where is None else table.filter(expression_of(table.schema.empty_table(), where))


def expression_of(empty: pa.Table, where: Where) -> pc.Expression:
    """The filter as an expression, which was tried on an ``empty`` table of the columns. Raises ShardError."""
    known, columns = empty.column_names, f"columns among {', '.join(empty.column_names)}"
    unknown = next((name for name in _named(where) if name not in known), "")
    if unknown:
        meant = nearest(unknown, known)
        hint = f"; did you mean {meant}?" if meant else ""
        raise ShardError(f"the filter {where}: no column {unknown}", columns + hint, _EXAMPLE)
    try:
        expression = where if isinstance(where, pc.Expression) else pq.filters_to_expression(where)
        empty.filter(expression)
        return expression
    except (pa.ArrowException, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        raise ShardError(f"the filter {where}: {reason}", columns, _EXAMPLE) from error


def _named(where: Where) -> Iterator[str]:
    """The columns that a list names; an expression does not say."""
    for entry in where if isinstance(where, list) else ():
        for condition in entry if isinstance(entry, list) else [entry]:
            if isinstance(condition, tuple) and condition and isinstance(condition[0], str):
                yield condition[0]
