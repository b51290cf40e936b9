"""Seconds of features for 1,000 pictures through Lite0, and of a Frechet distance, each against its reference.

    python tests/benchmarks/metrics.py [--pictures 1000] [--threads 2]

Features: augkit's extractor (pictures of 256 px, resizing included) against the same network as timm builds it. The
distance: 1,000 x 2048 features against pytorch-fid's formula, which takes the root of a 2048 x 2048 matrix; both must
give the same. Run it on an idle machine. Targets on two cores: 15 s for the features, 1 s for the distance; above, the
exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from scipy.linalg import sqrtm
from torch.nn import functional

from augkit.evaluate.extract import extract_photos
from augkit.metrics.frechet import frechet_distance
from augkit.models.extractors import EXTRACTORS
from augkit.models.lite0 import load_lite0

FEATURES_WITHIN, DISTANCE_WITHIN = 15.0, 1.0
BATCH = 50


def main() -> None:
    """Prints both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    features = time_features(args.pictures) * 1000 / args.pictures
    distance = time_distance(args.pictures)
    sys.exit(features > FEATURES_WITHIN or distance > DISTANCE_WITHIN)


def time_features(count: int) -> float:
    """Seconds of augkit's extractor; prints them beside timm's network."""
    photos = np.random.default_rng(0).integers(0, 256, (count, 256, 256, 3), dtype=np.uint8)
    extractor = EXTRACTORS["lite0"]()
    network: Any = load_lite0(timm.create_model("tf_efficientnet_lite0", pretrained=False)).eval()

    @torch.no_grad()
    def plain() -> None:
        for begin in range(0, few, BATCH):
            batch = torch.from_numpy(photos[begin : begin + BATCH]).permute(0, 3, 1, 2) / 127.5 - 1
            resized = functional.interpolate(batch, size=(224, 224), mode="bicubic", antialias=True)
            network.forward_head(network.forward_features(resized * 127.5 / 128), pre_logits=True)

    few = min(count, 4 * BATCH)
    extractor.features(torch.from_numpy(photos[:2]).permute(0, 3, 1, 2))  # what is set up once is not timed
    own = timed(lambda: extract_photos(photos, extractor))
    reference = timed(plain) * count / few
    print(
        f"features of {count} pictures: {own:.1f} s ({1000 * own / count:.1f} ms each); timm's network as it is "
        f"{reference:.1f} s (from {few} pictures): {reference / own:.2f} times as fast"
    )
    return own


def time_distance(count: int) -> float:
    """Seconds of the distance; prints them beside pytorch-fid's. Exits where the two disagree by 1e-3."""
    from pytorch_fid import fid_score

    fid_score.linalg.sqrtm = lambda matrix, disp: (sqrtm(matrix), 0.0)  # without ``disp``, as in SciPy 1.18
    random = np.random.default_rng(0)
    a, b = (np.abs(random.normal(size=(count, 2048))) * random.random(2048) for _ in range(2))
    found: list[float] = []
    own = timed(lambda: found.append(frechet_distance(a, b)))

    def plain() -> None:
        found.append(float(fid_score.calculate_frechet_distance(*moments(a), *moments(b))))

    reference = timed(plain)
    print(
        f"distance of {count} x 2048: {own:.2f} s ({found[0]:.6f}); pytorch-fid {reference:.1f} s ({found[1]:.6f}): "
        f"{reference / own:.0f} times as fast"
    )
    if abs(found[0] - found[1]) > 1e-3:
        sys.exit("the two disagree")
    return own


def moments(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and covariance."""
    return rows.mean(0), np.cov(rows, rowvar=False)


def timed(run: Callable[[], object]) -> float:
    """Seconds of one call."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
