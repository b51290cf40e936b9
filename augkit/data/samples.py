"""What importers and renderers yield: one photo with its mask, read when it is needed."""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from augkit.classes import Doors
from augkit.data.catalogue import Split
from augkit.data.crop import Photo
from augkit.data.orientation import View
from augkit.errors import DataError
from augkit.parts import Mask, PartSchema

_LONGEST_ID = 80


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
    view: View | None = None
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

    ``make(place, id)`` makes the sample of ``files[place]``; ids are those of ``ids_of``.
    """

    def __init__(self, files: Sequence[str], make: Callable[[int, str], Sample]) -> None:
        self.files, self.make = files, make

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[Sample]:
        for place, id in enumerate(ids_of(self.files)):
            yield self.make(place, id)


class Samples(Protocol):
    """Samples that can be counted and gone through more than once, always in the same order."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Sample]: ...


@dataclass(frozen=True)
class SampleSet:
    """All samples of a data set and the parts that their masks hold."""

    schema: PartSchema
    samples: Samples


@dataclass(frozen=True)
class Reading:
    """A sample in memory: (H, W, 3) RGB photo, (H, W) mask, and the sha256 of the photo's source bytes."""

    photo: Photo
    mask: Mask
    sha256: str
    off_palette: float = 0.0


def read(sample: Sample) -> Reading:
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
    shape, off = parts.ids.shape, parts.off_palette
    if isinstance(source, bytes):
        return Reading(decode(source, shape), parts.ids, hashlib.sha256(source).hexdigest(), off)
    _require_shape(source.shape[:2], shape)
    return Reading(source, parts.ids, hashlib.sha256(np.ascontiguousarray(source).tobytes()).hexdigest(), off)


def decode(data: bytes, shape: tuple[int, ...]) -> Photo:
    """Encoded photo -> (H, W, 3) RGB of the given (H, W). Raises DataError where it is damaged or of another shape."""
    try:
        with Image.open(io.BytesIO(data)) as stored:
            stored.load()
            upright = ImageOps.exif_transpose(stored)
            chosen = stored if _shape(stored) == shape != _shape(upright) else upright
            _require_shape(_shape(chosen), shape)
            return _rgb(chosen)
    except UnidentifiedImageError as error:  # its own text holds an address in memory
        raise DataError("the photo cannot be read: no picture of a known format") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"the photo cannot be read: {error or type(error).__name__}") from error


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


def ids_of(source_files: Iterable[str]) -> list[str]:
    """Ids for a data set's photos: the file's name in letters, digits, ``-`` and ``_``, without folder and suffix.

    A hash of the whole path follows where the name alone would be ambiguous (also on file systems that ignore
    case), too long, or loses letters; a number follows where even the path occurs twice.
    """
    files = list(source_files)
    slugs = [_slug(file) for file in files]
    counts = Counter(slug.lower() for slug, _ in slugs)
    ids: list[str] = []
    seen: Counter[str] = Counter()
    for file, (slug, exact) in zip(files, slugs, strict=True):
        id = slug
        if not exact or counts[slug.lower()] > 1:
            id = f"{slug}-{hashlib.sha256(file.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"
        seen[id] += 1
        ids.append(id if seen[id] == 1 else f"{id}-{seen[id]}")
    return ids


def _slug(file: str) -> tuple[str, bool]:
    """A name fit for every file system, and whether it still says all that the file's name did."""
    name = re.split(r"[/\\]", file)[-1]
    stem = name.rpartition(".")[0] or name
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-")[:_LONGEST_ID]
    return slug or "photo", slug == stem
