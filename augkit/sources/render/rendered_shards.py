"""Rendered cars as shards, with the parts of a workspace's photos: a data set of its own, to which cars are added."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from augkit import __version__
from augkit.core.classes import CarClass
from augkit.core.errors import ShardError
from augkit.core.lock import held
from augkit.core.parts import PartSchema, histogram
from augkit.core.progress import Progress, silent
from augkit.core.storage import Storage, open_storage
from augkit.shards.codec import encode_mask, encode_photo
from augkit.shards.index import MANIFEST_FILE, finish, load_index, load_manifest
from augkit.shards.shard_names import shard_name
from augkit.shards.writer import PairRecord, ShardWriter
from augkit.sources.render.rendered_parts import cut_car, own_parts
from augkit.sources.render.rendered_samples import rendered_sample

PER_SHARD = 1000


@dataclass(frozen=True)
class RenderRequest:
    """So many cars of each class, of ``size`` px, drawn from a seed, and how their photos are encoded."""

    counts: Mapping[CarClass, int]
    size: int
    seed: int
    quality: int = 95
    lossless: bool = False

    def cars(self) -> dict[str, tuple[CarClass, int]]:
        """The cars by their keys: class, and number within it."""
        return {
            f"rendered-{self.seed}-{car_class.name}-{number:05d}": (car_class, number)
            for car_class, count in self.counts.items()
            for number in range(count)
        }


def write_rendered(
    place: Path | str, thing: Path, request: RenderRequest, schema: PartSchema, progress: Progress = silent, *,
    patience: float = 0.0,
) -> int:  # fmt: skip
    """Adds the cars that are not there yet to the data set at ``place``, whose lock is that of ``thing``; returns how
    many those were.

    Raises DataError where the schema has parts that no rendered car shows, ShardError where cars of another size or
    of other parts are there, and BusyError where another command writes them still after ``patience`` seconds.
    """
    own_parts(schema)
    with held(thing, patience=patience):
        storage = open_storage(place)
        names, known = _there(storage, request.size, schema)
        missing = [key for key in request.cars() if key not in known]
        parts = [missing[begin : begin + PER_SHARD] for begin in range(0, len(missing), PER_SHARD)]
        for part in parts:
            names.append(shard_name("train", len(names)))
            _write(ShardWriter(storage, names[-1]), request, part, schema, progress)
        if parts:
            digest = hashlib.sha256(json.dumps([*sorted(known), *missing, request.size]).encode()).hexdigest()
            finish(storage, names, schema, digest, {"augkit": __version__})
    return len(missing)


def _there(storage: Storage, size: int, schema: PartSchema) -> tuple[list[str], set[str]]:
    """Shards and keys of a data set that the request may add to."""
    if not storage.exists(MANIFEST_FILE):
        return [], set()
    manifest, index = load_manifest(storage), load_index(storage)
    sizes = set(index["width"].to_pylist())
    if sizes != {size} or manifest.schema.digest != schema.digest:
        raise ShardError(
            f"{storage}: rendered cars of {', '.join(map(str, sorted(sizes)))} px and "
            f"{manifest.schema.channels - 1} parts",
            f"{size} px and the workspace's parts", "remove that folder, and run this again",
        )  # fmt: skip
    return [shard.name for shard in manifest.shards], set(index["key"].to_pylist())


def _write(
    writer: ShardWriter, request: RenderRequest, keys: list[str], schema: PartSchema, progress: Progress
) -> None:
    own, cars = own_parts(schema), request.cars()
    for done, key in enumerate(keys, 1):
        car_class, number = cars[key]
        photo, mask = cut_car(rendered_sample(car_class, number, request.size, request.seed), own, request.size)
        record = PairRecord(
            key=key, split="train", source="rendered", orientation=car_class.orientation, doors=car_class.doors,
            seed=request.seed, mask_model="", image_model="", width=request.size, height=request.size,
            histogram=histogram(mask, schema.channels).tolist(),
        )  # fmt: skip
        writer.add(record, *encode_photo(photo, request.quality, request.lossless), encode_mask(mask))
        progress("rendering", done, len(keys))
    writer.commit(hashlib.sha256("\n".join(keys).encode()).hexdigest())
