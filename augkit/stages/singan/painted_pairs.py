"""Painted pairs as shards: WORKSPACE/painted, a data set of its own to which every request adds one shard."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from augkit import __version__
from augkit.core.errors import DataError
from augkit.core.lock import held
from augkit.core.parts import PartSchema
from augkit.core.storage import Storage, open_storage
from augkit.core.workspace import PAINTED, Workspace
from augkit.data.present_split import present_split
from augkit.shards.codec import encode_mask, encode_photo
from augkit.shards.commit import read_commit
from augkit.shards.index import MANIFEST_FILE, finish, load_manifest
from augkit.shards.shard_names import shard_name
from augkit.shards.writer import PairRecord, ShardWriter
from augkit.stages.singan.painting import Painting, paint, painting_seed
from augkit.stages.singan.pyramid import TrainedPyramid

_NAME = 30
"""Characters of each name that go into a key, which has room for 90."""


@dataclass(frozen=True)
class PaintRequest:
    """``count`` pairs of a painting from a start scale, and how their photos are encoded."""

    trained: TrainedPyramid
    painting: Painting
    start: int
    count: int
    seed: int
    quality: int = 95
    lossless: bool = False

    @property
    def digest(self) -> str:
        """Names what the shard's bytes depend on."""
        facts = [
            self.trained.digest, self.trained.name, self.painting.digest, self.painting.name, self.start, self.count,
            self.seed, self.quality, self.lossless,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def write_pairs(workspace: Workspace, request: PaintRequest, schema: PartSchema) -> tuple[Path | str, str]:
    """Adds the shard of the request to the data set; one that is there already is left as it is. Its folder and name.

    Raises DataError where a held-out pair would come back as a training pair, and for pictures that are not square, and
    BusyError where another command writes there.
    """
    _require_training(workspace, request)
    _require_square(request)
    with held(workspace.root / PAINTED):
        return workspace.painted, _written(open_storage(workspace.painted), request, schema)


def _written(storage: Storage, request: PaintRequest, schema: PartSchema) -> str:
    """The name of the request's shard."""
    names = [shard.name for shard in load_manifest(storage).shards] if storage.exists(MANIFEST_FILE) else []
    for name in names:
        commit = read_commit(storage, name)
        if commit is not None and commit.row_digest == request.digest:
            return name
    name = shard_name("train", len(names))
    writer = ShardWriter(storage, name)
    for number in range(request.count):
        seed = painting_seed(request.seed, request.trained, request.painting, number)
        photo = paint(request.trained, request.painting, request.start, seed)
        writer.add(_record(request, seed, schema), *encode_photo(photo, request.quality, request.lossless),
                   encode_mask(request.painting.pair.mask))  # fmt: skip
    writer.commit(request.digest)
    finish(storage, [*names, name], schema, request.digest, {"augkit": __version__})
    return name


def _record(request: PaintRequest, seed: int, schema: PartSchema) -> PairRecord:
    pair = request.painting.pair
    height, width = pair.mask.shape
    names = f"{request.trained.name[:_NAME]}-{request.painting.name[:_NAME]}"
    return PairRecord(
        key=f"{names}-{request.start}-{seed:016x}", split="train",
        source="painted", orientation=pair.car_class.orientation, doors=pair.car_class.doors, seed=seed,
        mask_model=request.painting.digest, image_model=request.trained.digest, width=width, height=height,
        histogram=pair.histogram(schema.channels).tolist(), scores={"paint_start": float(request.start)},
    )  # fmt: skip


def _require_training(workspace: Workspace, request: PaintRequest) -> None:
    """By the catalogue as it is now: the pyramid may be older than the last import."""
    for what, of in (("photo", request.trained.subject), ("mask", request.painting)):
        split = present_split(workspace, of.word, of.sha256)
        if split != "train":
            raise DataError(
                f"{of.word}: the {what} is of the split {split}", "the training split: what is written here trains",
                "take another pair, or leave --shards out",
            )  # fmt: skip


def _require_square(request: PaintRequest) -> None:
    height, width = request.trained.side
    if height != width:
        raise DataError(
            f"pictures of {width} x {height} px", "square ones: all pairs of a workspace are",
            "train on a pair of the catalogue, or leave --shards out",
        )  # fmt: skip
