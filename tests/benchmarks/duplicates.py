"""What the limits for near duplicates are chosen from, and how long the search for them takes.

    OMP_NUM_THREADS=1 python tests/benchmarks/duplicates.py WORKSPACE

WORKSPACE holds imported photos. Printed are: for each way of changing a photo, in how many bits the hashes of photo
and copy differ and how well they correlate; the pairs of different photos with the nearest hashes, with their
correlation; the seconds for finding all near pairs of many hashes (spread evenly, and drawn about as unevenly as real
photos are: near 1000 centres).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.workspace import Workspace
from augkit.data.catalogue import Catalogue
from augkit.data.crop import Photo
from augkit.data.near_duplicates import (
    MAX_DISTANCE,
    MIN_CORRELATION,
    correlation,
    hash_bits,
    near_pairs,
    perceptual_hash,
    thumb,
)
from augkit.data.pair_files import read_photo


def half(photo: Photo) -> Photo:
    """Half the size."""
    return np.asarray(cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def inner(photo: Photo) -> Photo:
    """Without 2 % at each border."""
    border = photo.shape[0] // 50
    return photo[border:-border, border:-border]


CHANGES: dict[str, Callable[[Photo], Photo]] = {
    "JPEG quality 40": lambda p: cv2.imdecode(cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 1),
    "half the size": half,
    "brightness x 1.25": lambda p: np.clip(p * 1.25, 0, 255).astype(np.uint8),
    "brightness x 0.7": lambda p: (p * 0.7).astype(np.uint8),
    "gamma 0.7": lambda p: (255 * (p / 255) ** 0.7).astype(np.uint8),
    "blur of 1.5 px": lambda p: cv2.GaussianBlur(p, (0, 0), 1.5),
    "noise of 8": lambda p: np.clip(p + np.random.default_rng(0).normal(0, 8, p.shape), 0, 255).astype(np.uint8),
    "moved by 1 %": lambda p: np.roll(p, max(1, p.shape[1] // 100), 1),
    "2 % cut off": inner,
}


def bits(one: str, other: str) -> int:
    """In how many bits two hashes differ."""
    return (hash_bits(one)[0] ^ hash_bits(other)[0]).bit_count()


def print_changes(photos: list[Photo]) -> None:
    """Copies against their originals."""
    print(f"{'copy':18s} bits: p50 p99 max  correlation: p50    p1   min   found")
    for name, change in CHANGES.items():
        copies = [change(photo) for photo in photos]
        pairs = list(zip(photos, copies, strict=True))
        far = np.array([bits(perceptual_hash(a), perceptual_hash(b)) for a, b in pairs])
        alike = np.array([correlation(thumb(a), thumb(b)) for a, b in pairs])
        found = ((far <= MAX_DISTANCE) & (alike >= MIN_CORRELATION)).mean()
        print(
            f"{name:18s}       {np.median(far):3.0f} {np.percentile(far, 99):3.0f} {far.max():3d}"
            f"               {np.median(alike):.3f} {np.percentile(alike, 1):.3f} {alike.min():.3f}  {found:.3f}"
        )


def print_neighbours(names: list[str], photos: list[Photo]) -> None:
    """The nearest pairs of different photos."""
    hashes = np.array([hash_bits(perceptual_hash(photo))[0] for photo in photos], np.uint64)
    distances = np.bitwise_count(hashes[:, None] ^ hashes[None])
    distances[np.tril_indices(len(hashes))] = 255
    for place in np.argsort(distances.reshape(-1), kind="stable")[:10].tolist():
        a, b = divmod(place, len(hashes))
        print(
            f"{names[a]} and {names[b]}: {distances[a, b]} bits, {correlation(thumb(photos[a]), thumb(photos[b])):.3f}"
        )


def print_search(count: int) -> None:
    """Seconds for a search among this many hashes."""
    random = np.random.default_rng(0)

    def noise(bits: int) -> NDArray[np.uint64]:
        flips = np.uint64(1) << random.integers(0, 64, (count, bits), np.uint64)
        return np.asarray(np.bitwise_xor.reduce(flips, axis=1), np.uint64)

    even = random.integers(0, 2**64 - 1, count, np.uint64)
    uneven = random.choice(random.integers(0, 2**64 - 1, 1000, np.uint64), count) ^ noise(12)
    for name, hashes in (("even", even), ("uneven", uneven)):
        begin = time.perf_counter()
        pairs = near_pairs(np.unique(hashes))
        print(f"{count} {name} hashes: {len(pairs)} near pairs in {time.perf_counter() - begin:.1f} s")


def main() -> int:
    """Prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--photos", type=int, default=400)
    parser.add_argument("--hashes", type=int, default=100_000)
    options = parser.parse_args()
    workspace = Workspace(options.workspace)
    names = [row.id for row in Catalogue(workspace.catalogue) if not row.problem][: options.photos]
    photos = [read_photo(workspace.photo(name)) for name in names]
    print_changes(photos)
    print_neighbours(names, photos)
    print_search(options.hashes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
