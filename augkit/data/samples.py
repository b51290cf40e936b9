"""What importers and renderers yield: one photo with its mask, read when it is needed."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from augkit.core.classes import Doors
from augkit.core.errors import DataError
from augkit.core.parts import Mask, PartSchema
from augkit.data.catalogue import Split
from augkit.data.crop import Photo
from augkit.data.orientation import CarView
from augkit.data.sample_ids import Ids

MAX_PIXELS = 2**26
"""The largest photo or mask that is read: 8192 x 8192 pixels, 200 MB as RGB. A file of a few kilobytes may claim more
than any machine has."""

_ORIENTATION = 274  # EXIF tag
_UPRIGHT = (None, 1)
_JPEG_END = b"\xff\xd9"


@dataclass(frozen=True)
class Sample:
    """One photo and its part mask, before the canonical cut.

    ``id`` is unique in the data set and fit for a file name (see ``ids_of``). ``source_file`` is the photo's path
    below the data set's folder, for people and for ``--classes``. ``photo`` gives the encoded file's bytes or an
    (H, W, 3) RGB array; ``mask`` an (H, W) array of part ids. Either may be a function of no arguments, called when
    the sample is read; it has to be picklable for an import with several workers, and raises DataError or OSError
    where this one sample cannot be had. A ``problem`` known beforehand is written here.

    What the source knows is written down, what it does not is found out later: ``view`` is the true class (a renderer
    knows it), ``doors`` the door count alone (file names say it), ``split`` where the data set fixes it, ``subset``
    the part of the data set (a folder, a kind of background), for the audit.
    """

    id: str
    source_file: str
    photo: bytes | Photo | Callable[[], bytes | Photo] = b""
    mask: Mask | PartMask | Callable[[], Mask | PartMask] | None = None
    problem: str = ""
    view: CarView | None = None
    doors: Doors | None = None
    split: Split | None = None
    subset: str = ""


@dataclass(frozen=True)
class PartMask:
    """(H, W) part ids that were told from colours; ``off_palette`` is the share of pixels of no exact colour."""

    ids: Mask
    off_palette: float = 0.0


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
    """All samples of a data set and the parts that their masks hold; ``warnings`` are for who imports it."""

    schema: PartSchema
    samples: Samples
    warnings: tuple[str, ...] = ()


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


def read(sample: Sample) -> LoadedSample:
    """Loads a sample. Raises DataError (or OSError) with the reason where it cannot be used.

    Photos with an EXIF orientation are turned upright, as annotation tools and viewers show them; where the mask's
    shape fits the stored photo and not the turned one, the photo stays as stored.
    """
    if sample.problem:
        raise DataError(sample.problem)
    source = sample.photo() if callable(sample.photo) else sample.photo
    mask = sample.mask() if callable(sample.mask) else sample.mask
    if mask is None:
        raise DataError("no mask")
    parts = mask if isinstance(mask, PartMask) else PartMask(mask)
    shape = parts.ids.shape
    require_size(shape, "mask")
    if isinstance(source, bytes):
        return LoadedSample(decode(source, shape), parts, hashlib.sha256(source).hexdigest())
    require_size(source.shape, "photo")
    _require_shape(source.shape[:2], shape)
    return LoadedSample(source, parts, hashlib.sha256(np.ascontiguousarray(source).tobytes()).hexdigest())


def decode(data: bytes, shape: tuple[int, ...]) -> Photo:
    """Encoded photo -> (H, W, 3) RGB of the given (H, W). Raises DataError where it is damaged or of another shape.

    What is wrong with the size is told from the header, before anything is decoded.
    """
    with open_picture(data) as stored:
        try:
            if not {_shape(stored), _shape(stored)[::-1]} & {shape}:
                _require_shape(_shape(stored), shape)
            plain = stored.getexif().get(_ORIENTATION) in _UPRIGHT
            photo = _quickly(data, stored) if plain else None
            if photo is None:
                stored.load()
                upright = stored if plain else ImageOps.exif_transpose(stored)
                chosen = stored if _shape(stored) == shape != _shape(upright) else upright
                _require_shape(_shape(chosen), shape)
                return _rgb(chosen)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise DataError(f"the photo cannot be read: {error or type(error).__name__}") from error
    _require_shape(photo.shape[:2], shape)
    return photo


def open_picture(data: bytes) -> Image.Image:
    """An encoded picture whose header was read and whose pixels were not, for use in a ``with`` statement.

    Raises DataError for what is no picture, and for one of more than ``MAX_PIXELS``.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data))
    except UnidentifiedImageError as error:  # its own text holds an address in memory
        raise DataError("the photo cannot be read: no picture of a known format") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"the picture is larger than the limit of {_LIMIT}: {size_of(error)}") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise DataError(f"the photo cannot be read: {error or type(error).__name__}") from error
    require_size(_shape(picture), "picture")
    return picture


_LIMIT = f"{MAX_PIXELS} pixels (8192 x 8192)"


def size_of(error: Exception) -> str:
    """What Pillow says of a picture that it does not open for its size, without its own limit, which is another."""
    return str(error).partition(" exceeds")[0]


def require_size(shape: tuple[int, ...], what: str) -> None:
    """Raises DataError where a picture of this (H, W, ...) has more than ``MAX_PIXELS``."""
    if shape[0] * shape[1] > MAX_PIXELS:
        raise DataError(f"the {what} is {shape[1]}x{shape[0]} pixels, which is larger than the limit of {_LIMIT}")


def _quickly(data: bytes, stored: Image.Image) -> Photo | None:
    """What Pillow would decode, sooner; None where OpenCV might see it differently. OpenCV decodes half a JPEG and
    greys out the rest, so only files with an end are given to it."""
    if stored.format != "JPEG" or stored.mode != "RGB" or _JPEG_END not in data[-64:]:
        return None
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    photo = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    return None if photo is None else np.asarray(photo, np.uint8)


def _rgb(image: Image.Image) -> Photo:
    if image.mode in ("F", "I") or image.mode.startswith("I;"):
        raise DataError(f"the photo has {image.mode} pixels; 8 bits a channel are expected")
    if "transparency" in image.info:
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))


def _shape(image: Image.Image) -> tuple[int, int]:
    return image.height, image.width


def _require_shape(photo: tuple[int, ...], mask: tuple[int, ...]) -> None:
    if photo != mask:
        raise DataError(f"the photo is {photo[1]}x{photo[0]} pixels, but its annotation is for {mask[1]}x{mask[0]}")
