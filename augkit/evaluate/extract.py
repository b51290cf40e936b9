"""From pictures to their features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from augkit.core.errors import DataError
from augkit.core.memory import keep_freed_memory
from augkit.core.parts import Mask, PartSchema
from augkit.core.progress import Progress, silent
from augkit.evaluate.features import Kind, PictureFeatures
from augkit.metrics.masks import part_adjacency, part_components, part_shares
from augkit.metrics.metric import Reads
from augkit.models.extractors import Extractor

Photo = NDArray[np.uint8]

BATCH = 4
"""For a CPU, whose caches larger batches leave; a GPU wants more."""


def extract_photos(
    photos: Sequence[Photo], extractor: Extractor, batch: int = BATCH, progress: Progress = silent
) -> PictureFeatures:
    """(H, W, 3) RGB uint8 each, or one (N, H, W, 3) array; anything with a length and places will do.

    Raises DataError for no photos, and for photos of different sizes.
    """
    _check_sizes(photos, "photos")
    seen = _see(photos, lambda photo: photo, extractor, batch, progress)
    return PictureFeatures(extractor.name, "photos", photos[0].shape[:2], {"features": seen}, _blank(photos))


def extract_masks(
    masks: Sequence[Mask], schema: PartSchema, extractor: Extractor, batch: int = BATCH, progress: Progress = silent
) -> PictureFeatures:
    """(H, W) part ids each, or one (N, H, W) array.

    The extractor sees them in the schema's colours, brought to its size by the nearest pixel: no mixed colours.
    Raises DataError for no masks, for masks of different sizes and for ids that the schema does not have.
    """
    side = (extractor.size, extractor.size)

    def draw(mask: Mask) -> Photo:
        return schema.colourise(np.asarray(cv2.resize(mask, side, interpolation=cv2.INTER_NEAREST), np.uint8))

    _check_sizes(masks, "masks")
    whole, channels = np.stack(list(masks)), schema.channels
    tables: dict[Reads, NDArray[Any]] = {
        "features": _see(masks, draw, extractor, batch, progress),
        "shares": part_shares(whole, channels),
        "adjacency": part_adjacency(whole, channels),
        "components": part_components(whole, channels),
    }
    return PictureFeatures(extractor.name, "masks", whole[0].shape, tables, _blank(masks))


def _see(
    pictures: Sequence[NDArray[np.uint8]],
    draw: Callable[[NDArray[np.uint8]], Photo],
    extractor: Extractor,
    batch: int,
    progress: Progress,
) -> NDArray[np.float32]:
    """(N, D) features."""
    keep_freed_memory()
    found = []
    for begin in range(0, len(pictures), batch):
        chunk = [draw(pictures[place]) for place in range(begin, min(begin + batch, len(pictures)))]
        found.append(extractor.features(torch.from_numpy(np.stack(chunk)).permute(0, 3, 1, 2)).numpy())
        progress("pictures", begin + len(chunk), len(pictures))
    return np.concatenate(found)


def _blank(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.bool_]:
    """(N,): those of a single colour."""
    places = range(len(pictures))
    return np.array([bool((pictures[place] == pictures[place][0, 0]).all()) for place in places])


def _check_sizes(pictures: Sequence[NDArray[np.uint8]], kind: Kind) -> None:
    if not len(pictures):
        raise DataError(f"no {kind}", "at least one")
    wanted = (2,) if kind == "masks" else (3, 3)
    sizes = set()
    for picture in pictures:
        if (picture.ndim, *picture.shape[2:]) != wanted or picture.dtype != np.uint8:
            shape = "(H, W) part ids" if kind == "masks" else "(H, W, 3) RGB"
            raise DataError(f"{kind} of {picture.dtype} of shape {picture.shape}", f"{shape}, 8 bits each")
        sizes.add(picture.shape[:2])
    if len(sizes) > 1:
        raise DataError(f"{kind} of {len(sizes)} different sizes", "one size", "resize them first")
