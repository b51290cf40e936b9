"""The same pairs as three other libraries keep them, for ``loader.py --peers``: what they hand out is the same, too.

Each keeps photo and mask as the encoded bytes that they are, in its own format. They are decoded by Pillow, as image
types of all three do, and in a second row by OpenCV, as a script that is tuned by hand would.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from augkit.shards.reader import ShardDataset

BATCH = 16
Loader = Iterable[dict[str, Any]]
Decode = Callable[[bytes, bytes], dict[str, Any]]
Opener = Callable[[Path, Path, int, Decode], Loader]


def by_pillow(photo: bytes, mask: bytes) -> dict[str, Any]:
    """(3, H, W) uint8 and (H, W) int64."""
    with Image.open(io.BytesIO(photo)) as image, Image.open(io.BytesIO(mask)) as ids:
        return _tensors(np.array(image.convert("RGB")), np.array(ids))


def by_opencv(photo: bytes, mask: bytes) -> dict[str, Any]:
    """The same, sooner."""
    image = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR_RGB)
    ids = cv2.imdecode(np.frombuffer(mask, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None and ids is not None
    return _tensors(image, ids)


def _tensors(image: Any, ids: Any) -> dict[str, Any]:
    return {"image": torch.from_numpy(image).permute(2, 0, 1).contiguous(), "mask": torch.from_numpy(ids).long()}


def batches_of(data: Any, workers: int, shuffle: bool | None) -> Loader:
    """The loader that all of them go through, whose workers live on."""
    return DataLoader(data, BATCH, shuffle=shuffle, num_workers=workers, persistent_workers=workers > 0)


def arrow(shards: Path, own: Path, workers: int, decode: Decode) -> Loader:
    """HF datasets: an Arrow file that is mapped, a transform over each batch."""
    import datasets

    if not own.exists():
        rows: dict[str, list[Any]] = {"photo": [], "mask": [], "key": [], "class": []}
        for row in rows_of(shards):
            for name, value in row.items():
                rows[name].append(value)
        datasets.Dataset.from_dict(rows).save_to_disk(own)

    def decoded(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
        samples = [decode(*pair) for pair in zip(batch["photo"], batch["mask"], strict=True)]
        named = {name: [sample[name] for sample in samples] for name in ("image", "mask")}
        return {**named, "key": batch["key"], "class": batch["class"]}

    return batches_of(datasets.load_from_disk(own).with_transform(decoded), workers, True)


def mds(shards: Path, own: Path, workers: int, decode: Decode) -> Loader:
    """mosaicml-streaming: its own shards, at random places (three times as fast as iterating)."""
    from streaming import MDSWriter, StreamingDataset
    from streaming.base.util import clean_stale_shared_memory

    if not own.exists():
        columns = {"photo": "bytes", "mask": "bytes", "key": "str", "class": "str"}
        with MDSWriter(out=str(own), columns=columns) as writer:
            for row in rows_of(shards):
                writer.write(row)

    class Decoded(Dataset[dict[str, Any]]):
        def __len__(self) -> int:
            return int(rows.num_samples)

        def __getitem__(self, at: int) -> dict[str, Any]:
            row = rows[at]
            return {**decode(row["photo"], row["mask"]), "key": row["key"], "class": row["class"]}

    clean_stale_shared_memory()
    rows = StreamingDataset(local=str(own), batch_size=BATCH)
    return batches_of(Decoded(), workers, True)


def webdataset(shards: Path, _: Path, workers: int, decode: Decode) -> Loader:
    """webdataset over augkit's own tars, which it opens as they are; the JSON member stays undecoded."""
    import webdataset as wds

    def decoded(sample: dict[str, Any]) -> dict[str, Any]:
        return {**decode(sample["jpg"], sample["mask.png"]), "key": sample["__key__"]}

    urls = sorted(str(path) for path in shards.glob("shard-*.tar") if "aside" not in path.name)
    return batches_of(wds.WebDataset(urls, shardshuffle=len(urls)).shuffle(64).map(decoded), workers, None)


def rows_of(shards: Path) -> Iterable[dict[str, Any]]:
    """The pairs as all of them keep them."""
    data = ShardDataset(shards)
    for number, name in enumerate(data.classes):
        photo, mask = data.raw(number)
        yield {"photo": photo, "mask": mask, "key": f"pair-{number}", "class": name}


def installed() -> dict[str, Opener]:
    """Those whose packages there are, by name."""
    packages: dict[str, tuple[str, Opener]] = {
        "HF Arrow": ("datasets", arrow), "MDS": ("streaming", mds), "webdataset": ("webdataset", webdataset),
    }  # fmt: skip
    return {name: opener for name, (package, opener) in packages.items() if importlib.util.find_spec(package)}
