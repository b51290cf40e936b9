"""Paintings: a mask in the part colours of a pyramid's photo, and what the pyramid makes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import BACKGROUND, IGNORE, Mask, PartSchema, without_ignore
from augkit.core.regular_file import PICTURE, read_regular
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.crop import Photo, resize_mask
from augkit.data.drawn_masks import read_drawn_mask
from augkit.data.pair import Pair
from augkit.data.photo_decoding import open_picture
from augkit.data.present_split import sha256_of
from augkit.data.samples import Sample, read_unlabelled
from augkit.gan.label_map import paint_by_part, part_colours
from augkit.metrics.sifid import combined_distance, single_image_distance
from augkit.models.extractors import Extractor
from augkit.models.singan import Side, shrink
from augkit.stages.photo_readings import PhotoReader
from augkit.stages.singan.pose import pose_differences
from augkit.stages.singan.pyramid import TrainedPyramid
from augkit.stages.singan.scale import photo_of, pixels, resized, seeded_noise
from augkit.stages.singan.training_photo import checked_mask, pair_of, plain_name, view_of


@dataclass(frozen=True)
class Painting:
    """``pair``: a mask without ignore, and in place of a photo its part colours, both at the pyramid's finest size.

    ``differences`` is what speaks against the photo's pose; ``sha256`` is that of a drawn mask's file, or of the source
    of the pair whose mask it is.
    """

    name: str
    word: str
    pair: Pair
    differences: list[str]
    sha256: str

    @property
    def digest(self) -> str:
        """sha256 over the mask."""
        return hashlib.sha256(self.pair.mask.tobytes()).hexdigest()


@dataclass(frozen=True)
class StartScaleTrial:
    """What a start scale gives: SIFID to the painting and to the photo, and ``combined``, M = Sp + St + |Sp - St|."""

    start: int
    picture: Photo
    to_painting: float
    to_photo: float

    @property
    def combined(self) -> float:
        """M: low only where the picture is near both."""
        return combined_distance(self.to_painting, self.to_photo)


OpenReader = Callable[[], PhotoReader]
"""Opens the teacher that reads photos. Raises CheckpointError where there is none."""


def read_painting(
    workspace: Workspace, trained: TrainedPyramid, schema: PartSchema, word: str, teacher: OpenReader
) -> Painting:
    """A drawn mask's file, the mask of a pair of the catalogue, or what the teacher reads of a photo's file (JPEG or
    WebP, in which no mask is stored), in the colours of the pyramid's photo.

    Raises DataError for a photo without a car, for a mask that cannot be read, and for one of another size.
    """
    own = trained.subject.pair
    if own is None:
        raise DataError(
            f"{trained.name}: trained on a photo without a mask, so no part has a colour", "a photo with its mask",
            "train on a pair of the catalogue, or name its mask: augkit paint train PHOTO --mask MASK.png --fresh",
        )  # fmt: skip
    height, width = own.mask.shape
    path = Path(word)
    if is_photo(path):
        name, drawn, sha256 = plain_name(path.stem), _mask_of(path, own.mask, teacher), sha256_of(path)
    else:
        name, drawn, sha256 = _read(workspace, schema, word)
    if drawn.shape != own.mask.shape:
        raise DataError(
            f"{word}: a painting of {drawn.shape[1]} x {drawn.shape[0]} px", f"{width} x {height} px, as the photo of "
            f"{trained.name}", f"resize it to {width} x {height} px without smoothing (nearest neighbour)",
        )  # fmt: skip
    mask = without_ignore(drawn)
    coloured = photo_of(paint_by_part(torch.from_numpy(mask)[None], learnt_colours(own, schema)[None]))
    small = mask_at(mask, trained.side)
    pair = Pair(resized(coloured, trained.side), small, view_of(small, schema))
    return Painting(name, word, pair, pose_differences(own.mask, mask, schema), sha256)


def is_photo(path: Path) -> bool:
    """Whether it is a picture's file of a kind that no mask is stored in."""
    try:
        with open_picture(read_regular(path, PICTURE)) as picture:
            return picture.format in ("JPEG", "WEBP")
    except (OSError, DataError):
        return False


def _mask_of(path: Path, own: Mask, teacher: OpenReader) -> Mask:
    """What the teacher reads of the largest car in a photo, cut out at the size of the pyramid's ``own`` mask."""
    height, width = own.shape
    if height != width:
        raise DataError(
            f"{path}: is read as a square around its car, and the pyramid's photo has {width} x {height} px",
            "a pyramid of a square photo", "train on a pair of the catalogue, or draw a mask of that size",
        )  # fmt: skip
    reader = teacher()
    photo, _ = read_unlabelled(Sample("photo", path.name, photo=path.read_bytes()))
    car = PhotoReader(reader.reader, reader.rule, width, reader.margin).find(photo)
    return np.where(car.read == IGNORE, BACKGROUND, car.read).astype(np.uint8)


def _read(workspace: Workspace, schema: PartSchema, word: str) -> tuple[str, Mask, str]:
    path = Path(word)
    if path.is_file():
        return plain_name(path.stem), read_drawn_mask(path, schema), sha256_of(path)
    row = pair_of(workspace, word)
    return word, checked_mask(workspace, word), row.sha256


def learnt_colours(pair: Pair, schema: PartSchema) -> Float[Tensor, "k 3"]:
    """The mean colour of every part in a pair's photo, in [-1, 1], background first.

    A part that it does not show takes the colour of its counterpart on the other side, else the mean over the car.
    """
    photo, mask = pair.to_tensor()
    colours = part_colours(photo[None], mask[None], schema.channels, torch.ones(1, 1, *mask.shape))[0]
    shown = pair.histogram(schema.channels) > 0
    for one, other in schema.swaps:
        if shown[one] != shown[other]:
            there, lacking = (one, other) if shown[one] else (other, one)
            colours[lacking] = colours[there]
    return colours


def mask_at(mask: Mask, side: Side) -> Mask:
    """(H, W) -> (*side,) by the id that covers most of a pixel; ``side`` has the same proportions."""
    height, width = mask.shape
    longest = max(height, width)
    square = cv2.copyMakeBorder(
        mask, 0, longest - height, 0, longest - width, cv2.BORDER_CONSTANT, value=(BACKGROUND,)
    )  # fmt: skip
    return np.ascontiguousarray(resize_mask(np.asarray(square, np.uint8), max(side))[: side[0], : side[1]])


@torch.inference_mode()
def paint(trained: TrainedPyramid, painting: Painting, start: int, seed: int) -> Photo:
    """The painting, shrunk to the scale below ``start`` and made a photo from there on.

    Raises ConfigError for a scale that is not there or has none below it.
    """
    pyramid = trained.pyramid
    if not 1 <= start < len(pyramid):
        raise ConfigError(
            f"--start {start}: the pyramid has {len(pyramid)} scales",
            f"1 (most is changed) to {len(pyramid) - 1} (least is)" if len(pyramid) > 1 else "more than one scale",
            "leave it out: the best one is found by M" if len(pyramid) > 1 else "train with a smaller paint.coarsest",
        )
    before = shrink(pixels(painting.pair.photo), pyramid.sizes[start - 1])
    return photo_of(pyramid.climb(before, seeded_noise(pyramid, seed), start))


def try_starts(
    trained: TrainedPyramid, painting: Painting, starts: Sequence[int], seed: int, extractor: Extractor
) -> list[StartScaleTrial]:
    """One picture from each start scale, compared with the painting and with the photo."""
    targets = _maps(extractor, painting.pair.photo), _maps(extractor, trained.shown())
    trials = []
    for start in starts:
        picture = paint(trained, painting, start, seed)
        own = _maps(extractor, picture)
        trials.append(StartScaleTrial(start, picture, *(single_image_distance(own, target) for target in targets)))
    return trials


def best(trials: Sequence[StartScaleTrial]) -> StartScaleTrial:
    """The one with the lowest M; the coarser one among equals."""
    return min(trials, key=lambda trial: trial.combined)


def painting_seed(seed: int, trained: TrainedPyramid, painting: Painting, number: int) -> int:
    """The seed of the ``number``-th picture of a painting."""
    return derive(seed, "painting", trained.digest, painting.digest, number)


def _maps(extractor: Extractor, photo: Photo) -> Tensor:
    return extractor.maps(torch.from_numpy(photo.copy()).permute(2, 0, 1)[None])[0]
