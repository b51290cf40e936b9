"""How photos are shrunk to the canonical size: by area means, and as an import does it.

    OMP_NUM_THREADS=1 taskset -c 0 python tests/benchmarks/shrinking.py FOLDER_OF_PHOTOS

For squares of several sides, cut from the photos (from four together where they are smaller) and shrunk to 256 px: the
distance from a Lanczos filter with support over all pixels (Pillow's), in dB (PSNR, higher is nearer); the mean
absolute Laplacian, by which sharpness that depends on the ratio would show; and milliseconds a photo (processor time,
the fastest of three rounds).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from augkit.data.crop import Photo, resize_photo

SIZE, SIDES = 256, (264, 300, 400, 500, 530, 560, 590, 650, 700, 900, 1000)


def lanczos(photo: Photo) -> Photo:
    """What is aimed at."""
    return np.asarray(Image.fromarray(photo).resize((SIZE, SIZE), Image.Resampling.LANCZOS))


def means(photo: Photo) -> Photo:
    """Means of shares of pixels."""
    return np.asarray(cv2.resize(photo, (SIZE, SIZE), interpolation=cv2.INTER_AREA))


def ours(photo: Photo) -> Photo:
    """What an import does."""
    return resize_photo(photo, SIZE)


def psnr(photo: Photo, other: Photo) -> float:
    """Of two different photos, in dB."""
    return float(10 * np.log10(255**2 / np.square(photo.astype(float) - other).mean()))


def sharpness(photo: Photo) -> float:
    """Mean absolute Laplacian of the grey levels."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean())


def cut_out(photos: Sequence[Photo], side: int) -> Iterator[Photo]:
    """A square of each photo that is large enough, and of every four of one size that are so together."""
    for photo in photos:
        if min(photo.shape[:2]) >= side:
            yield np.ascontiguousarray(photo[:side, :side])
    small = [photo for photo in photos if side > min(photo.shape[:2]) >= side / 2]
    for four in zip(*[iter(small)] * 4, strict=False):
        if len({photo.shape for photo in four}) == 1:
            rows = [np.concatenate(four[:2], axis=1), np.concatenate(four[2:], axis=1)]
            yield np.ascontiguousarray(np.concatenate(rows)[:side, :side])


def milliseconds(way: Callable[[Photo], Photo], photos: list[Photo]) -> float:
    """A photo, the fastest of three rounds."""
    rounds = []
    for _ in range(3):
        begin = time.process_time()
        for photo in photos:
            way(photo)
        rounds.append(time.process_time() - begin)
    return 1000 * min(rounds) / len(photos)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=60)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    files = sorted(options.folder.glob("*.jpg"))[: options.photos]
    photos = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    for side in SIDES:
        squares = list(cut_out(photos, side))
        ideal = [lanczos(square) for square in squares]
        print(
            f"{side} px, {len(squares)} photos; sharpness of Lanczos {np.mean([sharpness(one) for one in ideal]):.2f}"
        )
        for name, way in {"area means": means, "import": ours}.items():
            made = [way(square) for square in squares]
            near = np.mean([psnr(one, other) for one, other in zip(made, ideal, strict=True)])
            sharp = np.mean([sharpness(one) for one in made])
            print(f"  {name:10s} {near:6.2f} dB, sharpness {sharp:5.2f}, {milliseconds(way, squares):.2f} ms")


if __name__ == "__main__":
    main()
