"""A workspace with shards and models as balance leaves them, made without training anything."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from augkit.core.classes import CarClass
from augkit.core.parts import PartSchema
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, read_catalogue
from augkit.data.crop import resize_photo
from augkit.data.pair import Pair
from augkit.data.pair_files import read_mask, read_photo
from augkit.settings import load_settings, save_settings
from augkit.shards.codec import encode_mask, encode_photo
from augkit.shards.index import finish
from augkit.shards.writer import PairRecord, ShardWriter
from tests.report.documents import COMPARE, GATE, MASKS, PHOTOS, PLANTED, UTILITY
from tests.sharding import SplitWriters

MADE = {"back-left-3": 3, "front-right-5": 1}
"""Accepted generated pairs by class."""

REJECTED = 4
COPY = "back-left-3-copy"
"""The mirror image of the training pair ``EXEMPLAR``."""

EXEMPLAR = "back-right-3-00001"


def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Photos are compared by a few pixels, without a network. For tests of which the neighbours are not the point."""

    def glance(pairs: Sequence[Pair], progress: object) -> np.ndarray:
        return np.stack([resize_photo(pair.photo, 4).reshape(-1).astype(np.float32) for pair in pairs])

    monkeypatch.setattr("augkit.report.nearest_pairs._features", glance)


def make_workspace(workspace: Workspace) -> Workspace:
    """Adds shards of real, generated and rejected pairs, a model's records and what other verbs measured."""
    schema, storage = PartSchema.load(workspace.schema), open_storage(workspace.shards)
    rows = {row.id: row for row in read_catalogue(workspace.catalogue)}
    real = SplitWriters(storage)
    for row in rows.values():
        real.add(_record(row, "real"), workspace.photo(row.id).read_bytes(), "jpg", workspace.mask(row.id).read_bytes())
    names = real.commit("real")
    for number, name in enumerate(MADE, 1):
        writer = ShardWriter(storage, f"shard-{number:06d}")
        _generate(writer, name, workspace, rows, schema)
        writer.commit(name)
    finish(storage, [*names, "shard-000001", "shard-000002"], schema, "plan", {"augkit": "0"})
    save_settings(load_settings("smoke", ["balance.target_per_class=6"]), workspace.settings)
    _record_training(workspace)
    workspace.reports.mkdir(exist_ok=True)
    documents = {
        "utility": UTILITY, "gate": GATE, "planted": PLANTED, "masks": MASKS, "photos": PHOTOS,
        "compare": COMPARE,
    }  # fmt: skip
    for name, document in documents.items():
        (workspace.reports / f"{name}.json").write_text(json.dumps(document))
    return workspace


def _generate(
    writer: ShardWriter, name: str, workspace: Workspace, rows: dict[str, CatalogueRow], schema: PartSchema
) -> None:
    """Blurred mirror images of the mirror class; of the first class also a copy and what the gate rejected."""
    car_class = CarClass.parse(name)
    sources = [r for r in rows.values() if r.car_class == car_class.mirror and r.split == "train" and r.id != EXEMPLAR]
    plain = MADE[name] - (name == "back-left-3")
    for number, source in enumerate(sources[:plain]):
        photo, mask = _mirrored(workspace, source, schema)
        record = _made(f"{name}-{number}", car_class, mask, schema, number)
        noisy = np.clip(photo.astype(int) + 40, 0, 255).astype(np.uint8)
        writer.add(record, *encode_photo(noisy), encode_mask(np.roll(mask, 5 + number, axis=0)))
    if name != "back-left-3":
        return
    photo, mask = _mirrored(workspace, rows[EXEMPLAR], schema)
    writer.add(_made(COPY, car_class, mask, schema, 7, exemplar=EXEMPLAR), *encode_photo(photo, 100), encode_mask(mask))
    for key, reasons in (("a", ["agreement"]), ("b", ["agreement", "missing:hood"])):
        record = _made(f"{name}-{key}", car_class, mask, schema, 8, reasons=reasons, accepted=False)
        writer.add(record, *encode_photo(photo), encode_mask(mask))
    for key, reasons in (("m", ["missing:hood"]), ("view", ["view:back-left-5"])):
        writer.reject(_made(f"{name}-{key}", car_class, mask, schema, 9, reasons=reasons, accepted=False))


def _mirrored(workspace: Workspace, row: CatalogueRow, schema: PartSchema) -> tuple[np.ndarray, np.ndarray]:
    photo, mask = read_photo(workspace.photo(row.id)), read_mask(workspace.mask(row.id))
    return np.ascontiguousarray(photo[:, ::-1]), schema.flip(mask)


def _record(row: CatalogueRow, source: str) -> PairRecord:
    return PairRecord(
        key=row.id, split=row.split, source=source, orientation=row.orientation, doors=row.doors, seed=0, mask_model="",
        image_model="", width=row.size, height=row.size, histogram=row.histogram,
    )  # fmt: skip


def _made(key: str, car_class: CarClass, mask: np.ndarray, schema: PartSchema, seed: int, **more: object) -> PairRecord:
    counts = np.bincount(mask.reshape(-1), minlength=256)[: schema.channels].tolist()
    return PairRecord(
        key=key, split="train", source="generated", orientation=car_class.orientation, doors=car_class.doors, seed=seed,
        mask_model="f" * 64, image_model="e" * 64, width=mask.shape[1], height=mask.shape[0], histogram=counts,
        scores={"view_confidence": 0.5 + seed / 20, "area_excess": seed / 10}, **more,
    )  # fmt: skip


def _record_training(workspace: Workspace) -> None:
    folder = workspace.model("mask", "all")
    folder.mkdir(parents=True)
    lines = [{"step": step, "seconds_per_step": 0.1, "G/l1": 1 / step} for step in range(10, 30, 10)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    judged = [{"step": 10, "distance": 5.0, "diversity": 0.5}, {"step": 20, "distance": 7.0, "diversity": 0.6}]
    (folder / "judgements.jsonl").write_text("".join(json.dumps(line) + "\n" for line in judged))
    about = {"stage": "mask", "model": "mask-vae", "size": 32, "pairs": 32, "steps": 20, "chosen_step": 10}
    (folder / "config.json").write_text(json.dumps(about))
