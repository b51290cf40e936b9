"""What importers and renderers yield: one photo with its mask, read when it is needed."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from PIL import Image

from augkit.core.classes import Doors
from augkit.core.errors import DataError
from augkit.core.parts import Mask, PartSchema
from augkit.data.catalogue import Split
from augkit.data.crop import Box, Photo
from augkit.data.orientation import CarView
from augkit.data.photo_decoding import (
    decode_opened,
    on_its_side,
    open_picture,
    readable,
    require_shape,
    require_size,
    shape_of,
)
from augkit.data.reading_way import AS_FILES_SAY, Exif, Overlap, ReadingWay
from augkit.data.sample_ids import Ids


@dataclass(frozen=True)
class CarBox:
    """Where a car is said to be: ``box`` in pixels of a photo of ``shape`` (H, W), None where no shape is recorded."""

    box: Box
    shape: tuple[int, int] | None = None


@dataclass(frozen=True)
class Sample:
    """One photo and its part mask, before the canonical cut.

    ``id`` is unique in the data set and fit for a file name (see ``ids_of``). ``source_file`` is the photo's path
    below the data set's folder, for people and for ``--classes``. ``photo`` gives the encoded file's bytes or an
    (H, W, 3) RGB array; ``mask`` an (H, W) array of part ids, or a drawing of it. Either may be a function of no
    arguments, called when the sample is read; it has to be picklable for an import with several workers, and raises
    DataError or OSError where this one sample cannot be had. A ``problem`` known beforehand is written here.

    What the source knows is written down, what it does not is found out later: ``view`` is the true class (a renderer
    knows it), ``doors`` the door count alone (file names say it), ``split`` where the data set fixes it, ``subset``
    the part of the data set (a folder, a kind of background), for the audit. ``car`` is where a photo without a mask
    shows its car.
    """

    id: str
    source_file: str
    photo: bytes | Photo | Callable[[], bytes | Photo] = b""
    mask: Mask | PartMask | Callable[[], Mask | PartMask] | Drawing | None = None
    problem: str = ""
    view: CarView | None = None
    doors: Doors | None = None
    split: Split | None = None
    subset: str = ""
    car: CarBox | None = None


@dataclass(frozen=True)
class PartMask:
    """(H, W) part ids.

    ``off_palette`` is the share of pixels that had no exact colour where ids were told from colours; ``notes`` are
    what was left out or doubtful, in words, with how often.
    """

    ids: Mask
    off_palette: float = 0.0
    notes: Mapping[str, int] = field(default_factory=dict)


class Drawing(ABC):
    """A mask that is drawn when its photo's size and orientation are known. It has to be picklable."""

    @property
    @abstractmethod
    def size(self) -> tuple[int, int] | None:
        """Height and width that are recorded beside the shapes; None where these are shares of whatever size."""

    @property
    @abstractmethod
    def fixed(self) -> bool:
        """Whether the shapes are pixels of just that size (run lengths), which only lie on a photo of it."""

    @abstractmethod
    def drawn(self, height: int, width: int, overlap: Overlap | None = None) -> PartMask:
        """The (height, width) mask. Raises DataError where the shapes make none."""


class LazySamples(Iterable[Sample]):
    """The samples of a list of files, each made when it is asked for: only the names are kept.

    ``make(place, id)`` makes the sample of ``files[place]``; ids are those of ``ids_of``. Iterables of samples may be
    gone through several times, and what ``make`` returns has to be the same each time.
    """

    def __init__(self, files: Sequence[str], make: Callable[[int, str], Sample]) -> None:
        self.files, self.make, self.ids = files, make, Ids(files)

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[Sample]:
        for place, id in enumerate(self.ids):
            yield self.make(place, id)


class Samples(Protocol):
    """Samples that can be counted and gone through more than once, always in the same order."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Sample]: ...


@dataclass(frozen=True)
class SampleSet:
    """All samples of a data set and the parts that their masks hold; ``warnings`` are for who imports it.

    ``drawn`` says that masks are drawings, whose shapes may overlap. Samples that are not ``labelled`` have no masks,
    and the schema no parts.
    """

    schema: PartSchema
    samples: Samples
    warnings: tuple[str, ...] = ()
    drawn: bool = False
    labelled: bool = True


@dataclass(frozen=True)
class LoadedSample:
    """A sample in memory, which has no class yet: (H, W, 3) RGB photo, its parts, and the sha256 of the photo's source
    bytes."""

    photo: Photo
    parts: PartMask
    sha256: str

    @property
    def mask(self) -> Mask:
        """(H, W) part ids."""
        return self.parts.ids


def read(sample: Sample, way: ReadingWay = AS_FILES_SAY) -> LoadedSample:
    """Loads a sample. Raises DataError (or OSError) with the reason where it cannot be used.

    Photos with an EXIF orientation are turned upright, as annotation tools and viewers show them, unless ``way`` says
    otherwise. Where nothing is said and a mask's shape fits the stored photo and not the turned one, the photo stays as
    stored; a drawing of that size may be meant for either, and is refused.
    """
    if sample.problem:
        raise DataError(sample.problem)
    with readable():
        source = sample.photo() if callable(sample.photo) else sample.photo
    with readable("mask"):
        mask = sample.mask() if callable(sample.mask) else sample.mask
    if mask is None:
        raise DataError("no mask")
    if not isinstance(mask, Drawing):
        mask = mask if isinstance(mask, PartMask) else PartMask(mask)
        require_size(mask.ids.shape, "mask")
    if isinstance(source, bytes):
        with open_picture(source) as picture:
            with readable("mask"):
                parts, exif = _parts_on(picture, mask, way)
            photo = decode_opened(source, picture, parts.ids.shape, exif)
        return LoadedSample(photo, parts, hashlib.sha256(source).hexdigest())
    require_size(source.shape, "photo")
    height, width = source.shape[:2]
    parts = mask.drawn(height, width, way.overlap) if isinstance(mask, Drawing) else mask
    require_shape((height, width), parts.ids.shape)
    return LoadedSample(source, parts, hashlib.sha256(np.ascontiguousarray(source).tobytes()).hexdigest())


def read_unlabelled(sample: Sample, exif: Exif | None = None) -> tuple[Photo, str]:
    """The (H, W, 3) photo of a sample without a mask, upright or as its box was drawn, and the sha256 of its source.

    Raises DataError (or OSError) with the reason where it cannot be used.
    """
    if sample.problem:
        raise DataError(sample.problem)
    source = sample.photo() if callable(sample.photo) else sample.photo
    assert isinstance(source, bytes), "photos without masks are files"
    with open_picture(source) as picture:
        stored = shape_of(picture)
        upright = stored[::-1] if on_its_side(picture) else stored
        recorded = sample.car.shape if sample.car else None
        if recorded not in (None, stored, upright):
            require_shape(stored, recorded)
        chosen = recorded or (stored if exif == "stored" else upright)
        photo = decode_opened(source, picture, chosen, exif)
    return photo, hashlib.sha256(source).hexdigest()


def _parts_on(picture: Image.Image, mask: PartMask | Drawing, way: ReadingWay) -> tuple[PartMask, Exif | None]:
    """The mask, and which way round the photo has to lie under it."""
    if isinstance(mask, PartMask):
        return mask, way.exif
    stored, recorded = shape_of(picture), mask.size
    if recorded not in (None, stored, stored[::-1]):
        require_shape(stored, recorded)
    turned = on_its_side(picture)
    exif = way.exif
    if turned and recorded == stored != stored[::-1] and not (exif or mask.fixed):
        height, width = stored
        raise DataError(
            f"the photo is stored on its side (EXIF), and the annotation records the size as stored, {width}x{height}: "
            f"its coordinates may be those of the stored photo or of the upright one, {height}x{width}. Say which with "
            "--exif stored or --exif upright"
        )
    upright = stored[::-1] if turned else stored
    if recorded not in (None, stored, upright):
        require_shape(upright, recorded)
    chosen = recorded if exif is None else stored if exif == "stored" else upright
    height, width = chosen or upright
    return mask.drawn(height, width, way.overlap), exif
