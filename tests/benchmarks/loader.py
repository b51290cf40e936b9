"""How much of the decoding speed ShardDataset leaves: pairs a second through it, against the same bytes from memory.

    OMP_NUM_THREADS=1 python tests/benchmarks/loader.py --pairs 2000

The two alternate in blocks of a few tenths of a second, so that whatever else the machine does hits both alike; the
figures are medians, and the ratio is the median of the blocks' own ratios. The target is 0.9; below it the exit code
is 1. A second ratio says what comparing checksums costs: pairs a second with it, against those without.
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
import torch

from augkit.core.parts import PartSchema
from augkit.core.storage import LocalStorage
from augkit.shards.codec import Mask, Photo, decode_mask, decode_photo, encode_mask, encode_photo
from augkit.shards.index import finish
from augkit.shards.reader import ShardDataset
from augkit.shards.writer import PairRecord, ShardWriter

TARGET = 0.9
PARTS = 18
BLOCK = 500
Work = Callable[[int], object]


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


def identity(image: Photo, mask: Mask) -> dict[str, Any]:
    """The transform that does nothing, so that only reading and decoding are measured."""
    return {"image": image, "mask": mask}


def rate(work: Work, order: list[int]) -> float:
    """Calls a second of ``work`` over ``order``."""
    begin = time.perf_counter()
    for index in order:
        work(index)
    return len(order) / (time.perf_counter() - begin)


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

    def decode(index: int) -> object:
        photo, mask = kept[index]
        return identity(decode_photo(photo), decode_mask(mask))

    return decode


def main() -> int:
    """Writes, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--size", type=int, default=128, help="side of the pairs in pixels")
    parser.add_argument("--shard-size", type=int, default=64, help="pairs a shard")
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), options.pairs, options.size, options.shard_size)
        data, trusting = (ShardDataset(folder, transform=identity, check_crc=check) for check in (True, False))
        rounds = in_turns((data.__getitem__, from_memory(data)), len(data), options.rounds)
        checks = in_turns((data.__getitem__, trusting.__getitem__), len(data), options.rounds)
    shards, memory = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(a / b for a, b in rounds)
    print(f"ShardDataset  {shards:8.0f} pairs/s")
    print(f"from memory   {memory:8.0f} pairs/s")
    print(f"ratio         {ratio:8.3f} (target {TARGET})")
    print(f"checksums     {statistics.median(a / b for a, b in checks):8.3f} of the speed without them")
    return 0 if ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
