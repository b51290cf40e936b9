"""Milliseconds a pair of each augmentation preset on both backends, one thread.

    python tests/benchmarks/augmentation.py [--size 256] [--pairs 100]

A ratio above 1 says that torchvision is slower than albumentations. The one that is faster on the presets that are used
by default (mild, strong) is the usual backend.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from augkit.core.classes import ALL_CLASSES
from augkit.core.errors import ConfigError
from augkit.core.presets import augment_presets
from augkit.data.augment import Augmentation
from augkit.data.pair import Pair
from augkit.sources.render import render_schema
from augkit.sources.render.rendered_samples import even_counts, rendered_samples


def main() -> None:
    """Prints a line a preset."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--pairs", type=int, default=100)
    args = parser.parse_args()
    torch.set_num_threads(1)
    sample = next(iter(rendered_samples(even_counts(16), args.size, 0)))
    pair = Pair(np.asarray(sample.photo), np.asarray(sample.mask), ALL_CLASSES[0])
    for preset in augment_presets():
        if preset in ("none", "flip", "background"):  # no pixels to move, or landscapes to have
            continue
        seconds = [best_of(backend, preset, pair, args.pairs) for backend in ("albumentations", "torchvision")]
        first, second = (f"{1000 * one:.2f} ms" if one else "none" for one in seconds)
        ratio = f", ratio {seconds[1] / seconds[0]:.2f}" if all(seconds) else ""
        print(f"{preset} at {args.size} px: albumentations {first}, torchvision {second}{ratio}")


def best_of(backend: str, preset: str, pair: Pair, count: int, rounds: int = 3) -> float:
    """Seconds a pair in the fastest round; 0 where the backend does not have the preset's transforms."""
    try:
        augment = Augmentation(f"{backend}:{preset}", render_schema())
    except ConfigError:
        return 0.0
    augment(pair, 0)
    found = []
    for _ in range(rounds):
        began = time.process_time()
        for seed in range(count):
            augment(pair, seed)
        found.append((time.process_time() - began) / count)
    return min(found)


if __name__ == "__main__":
    main()
