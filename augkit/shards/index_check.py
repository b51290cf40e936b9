"""What the rows of an index say, held against what an index can say: whoever reads one need not ask again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from augkit.core.classes import ALL_CLASSES, DOORS, ORIENTATIONS
from augkit.shards.writer import KEY, PHOTO_EXTENSIONS, SOURCES, SPLITS

_ALWAYS = ("key", "class", "orientation", "doors", "split", "source", "accepted", "seed", "histogram", "reasons",
           "width", "height")  # fmt: skip
_WORDS = {
    "class": [car_class.name for car_class in ALL_CLASSES], "orientation": ORIENTATIONS, "doors": DOORS,
    "split": SPLITS, "source": SOURCES,
}  # fmt: skip
_PLACES = ("offset", "length", "crc32")
_LARGEST_SIDE, _LARGEST_PLACE = 2**16, 2**48


def faults_of_rows(table: pa.Table) -> Iterator[str]:
    """What is wrong with the rows of a table of the index's columns, a sentence a column."""
    try:
        table.validate(full=True)
    except pa.ArrowException as error:
        yield str(error)
        return
    yield from (f"{name} is null" for name in _ALWAYS if table[name].null_count)
    yield from (
        f"{name} is none of {', '.join(known)}" for name, known in _WORDS.items() if not _among(table, name, known)
    )
    if not _all(pc.match_substring_regex(table["key"], f"^(?:{KEY})$")):
        yield "a key that no tar can hold"
    for side in ("width", "height"):
        if not _all(pc.and_(pc.greater_equal(table[side], 0), pc.less_equal(table[side], _LARGEST_SIDE))):
            yield f"a {side} beyond 0 .. {_LARGEST_SIDE}"
    yield from _faults_of_places(table)


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


def _faults_of_places(table: pa.Table) -> Iterator[str]:
    whole, full = table.filter(table["shard"].is_valid()), table.filter(table["full_offset"].is_valid())
    if full.filter(full["shard"].is_null()).num_rows:
        yield "an exact mask without a shard"
    for rows, kind in ((whole, "photo"), (whole, "mask"), (full, "full")):
        for name in (f"{kind}_{place}" for place in _PLACES):
            known = rows[name].null_count == 0
            if not known or not _all(pc.and_(pc.greater_equal(rows[name], 0), pc.less(rows[name], _LARGEST_PLACE))):
                yield f"{name} is null, negative or larger than any tar"
    if not _among(whole, "photo_ext", PHOTO_EXTENSIONS):
        yield f"photo_ext is none of {', '.join(PHOTO_EXTENSIONS)}"


def _among(table: pa.Table, name: str, known: object) -> bool:
    return _all(pc.is_in(table[name], pa.array(known, pa.string())))


def _all(values: pa.ChunkedArray) -> bool:
    return bool(pc.all(values, min_count=0).as_py())
