"""How time and memory grow with the number of pairs: opening, sending to workers, and what reads the whole index.

    OMP_NUM_THREADS=1 python tests/benchmarks/scale.py --rows 10000 100000 1000000
    OMP_NUM_THREADS=1 python tests/benchmarks/scale.py --rows 10000000 --only open pickle

Each question is asked of a made-up data set of each size, in a process of its own: the processor's seconds, the most
memory that the process took beyond what it had before, and the slope of the seconds against the rows on logarithmic
scales, which is 1 where time grows as the rows do. The exit code is 1 where a slope is above the target. Linux alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import multiprocessing
import pickle
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy.fft import idctn

from augkit.balance.plan import Plan, PlanRow, load_plan
from augkit.balance.run_plan import committed
from augkit.balance.shard_job import ShardReport
from augkit.core.classes import ALL_CLASSES
from augkit.core.parts import PartSchema
from augkit.core.progress import silent
from augkit.core.storage import LocalStorage
from augkit.core.workspace import Workspace
from augkit.data.photo_looks import look_of
from augkit.gate.bounds import ScoreBounds
from augkit.gate.duplicates import KeptPairs, SmallPair
from augkit.gate.funnel import FUNNEL_COLUMNS, funnel
from augkit.gate.judge import Gate
from augkit.metrics.copies import SIDE
from augkit.report.browse import RANK, RowSelection, select_rows
from augkit.report.image_cache import ImageCache
from augkit.report.index_overview import IndexOverview
from augkit.report.pair_selection import select_pairs
from augkit.report.report_data import ReportData
from augkit.shards.card import CARD_COLUMNS, CardCounts
from augkit.shards.codec import encode_mask
from augkit.shards.commit import Commit, TarFile, commit_file, read_commit, tar_file
from augkit.shards.commit_records import CommitRecords
from augkit.shards.index import INDEX_FILE, MANIFEST_FILE, Manifest, ShardEntry
from augkit.shards.index_file import IndexFile
from augkit.shards.reader import ShardDataset
from augkit.shards.seal import sealed
from augkit.shards.verify import verify
from augkit.shards.writer import COLUMNS, SCORE, PairRecord, ShardWriter

SLOPE = 1.05
WARM = "warm"
SHARD = 250
PARTS = 18
CHUNK = 1000 * SHARD
SCORES = ("adjacency", "agreement", "detail", "mask_distance", "photo_distance", "palette", "view")
SCHEMA = PartSchema.from_names([f"part_{number}" for number in range(1, PARTS)])
BYTES = 60_000
"""Bytes of a pair."""


def write_index(folder: Path, rows: int) -> None:
    """An index of that many rows and its manifest; of tars there are names alone."""
    folder.mkdir()
    random = np.random.default_rng(0)
    schema = pa.schema([*COLUMNS, *((SCORE + name, pa.float64()) for name in SCORES)])
    with pq.ParquetWriter(folder / INDEX_FILE, schema, compression="zstd") as writer:
        for first in range(0, rows, CHUNK):
            writer.write_table(index_rows(random, first, min(rows, first + CHUNK)).cast(schema))
    tar, none = TarFile(SHARD * BYTES, "0" * 64), TarFile(0, "")
    write_manifest(folder, [ShardEntry(name, SHARD, tar, 0, none) for name in shard_names(0, rows)])


def write_manifest(folder: Path, shards: list[ShardEntry]) -> None:
    """The manifest of the index that is there."""
    with (folder / INDEX_FILE).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    manifest = Manifest(SCHEMA, tuple(shards), {}, digest, "plan", {"augkit": "0"})
    LocalStorage(folder).put(MANIFEST_FILE, sealed(json.dumps(manifest.to_dict()).encode()))


def shard_names(first: int, last: int) -> list[str]:
    """The shards of these rows."""
    return [f"shard-{number:06d}" for number in range(first // SHARD, math.ceil(last / SHARD))]


def index_rows(random: np.random.Generator, first: int, last: int) -> pa.Table:
    """Rows of the index: a shard of one class after the other, all accepted."""
    count = last - first
    shards = np.arange(first, last) // SHARD
    classes = np.array([c.name for c in ALL_CLASSES])[shards % len(ALL_CLASSES)]
    offsets = np.arange(first, last) % SHARD * BYTES
    crcs = random.integers(0, 2**32, (2, count))
    seeds = random.integers(0, 2**63, count)
    keys = [f"{name}-{seed:016x}" for name, seed in zip(classes, seeds.tolist(), strict=True)]
    histograms = pa.FixedSizeListArray.from_arrays(random.integers(0, 4000, count * PARTS), PARTS)
    fixed = {
        "photo_ext": "jpg", "split": "train", "source": "generated", "accepted": True, "mask_model": "m" * 64,
        "image_model": "i" * 64, "exemplar": "photo-1", "width": 256, "height": 256, "reasons": [],
    }  # fmt: skip
    made: dict[str, object] = {
        name: pa.repeat(pa.scalar(value, COLUMNS.field(name).type), count) for name, value in fixed.items()
    }
    made |= {
        "key": keys, "shard": np.array([f"shard-{n:06d}" for n in np.unique(shards)])[shards - shards[0]],
        "photo_offset": offsets + 512, "photo_length": np.full(count, 50_000), "photo_crc32": crcs[0],
        "mask_offset": offsets + 51_000, "mask_length": np.full(count, 2_000), "mask_crc32": crcs[1],
        "class": classes, "orientation": np.array([c.orientation for c in ALL_CLASSES])[shards % len(ALL_CLASSES)],
        "doors": np.array([c.doors for c in ALL_CLASSES])[shards % len(ALL_CLASSES)],
        "seed": seeds, "histogram": histograms.cast(pa.list_(pa.int64())),
    }  # fmt: skip
    absent = {name: pa.nulls(count, COLUMNS.field(name).type) for name in COLUMNS.names if name not in made}
    made |= absent | {SCORE + name: random.random(count) for name in SCORES}
    return pa.table({name: made[name] for name in [*COLUMNS.names, *(SCORE + name for name in SCORES)]})


def measure_open(folder: Path, rows: int) -> Iterator[None]:
    """``ShardDataset`` from nothing to the first pair that can be asked for."""
    yield
    assert len(ShardDataset(folder)) == rows


def measure_pickle(folder: Path, rows: int) -> Iterator[None]:
    """What a spawned worker is sent, and its opening."""
    data = ShardDataset(folder)
    yield
    sent = pickle.dumps(data)
    assert len(sent) < 2**20, f"{len(sent)} bytes"
    assert len(pickle.loads(sent)) == rows


def link_shards(folder: Path, rows: int) -> tuple[LocalStorage, Commit]:
    """Shards of the same few hundred pairs again and again: links to one, whose commit record is given back."""
    storage = LocalStorage(folder)
    random, names = np.random.default_rng(0), shard_names(0, rows)
    writer = ShardWriter(storage, names[0])
    shades = np.kron(random.integers(0, PARTS, (16, 16), np.uint8), np.ones((16, 16), np.uint8))
    for number in range(SHARD):
        mask = np.roll(shades, number, (0, 1))
        counts = np.bincount(mask.reshape(-1), minlength=PARTS).tolist()
        record = PairRecord(f"pair-{number}", "train", "generated", "A", "5", number, "m", "i", 256, 256, counts)
        writer.add(record, random.bytes(40_000), "jpg", encode_mask(mask))
    writer.commit("row")
    commit = read_commit(storage, names[0])
    assert commit is not None
    for name in names[1:]:
        for file in (tar_file, commit_file):
            storage.path(file(name)).hardlink_to(storage.path(file(names[0])))
    return storage, commit


def write_tars(folder: Path, rows: int) -> None:
    """The same under an index."""
    commit, names = link_shards(folder, rows)[1], shard_names(0, rows)
    place = commit.table.schema.get_field_index("shard")
    with pq.ParquetWriter(folder / INDEX_FILE, commit.table.schema, compression="zstd") as index:
        for name in names:
            index.write_table(commit.table.set_column(place, "shard", pa.array([name] * SHARD)))
    shards = [replace(ShardEntry.of(commit), name=name) for name in names]
    write_manifest(folder, shards)


def measure_report(folder: Path, rows: int) -> Iterator[None]:
    """What `augkit report` reads of the index; the pictures, of which there are as many of any index, are missing."""
    storage, workspace = LocalStorage(folder), Workspace(folder)
    yield
    index = IndexFile(storage)
    CardCounts.of(index.tables(CARD_COLUMNS), index.columns)
    overview = IndexOverview.of(index, SCHEMA.channels)
    data = ReportData(workspace, SCHEMA, [], storage, None, index.manifest, index, overview, {}, [])
    pairs = select_pairs(data, overview.rejections.result(), ImageCache(storage, SCHEMA), silent)
    assert sum(sheet.total for sheet in pairs.sheets) == rows


def measure_view(folder: Path, rows: int) -> Iterator[None]:
    """`augkit view --sort rank`: the order of all rows, and the sixty of a contact sheet."""
    storage = LocalStorage(folder)
    yield
    chosen = select_rows(storage, RowSelection(sort=RANK))
    assert (len(chosen), len(chosen[:60])) == (rows, 60)


def measure_plan(folder: Path, rows: int) -> Iterator[None]:
    """What `augkit balance` begins with: the plan and the commit records of all shards, as reports."""
    storage = committed_plan(folder / "planned", rows)
    yield
    assert len(reports_of(CommitRecords(storage), storage)) == rows // SHARD


def measure_round(folder: Path, rows: int) -> Iterator[None]:
    """What a round of `augkit balance` reads that has one shard made, beside as many that there were before."""
    storage = committed_plan(folder / "rounds", rows)
    records = CommitRecords(storage)
    reports_of(records, storage)
    yield
    records.look_again()
    records.forget(["shard-000000"])
    assert len(reports_of(records, storage)) == rows // SHARD


def reports_of(records: CommitRecords, storage: LocalStorage) -> Sequence[ShardReport]:
    """Of the shards of the plan that is there."""
    plan = load_plan(storage)
    assert plan is not None
    return committed(records, plan.rows, lambda row: "row")


def committed_plan(folder: Path, rows: int) -> LocalStorage:
    """A plan of as many pairs, and their shards, which are links to one."""
    storage = link_shards(folder, rows)[0]
    made = (PlanRow(name, "generated", "front-left-5", SHARD, tries=SHARD) for name in shard_names(0, rows))
    Plan("inputs", tuple(made)).save(storage)
    return storage


def measure_verify(folder: Path, rows: int) -> Iterator[None]:
    """Every byte of tars of 12 MB; what their sha256 alone takes is printed, too."""
    write_tars(folder := folder / "tars", rows)
    storage = LocalStorage(folder)
    yield
    began, worked = time.perf_counter(), time.process_time()
    assert verify(storage) == []
    took, work = time.perf_counter() - began, time.process_time() - worked
    began, worked = time.perf_counter(), time.process_time()
    for name in shard_names(0, rows):
        hashlib.sha256(storage.read(tar_file(name))).hexdigest()
    least, alone = time.perf_counter() - began, time.process_time() - worked
    print(f"verify at {least / took:.2f} of the speed of one sha256; {alone / work:.2f} on one core", flush=True)


def measure_summary(folder: Path, rows: int) -> Iterator[None]:
    """The funnel that ends every `augkit balance`, from the index."""
    storage, bounds = LocalStorage(folder), ScoreBounds({}, 0.05, 0.0)
    gate = cast(Gate, SimpleNamespace(checks={}, bounds=bounds))
    yield
    found = funnel(IndexFile(storage).tables(FUNNEL_COLUMNS), gate)
    assert found["classes"]["all"]["tried"] == rows


def measure_duplicates(folder: Path, rows: int) -> Iterator[None]:
    """Two rounds over made-up photos with the spectrum of real ones, one in fifty of them near an earlier one."""
    random = np.random.default_rng(0)
    split = [rows // len(ALL_CLASSES)] * len(ALL_CLASSES)
    classes = [made_up_thumbs(random, count) for count in split]
    looks = [[look_of(small) for small in thumbs] for thumbs in classes]
    mask = np.ones((SIDE, SIDE), np.uint8)
    yield
    for thumbs, known in zip(classes, looks, strict=True):
        kept, half = KeptPairs(SCHEMA, 0.1), len(known) // 2
        for some in (known[:half], known[half:]):
            kept.judge(some, lambda place, thumbs=thumbs: SmallPair(thumbs[place], mask))
        assert 0 < kept.kept.count(0) < len(known) // 10


def made_up_thumbs(random: np.random.Generator, count: int) -> NDArray[np.uint8]:
    """(N, 32, 32) pictures whose frequencies fall off as those of photos do, around a mean picture."""
    rows, columns = np.mgrid[:12, :12]
    fall = 1 / (1 + rows + columns)
    mean = random.normal(size=(12, 12)) * fall
    made = np.zeros((count, 32, 32), np.uint8)
    for place in range(count):
        spectrum = np.zeros((32, 32))
        spectrum[:12, :12] = 0.7 * mean + random.normal(size=(12, 12)) * fall
        picture = idctn(spectrum, norm="ortho")
        made[place] = np.clip(128 + picture / picture.std() * 50, 0, 255)
        if place % 50 == 49:
            made[place] = np.clip(made[random.integers(place)] + random.normal(0, 4, (32, 32)), 0, 255)
    return made


QUESTIONS: dict[str, Callable[[Path, int], Iterator[None]]] = {
    "open": measure_open, "pickle": measure_pickle, "summary": measure_summary, "report": measure_report,
    "view": measure_view, "plan": measure_plan, "round": measure_round, "duplicates": measure_duplicates,
    "verify": measure_verify,
}  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """Seconds and megabytes."""

    seconds: float
    megabytes: float


def cost_of(question: str, folder: Path, rows: int) -> Cost:
    """The cost of a question, in this process."""
    ShardDataset(folder.with_name(WARM))[:1]  # what is imported when it is first needed
    steps = QUESTIONS[question](folder, rows)
    next(steps)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, began = memory("VmRSS"), time.process_time()
    for _ in steps:
        pass
    return Cost(time.process_time() - began, memory("VmHWM") - before)


def memory(kind: str) -> float:
    """What this process has (``VmRSS``), or had at most (``VmHWM``), in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind)) / 1024


def slope(costs: dict[int, Cost]) -> float:
    """By least squares; NaN for a single size."""
    if len(costs) < 2:
        return math.nan
    return float(np.polyfit(np.log(list(costs)), np.log([cost.seconds for cost in costs.values()]), 1)[0])


def main() -> int:
    """Writes, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--only", nargs="+", choices=QUESTIONS, default=list(QUESTIONS))
    options = parser.parse_args()
    found: dict[str, dict[int, Cost]] = {name: {} for name in options.only}
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as scratch:
        write_index(Path(scratch, WARM), SHARD)
        for rows in options.rows:
            write_index(Path(scratch, str(rows)), rows)
            for name in options.only:
                with context.Pool(1) as pool:
                    cost = pool.apply(cost_of, (name, Path(scratch, str(rows)), rows))
                found[name][rows] = cost
                print(f"{name:10s} {rows:9d} rows {cost.seconds:9.2f} s {cost.megabytes:8.0f} MB", flush=True)
    for name, costs in found.items():
        print(f"{name:10s} slope {slope(costs):.2f}")
    return 1 if any(slope(costs) > SLOPE for costs in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
