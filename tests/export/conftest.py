from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from augkit.core.parts import IGNORE, Mask, PartSchema, histogram
from augkit.core.storage import LocalStorage
from augkit.core.workspace import Workspace
from augkit.shards.codec import encode_mask, encode_photo
from augkit.shards.index import finish
from augkit.shards.writer import ShardWriter
from tests.balance.conftest import augkit
from tests.data.conftest import coco
from tests.shards.pairs import make_record

__all__ = ["augkit", "coco"]

PARTS = PartSchema.from_names(["hood", "left_door", "right_door"])
SIZE = (40, 56)


def draw_mask(seed: int) -> Mask:
    """Blobs of parts with holes, single pixels and a corner that is to be ignored."""
    random = np.random.default_rng(seed)
    mask = np.zeros(SIZE, np.uint8)
    for part in (1, 2, 3):
        noise = cv2.GaussianBlur(random.random(SIZE), (0, 0), 3)
        mask[noise > np.quantile(noise, 0.7)] = part
    mask[random.random(SIZE) < 0.01] = 1
    mask[12:22, 20:30], mask[15:19, 23:27] = 3, 0
    mask[:4, :9] = IGNORE
    return mask


@pytest.fixture(scope="package")
def drawn() -> dict[str, Mask]:
    """Masks by key: four real pairs for training, two held out, three generated."""
    keys = ["real-0", "real-1", "real-2", "real-3", "held-0", "held-1", "made-0", "made-1", "made-2"]
    return {key: draw_mask(seed) for seed, key in enumerate(keys)}


def photo_of(mask: Mask) -> bytes:
    """The encoded photo over a mask."""
    return encode_photo(PARTS.colourise(mask))[0]


@pytest.fixture(scope="package")
def sharded(drawn: dict[str, Mask], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace that has shards of them, and a pair that the gate rejected."""
    workspace = Workspace(tmp_path_factory.mktemp("sharded"))
    storage = LocalStorage(workspace.shards)
    names = {"real": "shard-000000", "held": "val-000000", "made": "shard-000001"}
    for kind, name in names.items():
        writer = ShardWriter(storage, name)
        for key, mask in drawn.items():
            if key.startswith(kind):
                source, split = ("generated" if kind == "made" else "real"), ("val" if kind == "held" else "train")
                counts = histogram(mask, PARTS.channels).tolist()
                about = {"source": source, "split": split, "histogram": counts}
                record = make_record(key, mask, scores={"detail": int(key[-1]) / 10}, **about)
                writer.add(record, photo_of(mask), "jpg", encode_mask(mask))
        if kind == "made":
            record = make_record("bad", drawn["made-0"], accepted=False, reasons=["specks"], histogram=counts)
            writer.add(record, photo_of(drawn["made-0"]), "jpg", encode_mask(drawn["made-0"]))
        writer.commit("row")
    finish(storage, list(names.values()), PARTS, "plan", {"augkit": "0"})
    return workspace


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"
