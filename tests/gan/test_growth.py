"""Painting keeps its memory: what one photo needs, the next one uses again."""

from __future__ import annotations

import gc

import psutil
import pytest

from augkit.core.memory import keep_freed_memory
from augkit.shards.codec import encode_photo
from tests.benchmarks.generation import sampler_of

WARM, PAINTED, ALLOWED = 100, 400, 4.0
"""Photos before and after the first look at the memory; MiB by which it may grow. What G computes on its way to one
photo is about 1 MiB."""


@pytest.mark.slow
def test_memory_does_not_grow_while_painting() -> None:
    keep_freed_memory()
    sampler, cars = sampler_of(["image.size=32"])
    resident = []
    for number in range(WARM + PAINTED):
        car = cars[number % len(cars)]
        encode_photo(sampler.paint(car.mask[None], car.car_class, [number]).photos[0])
        if number + 1 in {WARM, WARM + PAINTED}:
            gc.collect()
            resident.append(psutil.Process().memory_info().rss / 2**20)
    assert resident[1] - resident[0] < ALLOWED
