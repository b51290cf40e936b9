"""What the demo starts from: cars that stand in for photos, few of them with masks, and cars that nothing learns from.

They are of body styles that the rendered cars of a segmenter's start (``stages.rendered_start``) do not have, and seen
as snapshots, which those are not: what the start is worth here is not that it saw the same cars before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.parts import BACKGROUND, Mask
from augkit.core.seeds import derive
from augkit.data.catalogue import Split
from augkit.data.crop import Box
from augkit.data.pair import Pair
from augkit.data.samples import CarBox, Sample
from augkit.shards.codec import encode_photo
from augkit.sources.render.rendered_samples import car_of_class, lopsided_counts, sample_of
from augkit.sources.render.snapshots import snapshot

STYLES: dict[str, float] = {"estate": 0.5, "van": 0.5}


def labelled_cars(labels: int, held_out: int, size: int, seed: int) -> Iterator[Sample]:
    """``labels`` cars to learn from, as lopsided as real data, and at least ``held_out`` of the split ``test``, equally
    many of every class. ``size`` is the side of the pairs that will be cut from them."""
    wanted: tuple[tuple[Split, Mapping[CarClass, int]], ...]
    wanted = ("train", lopsided(labels)), ("test", equally(held_out))
    for split, counts in wanted:
        for pair, name in _cars(split, counts, size, seed):
            yield replace(sample_of(pair, name), split=split)


def unlabelled_cars(count: int, size: int, seed: int) -> Iterator[Sample]:
    """At least ``count`` photos without masks, equally many of every class, with a box around each car."""
    for pair, name in _cars("photo", equally(count), size, seed):
        photo, extension = encode_photo(pair.photo, lossless=True)
        yield Sample(name, f"{name}.{extension}", photo, car=CarBox(_box(pair.mask), pair.mask.shape))


def lopsided(count: int) -> Mapping[CarClass, int]:
    """``count`` cars as lopsided as real data, but at least one of each class or of its mirror image, which generators
    need to make others of; it takes the place of one of the most frequent class."""
    counts = dict(lopsided_counts(count))
    for car_class in ALL_CLASSES:
        if car_class not in counts and car_class.mirror not in counts:
            counts[max(counts, key=counts.__getitem__)] -= 1
            counts[car_class] = 1
    return counts


def equally(count: int) -> Mapping[CarClass, int]:
    """At least ``count`` cars, equally many of all twelve classes."""
    return dict.fromkeys(ALL_CLASSES, -(-count // len(ALL_CLASSES)))


def _cars(group: str, counts: Mapping[CarClass, int], size: int, seed: int) -> Iterator[tuple[Pair, str]]:
    """The cars of a group with names that do not tell their class; each is a function of group, class, number within
    it, and seed."""
    places = [(car_class, number) for car_class, count in counts.items() for number in range(count)]
    for place, (car_class, number) in enumerate(places):
        rng = np.random.default_rng(derive(seed, "demo", group, car_class.name, number))
        yield snapshot(car_of_class(car_class, rng, size, STYLES), rng), f"{group}-{place:04d}"


def _box(mask: Mask) -> Box:
    rows, columns = (np.flatnonzero((mask != BACKGROUND).any(axis)) for axis in (1, 0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
