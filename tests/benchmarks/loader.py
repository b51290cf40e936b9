"""How much of the decoding speed ShardDataset leaves: pairs a second through it, against the same bytes from memory.

    OMP_NUM_THREADS=1 python tests/benchmarks/loader.py --pairs 2000 --peers

All take turns in blocks of a few tenths of a second, so that whatever else the machine does hits them alike; seconds
are those of a processor, a loader's workers included. The figures are medians, and a ratio is the median of the blocks'
own ratios. The target is 0.95 of memory; below it the exit code is 1. A second ratio says what comparing checksums
costs, and a third, with ``--reduce``, what it brings that pairs are made smaller while they are decoded, against the
same by a transform. ``--peers`` adds whole ``DataLoader`` epochs, shuffled and collated, of it and of those libraries
that are installed of datasets (HF), mosaicml-streaming and webdataset, in this process and with two workers.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import torch
from loader_peers import BATCH, Loader, batches_of, by_opencv, by_pillow, installed

from augkit.core.parts import PartSchema
from augkit.core.storage import LocalStorage
from augkit.shards.codec import Mask, Photo, decode_mask, decode_photo, encode_mask, encode_photo
from augkit.shards.index import finish
from augkit.shards.reader import ShardDataset
from augkit.shards.sample_transforms import Transform, to_tensors
from augkit.shards.writer import PairRecord, ShardWriter

TARGET = 0.95
PARTS = 18
BLOCK = 512
Work = Callable[[list[int]], object]


def make_pair(random: np.random.Generator, size: int) -> tuple[Photo, Mask]:
    """A (size, size) pair about as hard to decode as a car: smooth shades with grain, and some fifteen ellipses."""
    shades = cv2.resize(random.integers(0, 256, (8, 8, 3), dtype=np.uint8), (size, size), interpolation=cv2.INTER_CUBIC)
    photo = np.clip(shades + random.normal(0, 3, shades.shape), 0, 255).astype(np.uint8)
    mask = np.zeros((size, size), np.uint8)
    for part in range(1, PARTS):
        centre, axes = random.integers(0, size, 2).tolist(), random.integers(size // 20, size // 4, 2).tolist()
        cv2.ellipse(mask, centre, axes, float(random.integers(180)), 0, 360, part, -1)
    return photo, mask


def write(folder: Path, pairs: int, size: int, shard_size: int) -> None:
    """A data set of this many pairs."""
    storage, random = LocalStorage(folder), np.random.default_rng(0)
    shards = []
    for first in range(0, pairs, shard_size):
        shards.append(f"shard-{len(shards):06d}")
        writer = ShardWriter(storage, shards[-1])
        for number in range(first, min(first + shard_size, pairs)):
            photo, mask = make_pair(random, size)
            data, extension = encode_photo(photo)
            histogram = np.bincount(mask.reshape(-1), minlength=PARTS).tolist()
            record = PairRecord(f"pair-{number}", "train", "real", "A", "5", 0, "", "", size, size, histogram)
            writer.add(record, data, extension, encode_mask(mask))
        writer.commit("benchmark")
    finish(storage, shards, PartSchema.from_names([f"part_{number}" for number in range(1, PARTS)]), "benchmark", {})


def rate(work: Work, order: list[int]) -> float:
    """Pairs a second of ``work`` over ``order``, batch by batch."""
    begin = time.process_time()
    for first in range(0, len(order), BATCH):
        work(order[first : first + BATCH])
    return len(order) / (time.process_time() - begin)


def in_turns(works: tuple[Work, Work], pairs: int, rounds: int) -> list[tuple[float, float]]:
    """Pairs a second by either way, a block; the two take turns at going first."""
    order = np.random.default_rng(1).permutation(pairs).tolist()
    figures = []
    for number, first in enumerate([*range(0, len(order), BLOCK)] * rounds):
        step = 1 if number % 2 else -1
        rates = [rate(work, order[first : first + BLOCK]) for work in works[::step]][::step]
        figures.append((rates[0], rates[1]))
    return figures


def from_memory(data: ShardDataset) -> Work:
    """Decodes the data set's bytes without reading them."""
    kept = [data.raw(index) for index in range(len(data))]
    return lambda batch: [to_tensors(decode_photo(kept[i][0]), decode_mask(kept[i][1])) for i in batch]


def resized(by: int) -> Transform:
    """Makes pairs smaller that were decoded whole, as ``ShardDataset(reduce=by)`` makes them."""

    def transform(image: Photo, mask: Mask) -> dict[str, Any]:
        size = image.shape[1] // by, image.shape[0] // by
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return to_tensors(np.asarray(small, np.uint8), mask[by // 2 :: by, by // 2 :: by].copy())

    return transform


def epochs(loaders: dict[str, Loader], rounds: int) -> dict[str, list[float]]:
    """Pairs a second of a processor, an epoch; they take turns."""
    for loader in loaders.values():
        list(loader)  # starts the workers, and opens what they open once
    rates: dict[str, list[float]] = {name: [] for name in loaders}
    for _ in range(rounds):
        for name, loader in loaders.items():
            begin = _seconds()
            pairs = sum(len(batch["key"]) for batch in loader)
            rates[name].append(pairs / (_seconds() - begin))
    return rates


def _seconds() -> float:
    """Those of this process and its workers."""
    own = time.process_time()
    return own + sum(sum(child.cpu_times()[:2]) for child in psutil.Process().children(recursive=True))


def against_peers(folder: Path, options: argparse.Namespace) -> None:
    """Measures whole loaders, prints a line each."""
    for workers in (0, 2):
        loaders = {"ShardDataset": batches_of(ShardDataset(folder / "shards"), workers, True)}
        for name, opener in installed().items():
            for decode in (by_pillow, by_opencv):
                place = folder / name.replace(" ", "-")
                loaders[f"{name} {decode.__name__}"] = opener(folder / "shards", place, workers, decode)
        rates = epochs(loaders, options.rounds)
        print(f"\n{workers} workers            pairs a CPU second   ShardDataset is faster by")
        for name, figures in rates.items():
            ratio = statistics.median(a / b for a, b in zip(rates["ShardDataset"], figures, strict=True))
            print(f"{name:22} {statistics.median(figures):8.0f} {ratio:18.2f} x")


def main() -> int:
    """Writes, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--size", type=int, default=128, help="side of the pairs in pixels")
    parser.add_argument("--shard-size", type=int, default=64, help="pairs a shard")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--reduce", type=int, choices=(2, 4, 8), help="pairs smaller by so much, too")
    parser.add_argument("--peers", action="store_true", help="whole loaders, beside other libraries'")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        shards = Path(folder, "shards")
        write(shards, options.pairs, options.size, options.shard_size)
        data, trusting = (ShardDataset(shards, check_crc=check) for check in (True, False))
        rounds = in_turns((data.__getitems__, from_memory(data)), len(data), options.rounds)
        checks = in_turns((data.__getitems__, trusting.__getitems__), len(data), options.rounds)
        own, memory = (statistics.median(column) for column in zip(*rounds, strict=True))
        ratio = statistics.median(a / b for a, b in rounds)
        print(f"ShardDataset  {own:8.0f} pairs/s")
        print(f"from memory   {memory:8.0f} pairs/s")
        print(f"ratio         {ratio:8.3f} (target {TARGET})")
        print(f"checksums     {statistics.median(a / b for a, b in checks):8.3f} of the speed without them", flush=True)
        if options.reduce:
            by = options.reduce
            whole, small = ShardDataset(shards, transform=resized(by)), ShardDataset(shards, reduce=by)
            gains = in_turns((small.__getitems__, whole.__getitems__), len(data), options.rounds)
            gain = statistics.median(a / b for a, b in gains)
            print(f"reduce={by}      {gain:8.3f} of the speed of resizing", flush=True)
        if options.peers:
            against_peers(Path(folder), options)
    return 0 if ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
